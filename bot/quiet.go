package bot

import (
	"sync"
	"time"
)

// quietFor is how long a line that would come with every callback is held back
// after it was written.
const quietFor = time.Minute

// quiet holds back lines that would come too often, and counts them.
type quiet struct {
	mu      sync.Mutex
	last    time.Time
	omitted int
}

// allow reports whether a line may be written, and how many were not since the
// last one.
func (q *quiet) allow(now time.Time) (ok bool, omitted int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.last.IsZero() && now.Sub(q.last) < quietFor {
		q.omitted++
		return false, 0
	}
	omitted, q.omitted, q.last = q.omitted, 0, now
	return true, omitted
}
