package failover

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"escalator/bot/store"
)

const (
	// keepParted is how long it is known how a record parted from the shared one, and
	// keepNotes how long the shared store knows that it has got one.
	keepParted = 7 * 24 * time.Hour
	keepNotes  = 24 * time.Hour
)

// parting says how a local record stands to the shared store.
type parting struct {
	Kind store.Kind `json:"kind"`
	Name []byte     `json:"name"`
	// Version is that of the shared record that has ended here; 0: there was none.
	Version uint64 `json:"version,omitempty"`
	// Note is the name of the note that the shared store gets with it.
	Note string `json:"note,omitempty"`
	// Unsure says that the shared store may have it already.
	Unsure bool `json:"unsure,omitempty"`
}

func newParting(p parting, now time.Time) store.Record {
	value, _ := json.Marshal(p) // it cannot fail
	return store.Record{Kind: store.KindParted, Name: partedName(p.Kind, string(p.Name)), Value: value, Until: now.Add(keepParted)}
}

// readParting reads it; one that makes no sense says nothing.
func readParting(value []byte) (p parting) {
	_ = json.Unmarshal(value, &p)
	return p
}

// partedName is the name of what is known of a record beside it, however long its own is.
func partedName(kind store.Kind, name string) string {
	return hex.EncodeToString(hashOf([]byte(recordKey(kind, name))))
}

func hashOf(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// notes are the names of the notes that the shared store gets with new records that must
// not be acted on twice, by the keys of those.
type notes map[string]string

func newNotes(records []store.Record) notes {
	n := notes{}
	for _, r := range records {
		if unique(r.Kind) && r.Version == 0 && r.Value != nil {
			n[recordKey(r.Kind, r.Name)] = rand.Text()
		}
	}
	return n
}

// with adds the notes to the records.
func (n notes) with(records []store.Record, now time.Time) []store.Record {
	all := slices.Clip(records)
	for _, r := range records {
		if name := n[recordKey(r.Kind, r.Name)]; name != "" {
			all = append(all, noteOf(name, r.Value, now))
		}
	}
	return all
}

// noteOf says that a record came into the shared store with a value.
func noteOf(name string, value []byte, now time.Time) store.Record {
	return store.Record{Kind: store.KindParted, Name: name, Value: hashOf(value), Until: now.Add(keepNotes)}
}
