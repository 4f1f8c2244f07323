package store

import (
	"time"

	"escalator/rules"
)

// Transfer is one conversation on its way to a person. It holds all that is
// needed to deliver it after a restart and under another rule file.
type Transfer struct {
	// ID names the conversation; it is the Desk session id where one is known.
	ID string `json:"id"`
	// Session is Desk's SessionId. Empty for a conversation of plain IM, whose
	// session is asked for by User and Service when the transfer is due.
	Session string `json:"session,omitempty"`
	User    string `json:"user,omitempty"`
	Service string `json:"service,omitempty"`

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

	State State `json:"state"`
	// Step is the position in Chain that comes next.
	Step int `json:"step"`
	// Attempt counts the calls of transfer_to_human so far.
	Attempt int `json:"attempt"`
	// Unsure says that an earlier attempt may have been carried out: ask Desk
	// for the session's state before the next one.
	Unsure bool `json:"unsure,omitempty"`
	// Doubted says that Desk had taken the conversation before and the rules
	// think it is back: ask Desk first, and believe it.
	Doubted bool `json:"doubted,omitempty"`
	// Silent says that the customer was told once that nobody is there.
	Silent bool `json:"silent,omitempty"`
	// Until is when waiting for an agent ends (State Waiting).
	Until time.Time `json:"until,omitzero"`

	Code  int    `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

// State says where a transfer stands.
type State uint8

// The states of a transfer in the outbox. A transfer that was delivered is not
// in the outbox.
const (
	// Pending is on its way: it is tried when it is due.
	Pending State = iota
	// Waiting found no agent and is tried again now and then
	// (retry_if_no_agent); the conversation is the bot's meanwhile.
	Waiting
	// GivenUp is kept for people to read, and to retry by hand.
	GivenUp
)

var stateNames = [...]string{Pending: "pending", Waiting: "waiting", GivenUp: "given_up"}

// String returns the state's name as the API and the log print it.
func (s State) String() string { return stateNames[s] }

// MarshalText writes the state by name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state by name; an unknown one is Pending, so that a
// transfer is rather tried once more than forgotten.
func (s *State) UnmarshalText(b []byte) error {
	*s = Pending
	for i, n := range stateNames {
		if n == string(b) {
			*s = State(i)
		}
	}
	return nil
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
