package store

import "context"

// Feed is where several replicas tell each other what happened, in capped streams by name.
// While it cannot be used its errors are ErrAway or ErrSkipped; an entry that was appended
// then may be there all the same.
type Feed interface {
	// AppendFeed appends entries to a stream, in which about so many are kept.
	AppendFeed(ctx context.Context, name string, keep int, entries [][]byte) error
	// ReadFeed returns up to most entries behind a place ("": the oldest), the oldest first,
	// and the place behind them.
	ReadFeed(ctx context.Context, name, after string, most int) (entries [][]byte, next string, err error)
	// ForgetFeed removes the entries of which gone says so.
	ForgetFeed(ctx context.Context, name string, gone func(entry []byte) bool) error
}
