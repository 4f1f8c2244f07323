package bot

import (
	"cmp"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/history"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/messages"
	"escalator/bot/stats"
	"escalator/bot/store"
	"escalator/rules"
)

// record is a decision on its way to the log, the metrics and the API.
type record struct {
	message  *inbound.Message
	policy   *rules.Policy
	at, wall time.Time
	key      string // the dedup key of the step; "": none
	answer   func(acted bool) []byte
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
}

// DecisionRecord is a decision as the log and GET /api/decisions show it. The
// names are fixed (CONTRACT.md 5).
type DecisionRecord struct {
	At           time.Time     `json:"at"`
	Session      string        `json:"session"`
	User         string        `json:"user,omitempty"`
	Event        string        `json:"event"`
	RequestID    string        `json:"request_id,omitempty"`
	Rule         string        `json:"rule,omitempty"`
	Mode         string        `json:"mode,omitempty"`
	Outcome      rules.Outcome `json:"outcome"`
	Reason       rules.Reason  `json:"reason,omitempty"`
	Shadow       []string      `json:"shadow,omitempty"`
	Would        []Would       `json:"would,omitempty"`
	Matched      []string      `json:"matched,omitempty"`
	Why          string        `json:"why,omitempty"`
	Target       string        `json:"target,omitempty"`
	Tags         []string      `json:"tags,omitempty"`
	Near         string        `json:"near,omitempty"`
	RulesVersion string        `json:"rules_version"`
	TookUS       int64         `json:"took_us"`
}

// Would is what a shadow rule would have done, with the words that made it.
type Would struct {
	Rule    string        `json:"rule"`
	Outcome rules.Outcome `json:"outcome"`
	Target  string        `json:"target,omitempty"`
	Matched []string      `json:"matched,omitempty"`
}

// report tells of a decision: a line in the log, a count, and a place among
// the recent ones. Where no rule held it is a debug line, unless one came near.
func (b *Bot) report(r *record) {
	d := &r.decision
	b.Metrics.Decisions.WithLabelValues(d.Rule, d.Outcome.String()).Inc()
	b.count(r)
	b.keepTurn(r)
	notable := d.Outcome != rules.OutcomeNone || d.Near != ""
	if !notable && !b.Log.IsLevelEnabled(logrus.DebugLevel) {
		return
	}
	rec := b.publicRecord(r)
	level := logrus.DebugLevel
	if notable {
		level = logrus.InfoLevel
		b.recent.add(rec)
	}
	(&logrus.Entry{Logger: b.Log, Data: rec.fields()}).Log(level, "decision") // WithFields would copy them
}

// count adds a decision to the stats.
func (b *Bot) count(r *record) {
	d := &r.decision
	b.stats.Add(&stats.Count{
		At: r.wall, Message: r.message.Turn.Kind == rules.UserTurn && d.Outcome != rules.OutcomeAsked, Outcome: d.Outcome,
		Rule: d.Rule, Fired: stats.Fires(d.Outcome, d.Take != nil), Near: d.Near, Shadow: d.Shadow,
	})
}

func (b *Bot) publicRecord(r *record) *DecisionRecord {
	d, m := &r.decision, r.message
	rec := &DecisionRecord{
		At: r.wall, Session: nameOf(m), User: mask.Clip(m.User), Event: mask.Clip(m.Name), RequestID: mask.Clip(m.RequestID),
		Rule: d.Rule, Mode: d.Mode, Outcome: d.Outcome, Reason: d.Reason, Shadow: d.Shadow, Target: d.Target, Tags: d.Tags,
		Near: d.Near, RulesVersion: r.policy.Version(), TookUS: b.Clock.Now().Sub(r.at).Microseconds(),
	}
	if rec.Reason == rules.ReasonNone {
		rec.Reason = d.NearReason
	}
	rec.Matched, rec.Why = b.words(d.Matched), d.Why.Text(b.LogText.Text)
	for _, w := range d.Would {
		rec.Would = append(rec.Would, Would{Rule: w.Rule, Outcome: w.Outcome, Target: w.Target, Matched: b.words(w.Matched)})
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
func (r *DecisionRecord) fields() logrus.Fields {
	f := make(logrus.Fields, 16)
	f["session"], f["event"], f["outcome"] = r.Session, r.Event, r.Outcome.String()
	f["rules_version"], f["took_us"] = r.RulesVersion, r.TookUS
	for _, s := range [...]struct{ name, value string }{
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

const (
	// keepRecent is how many decisions the API can look back on.
	keepRecent = 1000
	// streamBuffer is how many decisions a slow reader of the stream may be
	// behind before it is cut off.
	streamBuffer = 256
)

// recent is a ring of the last decisions, and those who watch them come.
type recent struct {
	mu      sync.Mutex
	ring    [keepRecent]*DecisionRecord
	count   int
	readers map[chan *DecisionRecord]bool
}

func newRecent() *recent { return &recent{readers: map[chan *DecisionRecord]bool{}} }

// add keeps a decision in the place of the oldest. A reader that is too far
// behind is cut off: its channel is closed.
func (r *recent) add(rec *DecisionRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring[r.count%keepRecent] = rec
	r.count++
	for c := range r.readers {
		select {
		case c <- rec:
		default:
			delete(r.readers, c)
			close(c)
		}
	}
}

// Decisions returns up to n recent decisions that did something, newest first.
func (b *Bot) Decisions(n int) []*DecisionRecord {
	r := b.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	n = min(n, r.count, keepRecent)
	list := make([]*DecisionRecord, n)
	for i := range list {
		list[i] = r.ring[(r.count-1-i)%keepRecent]
	}
	return list
}

// Watch returns a channel of the decisions to come, and what ends it. The
// channel is closed when its reader falls streamBuffer decisions behind.
func (b *Bot) Watch() (decisions <-chan *DecisionRecord, stop func()) {
	r := b.recent
	c := make(chan *DecisionRecord, streamBuffer)
	r.mu.Lock()
	r.readers[c] = true
	r.mu.Unlock()
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.readers[c] {
			delete(r.readers, c)
			close(c)
		}
	}
}
