package delivery

import (
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/history"
	"escalator/bot/notify"
	"escalator/rules"
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
	a.Courier.tellStaff(notify.Event{Kind: kind, Rule: t.Rule, Target: t.Target, Session: a.name(), Detail: detail})
}

// Unanswered tells of a transfer that Desk had put into its queue, where nobody took
// it: the customer has waited too long, or is gone. decision is the one that began it, ""
// where it is not kept.
func (c *Courier) Unanswered(session, decision string, w *rules.Wait, now time.Time) {
	c.opt.Metrics.Transfers.WithLabelValues(unanswered, "0").Inc()
	took := now.Sub(w.Since).Milliseconds()
	c.opt.Log.WithFields(logrus.Fields{
		"session": session, "rule": w.Rule, "target": w.Target, "outcome": unanswered, "final": true, "code": 0, "took_ms": took,
	}).Warn("transfer")
	if c.opt.Happened != nil {
		c.opt.Happened(history.Entry{
			Kind: history.Attempt, ID: decision, Session: session, Rule: w.Rule, Target: w.Target, Outcome: unanswered, Final: true, Code: "0", TookMS: took,
		})
	}
}

// unanswered is the outcome of a transfer that ended in the queue.
const unanswered = "unanswered"
