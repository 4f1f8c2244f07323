package bot

import (
	"strings"

	"escalator/bot/mask"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/rules"
)

// Notices makes records of what the staff is to be told; *notify.Notifier is one. They
// are stored with the conversation, so that nothing that a rule tells is lost.
type Notices interface {
	// Record returns the record of an event, false where nobody is to be told of it.
	Record(e notify.Event) (store.Record, bool)
	// Stored says that a record was put.
	Stored()
}

// notice is the record of what a decision tells the staff.
func (b *Bot) notice(r *record) (store.Record, bool) {
	d, m := &r.decision, r.message
	if d.Notify == nil || b.Notices == nil {
		return store.Record{}, false
	}
	e := notify.Event{Kind: notify.ByRule, Teams: d.Notify, Rule: d.Rule, Target: d.Target, Session: nameOf(m), RequestID: strings.Clone(mask.Clip(m.RequestID)), Traceparent: r.span.Traceparent()}
	if m.Turn.Kind == rules.UserTurn && m.Turn.Text != "" {
		e.Words = []string{strings.Clone(m.Turn.Text)}
	}
	return b.Notices.Record(e)
}
