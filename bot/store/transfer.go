package store

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"escalator/rules"
)

// Transfer is one conversation on its way to a person. It holds all that is
// needed to deliver it after a restart and under another rule file.
type Transfer struct {
	// ID names the conversation; it is the Desk session id where one is known.
	ID string `json:"id"`
	// Session is Desk's SessionId. Empty for a conversation of plain IM, whose
	// session is asked for by User and Service when the transfer is due, and stored
	// before anything is sent.
	Session string `json:"session,omitempty"`
	User    string `json:"user,omitempty"`
	Service string `json:"service,omitempty"`

	// RequestID is that of the callback that led to the transfer, for the log.
	RequestID string `json:"request_id,omitempty"`

	// Decision is the id of the decision that began the transfer, for those who show both.
	Decision string `json:"decision,omitempty"`

	// Traceparent is the span above those of the attempts, in W3C's form, so that they are in
	// the same trace after a restart; "": tracing was off.
	Traceparent string `json:"traceparent,omitempty"`

	Rule   string       `json:"rule"`
	Reason rules.Reason `json:"reason,omitempty"`
	// Target names the first target; Chain holds those to try, in order.
	Target   string          `json:"target"`
	Chain    []*rules.Target `json:"chain"`
	Language string          `json:"language,omitempty"`

	// Say is what the customer is told before the transfer, until that is done;
	// SayAs is the message's MsgRandom, the same when it is said again.
	Say   string `json:"say,omitempty"`
	SayAs uint32 `json:"say_as,omitempty"`

	// Episode tells this transfer from an earlier one of the same conversation.
	Episode string `json:"episode"`

	Created time.Time `json:"created"`
	Due     time.Time `json:"due"`

	State TransferState `json:"state"`
	// Step is the position in Chain that comes next.
	Step int `json:"step"`
	// Calls counts the calls of transfer_to_human so far. Retries counts how often in a
	// row this transfer was put off because of a fault: the back-off goes by it. Refusals
	// counts how often Desk refused the session's state (141003) in this round of the chain.
	Calls    int `json:"attempt"`
	Retries  int `json:"retries,omitempty"`
	Refusals int `json:"refusals,omitempty"`
	// Sent says that a call of ours may have been carried out, because its answer was
	// lost, or refused the session's state: ask Desk for that before the next call.
	Sent bool `json:"sent,omitempty"`
	// OutcomeUnknown says the same of a transfer whose process was lost, or lost sight
	// of it. Drivers set it; nobody knows whether that process made a call.
	OutcomeUnknown bool `json:"unsure,omitempty"`
	// VerifyFirst says that Desk had taken the conversation before and the rules
	// think it is back, or that an operator tries once more: ask Desk first, and
	// believe it. It is cleared, and that stored, before anything is sent.
	VerifyFirst bool `json:"doubted,omitempty"`
	// Unproven says that anybody may have forged what led to the transfer, and that Desk
	// has not shown yet that it knows the session. It may have to wait for others, and to
	// be asked for first.
	Unproven bool `json:"unproven,omitempty"`
	// LeaveQueue says how far the customer is on the way out of Desk's queue.
	LeaveQueue LeaveState `json:"leave_queue,omitempty"`
	// Silent says that the customer was told once that nobody is there.
	Silent bool `json:"silent,omitempty"`
	// Apologized says that the customer was told that the transfer failed.
	Apologized bool `json:"apologized,omitempty"`
	// Until is when waiting for an agent ends (State Waiting).
	Until time.Time `json:"until,omitzero"`

	Word
}

// Word is what was heard last about a transfer.
type Word struct {
	Code  int    `json:"code,omitempty"` // Desk's; 0: none
	Error string `json:"error,omitempty"`
	// Network says that Desk did not answer: its code for good is 0 too.
	Network bool `json:"network,omitempty"`
}

// CodeNetwork is the code of a word that Desk did not say, for those who read.
const CodeNetwork = "network"

// Label names the code as metrics do.
func (w Word) Label() string {
	if w.Network {
		return CodeNetwork
	}
	return strconv.Itoa(w.Code)
}

