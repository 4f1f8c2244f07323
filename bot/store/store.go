package store

import (
	"context"
	"errors"
	"time"

	"escalator/rules"
)

// ErrPending is returned by Outbox.Put when the conversation already has a
// transfer on its way. The caller treats the conversation as being transferred.
var ErrPending = errors.New("a transfer of this conversation is already on its way")

// ErrNotFound is returned for a transfer that the outbox does not hold (any more).
var ErrNotFound = errors.New("the outbox holds no such transfer")

// Conversations keeps the state of the live conversations.
type Conversations interface {
	// Update runs change on the conversation named id, alone. A conversation
	// that is not known is a new one. When its effect holds a transfer, that is
	// put into the outbox before the changed conversation can be seen; when
	// change or the outbox fails, the conversation stays as it was.
	// A driver may run change more than once: it must have no other effect, and
	// what the last run returned counts.
	Update(ctx context.Context, id string, change Change) error
	// Live returns how many conversations are kept.
	Live() int
}

// Change is what Conversations.Update runs.
type Change func(c *rules.Conversation) (Effect, error)

// Effect is what a change leads to, beside the changed conversation.
type Effect struct {
	// Transfer is due; nil: none is.
	Transfer *Transfer
	// Timed says that rules have turns by the clock, and Alarm when the
	// conversation next wants one; zero: never. A driver that several processes
	// share has one of them wake it, if the process that set the alarm is gone
	// by then.
	Timed bool
	Alarm time.Time
	// DedupKey is the claimed callback (Dedup.Claim) that this change belongs to,
	// and Answer what it is answered, where that is known by now. A driver may
	// keep them together with the conversation; Finish is called all the same.
	DedupKey string
	Answer   []byte
}

// Dedup remembers which callbacks were seen, and what was answered.
type Dedup interface {
	// Claim takes the mark named key. The first caller gets first = true and
	// must end with Finish or Release. The others wait for it, up to the end of
	// ctx, and get its answer; after a Release one of them becomes the first.
	// conversation is the id of the one that the callback belongs to, or empty;
	// it is the same for each copy of a callback.
	Claim(ctx context.Context, key, conversation string) (answer []byte, first bool, err error)
	// Finish keeps the answer for those who come later. The slice is kept.
	Finish(ctx context.Context, key string, answer []byte)
	// Release forgets the mark, so that the sender's next try is a first one.
	Release(ctx context.Context, key string)
}

// Outbox keeps the transfers that were decided and are not delivered yet.
type Outbox interface {
	// Put stores a new transfer; when it returns nil the transfer will survive
	// what the driver promises to survive. A transfer of the same conversation
	// that merely waits for an agent (Waiting) or was given up is replaced; any
	// other is ErrPending.
	Put(ctx context.Context, t *Transfer) error
	// Take leases the oldest transfer that is due at now. When none is, it
	// returns nil and the time at which the next one will be (zero: none).
	Take(ctx context.Context, now time.Time) (t *Transfer, next time.Time, err error)
	// Save stores what became of an attempt and ends the lease. It is
	// ErrNotFound when the transfer was withdrawn in the meantime.
	Save(ctx context.Context, t *Transfer) error
	// Reschedule has a transfer that waits for an agent tried at another time. It
	// is ErrNotFound for one that does not wait, or that is being tried.
	Reschedule(ctx context.Context, id string, due time.Time) error
	// Delete removes a transfer that has ended well, or for which nobody waits.
	// It is ErrNotFound when another episode has taken its place in the meantime.
	Delete(ctx context.Context, t *Transfer) error
	// Get returns the transfer of a conversation, or ErrNotFound.
	Get(ctx context.Context, id string) (*Transfer, error)
	// List returns all transfers, oldest first: pending, waiting and given up.
	List(ctx context.Context) ([]*Transfer, error)
	// Changed receives a value after a transfer was put or saved, so that the
	// courier begins at once instead of at the next tick.
	Changed() <-chan struct{}
	// Writable reports why nothing can be stored, or nil.
	Writable() error
}
