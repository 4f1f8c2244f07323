package delivery

import (
	"cmp"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/bot/trace"
)

// tellStaff tells the staff, if somebody wants to know.
func (c *Courier) tellStaff(e notify.Event) {
	if c.opt.Tell != nil {
		c.opt.Tell(e)
	}
}

// tellStaff tells the staff what became of this transfer.
func (a *attempt) tellStaff(kind notify.Kind, detail string) {
	t := a.transfer
	a.Courier.tellStaff(notify.Event{Kind: kind, Rule: t.Rule, Target: t.Target, Session: a.name(), RequestID: t.RequestID, Detail: detail, Traceparent: a.span.Traceparent()})
}

// Unanswered tells of a transfer that Desk had put into its queue at since, where nobody
// took it: the customer has waited too long, or is gone. The transfer is as much as is
// still known of it.
func (c *Courier) Unanswered(t *store.Transfer, since time.Time) {
	c.opt.Metrics.Transfers.WithLabelValues(unanswered, "0").Inc()
	took := c.opt.Now().Sub(since).Milliseconds()
	c.opt.Log.WithFields(LogFields(t)).WithFields(logrus.Fields{"outcome": unanswered, "final": true, "code": 0, "took_ms": took}).Warn("transfer")
	if c.opt.Happened != nil {
		c.opt.Happened(history.Entry{
			Kind: history.Attempt, ID: t.Decision, Session: name(t), User: mask.Clip(t.User), RequestID: t.RequestID, Rule: t.Rule, Target: t.Target,
			Outcome: unanswered, Final: true, Code: "0", TookMS: took,
		})
	}
}

// unanswered is the outcome of a transfer that ended in the queue.
const unanswered = "unanswered"

// LogFields are what every line about a transfer has, so that one request_id, or one
// session, finds its whole story.
func LogFields(t *store.Transfer) logrus.Fields {
	f := fields(name(t), t.User, t.Rule, t.RequestID)
	if t.Target != "" {
		f["target"] = t.Target
	}
	if id := trace.ID(t.Traceparent); id != "" {
		f["trace_id"] = id
	}
	return f
}

// fields are what every line about a customer has; those that say nothing are left out.
func fields(session, user, rule, requestID string) logrus.Fields {
	f := logrus.Fields{"session": mask.Clip(session)}
	for name, value := range map[string]string{"user": mask.Clip(user), "rule": rule, "request_id": mask.Clip(requestID)} {
		if value != "" {
			f[name] = value
		}
	}
	return f
}

// name is what the log calls the conversation of a transfer.
func name(t *store.Transfer) string { return mask.Clip(cmp.Or(t.Session, t.ID)) }
