package decisions

import (
	"time"

	"escalator/bot/history"
	"escalator/rules"
	"escalator/rules/lang"
)

// Record is a decision as the log and GET /api/decisions show it. The names are fixed
// (CONTRACT.md 5). It is not changed once it was added.
type Record struct {
	ID           string          `json:"id"`
	Replica      string          `json:"replica,omitempty"` // which of several made it
	At           time.Time       `json:"at"`
	Session      string          `json:"session"`
	User         string          `json:"user,omitempty"`
	Event        string          `json:"event"`
	RequestID    string          `json:"request_id,omitempty"`
	Text         string          `json:"text,omitempty"` // what was said, masked; absent with ESCALATOR_LOG_TEXT=none
	Rule         string          `json:"rule,omitempty"`
	Mode         string          `json:"mode,omitempty"`
	Outcome      rules.Outcome   `json:"outcome"`
	Reason       rules.Reason    `json:"reason,omitempty"`
	Shadow       []string        `json:"shadow,omitempty"`
	Would        []history.Would `json:"would,omitempty"`
	Matched      []string        `json:"matched,omitempty"`
	Why          string          `json:"why,omitempty"`
	Target       string          `json:"target,omitempty"`
	Tags         []string        `json:"tags,omitempty"`
	Near         string          `json:"near,omitempty"`
	RulesVersion string          `json:"rules_version"`
	TookUS       int64           `json:"took_us"`

	Transfer *Transfer `json:"transfer,omitempty"` // the last attempt; nil: none yet
	Label    string    `json:"label,omitempty"`    // Right or Wrong; "": nobody said
	LabelBy  string    `json:"label_by,omitempty"`

	sought string // all words in it, in small letters
}

// In is the record for a reader of a language: it is kept in English, and others read the same one.
func (r *Record) In(l lang.Language) *Record {
	if l == lang.English {
		return r
	}
	read := *r
	read.Why = lang.Recognize(r.Why).In(l)
	if r.Transfer != nil {
		t := *r.Transfer
		t.Error = lang.Recognize(t.Error).In(l)
		read.Transfer = &t
	}
	return &read
}

// RecordsIn are records for a reader of a language.
func RecordsIn(l lang.Language, all []*Record) []*Record {
	read := make([]*Record, len(all))
	for i, r := range all {
		read[i] = r.In(l)
	}
	return read
}

// Transfer is the last attempt of the transfer that a decision began.
type Transfer struct {
	Outcome string    `json:"outcome"`
	Final   bool      `json:"final"` // no further attempt follows
	Agent   string    `json:"agent,omitempty"`
	Target  string    `json:"target,omitempty"`
	Group   int64     `json:"group,omitempty"`
	Code    string    `json:"code,omitempty"`
	Error   string    `json:"error,omitempty"`
	TookMS  int64     `json:"took_ms"`
	At      time.Time `json:"at"`
}

// Notable reports whether a decision is kept, and not only counted: something was done,
// held back or nearly done.
func Notable(d *rules.Decision) bool {
	return d.Outcome != rules.OutcomeNone || d.Near != "" || len(d.Shadow) > 0
}

// called reports whether it took the customer to a person, or offered to.
func (r *Record) called() bool {
	return r.Outcome == rules.OutcomeTransfer || r.Outcome == rules.OutcomeOffer
}

// OfTurn makes a record of a turn in the history.
func OfTurn(e *history.Entry) *Record {
	outcome, _ := rules.ParseOutcome(e.Outcome)
	return &Record{
		ID: e.ID, Replica: e.Replica, At: e.At, Session: e.Session, User: e.User, Event: e.Event, RequestID: e.RequestID, Text: e.Text,
		Rule: e.Rule, Mode: e.Mode, Outcome: outcome, Reason: rules.Reason(e.Reason), Shadow: e.Shadow, Would: e.Would, Matched: e.Matched, Why: e.Why,
		Target: e.Target, Tags: e.Tags, Near: e.Near, RulesVersion: e.RulesVersion, TookUS: e.TookUS,
	}
}

// ofAttempt makes what is shown of an attempt.
func ofAttempt(e *history.Entry) *Transfer {
	return &Transfer{
		Outcome: e.Outcome, Final: e.Final, Agent: e.Agent, Target: e.Target, Group: e.Group, Code: e.Code, Error: e.Error, TookMS: e.TookMS, At: e.At.UTC().Truncate(time.Microsecond),
	}
}
