package failover

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"escalator/bot/clock"
)

// RateLimiter is how fast all replicas together send transfers to Desk. While the shared
// store is away each replica keeps to it by itself.
type RateLimiter struct {
	store *Store
	alone *rate.Limiter

	mu       sync.Mutex
	interval time.Duration // between two transfers
	burst    int
}

// RateLimiter returns the shared rate limiter; SetRate must be called before Wait.
func (s *Store) RateLimiter() *RateLimiter {
	return &RateLimiter{store: s, alone: rate.NewLimiter(rate.Inf, 1)}
}

// SetRate allows count transfers per time, and as many at once.
func (l *RateLimiter) SetRate(count int, per time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.burst = max(1, count)
	l.interval = per / time.Duration(l.burst)
	l.alone.SetLimit(rate.Every(l.interval))
	l.alone.SetBurst(l.burst)
}

// Wait waits for the turn of the next transfer, or for the end of ctx.
func (l *RateLimiter) Wait(ctx context.Context) error {
	for {
		wait, shared, err := l.ask(ctx)
		switch {
		case err != nil:
			return err
		case !shared:
			return l.alone.Wait(ctx)
		case wait <= 0:
			return nil
		}
		if err := clock.Pause(ctx, wait); err != nil {
			return err
		}
	}
}

// ask takes a turn if there is one, or says how long to wait.
func (l *RateLimiter) ask(ctx context.Context) (wait time.Duration, shared bool, err error) {
	l.mu.Lock()
	interval, burst := l.interval, l.burst
	l.mu.Unlock()
	shared, err = l.store.insist(ctx, func() (err error) {
		wait, err = l.store.shared.Turn(ctx, interval, burst)
		return err
	})
	return wait, shared, err
}
