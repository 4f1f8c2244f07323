package failover

import "context"

// Mutes implements store.Mutes; it is store.ErrAway while the shared store cannot be used.
func (s *Store) Mutes(ctx context.Context) (mutes map[string]string, err error) {
	err = s.ask(func() (err error) {
		mutes, err = s.shared.Mutes(ctx)
		return err
	})
	return mutes, err
}

// PutMutes implements store.Mutes; it is store.ErrAway while the shared store cannot be used.
func (s *Store) PutMutes(ctx context.Context, mutes map[string]string) error {
	return s.ask(func() error { return s.shared.PutMutes(ctx, mutes) })
}

// Overdue returns the conversations that another replica should have woken a
// while ago, and did not. Each is given to one replica. It is store.ErrAway while the
// shared store cannot be used.
func (s *Store) Overdue(ctx context.Context) (ids []string, err error) {
	err = s.ask(func() (err error) {
		ids, err = s.shared.Overdue(ctx)
		return err
	})
	return ids, err
}
