package handlers

import (
	"net/http"
	"sync/atomic"
	"time"
)

var errOverload = &refusal{status: http.StatusServiceUnavailable, reason: "overload", info: "too many callbacks at once: try again"}

// A shed lets in what can be answered in time, and turns the rest away:
//
//   - No more is worked on at once than there are places, and its bodies take no more
//     than maxHeld.
//   - While requests wait longer than tooLong on average until their handler starts,
//     those that did are turned away unread, so that newer ones are answered in time. What
//     came before a time in which no handler started waited for a machine that stood still,
//     not for others: it is answered, however much of it there is.
//   - Who is turned away is told so after retryAfter, while its sender still listens. Refusing
//     costs a good part of what answering costs, and a busy sender is back at once: without the
//     pause the refusals would take the processors from the answers. So there are at most as
//     many refusals a second as there are connections.
type shed struct {
	places chan struct{}
	held   atomic.Int64 // bytes of bodies

	begun  atomic.Uint32 // requests, to ask one of askEvery
	wait   atomic.Int64  // the average, in nanoseconds
	epoch  time.Time     // what these two count from, in nanoseconds
	asked  atomic.Int64  // when one was asked last
	moving atomic.Int64  // since when one was asked every tooLong at least
}

const (
	// tooLong leaves a second to answer in, of the two that Tencent waits.
	tooLong = 500 * time.Millisecond

	// One request of askEvery is asked how long it waited (a system call), and each while it is too long.
	askEvery = 8
	// averageOver is how many of those the average is over, and each counts as longestWait at most.
	averageOver = 64
	longestWait = 2 * time.Second

	// tellWithin is how long after it came a request is refused at the latest, if it can be.
	tellWithin = 1800 * time.Millisecond
)

func newShed(limit int) *shed { return &shed{places: make(chan struct{}, limit), epoch: time.Now()} }

// full reports whether nothing more would be let in now.
func (s *shed) full() bool { return len(s.places) == cap(s.places) }

// late reports whether a request whose handler starts now has waited for so long, as
// others do, that its answer would come too late.
func (s *shed) late(waited func() time.Duration) bool {
	average := time.Duration(s.wait.Load())
	if average < tooLong && s.begun.Add(1)%askEvery != 0 {
		return false
	}
	now := int64(time.Since(s.epoch))
	if now-s.asked.Swap(now) >= int64(tooLong) { // nobody waits for others where so few come
		s.moving.Store(now)
	}
	this := waited()
	if now-int64(this) < s.moving.Load() {
		this = 0
	}
	this = min(this, longestWait)
	s.wait.Store(int64(average + (this-average)/averageOver)) // one that is overwritten is a sample less
	return average >= tooLong && this >= tooLong
}

// turnAway returns the refusal of what is not let in, when its time has come.
func (s *shed) turnAway(waited time.Duration) error {
	<-time.After(min(retryAfter, tellWithin-waited)) // at once where that is over
	return errOverload
}

// enter begins what has a body of so many bytes, or reports that there is too much. It
// never waits.
func (s *shed) enter(bytes int) bool {
	if s.held.Add(int64(bytes)) > maxHeld && bytes > smallBody {
		s.held.Add(-int64(bytes))
		return false
	}
	select {
	case s.places <- struct{}{}:
		return true
	default:
		s.held.Add(-int64(bytes))
		return false
	}
}

// leave ends what was let in.
func (s *shed) leave(bytes int) {
	<-s.places
	s.held.Add(-int64(bytes))
}
