package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrConflict is returned by Records.Put, and by Conversations.Update for
// Effect.Records, when a record has changed since it was read. Nothing was kept:
// read it again.
var ErrConflict = errors.New("the record was changed by somebody else")

// Kind says what a record is about.
type Kind string

// The kinds of records.
const (
	// KindUser is what is kept of a customer; its name is the user's id.
	KindUser Kind = "user"
	// KindWords are the words that a customer left (take_message), by conversation.
	KindWords Kind = "words"
	// KindNotice is a notification that is on its way to the staff.
	KindNotice Kind = "notice"
	// KindLease says which process does a piece of work that one of them must do.
	KindLease Kind = "lease"
	// KindReading is what Desk said last of its agents and its queue.
	KindReading Kind = "reading"
	// KindLabel is who called a decision right or wrong; its name is the decision's id.
	KindLabel Kind = "label"
	// KindParted is how a record of one replica parted from that of all; it is the
	// stores' own.
	KindParted Kind = "parted"
)

// Record is a small thing that is kept beside the conversations.
type Record struct {
	Kind Kind
	Name string
	// Value is nil for one that is not there. To put a record without a value
	// removes it.
	Value []byte
	// Version tells states of a record apart. A driver sets it; what is put must bear
	// that of the record that was read, 0 where there was none.
	Version uint64
	// Until is when the record is forgotten, to the millisecond; zero: never.
	Until time.Time
}

const (
	// maxPut leaves room in a frame of the journal for the conversation.
	maxName, maxValue, maxPut = 1 << 10, 128 << 10, 512 << 10
	// maxAtOnce is far from what a script of Redis can be given.
	maxAtOnce = 100
)

// CheckRecords says why no driver would put them at once, nil if each would.
func CheckRecords(records []Record) error {
	size := 0
	for i := range records {
		if err := records[i].check(); err != nil {
			return err
		}
		size += len(records[i].Name) + len(records[i].Value)
	}
	if size > maxPut || len(records) > maxAtOnce {
		return fmt.Errorf("%d records of %d bytes are put at once: at most %d of %d bytes are kept", len(records), size, maxAtOnce, maxPut)
	}
	return nil
}

func (r *Record) check() error {
	switch {
	case capOf(r.Kind, 1) == 0:
		return fmt.Errorf("no records of the kind %q are kept", r.Kind)
	case r.Name == "" || len(r.Name) > maxName:
		return fmt.Errorf("the name of a record has %d bytes: 1 to %d are kept", len(r.Name), maxName)
	case len(r.Value) > maxValue:
		return fmt.Errorf("the record of %.100q has %d bytes: at most %d are kept", r.Name, len(r.Value), maxValue)
	}
	return nil
}

// Late says that the record may be on disk as late as a conversation. One of a user
// that is removed may not: somebody asked for it, and was told that it is gone.
func (r *Record) Late() bool {
	return r.Kind == KindReading || r.Kind == KindUser && r.Value != nil
}

// Caps are how many records of each kind are kept.
type Caps map[Kind]int

// NewCaps returns the caps of the service with that of users, which the operator sets.
func NewCaps(users int) Caps {
	caps := Caps{}
	for _, kind := range Kinds {
		caps[kind] = capOf(kind, users)
	}
	return caps
}

// Kinds are all kinds of records.
var Kinds = []Kind{KindUser, KindWords, KindNotice, KindLease, KindReading, KindLabel, KindParted}

// capOf returns how many records of a kind are kept, 0 for one that is none.
func capOf(kind Kind, users int) int {
	switch kind {
	case KindUser:
		return users
	case KindWords:
		return 20_000 // 10,000 customers who wait, which bot/messages sees to, and those of the last days
	case KindLabel:
		return 100_000
	case KindParted:
		return 10_000
	case KindNotice:
		return 5_000 // bot/notify, which drops above 1,000, must see what it drops
	case KindLease, KindReading:
		return 1_000
	}
	return 0
}

// Records keeps small things by kind and name. Each kind has a cap: over it the
// record goes first that was put least recently. One that is over (Until) is not there.
type Records interface {
	// Record returns one record; one that is not there has no value and Version 0.
	Record(ctx context.Context, kind Kind, name string) (Record, error)
	// PutRecords keeps all of them, or nothing: ErrConflict when one has changed since
	// it was read, was forgotten, or is not there although its Version says so. No
	// two may have the same name. When it returns nil they survive what the driver
	// promises to survive. Who must act on a record alone lists it, puts that he does,
	// acts, and removes it.
	PutRecords(ctx context.Context, records ...Record) error
	// Records returns all of a kind, that first which was put least recently.
	Records(ctx context.Context, kind Kind) ([]Record, error)
}
