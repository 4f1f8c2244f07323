package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"escalator/bot/store"
)

// Put implements store.Outbox: the transfer is on disk when it returns nil.
func (s *Store) Put(_ context.Context, t *store.Transfer) error {
	if err := s.index.Reserve(t.ID); err != nil {
		return err
	}
	if err := s.noted(s.commits.doSoon(putTransfer(t))); err != nil {
		s.index.Unreserve(t.ID)
		return fmt.Errorf("storing the transfer of %s: %w", t.ID, err)
	}
	s.index.Insert(t)
	return nil
}

// Save implements store.Outbox. When the disk refuses, the transfer goes on in
// memory with what became of it: a restart would find its earlier state, and
// ask Desk before it repeats anything.
func (s *Store) Save(ctx context.Context, t *store.Transfer) error {
	kept, err := s.index.Get(ctx, t.ID)
	if err != nil || kept.Episode != t.Episode {
		return store.ErrNotFound
	}
	committed := s.commit(putTransfer(t))
	if err := s.index.Save(ctx, t); err != nil {
		return err
	}
	if committed != nil {
		return fmt.Errorf("saving the transfer of %s: %w", t.ID, committed)
	}
	return nil
}

// putTransfer returns the change that writes t. It is encoded now: the change
// runs in the committer's goroutine.
func putTransfer(t *store.Transfer) func(*bolt.Tx) error {
	value, err := json.Marshal(t)
	return func(tx *bolt.Tx) error {
		if err != nil {
			return err
		}
		return tx.Bucket(bucketOutbox).Put([]byte(t.ID), value)
	}
}

// Delete implements store.Outbox. The disk comes first: a transfer that could
// not be removed from it would come back at the next start, and Desk be asked.
func (s *Store) Delete(ctx context.Context, id string) error {
	if _, err := s.index.Get(ctx, id); err != nil {
		return err
	}
	committed := s.commit(func(tx *bolt.Tx) error { return tx.Bucket(bucketOutbox).Delete([]byte(id)) })
	if err := s.index.Delete(ctx, id); err != nil {
		return err
	}
	if committed != nil {
		return fmt.Errorf("removing the transfer of %s: %w", id, committed)
	}
	return nil
}

// Take implements store.Outbox.
func (s *Store) Take(ctx context.Context, now time.Time) (*store.Transfer, time.Time, error) {
	return s.index.Take(ctx, now)
}

// Hasten implements store.Outbox. It is not written down: after a restart the
// transfer is tried at its own time.
func (s *Store) Hasten(ctx context.Context, id string, due time.Time) error {
	return s.index.Hasten(ctx, id, due)
}

// Get implements store.Outbox.
func (s *Store) Get(ctx context.Context, id string) (*store.Transfer, error) {
	return s.index.Get(ctx, id)
}

// List implements store.Outbox.
func (s *Store) List(ctx context.Context) ([]*store.Transfer, error) { return s.index.List(ctx) }

// Changed implements store.Outbox.
func (s *Store) Changed() <-chan struct{} { return s.index.Changed() }

var _ store.Outbox = (*Store)(nil)
