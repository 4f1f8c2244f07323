package bot

import (
	"cmp"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/decisions"
	"escalator/bot/history"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/messages"
	"escalator/bot/stats"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

// record is a decision on its way to the log, the metrics and the API.
type record struct {
	message  *inbound.Message
	policy   *rules.Policy
	at, wall time.Time
	key      string    // the dedup key of the step; "": none
	of       *exchange // what it belongs to, and what to keep as its answer; nil: there is no key
	answer   func(x *exchange, acted bool) []byte
	span     trace.Span // of the decision
	decision rules.Decision
	wait     waiting // in the queue
	language string
	before   *store.Record     // the words that the customer left before; nil: they were not read
	words    *messages.Message // what the customer has left by now; nil: this message left none

	note  *history.Note // nil: nothing is kept of it
	said  string        // what was said, where the message is no turn
	user  string        // whose conversation it is, as far as that itself knows
	from  rules.Phase   // before it
	phase rules.Phase   // after it
	id    string        // of the decision, where it began a transfer
}

// Decisions keeps the newest decisions for people to look at.
func (b *Bot) Decisions() *decisions.List { return b.decisions }

func (b *Bot) newDecisions() *decisions.List {
	o := decisions.Options{
		LogText: b.LogText, HistoryFor: b.HistoryFor, Records: b.Records, Feed: b.Feed,
		Others: b.countOther, Dropped: b.Metrics.Unshared.Inc, Log: b.Log, Wall: b.Clock.Wall,
	}
	if b.History != nil {
		o.History = b.History
	}
	if b.Feed != nil { // else there is one, and nobody asks which
		o.Replica = b.Replica
	}
	return decisions.New(o)
}

// report tells of a decision: a line in the log, a count, and a place among
// the recent ones. Where no rule held it is a debug line, unless one came near.
func (b *Bot) report(r *record) {
	d := &r.decision
	b.Metrics.Decided(d.Rule, d.Outcome)
	b.count(r)
	r.describe()
	notable := decisions.Notable(d)
	if !notable && !b.Log.IsLevelEnabled(logrus.DebugLevel) {
		b.keepTurn(r, nil)
		return
	}
	rec := b.publicRecord(r)
	if notable {
		rec.ID = cmp.Or(r.id, b.decisions.NewID())
	}
	b.keepTurn(r, rec)
	line := fields(rec)
	if id := trace.ID(r.span.Traceparent()); id != "" {
		line["trace_id"] = id
	}
	level := logrus.DebugLevel
	if d.Outcome != rules.OutcomeNone || d.Near != "" {
		level = logrus.InfoLevel
	}
	(&logrus.Entry{Logger: b.Log, Data: line}).Log(level, "decision") // WithFields would copy them
	if notable {
		b.decisions.Add(rec, r.message.Turn.Text)
	}
}

// describe puts into the span what was decided.
func (r *record) describe() {
	if !r.span.IsRecording() {
		return
	}
	m, d := r.message, &r.decision
	r.span.Set(
		"turn", m.Turn.Kind.String(), "session", nameOf(m), "user", mask.Clip(cmp.Or(m.User, r.user)), "event", mask.Clip(m.Name), "request_id", mask.Clip(m.RequestID),
		"decision", r.id, "outcome", d.Outcome.String(), "rule", d.Rule, "mode", d.Mode, "reason", string(d.Reason), "target", d.Target, "near", d.Near,
		"rules_version", r.policy.Version(),
	)
}

// count adds a decision to the stats.
func (b *Bot) count(r *record) {
	d := &r.decision
	b.stats.Add(&stats.Count{
		At: r.wall, Message: r.message.Turn.Kind == rules.UserTurn && d.Outcome != rules.OutcomeAsked, Outcome: d.Outcome,
		Rule: d.Rule, Fired: stats.Fires(d.Outcome, d.Take != nil), Near: d.Near, Shadow: d.Shadow,
	})
}

// countOther adds a decision of another replica to the stats.
func (b *Bot) countOther(r *decisions.Record) {
	asks := !strings.HasPrefix(r.Why, "take_message:") // else words were left, as it had asked before
	b.stats.Add(&stats.Count{
		At: r.At, Outcome: r.Outcome, Rule: r.Rule, Fired: stats.Fires(r.Outcome, asks), Near: r.Near, Shadow: r.Shadow, Replica: r.Replica,
	})
}

func (b *Bot) publicRecord(r *record) *decisions.Record {
	d, m := &r.decision, r.message
	rec := &decisions.Record{
		At: r.wall, Session: nameOf(m), User: mask.Clip(cmp.Or(m.User, r.user)), Event: mask.Clip(m.Name), RequestID: mask.Clip(m.RequestID),
		Rule: d.Rule, Mode: d.Mode, Outcome: d.Outcome, Reason: d.Reason, Shadow: d.Shadow, Target: d.Target, Tags: d.Tags,
		Near: d.Near, RulesVersion: r.policy.Version(), TookUS: b.Clock.Now().Sub(r.at).Microseconds(),
	}
	if rec.Reason == rules.ReasonNone {
		rec.Reason = d.NearReason
	}
	rec.Matched, rec.Why = b.words(d.Matched), d.Why.Text(b.LogText.Text)
	for _, w := range d.Would {
		rec.Would = append(rec.Would, history.Would{Rule: w.Rule, Outcome: w.Outcome, Target: w.Target, Matched: b.words(w.Matched)})
	}
	return rec
}

// nameOf is what the log calls the conversation of a message.
func nameOf(m *inbound.Message) string { return mask.Clip(cmp.Or(m.Session, m.Conversation)) }

// words returns the customer's words as the log may show them.
func (b *Bot) words(matches []rules.Match) (texts []string) {
	for _, m := range matches {
		if words := b.LogText.Text(m.Text); words != "" {
			// Cloned: the words are a piece of the callback's body.
			texts = append(texts, strings.Clone(words))
		}
	}
	return texts
}

// fields returns the log line's fields; those that say nothing are left out.
func fields(r *decisions.Record) logrus.Fields {
	f := make(logrus.Fields, 14) // what most decisions have; logrus copies all that there is room for
	f["session"], f["event"], f["outcome"] = r.Session, r.Event, r.Outcome.String()
	f["rules_version"], f["took_us"] = r.RulesVersion, r.TookUS
	for _, s := range [...]struct{ name, value string }{
		{"id", r.ID},
		{"user", r.User},
		{"request_id", r.RequestID},
		{"rule", r.Rule},
		{"mode", r.Mode},
		{"reason", string(r.Reason)},
		{"target", r.Target},
		{"near", r.Near},
		{"why", r.Why},
	} {
		if s.value != "" {
			f[s.name] = s.value
		}
	}
	for _, l := range [...]struct {
		name   string
		values []string
	}{{"shadow", r.Shadow}, {"matched", r.Matched}, {"tags", r.Tags}} {
		if len(l.values) > 0 {
			f[l.name] = l.values
		}
	}
	if len(r.Would) > 0 {
		f["would"] = r.Would
	}
	return f
}
