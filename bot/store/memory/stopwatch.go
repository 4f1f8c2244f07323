package memory

import (
	"math"
	"time"
)

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

// tick is a time by a stopwatch in half the room: 16 ms each, for two years. What is later
// counts as then.
type tick uint32

const tickMillis = 16

// tickAt is the last tick that is not after a time in milliseconds.
func tickAt(millis int64) tick { return tick(max(0, min(millis/tickMillis, math.MaxUint32))) }

// tickFrom is the first tick that is not before it.
func tickFrom(millis int64) tick {
	if millis > math.MaxInt64-tickMillis {
		return math.MaxUint32
	}
	return tickAt(millis + tickMillis - 1)
}
