package delivery

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"escalator/bot/clock"
	"escalator/bot/quiet"
	"escalator/bot/retry"
	"escalator/bot/store"
	"escalator/rules"
)

const (
	// courierWorkers bounds the calls to Desk that are under way at once.
	courierWorkers = 16
	// breakerLook is how often the courier asks whether the breaker's pause is over.
	breakerLook = 200 * time.Millisecond
	// storeRetry is how long the courier waits when the outbox cannot be read.
	storeRetry = time.Second
)

// Courier delivers the outbox: the oldest due transfer first, one attempt of a
// conversation at a time, a bounded number at once, no faster than `global`.
type Courier struct {
	opt     Options
	limiter RateLimiter
	doubt   doubt
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	hold    hold
	outage  outage
	asked   pause // Desk asked for time
	speaker *speaker
	quiet   quiet.Lines
	began   time.Time
	tried   sync.Map      // episodes that an earlier process left and this one has tried
	freed   atomic.Int64  // how often an agent became free
	slots   chan struct{} // holds one value for each attempt under way

	stopTaking context.CancelCauseFunc // no new attempts
	stopAll    context.CancelCauseFunc // those under way too
	running    sync.WaitGroup
	once       sync.Once
	taking     context.Context //nolint:containedctx // the courier's own life, made in New
	working    context.Context //nolint:containedctx // the same
}

var errStopped = errors.New("the service is stopping")

// New returns a courier that is not delivering yet.
func New(o Options) *Courier {
	o.traceCalls()
	c := &Courier{opt: o, limiter: o.RateLimiter, began: o.Now(), slots: make(chan struct{}, courierWorkers), doubt: newDoubt()}
	c.speaker = newSpeaker(&c.opt)
	if c.limiter == nil {
		c.limiter = newOwnLimiter(o.Global)
	}
	c.SetRate(o.Global)
	c.hold.now, c.asked.now = o.Now, o.Now
	knownLabels(func(outcome, code string) { o.Metrics.Transfers.WithLabelValues(outcome, code) })
	for _, outcome := range []string{saidSent, saidFailed, saidDropped} {
		o.Metrics.Said.WithLabelValues(outcome)
	}
	for _, outcome := range []string{agentTaken, agentAway} {
		o.Metrics.LastAgents.WithLabelValues(outcome)
	}
	c.taking, c.stopTaking = context.WithCancelCause(context.Background())
	c.working, c.stopAll = context.WithCancelCause(context.Background())
	c.breaker = retry.NewBreaker("desk")
	return c
}

// ownLimiter is the limiter of a process that delivers alone: a bucket that is full at
// the start.
type ownLimiter struct{ *rate.Limiter }

func newOwnLimiter(r rules.Rate) ownLimiter {
	return ownLimiter{rate.NewLimiter(rate.Limit(float64(r.Count)/r.Per.Seconds()), max(1, r.Count))}
}

// SetRate implements RateLimiter.
func (l ownLimiter) SetRate(count int, per time.Duration) {
	l.SetLimit(rate.Limit(float64(count) / per.Seconds()))
	l.SetBurst(max(1, count))
}

// SetRate applies `global` of a rule file.
func (c *Courier) SetRate(r rules.Rate) {
	c.limiter.SetRate(r.Count, r.Per)
	c.doubt.setRate(r)
}

// Start begins to deliver and to speak. It returns at once.
func (c *Courier) Start() {
	c.once.Do(func() { c.running.Go(c.run) })
	c.speaker.start()
}

// Stop ends the courier: no new attempts at once, those under way when ctx ends;
// the rest stays in the outbox. It may be called more than once.
func (c *Courier) Stop(ctx context.Context) error {
	defer c.speaker.stop()
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
func (c *Courier) run() {
	for c.waitForTurn() {
		t, next, err := c.opt.Outbox.Take(c.taking, c.opt.Now())
		switch {
		case err != nil:
			c.quiet.Log("unreadable", c.opt.Log.WithError(err), logrus.ErrorLevel, "outbox cannot be read")
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
func (c *Courier) waitForTurn() bool {
	for c.taking.Err() == nil {
		_, probing := c.hold.pause()
		open := c.breaker.State()
		switch wait := c.pausing(); {
		case wait > 0:
			c.sleep(min(wait, breakerLook))
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

// pausing is how long no attempt may begin: because Desk refuses every transfer,
// or has asked for time.
func (c *Courier) pausing() time.Duration {
	held, _ := c.hold.pause()
	return max(held, c.asked.left())
}

// idle waits for the time at which the next transfer is due, or for a new one. While Desk
// is away, or refuses everything, it asks now and then by itself.
func (c *Courier) idle(next time.Time) {
	var due, ask <-chan time.Time
	if wait := c.probeDue(); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		ask = timer.C
	}
	if !next.IsZero() {
		timer := time.NewTimer(max(0, next.Sub(c.opt.Now())))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-ask:
		c.probe()
	case <-c.opt.Outbox.Changed():
	case <-c.taking.Done():
	}
}

// dispatch gives a leased transfer to a worker, no faster than `global` allows.
// One whose time is over needs no call, and so no word from the breaker.
func (c *Courier) dispatch(t *store.Transfer) {
	if c.overdue(t) {
		c.work(func() { c.newAttempt(t).expire(c.working) })
		return
	}
	if c.pausing() > 0 { // a hold began since we looked: it goes back as it is
		_ = c.save(c.working, t)
		return
	}
	report, err := c.breaker.Allow()
	if err == nil {
		if err = c.turn(t).Wait(c.taking); err != nil {
			report(retry.ErrNotCalled)
		}
	}
	if err != nil { // the breaker opened since we looked, or we stop: the same
		_ = c.save(c.working, t)
		return
	}
	c.work(func() { c.attempt(c.working, t, report) })
}

func (c *Courier) work(f func()) {
	c.slots <- struct{}{}
	c.running.Go(func() {
		defer func() { <-c.slots }()
		f()
	})
}

// overdue reports whether the time of a transfer is over. One that an earlier
// process left is tried once whatever its age: the clock may have been set
// meanwhile, or the machine have been off.
func (c *Courier) overdue(t *store.Transfer) bool {
	if _, tried := c.tried.Load(t.Episode); t.Created.Before(c.began) && !tried {
		return false
	}
	now := c.opt.Now()
	if t.State == store.Waiting {
		return now.After(t.Until)
	}
	return now.After(t.Created.Add(c.opt.Horizon))
}

func (c *Courier) sleep(d time.Duration) { _ = clock.Pause(c.taking, d) }
