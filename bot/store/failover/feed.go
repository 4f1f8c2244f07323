package failover

import "context"

// The methods of store.Feed are store.ErrAway while the shared store cannot be used: each
// replica shows its own decisions then, and tells the others later.

// AppendFeed implements store.Feed.
func (s *Store) AppendFeed(ctx context.Context, name string, keep int, entries [][]byte) error {
	return s.ask(func() error { return s.shared.AppendFeed(ctx, name, keep, entries) })
}

// ReadFeed implements store.Feed.
func (s *Store) ReadFeed(ctx context.Context, name, after string, most int) (entries [][]byte, next string, err error) {
	err = s.ask(func() (err error) {
		entries, next, err = s.shared.ReadFeed(ctx, name, after, most)
		return err
	})
	return entries, next, err
}

// ForgetFeed implements store.Feed.
func (s *Store) ForgetFeed(ctx context.Context, name string, gone func(entry []byte) bool) error {
	return s.ask(func() error { return s.shared.ForgetFeed(ctx, name, gone) })
}
