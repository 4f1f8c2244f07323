package handlers

import (
	"context"
	"sync"
	"time"
)

// patientContext is a context that ends some time after somebody begins to wait
// for its end. Nearly no callback waits for another one, and a timer for each
// took as long as to read the callback.
type patientContext struct {
	context.Context //nolint:containedctx // it is one
	limit           time.Duration

	mu    sync.Mutex
	timed context.Context //nolint:containedctx // the same with its timer, once it is asked for
	stop  context.CancelFunc
}

// waited returns the context with its timer.
func (c *patientContext) waited() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.stop = context.WithTimeout(c.Context, c.limit)
	}
	return c.timed
}

// Done implements context.Context. From now on time counts.
func (c *patientContext) Done() <-chan struct{} { return c.waited().Done() }

// Deadline implements context.Context. From now on time counts.
func (c *patientContext) Deadline() (time.Time, bool) { return c.waited().Deadline() }

// Err implements context.Context.
func (c *patientContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		return c.Context.Err()
	}
	return c.timed.Err()
}

// Value implements context.Context: context.Cause finds the timer by it.
func (c *patientContext) Value(key any) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		return c.Context.Value(key)
	}
	return c.timed.Value(key)
}

// cancel stops the timer, if there is one.
func (c *patientContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
	}
}
