package memory

import (
	"crypto/sha256"

	"escalator/bot/store"
	"escalator/rules"
)

// Journal makes what is decided here survive a restart. It is safe for
// concurrent use.
type Journal interface {
	// Commit stores a transfer, if there is one, and the change that decided it, in one
	// transaction: nil means that both are on disk, an error that neither is. It is
	// store.ErrPending as in store.Outbox.Put.
	Commit(t *store.Transfer, c Change) error
	// Keep has a change written soon, whole. It does not wait, and keeps nothing of it.
	Keep(c Change)
}

// Change is what one callback leaves to be written.
type Change struct {
	// ID names the conversation, "" for none; Conversation is its state, nil to
	// forget it.
	ID           string
	Conversation *rules.Conversation
	// Key is the callback that is counted in it, zero for none; Answer is what it is
	// answered, nil while that is not known, empty where it is not kept.
	Key    Key
	Answer []byte
	// Records are those that changed with it, under their versions.
	Records []store.Record
}

// Key stands for the dedup key of a callback, which may be long: no two are ever alike.
type Key [16]byte

// KeyOf returns the key of a callback. It is the same in each process.
func KeyOf(dedupKey string) (k Key) {
	var room [256]byte // most keys fit, and nothing is allocated
	sum := sha256.Sum256(append(room[:0], dedupKey...))
	copy(k[:], sum[:])
	return k
}
