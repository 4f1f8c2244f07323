package bot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"escalator/bot/store"
	"escalator/rules"
)

const (
	// courierWorkers bounds the calls to Desk that are under way at once.
	courierWorkers = 16
	// breakerFailures in a row open the breaker for breakerPause; then one
	// attempt shows whether Desk is back. An open breaker costs no attempts.
	breakerFailures = 5
	breakerPause    = 3 * time.Second
	// breakerLook is how often the courier asks whether the pause is over.
	breakerLook = 200 * time.Millisecond
	// storeRetry is how long the courier waits when the outbox cannot be read.
	storeRetry = time.Second
)

// courier delivers the outbox: the oldest due transfer first, one attempt of a
// conversation at a time, a bounded number at once, no faster than `global`.
type courier struct {
	bot     *Bot
	pace    RateLimiter
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	hold    hold
	slots   chan struct{} // holds one value for each attempt under way

	stopTaking context.CancelCauseFunc // no new attempts
	stopAll    context.CancelCauseFunc // those under way too
	running    sync.WaitGroup
	once       sync.Once
	taking     context.Context //nolint:containedctx // the courier's own life, made in newCourier
	working    context.Context //nolint:containedctx // the same
}

var errStopped = errors.New("the service is stopping")

func newCourier(b *Bot) *courier {
	c := &courier{bot: b, pace: b.RateLimiter, slots: make(chan struct{}, courierWorkers)}
	if c.pace == nil {
		c.pace = newOwnPace(b.Options.Policy.Global())
	}
	c.hold.now = b.Now
	c.taking, c.stopTaking = context.WithCancelCause(context.Background())
	c.working, c.stopAll = context.WithCancelCause(context.Background())
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name:        "desk",
		MaxRequests: 1,
		Timeout:     breakerPause,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakerFailures },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			b.Log.WithField("from", from.String()).WithField("to", to.String()).Warn("breaker to Desk changed")
		},
	})
	return c
}

// ownPace is the pace of a process that delivers alone: a bucket that is full at
// the start.
type ownPace struct{ *rate.Limiter }

func newOwnPace(r rules.Rate) ownPace {
	return ownPace{rate.NewLimiter(rate.Limit(float64(r.Count)/r.Per.Seconds()), max(1, r.Count))}
}

// SetRate implements RateLimiter.
func (p ownPace) SetRate(count int, per time.Duration) {
	p.SetLimit(rate.Limit(float64(count) / per.Seconds()))
	p.SetBurst(max(1, count))
}

// setRate applies `global` of a rule file.
func (c *courier) setRate(r rules.Rate) { c.pace.SetRate(r.Count, r.Per) }

func (c *courier) start() { c.once.Do(func() { c.running.Go(c.run) }) }

// stop ends the courier: no new attempts at once, those under way when ctx ends.
func (c *courier) stop(ctx context.Context) error {
	c.stopTaking(errStopped)
	c.once.Do(func() {}) // one that was not started must not start any more
	done := make(chan struct{})
	go func() { c.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		c.stopAll(errStopped)
		<-done
		return context.Cause(ctx)
	}
}

// run takes due transfers until the courier is stopped.
func (c *courier) run() {
	for c.waitForTurn() {
		t, next, err := c.bot.Outbox.Take(c.taking, c.bot.Now())
		switch {
		case err != nil:
			c.bot.Log.WithError(err).Error("outbox cannot be read")
			c.sleep(storeRetry)
		case t == nil:
			c.idle(next)
		default:
			c.dispatch(t)
		}
	}
}

// waitForTurn waits until another attempt may begin; false means stop. While
// Desk refuses everything, or does not answer, one attempt at a time is made to
// find out whether it is back.
func (c *courier) waitForTurn() bool {
	for c.taking.Err() == nil {
		pause, probing := c.hold.pause()
		open := c.breaker.State()
		switch {
		case pause > 0:
			c.sleep(min(pause, breakerLook))
		case open == gobreaker.StateOpen:
			c.sleep(breakerLook)
		case (probing || open == gobreaker.StateHalfOpen) && len(c.slots) > 0:
			c.sleep(breakerLook)
		case len(c.slots) == cap(c.slots):
			// A worker that ends signals by taking its value out; put and take
			// ours to wait for that.
			select {
			case c.slots <- struct{}{}:
				<-c.slots
			case <-c.taking.Done():
			}
		default:
			return true
		}
	}
	return false
}

// idle waits for the time at which the next transfer is due, or for a new one.
func (c *courier) idle(next time.Time) {
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(max(0, next.Sub(c.bot.Now())))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-c.bot.Outbox.Changed():
	case <-c.taking.Done():
	}
}

// dispatch gives a leased transfer to a worker, no faster than `global` allows.
func (c *courier) dispatch(t *store.Transfer) {
	report, err := c.breaker.Allow()
	if err == nil {
		err = c.pace.Wait(c.taking)
	}
	if err != nil { // the breaker opened since we looked, or we stop: it goes back as it is
		c.bot.save(c.working, t)
		return
	}
	c.slots <- struct{}{}
	c.running.Go(func() {
		defer func() { <-c.slots }()
		c.bot.attempt(c.working, t, report)
	})
}

func (c *courier) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.taking.Done():
	}
}
