package history

import (
	"time"

	"escalator/rules"
	"escalator/rules/lang"
)

// Kind says what an entry tells of.
type Kind string

// The kinds of entries.
const (
	Turn    Kind = "turn"    // something was said, or time went by; and what the rules made of it
	Asked   Kind = "asked"   // Desk asked what the rules say
	Phase   Kind = "phase"   // an event moved the customer from one phase to another
	Attempt Kind = "attempt" // a try to deliver a transfer
	Said    Kind = "said"    // words of ours to the customer
	Contact Kind = "contact" // a try to have an agent contact the customer, who left words
)

// Entry is one thing that happened in a conversation. Which fields it has depends on
// its kind; the names are those of the log. GET /api/conversations/{session} shows it.
type Entry struct {
	Kind    Kind      `json:"kind"`
	At      time.Time `json:"at"`
	Session string    `json:"-"` // by which the log knows the conversation
	User    string    `json:"-"`
	// ID is that of the decision, where one was kept for people to look at; of an attempt,
	// that of the decision that began the transfer. Replica is which of several made it.
	ID      string `json:"id,omitempty"`
	Replica string `json:"replica,omitempty"`

	Role      string   `json:"role,omitempty"` // of a turn: user, bot, agent, timer or start
	Text      string   `json:"text,omitempty"`
	Mark      string   `json:"mark,omitempty"`  // the messageType of a message
	Sends     []string `json:"sends,omitempty"` // what else it holds: image, file, …
	Event     string   `json:"event,omitempty"`
	RequestID string   `json:"request_id,omitempty"`

	Outcome string   `json:"outcome,omitempty"` // of a decision, an attempt, or words
	Rule    string   `json:"rule,omitempty"`
	Mode    string   `json:"mode,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Target  string   `json:"target,omitempty"`
	Matched []string `json:"matched,omitempty"`
	Why     string   `json:"why,omitempty"`
	Near    string   `json:"near,omitempty"`
	Shadow  []string `json:"shadow,omitempty"`
	Tags    []string `json:"tags,omitempty"`
	Would   []Would  `json:"would,omitempty"`   // what each rule of Shadow would have done
	TookUS  int64    `json:"took_us,omitempty"` // of a decision

	RulesVersion string            `json:"rules_version,omitempty"`
	Rules        []rules.RuleStory `json:"rules,omitempty"` // what became of each, in the order of the file

	// Counters and Phase are those of the conversation after it, CountersBefore and From those
	// before.
	CountersBefore *rules.Counters `json:"counters_before,omitempty"`
	Counters       *rules.Counters `json:"counters,omitempty"`
	From           string          `json:"from,omitempty"`
	Phase          string          `json:"phase,omitempty"`
	Rating         int64           `json:"rating,omitempty"` // stars that came with it, 1 to 5

	Group  int64    `json:"group,omitempty"`
	Agents []string `json:"agents,omitempty"`
	Agent  string   `json:"agent,omitempty"`
	Code   string   `json:"code,omitempty"`
	// CodeWords say what Code means. They are not kept, but put in by whoever shows it.
	CodeWords lang.Text `json:"code_words,omitempty"`
	Error     string    `json:"error,omitempty"`
	Attempt   int64     `json:"attempt,omitempty"`
	Final     bool      `json:"final,omitempty"`
	TookMS    int64     `json:"took_ms,omitempty"`
	By        string    `json:"by,omitempty"`
}

// Would is what a shadow rule would have done, with the words that made it.
type Would struct {
	Rule    string        `json:"rule"`
	Outcome rules.Outcome `json:"outcome"`
	Target  string        `json:"target,omitempty"`
	Matched []string      `json:"matched,omitempty"`
}

// Conversation is what is kept of one conversation.
type Conversation struct {
	Session string `json:"session"`
	User    string `json:"user,omitempty"`
	// Counters and Phase are the last that were noted.
	Counters *rules.Counters `json:"counters,omitempty"`
	Phase    string          `json:"phase,omitempty"`
	// Older says that there was more before the first entry, which is kept no longer.
	Older   bool    `json:"older"`
	Entries []Entry `json:"entries"`
}

// add adds the next entry.
func (c *Conversation) add(e Entry) {
	if e.User != "" {
		c.User = e.User
	}
	if e.Phase != "" {
		c.Phase = e.Phase
	}
	if e.Counters != nil {
		c.Counters = e.Counters
	}
	c.Entries = append(c.Entries, e)
}
