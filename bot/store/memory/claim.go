package memory

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/store"
)

// claim is a callback that is being worked on.
type claim struct {
	name    string      // the dedup key
	key     string      // under which it is in the table
	counted atomic.Bool // it is counted into its conversation

	over atomic.Bool
	mu   sync.Mutex
	done chan struct{} // closed when it ends; nil while nobody waits, as nearly always
}

func (c *claim) expires() int64  { return forever }
func (c *claim) evictable() bool { return false }

// wait waits for the end of the claim, up to the end of ctx and not longer than
// timeout. Only copies of a callback pay for a timer.
func (c *claim) wait(ctx context.Context, timeout time.Duration) error {
	done := c.waited()
	if done == nil {
		return nil
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return store.ErrBusy
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// waited returns what is closed at the end of the claim; nil: it has ended.
func (c *claim) waited() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over.Load() {
		return nil
	}
	if c.done == nil {
		c.done = make(chan struct{})
	}
	return c.done
}

// end tells those who wait.
func (c *claim) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over.Store(true)
	if c.done != nil {
		close(c.done)
	}
}
