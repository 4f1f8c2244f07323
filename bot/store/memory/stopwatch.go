package memory

import "time"

// stopwatch counts milliseconds by the monotonic clock: what is kept for ten minutes
// is kept for ten minutes, also when somebody sets the clock on the wall.
type stopwatch struct {
	now   func() time.Time
	start time.Time
}

func newStopwatch(now func() time.Time) stopwatch {
	if now == nil {
		now = time.Now
	}
	return stopwatch{now: now, start: now()}
}

// millis is the time now, at that of t.
func (c stopwatch) millis() int64        { return c.at(c.now()) }
func (c stopwatch) at(t time.Time) int64 { return t.Sub(c.start).Milliseconds() }
