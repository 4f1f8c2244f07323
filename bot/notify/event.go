package notify

import "time"

// Kind is what a team can ask to be told of (`on:` of a team in the rule file).
type Kind string

// The kinds of events.
const (
	NoAgent       Kind = "no_agent"       // a transfer found nobody
	WaitingLong   Kind = "waiting_long"   // customers wait in the queue
	Failed        Kind = "failed"         // a transfer, or a contact, was given up
	Held          Kind = "held"           // Desk refuses every transfer
	ReloadRefused Kind = "reload_refused" // a changed rule file was refused
	Message       Kind = "message"        // a customer left words
	UnknownEvent  Kind = "unknown_event"  // Desk reports something that nobody knows
	ByRule        Kind = "rule"           // a rule says so (`then: {notify: …}`)

	// test is what `escalator notify --test` sends.
	test Kind = "test"
)

// Event is something that the staff may be told of.
type Event struct {
	Kind Kind `json:"kind"`
	// Teams are those that a rule names; nil: those that ask for the kind.
	Teams []string `json:"teams,omitempty"`
	// Over says that what was told before has ended: for this session, or for all
	// where it names none.
	Over bool `json:"over,omitempty"`
	// Contact says of what failed that it was no transfer, but the contact of a
	// customer who had left words.
	Contact bool `json:"contact,omitempty"`
	// Rule, Target and Session say where it happened; "": it is about none.
	Rule    string `json:"rule,omitempty"`
	Target  string `json:"target,omitempty"`
	Session string `json:"session,omitempty"`
	// RequestID is that of the callback that led to it, for the log; may be empty.
	RequestID string `json:"request_id,omitempty"`
	// Waiting is how many customers wait; nil: nobody knows.
	Waiting *int `json:"waiting,omitempty"`
	// Waited is how long this customer has waited (WaitingLong), also when the wait is over.
	Waited time.Duration `json:"waited,omitempty"`
	// Traceparent is the span that the event belongs to; "": there is none.
	Traceparent string `json:"traceparent,omitempty"`
	// Detail is a word more: a code, an error, the name of an event.
	Detail string `json:"detail,omitempty"`
	// Words are the customer's, unmasked: what may be shown of them is for the team's
	// settings to say.
	Words []string `json:"words,omitempty"`
}

// tracked says that the kind is over for each session on its own.
func (k Kind) tracked() bool { return k == Message || k == WaitingLong }

// matter is what events of a team are about, in the name of their record.
func (e *Event) matter(team string) string {
	about := e.Target
	switch {
	case e.Kind == ByRule:
		about = e.Rule
	case e.Contact:
		about += "|contact"
	case e.Kind == Held || e.Kind == ReloadRefused || e.Kind == UnknownEvent:
		about = ""
	}
	return groupPrefix + team + "|" + string(e.Kind) + "|" + about
}
