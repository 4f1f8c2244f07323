package rules

import (
	"fmt"
	"slices"

	"escalator/rules/lang"
)

// Outcome is what a turn led to.
type Outcome uint8

const (
	// OutcomeNone: no rule decided.
	OutcomeNone Outcome = iota
	// OutcomeTransfer: take the conversation to a person.
	OutcomeTransfer
	// OutcomeOffer: ask the customer first.
	OutcomeOffer
	// OutcomeKeep: stay with the bot on purpose.
	OutcomeKeep
	// OutcomeClosed: a transfer was due, but every target of the chain is closed now.
	OutcomeClosed
	// OutcomeSuppressed: a rule would have fired; Reason says what stopped it.
	OutcomeSuppressed
	// OutcomeShadow: only shadow rules held.
	OutcomeShadow
	// OutcomeAsked: a question that Desk asked (assignment, task flow) was answered. Decide never gives it: the caller
	// puts it in place of what the rules said, so that a question does not count as a transfer.
	OutcomeAsked
	// OutcomeMessage: the customer is asked to leave words (Take), or has left some (Left).
	OutcomeMessage
)

var outcomeNames = [...]lang.Text{"none", "transfer", "offer", "keep", "closed", "suppressed", "shadow", "asked", "message"}

// Words names the outcome for a reader.
func (o Outcome) Words() lang.Text { return outcomeNames[min(int(o), len(outcomeNames)-1)] }

// OutcomeWords is Words for an outcome by its name; near is one in the list of decisions.
func OutcomeWords(name string) lang.Text {
	if name == "near" {
		return "near"
	}
	if o, ok := ParseOutcome(name); ok {
		return o.Words()
	}
	return lang.Raw(name)
}

// String names the outcome as RULES.md 6 does.
func (o Outcome) String() string { return o.Words().String() }

// MarshalText writes the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an outcome by its name.
func (o *Outcome) UnmarshalText(name []byte) error {
	read, ok := ParseOutcome(string(name))
	if !ok {
		return fmt.Errorf("%q is no outcome", name)
	}
	*o = read
	return nil
}

// ParseOutcome reads an outcome by its name, and reports whether it is one.
func ParseOutcome(name string) (Outcome, bool) {
	i := slices.Index(outcomeNames[:], lang.Key(name))
	return Outcome(max(0, i)), i >= 0
}

// Reason says why; the list is closed, so that it may label a metric.
type Reason string

const (
	ReasonNone                Reason = ""
	ReasonNegated             Reason = "negated"
	ReasonMasked              Reason = "masked"
	ReasonCooldown            Reason = "cooldown"
	ReasonPerSession          Reason = "per_session"
	ReasonAlreadyTransferring Reason = "already_transferring"
	ReasonAlreadyQueued       Reason = "already_queued"
	ReasonAlreadyHuman        Reason = "already_human"
	ReasonMuted               Reason = "muted"
	ReasonOfferPending        Reason = "offer_pending"
	ReasonOfferAccepted       Reason = "offer_accepted"
	ReasonOfferDeclined       Reason = "offer_declined"
	ReasonClosed              Reason = "closed"
)

// reasonWords are the reasons for a reader.
var reasonWords = map[Reason]lang.Text{
	ReasonNegated: "negated", ReasonMasked: "masked", ReasonCooldown: "cooldown", ReasonPerSession: "per_session",
	ReasonAlreadyTransferring: "already_transferring", ReasonAlreadyQueued: "already_queued", ReasonAlreadyHuman: "already_human",
	ReasonMuted: "muted", ReasonOfferPending: "offer_pending", ReasonOfferAccepted: "offer_accepted",
	ReasonOfferDeclined: "offer_declined", ReasonClosed: "closed",
}

// Words names the reason for a reader.
func (r Reason) Words() lang.Text { return reasonWords[r] }

// Decision is what to do about one turn.
type Decision struct {
	// Rule is the id of the rule that decided, Mode its mode ("" when none did).
	Rule    string  `json:"rule"`
	Mode    string  `json:"mode,omitempty"`
	Outcome Outcome `json:"outcome"`
	Reason  Reason  `json:"reason"`
	// Target is the id of the first target of Chain; when the outcome is shadow, where the first rule of Would leads.
	Target string `json:"target"`
	// Chain holds the targets to try in order, routes resolved and closed ones left out.
	Chain []*Target `json:"-"`
	// Verify says that the conversation was last known to be queued or with a human, and that Desk must be asked for
	// the session's state before the transfer is made.
	Verify bool `json:"verify,omitempty"`
	// LeaveQueue says that the customer is in Desk's queue and is to be taken out of it before the transfer is made.
	LeaveQueue bool `json:"leave_queue,omitempty"`
	// Unanswered is the wait in the queue that ends with this turn, or goes beyond its queue_timeout, without an agent; nil: none
	// does.
	Unanswered *Wait `json:"-"`
	// Say is sent before the transfer, beside a keep, instead of a closed transfer, or for a message; Offer asks the
	// customer.
	Say   *Speech `json:"-"`
	Offer *Speech `json:"-"`
	// Take asks for words: Say does, and AwaitWords follows once it was sent. Left are words to be kept.
	Take *TakeMessage `json:"-"`
	Left *Left        `json:"-"`
	Tags []string     `json:"tags,omitempty"`
	// Notify are the teams that are told that the rule fired.
	Notify []string `json:"notify,omitempty"`
	// Shadow holds the ids of the shadow rules that would have fired, Would what each of them would have done.
	Shadow []string `json:"shadow,omitempty"`
	Would  []Would  `json:"would,omitempty"`
	// Matched holds the words of this turn that made the rule hold.
	Matched []Match `json:"matched"`
	// Why says what made the rule hold, or what came near: the counter, the field, the words. Only for a turn WithWhy.
	Why Why `json:"-"`
	// Near names a rule that came near when none decided; NearReason is negated, masked or muted, or "" for a counter
	// that is one short.
	Near       string `json:"near,omitempty"`
	NearReason Reason `json:"near_reason,omitempty"`
}

// Would is what a shadow rule would have done.
type Would struct {
	Rule    string  `json:"rule"`
	Outcome Outcome `json:"outcome"`
	Target  string  `json:"target"`
	Matched []Match `json:"matched"`
	Why     Why     `json:"-"`
}

// Match is one phrase found in the text of a turn.
type Match struct {
	// Phrase is as written in the file (cut if it is very long), for a pack its name ($ask_human); Text is as the customer
	// wrote it.
	Phrase string `json:"phrase"`
	Text   string `json:"text"`
	// Start and End are byte offsets in the turn's text.
	Start int `json:"start"`
	End   int `json:"end"`
	// List is the list or built-in pack that has the phrase, "" for a condition's own; Lang is the language of a pack's.
	List string `json:"list,omitempty"`
	Lang string `json:"lang,omitempty"`
}

// source says where a phrase that was found comes from: the phrase, unless it is what was said; the list; for a pack
// the pack and its language, because its phrases are long and nobody's own.
func (m Match) source() string {
	switch {
	case m.Lang != "":
		return " ($" + m.List + ", " + m.Lang + ")"
	case m.List != "" && m.Text == m.Phrase:
		return " ($" + m.List + ")"
	case m.List != "":
		return " (" + shorten(m.Phrase) + ", $" + m.List + ")"
	case m.Text != m.Phrase:
		return " (" + shorten(m.Phrase) + ")"
	}
	return ""
}
