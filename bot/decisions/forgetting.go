package decisions

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// forgetting says whose decisions are to go. Replicas tell each other of it in a stream from which nothing is
// forgotten, so it does not name the user.
type forgetting struct {
	Salt string    `json:"salt"`
	User string    `json:"user"` // its hash
	At   time.Time `json:"at"`
}

func forgettingOf(user string, at time.Time) *forgetting {
	f := &forgetting{Salt: rand.Text(), At: at}
	f.User = f.hash(user)
	return f
}

func (f *forgetting) hash(user string) string {
	sum := sha256.Sum256([]byte(f.Salt + user))
	return hex.EncodeToString(sum[:])
}

// means reports whether a decision is to go.
func (f *forgetting) means(r *Record) bool { return r.User != "" && f.hash(r.User) == f.User }
