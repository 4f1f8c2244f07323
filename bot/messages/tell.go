package messages

import (
	"cmp"
	"strconv"

	"github.com/sirupsen/logrus"

	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/notify"
)

// What the line "message" and the metric name beside the states.
const (
	left    = "left"     // the first words of a customer
	dropped = "dropped"  // forgotten because too many wait
	deleted = "deleted"  // an operator's doing
	putBack = "put_back" // the store that replicas share had lost them
)

// outcomes are all labels of messages_total.
var outcomes = []string{
	left, string(Waiting), string(Contacted), string(Done), string(GivenUp), string(Unknown), string(StaffOnly), dropped, deleted, putBack,
}

// ended tells of the state that a message was brought to: the log, and the staff.
func (k *Keeper) ended(m *Message) {
	level := logrus.InfoLevel
	switch m.State {
	case Contacted, Done:
		e := event(m, notify.Message)
		e.Over, e.Detail = true, m.Agent
		k.Tell(e)
	case GivenUp, Unknown:
		level = logrus.ErrorLevel
		k.Tell(failure(m))
	default: // Desk refused for now
	}
	k.log(m, string(m.State), level)
	k.happened(m)
}

// event is something to tell the staff about a message.
func event(m *Message, kind notify.Kind, words ...string) notify.Event {
	return notify.Event{Kind: kind, Rule: m.Rule, Target: m.Target, Session: m.shown(), RequestID: m.RequestID, Words: words}
}

// failure tells that nobody contacts the customer, with the words: somebody may have
// to.
func failure(m *Message) notify.Event {
	e := event(m, notify.Failed, m.texts()...)
	e.Contact, e.Detail = true, cmp.Or(m.Error, "nobody was free in time to contact the customer")
	return e
}

// log writes the line of a message, and counts it.
func (k *Keeper) log(m *Message, outcome string, level logrus.Level) {
	k.Metrics.Messages.WithLabelValues(outcome).Inc()
	f := logrus.Fields{"session": m.shown(), "rule": m.Rule, "target": m.Target, "outcome": outcome, "attempt": m.Tried, "code": m.Code}
	for name, value := range map[string]string{"user": mask.Clip(m.User), "request_id": m.RequestID, "agent": mask.Clip(m.Agent), "error": m.Error} {
		if value != "" {
			f[name] = value
		}
	}
	k.Log.WithFields(f).Log(level, "message")
}

// happened tells the history what became of a customer's words.
func (k *Keeper) happened(m *Message) {
	e := history.Entry{
		Kind: history.Contact, Session: m.shown(), User: mask.Clip(m.User), Rule: m.Rule, Target: m.Target, Outcome: string(m.State), Final: !m.State.open(),
		Attempt: int64(m.Tried), Agent: mask.Clip(m.Agent), Error: m.Error, RequestID: m.RequestID,
	}
	if m.Code != 0 {
		e.Code = strconv.Itoa(m.Code)
	}
	k.Happened(e)
}

// shown is what the log and the API call the conversation.
func (m *Message) shown() string { return mask.Clip(cmp.Or(m.Session, m.Conversation)) }
