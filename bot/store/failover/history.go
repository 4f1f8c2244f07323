package failover

import (
	"context"
	"time"

	"escalator/bot/store"
)

// The methods of store.Histories are store.ErrAway while the shared store cannot be used: what
// happened meanwhile is kept by each replica for itself.

// AppendHistory implements store.Histories.
func (s *Store) AppendHistory(ctx context.Context, rows []store.HistoryRow, bounds store.HistoryBounds) error {
	return s.ask(func() error { return s.shared.AppendHistory(ctx, rows, bounds) })
}

// History implements store.Histories.
func (s *Store) History(ctx context.Context, session string) (entries [][]byte, err error) {
	err = s.ask(func() (err error) {
		entries, err = s.shared.History(ctx, session)
		return err
	})
	return entries, err
}

// HistoryOf implements store.Histories.
func (s *Store) HistoryOf(ctx context.Context, user string) (entry []byte, err error) {
	err = s.ask(func() (err error) {
		entry, err = s.shared.HistoryOf(ctx, user)
		return err
	})
	return entry, err
}

// EachHistory implements store.Histories.
func (s *Store) EachHistory(ctx context.Context, since time.Time, take func([]byte) bool) (whole bool, err error) {
	err = s.ask(func() (err error) {
		whole, err = s.shared.EachHistory(ctx, since, take)
		return err
	})
	return whole, err
}

// ForgetHistory implements store.Histories.
func (s *Store) ForgetHistory(ctx context.Context, name string) (sessions int, err error) {
	err = s.ask(func() (err error) {
		sessions, err = s.shared.ForgetHistory(ctx, name)
		return err
	})
	return sessions, err
}
