package delivery

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sony/gobreaker/v2"

	"escalator/bot/retry"
	"escalator/bot/store"
	"escalator/rules/lang"
)

// outage knows since when Desk does not answer, so that the log tells once when it
// goes away and once when it is back, and not with every transfer that waits.
type outage struct {
	mu    sync.Mutex
	since time.Time // the first attempt without an answer; zero: the last one had one
	told  bool
}

// note takes the breaker's word of an attempt. It reports whether Desk has gone away
// or come back with it, and since when it was away.
func (o *outage) note(now time.Time, err error, breaker gobreaker.State) (gone, back bool, since time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case errors.Is(err, retry.ErrNotCalled):
	case err != nil:
		if o.since.IsZero() {
			o.since = now
		}
		gone = breaker == gobreaker.StateOpen && !o.told
		o.told = o.told || gone
		since = o.since
	case breaker == gobreaker.StateClosed: // else it is the answer to a call from before
		back, since = o.told, o.since
		o.told, o.since = false, time.Time{}
	}
	return gone, back, since
}

// known reports whether the log has told that Desk is away.
func (o *outage) known() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.told
}

// tell tells the breaker what a call says of Desk, and the log when Desk goes away, or
// is back, with it. ended is the transfer that the call was for, nil for none.
func (c *Courier) tell(ctx context.Context, breaker func(error), err error, ended *store.Transfer) {
	now, waited := c.opt.Now(), 0
	if err == nil && c.outage.known() {
		waited = c.waiting(ctx, ended) // before the breaker lets them go
	}
	breaker(err)
	gone, back, since := c.outage.note(now, err, c.breaker.State())
	switch f := (logrus.Fields{"away_s": now.Sub(since).Round(time.Millisecond).Seconds()}); {
	case gone:
		c.opt.Metrics.DeskUp.Set(0)
		f["code"] = store.CodeNetwork
		c.opt.Log.WithError(err).WithFields(f).Warn("Desk does not answer: transfers are kept, and one at a time is tried until it does")
	case back:
		c.opt.Metrics.DeskUp.Set(1)
		f["waited"] = waited
		c.opt.Log.WithFields(f).Warn("Desk answers again: transfers that waited are delivered")
	}
}

// waiting counts the transfers on their way, together with the one that has just
// ended, if there is one.
func (c *Courier) waiting(ctx context.Context, ended *store.Transfer) int {
	list, err := c.opt.Outbox.List(context.WithoutCancel(ctx), store.Pending)
	if err != nil { // the courier complains
		return 1
	}
	if ended != nil && !slices.ContainsFunc(list, func(t *store.Transfer) bool { return t.ID == ended.ID }) {
		return len(list) + 1
	}
	return len(list)
}

// retryLevel is that of a line which says that an attempt is repeated: while Desk
// is away there is one every few seconds, and it says nothing new.
func (a *attempt) retryLevel() logrus.Level {
	switch {
	case !a.transfer.Network:
		return logrus.WarnLevel
	case a.outage.known():
		return logrus.DebugLevel
	default:
		return logrus.InfoLevel
	}
}

// Degraded says why transfers do not reach Desk although it answers; nil: they do.
func (c *Courier) Degraded() []string {
	if why := c.hold.reason(); why != "" {
		return []string{lang.Say("courier held: Desk refuses every transfer (%s)", why).String()}
	}
	return nil
}

// Condition is how the courier stands with Desk.
type Condition struct {
	Up   bool  `json:"up"`           // false: Desk does not answer
	Held *Held `json:"courier_held"` // nil: Desk takes transfers
}

// Condition returns how the courier stands with Desk, with the times of the calendar,
// which shows wall.
func (c *Courier) Condition(wall time.Time) Condition {
	return Condition{Up: !c.outage.known(), Held: c.hold.told(wall)}
}
