package handlers

import (
	"net/http"
	"sync/atomic"
)

var errOverload = &refusal{status: http.StatusServiceUnavailable, reason: "overload", info: "too many callbacks at once: try again"}

// shed counts what is in progress by the values in the channel, and what the bodies of
// it take.
type shed struct {
	places chan struct{}
	held   atomic.Int64
}

func newShed(limit int) *shed { return &shed{places: make(chan struct{}, limit)} }

// full reports whether nothing more would be let in now.
func (s *shed) full() bool { return len(s.places) == cap(s.places) }

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
