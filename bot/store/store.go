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
	// View runs look on a copy of the conversation named id, a new one if it is
	// not known. Nothing that look does to it is kept.
	View(ctx context.Context, id string, look func(*rules.Conversation)) error
	// Update runs change on the conversation named id, alone. A conversation
	// that is not known is a new one. All of the effect and the changed
	// conversation are kept together, or nothing is: when change fails or panics,
	// or the transfer cannot be stored, the conversation stays as it was.
	// A driver may run change more than once: it must do nothing else, and what
	// the last run returned counts.
	Update(ctx context.Context, id string, change Change) error
}

// Change is what Conversations.Update runs.
type Change func(c *rules.Conversation) (Effect, error)

// Effect is what a change leads to, beside the changed conversation and its alarm
// (see Alarms).
type Effect struct {
	// Transfer is due; nil: none is.
	Transfer *Transfer
	// DedupKey is the claimed callback (Dedup.Claim) that this change counts into
	// its conversation; "": none. Answer is what it is answered; nil where that is
	// not known yet, Finish says it then. From now on no copy of the callback
	// counts again, whatever becomes of this process: one that finds no answer is
	// told that the callback was Counted.
	DedupKey string
	Answer   []byte
	// Records are put as Records.PutRecords does. Those of a user may be as late on disk
	// as the conversation itself; any other is there when Update returns.
	Records []Record
}

// Alarms wakes conversations: a rule may ask for how long the bot has been
// silent. Drivers call Set for each change of a conversation, while it is
// locked, so that no alarm is lost or set late. The zero Alarms wakes nobody.
type Alarms struct {
	// Next is when a conversation wants a turn by the clock; zero: never.
	Next func(*rules.Conversation) time.Time
	// Set plans, moves or (zero) cancels the alarm of a conversation of this
	// process. It must not call the store.
	Set func(id string, at time.Time)
}

// Of returns when a conversation wants to be woken; zero: never.
func (a Alarms) Of(c *rules.Conversation) time.Time {
	if a.Next == nil {
		return time.Time{}
	}
	return a.Next(c)
}

// Plan sets the alarm of a conversation of this process.
func (a Alarms) Plan(id string, at time.Time) {
	if a.Set != nil {
		a.Set(id, at)
	}
}

// Dedup remembers which callbacks were seen, and what was answered.
type Dedup interface {
	// Claim takes the callback named key. One caller is the first and must end
	// with Finish or Release. The others wait for it, up to the end of ctx or the
	// driver's own timeout (ErrBusy), and get its answer; after a Release one of
	// them becomes the first. conversation is the id of the one that the callback
	// belongs to, or empty; it is the same for each copy of a callback.
	Claim(ctx context.Context, key, conversation string) (Claim, error)
	// Finish keeps the answer for those who come later. The slice is kept. One
	// that is too large, or nil, is not kept: a repeat gets none.
	Finish(ctx context.Context, key string, answer []byte)
	// Release gives the callback up: the sender's next try is a first one. What
	// Update has kept of it stays.
	Release(ctx context.Context, key string)
}

// Chats is a Dedup of several replicas, of which one may get plain IM's copy of a
// message and another one Desk's.
type Chats interface {
	// ClaimIn is Dedup.Claim for a callback of a chat that both may report.
	// conversation is the one that it belongs to as far as this process knows; the
	// claim says where it does belong.
	ClaimIn(ctx context.Context, key, conversation string, chat *Chat) (Claim, error)
}

// Chat is what a callback tells of its chat.
type Chat struct {
	// Pair is plain IM's conversation of the chat: who talks to whom.
	Pair string
	// Session is Desk's conversation; "": plain IM tells.
	Session string
	// Words tell apart who said what, on any replica, their first byte who; "": nothing was
	// said.
	Words string
	// Begins says that Desk's session begins, and Asks that Desk asks something and
	// tells nothing.
	Begins, Asks bool
	// Reported says that this process knows that Desk reports the chat, for where it is
	// forgotten.
	Reported bool
}

// Place is where a callback of a chat belongs, as all replicas know it.
type Place struct {
	// Conversation is the id of the one that it counts into.
	Conversation string
	// Left says that Desk reports the chat: plain IM's copy counts for nothing.
	Left bool
	// Echo says that the message was counted under another key, and Answer what it was
	// answered there; nil where that was not kept.
	Echo   bool
	Answer []byte
}

// Claim is what Dedup.Claim found.
type Claim struct {
	// First says that the caller is to handle the callback.
	First bool
	// Counted says, to the first, that an earlier try has counted the callback into
	// its conversation (Effect.DedupKey) and was then given up, or died: it must be
	// answered, and must not count again.
	Counted bool
	// Answer is what the callback was answered, to all but the first; nil where that
	// was not kept.
	Answer []byte
	// Place is where it belongs, nil where no other process knows better.
	Place *Place
}

// DuplicateWait is how long a copy of a callback waits for the first one, where a
// driver is not told otherwise: Tencent itself waits as long (PROTOCOL.md 4.4).
const DuplicateWait = 2 * time.Second

// ErrBusy is returned by Dedup.Claim when the first of several copies did not end
// in time.
var ErrBusy = errors.New("another copy of this callback is still being handled")

// ErrAway is returned by a store that is not in this process, while it cannot be
// used: it is not reached, too slow, read-only, full, or refuses us. What was asked
// of it may have been done all the same.
var ErrAway = errors.New("the shared store cannot be used now")

// ErrSkipped is returned by a store that is not in this process for one call that
// was not carried out, which says nothing of the next one.
var ErrSkipped = errors.New("the shared store did not carry out this call")

// Mutes is where several replicas keep the rules that operators silenced. A value is
// a mute as JSON.
type Mutes interface {
	// Mutes returns all of them by the rule's id.
	Mutes(ctx context.Context) (map[string]string, error)
	// PutMutes keeps some at once, nobody sees a part of them; "" removes one.
	PutMutes(ctx context.Context, mutes map[string]string) error
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
	// List returns the transfers that are in one of the states, or all where none
	// is named, oldest first.
	List(ctx context.Context, in ...TransferState) ([]*Transfer, error)
	// Changed receives a value after a transfer was put or saved, so that the
	// courier begins at once instead of at the next tick.
	Changed() <-chan struct{}
}
