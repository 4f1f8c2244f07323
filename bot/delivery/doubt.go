package delivery

import (
	"context"

	"golang.org/x/time/rate"

	"escalator/bot/store"
	"escalator/rules"
)

// questionsPerSecond bounds how often Desk is asked whether it knows a session that may
// have been made up. Together with the usual `global` it stays well below what Tencent
// allows an app (200 calls a second).
const questionsPerSecond = 100

// doubt is what transfers get of which nobody knows whether Desk knows the session.
// A few are delivered like all others. More at once may be a flood of forged ones, which
// would use up `global` for minutes: for those Desk is asked first, which costs nobody a
// turn, and what it does not know ends there.
type doubt struct {
	believed  *rate.Limiter // half of `global`
	questions *rate.Limiter
}

func newDoubt() doubt {
	return doubt{believed: rate.NewLimiter(0, 1), questions: rate.NewLimiter(questionsPerSecond, 1)}
}

func (d *doubt) setRate(global rules.Rate) {
	own := newOwnLimiter(global)
	d.believed.SetLimit(own.Limit() / 2)
	d.believed.SetBurst(max(1, own.Burst()/2))
}

// turn is what a transfer has to wait for. It decides whether an unproven one is asked
// for first; one that may be at Desk already is in any case.
func (c *Courier) turn(t *store.Transfer) interface{ Wait(context.Context) error } {
	if !t.Unproven || t.MayBeOurs() || !t.VerifyFirst && c.doubt.believed.AllowN(c.opt.Now(), 1) {
		return c.limiter
	}
	t.VerifyFirst = true
	return c.doubt.questions
}
