package delivery

import (
	"context"
	"errors"
	"time"

	"escalator/bot/desk"
	"escalator/bot/retry"
)

// probeEvery is how often Desk is asked whether it is back where no transfer asks.
const probeEvery = 10 * time.Second

// probeDue is how long an idle courier waits before it asks Desk whether all is well
// again; 0: all is well.
func (c *Courier) probeDue() time.Duration {
	switch {
	case c.hold.reason() != "":
		return breakerLook // its own pause is over
	case c.outage.known():
		return probeEvery
	default:
		return 0
	}
}

// probe asks Desk about a session that is none. Without it an outage or a hold whose
// transfers were all given up would be told, and alerted on, until the next customer asks
// for a person, long after Desk is well again.
func (c *Courier) probe() {
	report, err := c.breaker.Allow()
	if err != nil {
		return
	}
	c.work(func() {
		_, err := c.opt.Desk.SessionState(c.working, desk.StateRequest{SessionID: "escalator-no-such-session"})
		var failure *desk.Error
		switch {
		case errors.Is(err, context.Canceled) || err != nil && !errors.As(err, &failure):
			report(retry.ErrNotCalled)
			return
		case failure != nil && failure.Transport():
			c.tell(c.working, report, failure, nil)
			return
		case failure != nil && (failure.Verdict() == desk.Hold || failure.Verdict() == desk.Resign):
			c.hold.set(failure.Code, failure.Error())
		default: // it knows us, and not the session
			c.resume()
		}
		c.tell(c.working, report, nil, nil)
	})
}
