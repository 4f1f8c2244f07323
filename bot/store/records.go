package store

import (
	"context"
	"errors"
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
	// Until is when the record is forgotten; zero: never.
	Until time.Time
}

// Records keeps small things by kind and name. Each kind has a cap: over it the
// record goes first that was put least recently.
type Records interface {
	// Record returns one record; one that is not there has no value and Version 0.
	Record(ctx context.Context, kind Kind, name string) (Record, error)
	// PutRecords keeps all of them, or nothing: ErrConflict when one has changed since
	// it was read. When it returns nil they survive what the driver promises to survive.
	PutRecords(ctx context.Context, records ...Record) error
	// Records returns all of a kind, that first which was put least recently.
	Records(ctx context.Context, kind Kind) ([]Record, error)
}
