// Package quiet keeps a fault that comes with every callback from filling the
// log: one line a minute, which says how many there would have been.
package quiet

import (
	"sync"
	"time"
)

// every is how long a line that would come with every callback is held back
// after it was written.
const every = time.Minute

// Line is one kind of line. It holds back what would come too often, and counts
// it. The zero value is ready, for several goroutines.
type Line struct {
	mu      sync.Mutex
	last    time.Time
	omitted int
}

// Allow reports whether a line may be written, and how many were not since the
// last one.
func (l *Line) Allow(now time.Time) (ok bool, omitted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.last.IsZero() && now.Sub(l.last) < every {
		l.omitted++
		return false, 0
	}
	omitted, l.omitted, l.last = l.omitted, 0, now
	return true, omitted
}
