package rulefile

import (
	"context"
	"time"

	"escalator/rules/lang"
)

// storageTimeout is how long storage may take for one thing.
const storageTimeout = 2 * time.Second

// ErrStorage is the error of storage that hangs. What was asked of it may still happen: look again later.
var ErrStorage = lang.Errorf("the storage has not answered within %s", storageTimeout)

// storage is a place that may hang: a system call that does not return cannot be
// ended, only left alone. While one hangs no other begins.
type storage chan struct{} // holds one value while work is under way

func newStorage() storage { return make(storage, 1) }

// within does work with the storage, but does not wait for it longer than
// storageTimeout, nor after ctx has ended.
func within[T any](ctx context.Context, s storage, work func() (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, storageTimeout, ErrStorage)
	defer cancel()
	var none T
	select {
	case s <- struct{}{}:
	default:
		return none, ErrStorage
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		<-s
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}
