package store

import (
	"context"
	"time"
)

// HistoryRow is one entry of the history of a conversation, encoded.
type HistoryRow struct {
	Session, User string // User may be empty
	At            time.Time
	Data          []byte
}

// HistoryBounds is what may be kept of history.
type HistoryBounds struct {
	For   time.Duration
	Max   int64 // bytes of all conversations
	Bytes int   // of one conversation
}

// Histories is where several replicas keep the history of conversations. While it cannot
// be used its errors are ErrAway or ErrSkipped.
type Histories interface {
	// AppendHistory keeps rows within bounds; what is over them goes, the oldest first.
	AppendHistory(ctx context.Context, rows []HistoryRow, bounds HistoryBounds) error
	// History returns the entries of a session, the oldest first.
	History(ctx context.Context, session string) ([][]byte, error)
	// HistoryOf returns the last entry of a user, nil if there is none.
	HistoryOf(ctx context.Context, user string) ([]byte, error)
	// EachHistory gives the entries of all sessions in which something happened since a time,
	// until take returns false; then whole is false.
	EachHistory(ctx context.Context, since time.Time, take func(entry []byte) bool) (whole bool, err error)
	// ForgetHistory removes the sessions of a user, or the session of that name, and
	// returns how many.
	ForgetHistory(ctx context.Context, name string) (sessions int, err error)
}