// Shown is the code as log and API have it: a number, or CodeNetwork.
func (w Word) Shown() any {
	if w.Network {
		return CodeNetwork
	}
	return w.Code
}

// TransferState says where a transfer stands.
type TransferState uint8

// The states of a transfer in the outbox. A transfer that was delivered is not
// in the outbox.
const (
	// Pending is on its way: it is tried when it is due.
	Pending TransferState = iota
	// Waiting found no agent and is tried again now and then
	// (retry_if_no_agent); the conversation is the bot's meanwhile.
	Waiting
	// GivenUp is kept for people to read, and to retry by hand.
	GivenUp
)

// LeaveState says how far a customer is on the way out of Desk's queue (leave_queue).
type LeaveState uint8

// The states of the way out.
const (
	// NotLeaving is not in the queue, or out of it.
	NotLeaving LeaveState = iota
	// LeaveDue is in the queue, as far as is known: end_queuing is to be called.
	LeaveDue
	// LeaveDone is out of the queue: Desk has taken end_queuing.
	LeaveDone
)

var stateNames = [...]string{Pending: "pending", Waiting: "waiting", GivenUp: "given_up"}

// String returns the state's name as the API and the log print it.
func (s TransferState) String() string { return stateNames[s] }

// MarshalText writes the state by name.
func (s TransferState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state by name; an unknown one is Pending, so that a
// transfer is rather tried once more than forgotten.
func (s *TransferState) UnmarshalText(b []byte) error {
	*s = Pending
	for i, n := range stateNames {
		if n == string(b) {
			*s = TransferState(i)
		}
	}
	return nil
}

// Check says what makes a record useless: one that came off a disk may hold
// anything.
func (t *Transfer) Check() error {
	switch {
	case t.ID == "" || t.Episode == "":
		return errors.New("it names no conversation or no episode")
	case len(t.Chain) == 0 || slices.Contains(t.Chain, nil):
		return errors.New("it has no target")
	case t.Step < 0 || t.Step >= len(t.Chain) || t.Calls < 0 || t.Retries < 0 || t.Refusals < 0:
		return errors.New("its counts are impossible")
	}
	return nil
}

// LongestWait is the most that a transfer on its way is put off at once: the
// longest back-off, or the time for which Tencent locks an account out. Only a
// Retry-After of Desk's may ask for more.
const LongestWait = time.Minute

// Clamp mends times that a step of the clock has left in the future: a transfer
// was not made later than now, one on its way that seems so is due at once, and
// none is due later than it could have been put off to. It reports whether
// anything had to be mended.
func (t *Transfer) Clamp(now time.Time) bool {
	wait, longest := LongestWait, time.Duration(0)
	if t.State == Waiting && len(t.Chain) > 0 && t.Chain[0].Retry != nil {
		wait, longest = t.Chain[0].Retry.Every, t.Chain[0].Retry.For
	}
	created := notAfter(&t.Created, now)
	if created && t.State == Pending {
		wait = 0
	}
	due := notAfter(&t.Due, now.Add(wait))
	until := notAfter(&t.Until, now.Add(longest))
	return created || due || until
}

// notAfter moves at to latest if it is later.
func notAfter(at *time.Time, latest time.Time) bool {
	if !at.After(latest) {
		return false
	}
	*at = latest
	return true
}

// MayBeOurs reports whether a session that Desk holds may be our own work: that of
// a call whose answer was lost, or of a process that was lost. To write down before
// each call that it goes out would cost a disk write per delivery. It is not needed:
// a fresh transfer is sent as soon as it is stored, so a lost process may have sent
// it; one that has to be verified first, or whose session has to be found first, is
// stored without that mark, or with its name, before anything is sent.
func (t *Transfer) MayBeOurs() bool {
	return t.Sent || t.OutcomeUnknown && !t.VerifyFirst && t.Session != ""
}

// Current returns the target that comes next, or nil after the last one.
func (t *Transfer) Current() *rules.Target {
	if t.Step < 0 || t.Step >= len(t.Chain) {
		return nil
	}
	return t.Chain[t.Step]
}

// Last reports whether the next target is the last of the chain.
func (t *Transfer) Last() bool { return t.Step >= len(t.Chain)-1 }
