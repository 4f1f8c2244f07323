package delivery

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/rules"
)

// tellStaff tells the staff, if somebody wants to know.
func (c *Courier) tellStaff(e notify.Event) {
	if c.opt.Tell != nil {
		e.Waiting = -1
		c.opt.Tell(e)
	}
}

// tellStaff tells the staff what became of this transfer.
func (a *attempt) tellStaff(kind notify.Kind, detail string) {
	t := a.transfer
	if kind == notify.Failed {
		a.failed.Store(true)
	}
	a.Courier.tellStaff(notify.Event{Kind: kind, Rule: t.Rule, Target: t.Target, Session: a.name(), Detail: detail})
}

// Unanswered tells of a transfer that Desk had put into its queue, where nobody took
// it: the customer has waited too long, or is gone.
func (c *Courier) Unanswered(session string, w *rules.Wait, now time.Time) {
	c.opt.Metrics.Transfers.WithLabelValues(unanswered, "0").Inc()
	c.opt.Log.WithFields(logrus.Fields{
		"session": session, "rule": w.Rule, "target": w.Target, "outcome": unanswered, "final": true, "code": 0,
		"took_ms": now.Sub(w.Since).Milliseconds(),
	}).Warn("transfer")
}

// unanswered is the outcome of a transfer that ended in the queue.
const unanswered = "unanswered"

// tellTaken tells the staff that Desk has taken a transfer: somebody is there again.
func (a *attempt) tellTaken(ctx context.Context) {
	a.Courier.tellStaff(notify.Event{Kind: notify.NoAgent, Over: true, Target: a.transfer.Target})
	a.tellNoneLeft(ctx)
}

// tellNoneLeft tells the staff when no transfer is left that was given up, if this
// process has told of one.
func (c *Courier) tellNoneLeft(ctx context.Context) {
	if !c.failed.Load() {
		return
	}
	left, err := c.opt.Outbox.List(context.WithoutCancel(ctx), store.GivenUp)
	if err == nil && len(left) == 0 && c.failed.CompareAndSwap(true, false) {
		c.tellStaff(notify.Event{Kind: notify.Failed, Over: true})
	}
}
