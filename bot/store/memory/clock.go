package memory

import "time"

// clock counts milliseconds by the monotonic clock: what is kept for ten minutes
// is kept for ten minutes, also when somebody sets the clock on the wall.
type clock struct {
	now   func() time.Time
	start time.Time
}

func newClock(now func() time.Time) clock {
	if now == nil {
		now = time.Now
	}
	return clock{now: now, start: now()}
}

// millis is the time now, at that of t.
func (c clock) millis() int64        { return c.at(c.now()) }
func (c clock) at(t time.Time) int64 { return t.Sub(c.start).Milliseconds() }
