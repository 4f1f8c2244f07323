package handlers

import "net/http"

// maxInProgress bounds the callbacks that are worked on at once. Above it the
// sender is told at once to try again: a queue that grows would make every
// answer late, and Tencent gives up after 2 s.
const maxInProgress = 2048

var errOverload = &refusal{http.StatusServiceUnavailable, "overload", "too many callbacks at once: try again"}

// shed counts the callbacks in progress by the values in the channel.
type shed chan struct{}

func newShed(limit int) shed { return make(shed, limit) }

// enter begins a callback, or reports that there are too many. It never waits.
func (s shed) enter() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

// leave ends a callback that was let in.
func (s shed) leave() { <-s }
