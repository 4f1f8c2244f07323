// Package retry says when a call that failed is made again: of transfers to Desk, and
// of messages to the staff.
package retry

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/sony/gobreaker/v2"

	"escalator/bot/store"
)

// Back-off with full jitter: before the try after the nth fault in a row a random
// time up to
//
//	n       1    2    3    4    5    6     7    8 and more
//	up to   1s   2s   4s   8s   16s  32s   60s  60s
//
// (docs: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
const (
	first   = 500 * time.Millisecond
	longest = store.LongestWait
)

// Backoff is how long to wait after so many faults in a row.
func Backoff(faults int) time.Duration {
	limit := min(longest, first<<min(faults, 10))
	return rand.N(limit) //nolint:gosec // jitter needs no secrecy
}

const (
	// failures in a row open a breaker for a pause; then one attempt shows whether
	// the other side is back. An open breaker costs no attempts.
	failures = 5
	pause    = 3 * time.Second
)

// ErrNotCalled tells a breaker that a try says nothing about the other side.
var ErrNotCalled = errors.New("the other side was not called, or we hung up")

// NewBreaker returns a breaker that is closed.
func NewBreaker(name string) *gobreaker.TwoStepCircuitBreaker[any] {
	return gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Name:        name,
		MaxRequests: 1,
		Timeout:     pause,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= failures },
		IsExcluded:  func(err error) bool { return errors.Is(err, ErrNotCalled) },
	})
}
