package redis

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// RateLimiter is how fast all replicas together send transfers to Desk. While Redis is
// away each replica keeps to it by itself.
type RateLimiter struct {
	replica *Replica
	alone   *rate.Limiter

	mu       sync.Mutex
	interval time.Duration // between two transfers
	burst    int
}

// RateLimiter returns the shared pace; SetRate must be called before Wait.
func (r *Replica) RateLimiter() *RateLimiter {
	return &RateLimiter{replica: r, alone: rate.NewLimiter(rate.Inf, 1)}
}

// SetRate allows count transfers per time, and as many at once.
func (p *RateLimiter) SetRate(count int, per time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.burst = max(1, count)
	p.interval = per / time.Duration(p.burst)
	p.alone.SetLimit(rate.Every(p.interval))
	p.alone.SetBurst(p.burst)
}

// Wait waits for the turn of the next transfer, or for the end of ctx.
func (p *RateLimiter) Wait(ctx context.Context) error {
	for {
		wait, shared, err := p.ask(ctx)
		switch {
		case err != nil:
			return err
		case !shared:
			return p.alone.Wait(ctx)
		case wait <= 0:
			return nil
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// ask takes a turn if there is one, or says how long to wait.
func (p *RateLimiter) ask(ctx context.Context) (wait time.Duration, shared bool, err error) {
	p.mu.Lock()
	interval, burst := p.interval, p.interval*time.Duration(p.burst)
	p.mu.Unlock()
	c := p.replica.client
	shared, err = p.replica.on(func() error {
		answer, err := c.run(ctx, "waiting for the pace", rateScript, []string{c.keys.rate()}, interval.Microseconds(), burst.Microseconds())
		us, _ := answer.(int64)
		wait = time.Duration(us) * time.Microsecond
		return err
	})
	return wait, shared, err
}
