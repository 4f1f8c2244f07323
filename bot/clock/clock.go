// Package clock tells the two times of the service. A host's clock may be set, by
// minutes or by days, while customers wait and cooldowns run: what the service
// measures must not notice, what people read must follow.
package clock

import (
	"context"
	"time"
)

// Clock tells both times. Make one with New or Of; it is never changed.
type Clock struct {
	began time.Time // holds the monotonic reading
	start time.Time // what the wall showed then
	wall  func() time.Time
}

// New returns the clock of the host.
func New() *Clock { return Of(time.Now) }

// Of returns a clock whose wall is somebody else's: a test sets it.
func Of(wall func() time.Time) *Clock {
	return &Clock{began: time.Now(), start: wall().Round(0), wall: wall}
}

// Now is the time that only goes on: the start of the process by the wall, plus
// what has passed since. Windows, cooldowns, alarms, retries and all that expires
// go by it.
func (c *Clock) Now() time.Time { return c.start.Add(time.Since(c.began)) }

// Wall is the time that the host's clock shows. Opening hours, dates, mutes, logs
// and recordings go by it.
func (c *Clock) Wall() time.Time { return c.wall() }

// Every does something again and again, a period after the last time began, until
// ctx ends.
func Every(ctx context.Context, period time.Duration, do func(context.Context)) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do(ctx)
		}
	}
}

// Pause waits for a time, or for the end of ctx: then it returns the cause.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
