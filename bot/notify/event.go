// Package notify tells the staff what happened: in the chat that a team reads, or
// at any address that takes a POST.
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
)

// Event is something that the staff may be told of.
type Event struct {
	Kind Kind
	// Teams are those that a rule names; nil: those that ask for the kind.
	Teams []string
	// Over says that what was told before has ended.
	Over bool
	// Rule, Target and Session say where it happened; "": it is about none.
	Rule, Target, Session string
	// Waiting is how many customers wait, -1 where nobody knows.
	Waiting int
	// Waited is how long this customer has waited (WaitingLong), also when the wait is over.
	Waited time.Duration
	// Detail is a word more: a code, an error, the name of an event.
	Detail string
	// Words are the customer's, unmasked: what may be shown of them is for the team's
	// settings to say.
	Words []string
}
