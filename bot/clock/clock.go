// Package clock tells the two times of the service. A host's clock may be set, by
// minutes or by days, while customers wait and cooldowns run: what the service
// measures must not notice, what people read must follow.
package clock

import "time"

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
