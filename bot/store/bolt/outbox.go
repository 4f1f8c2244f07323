package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"escalator/bot/store"
	"escalator/bot/store/memory"
)

// Put implements store.Outbox: the transfer is on disk when it returns nil.
func (s *Store) Put(_ context.Context, t *store.Transfer) error { return s.Commit(t, memory.Change{}) }

// Commit implements memory.Journal.
func (s *Store) Commit(t *store.Transfer, c memory.Change) error {
	value, err := encode(t)
	if err != nil {
		return err
	}
	change := newPending()
	if err := change.add(c, s.now()); err != nil {
		return err
	}
	if err := s.index.Reserve(t.ID); err != nil {
		return err
	}
	err = s.noted(s.commits.doSoon(func(tx *bolt.Tx) error {
		if err := change.write(tx); err != nil {
			return err
		}
		return tx.Bucket(bucketOutbox).Put([]byte(t.ID), value)
	}))
	if err != nil {
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
	value, err := encode(t)
	if err != nil {
		return err
	}
	if err := s.holds(ctx, t); err != nil {
		return err
	}
	committed := s.commit(ifSame(t, func(b *bolt.Bucket) error { return b.Put([]byte(t.ID), value) }))
	if err := s.index.Save(ctx, t); err != nil {
		return err
	}
	if committed != nil {
		return fmt.Errorf("saving the transfer of %s: %w", t.ID, committed)
	}
	return nil
}

// encode writes a transfer down. What cannot be written fails here, alone: in
// a commit it would fail all that are in the group.
func encode(t *store.Transfer) ([]byte, error) {
	if t.ID == "" || len(t.ID) > bolt.MaxKeySize {
		return nil, fmt.Errorf("storing a transfer: an id of %d bytes cannot be kept", len(t.ID))
	}
	value, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("storing the transfer of %s: %w", t.ID, err)
	}
	return value, nil
}

// holds returns ErrNotFound unless the outbox holds this episode.
func (s *Store) holds(ctx context.Context, t *store.Transfer) error {
	kept, err := s.index.Get(ctx, t.ID)
	if err == nil && kept.Episode != t.Episode {
		err = store.ErrNotFound
	}
	return err
}

// ifSame changes the outbox unless another episode has taken the place of t on
// disk: between the look at the index and the commit others may have committed.
func ifSame(t *store.Transfer, change func(*bolt.Bucket) error) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketOutbox)
		var kept struct {
			Episode string `json:"episode"`
		}
		if value := b.Get([]byte(t.ID)); value != nil {
			_ = json.Unmarshal(value, &kept) // a record that cannot be read is of no episode
		}
		if kept.Episode != t.Episode {
			return nil
		}
		return change(b)
	}
}

// Delete implements store.Outbox. The disk comes first: a transfer that could
// not be removed from it would come back at the next start, and Desk be asked.
func (s *Store) Delete(ctx context.Context, t *store.Transfer) error {
	if err := s.holds(ctx, t); err != nil {
		return err
	}
	committed := s.commit(ifSame(t, func(b *bolt.Bucket) error { return b.Delete([]byte(t.ID)) }))
	if err := s.index.Delete(ctx, t); err != nil {
		return err
	}
	if committed != nil {
		return fmt.Errorf("removing the transfer of %s: %w", t.ID, committed)
	}
	return nil
}

// Take implements store.Outbox.
func (s *Store) Take(ctx context.Context, now time.Time) (*store.Transfer, time.Time, error) {
	return s.index.Take(ctx, now)
}

// Reschedule implements store.Outbox. It is not written down: after a restart the
// transfer is tried at its own time.
func (s *Store) Reschedule(ctx context.Context, id string, due time.Time) error {
	return s.index.Reschedule(ctx, id, due)
}

// Get implements store.Outbox.
func (s *Store) Get(ctx context.Context, id string) (*store.Transfer, error) {
	return s.index.Get(ctx, id)
}

// List implements store.Outbox.
func (s *Store) List(ctx context.Context, in ...store.TransferState) ([]*store.Transfer, error) {
	return s.index.List(ctx, in...)
}

// Stats counts what is held.
func (s *Store) Stats() store.Stats { return s.index.Stats() }

// Changed implements store.Outbox.
func (s *Store) Changed() <-chan struct{} { return s.index.Changed() }

var (
	_ store.Outbox   = (*Store)(nil)
	_ memory.Journal = (*Store)(nil)
)
