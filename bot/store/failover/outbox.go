package failover

import (
	"context"
	"errors"
	"slices"
	"time"

	"escalator/bot/store"
)

// Put implements store.Outbox.
func (s *Store) Put(ctx context.Context, t *store.Transfer) error {
	if err := s.free(ctx, t.ID); err != nil {
		return err
	}
	if done, err := s.try(func() error { return s.shared.Put(ctx, t) }); done {
		if err == nil {
			s.promise(t)
			s.supersede(ctx, t.ID)
		}
		return err
	}
	return s.local.Outbox.Put(ctx, t)
}

// lookEvery is how often a replica looks for what others left behind.
const lookEvery = time.Second

// free is ErrPending while a transfer of the conversation is on its way from the
// local outbox: the shared store does not know of it.
func (s *Store) free(ctx context.Context, id string) error {
	if kept, err := s.local.Outbox.Get(ctx, id); err == nil && kept.State == store.Pending {
		return store.ErrPending
	}
	return nil
}

// supersede removes what waits, or was given up, in the local outbox: the shared
// store has a newer transfer of the conversation.
func (s *Store) supersede(ctx context.Context, id string) {
	if kept, err := s.local.Outbox.Get(ctx, id); err == nil && kept.State != store.Pending {
		_ = s.local.Outbox.Delete(ctx, kept) // it stays in the list, no more
	}
}

// Take implements store.Outbox: first what this replica has of its own, which
// is older as a rule.
func (s *Store) Take(ctx context.Context, now time.Time) (*store.Transfer, time.Time, error) {
	t, next, err := s.local.Outbox.Take(ctx, now)
	if err != nil || t != nil {
		return t, next, err
	}
	var shared time.Time
	done, err := s.try(func() (err error) {
		t, shared, err = s.shared.Take(ctx, now)
		return err
	})
	// What others leave behind makes no signal here, nor does the return of the shared store.
	look := now.Add(lookEvery)
	for _, at := range []time.Time{next, shared} {
		if !at.IsZero() && at.Before(look) {
			look = at
		}
	}
	if !done {
		return nil, look, nil
	}
	return t, look, err
}

// own reports whether a transfer is in the local outbox.
func (s *Store) own(ctx context.Context, t *store.Transfer) bool {
	kept, err := s.local.Outbox.Get(ctx, t.ID)
	return err == nil && kept.Episode == t.Episode
}

// Save implements store.Outbox. A transfer that was taken from the shared
// store goes on in the local one when that goes away meanwhile.
func (s *Store) Save(ctx context.Context, t *store.Transfer) error {
	if s.own(ctx, t) {
		return s.local.Outbox.Save(ctx, t)
	}
	if done, err := s.insist(ctx, func() error { return s.shared.Save(ctx, t) }); done {
		if err == nil {
			s.progress(t)
		}
		return err
	}
	moved := *t
	moved.OutcomeUnknown = moved.OutcomeUnknown || moved.State != store.GivenUp
	err := s.local.Outbox.Put(ctx, &moved)
	if err != nil && !errors.Is(err, store.ErrPending) { // its lease in the shared store runs out, and another tries it
		s.shared.ReleaseLease(t)
		return err
	}
	s.move(t) // ErrPending: it was decided again locally, and one is enough
	return nil
}

// Delete implements store.Outbox.
func (s *Store) Delete(ctx context.Context, t *store.Transfer) error {
	if s.own(ctx, t) {
		return s.local.Outbox.Delete(ctx, t)
	}
	if done, err := s.insist(ctx, func() error { return s.shared.Delete(ctx, t) }); done {
		s.ended(t)
		return err
	}
	s.move(t)
	return nil
}

// move notes that a transfer's record in the shared store is to be removed when that is back.
func (s *Store) move(t *store.Transfer) {
	s.ended(t)
	s.shared.ReleaseLease(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved = append(s.moved, &store.Transfer{ID: t.ID, Episode: t.Episode})
}

// Reschedule implements store.Outbox.
func (s *Store) Reschedule(ctx context.Context, id string, due time.Time) error {
	err := s.local.Outbox.Reschedule(ctx, id, due)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if done, err := s.try(func() error { return s.shared.Reschedule(ctx, id, due) }); done {
		return err
	}
	return err
}

// Get implements store.Outbox.
func (s *Store) Get(ctx context.Context, id string) (t *store.Transfer, err error) {
	t, err = s.local.Outbox.Get(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	if done, sharedErr := s.try(func() (err error) {
		t, err = s.shared.Get(ctx, id)
		return err
	}); done {
		return t, sharedErr
	}
	return nil, err
}

// List implements store.Outbox: all that is shared, and what this replica has.
func (s *Store) List(ctx context.Context, in ...store.TransferState) ([]*store.Transfer, error) {
	list, err := s.local.Outbox.List(ctx, in...)
	if err != nil {
		return nil, err
	}
	var shared []*store.Transfer
	done, err := s.insist(ctx, func() (err error) {
		shared, err = s.shared.List(ctx, in...)
		return err
	})
	if !done || err != nil {
		return list, err
	}
	list = append(list, shared...)
	slices.SortFunc(list, func(a, b *store.Transfer) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// Changed implements store.Outbox.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// passOnSignals makes one channel of two, until ctx ends.
func (s *Store) passOnSignals(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.local.Outbox.Changed():
		case <-s.shared.Changed():
		}
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}
}

// Stats counts what is in the shared store and what this replica has of its own.
func (s *Store) Stats() (all store.Stats) {
	_ = s.ask(func() (err error) {
		all, err = s.shared.Stats(context.Background())
		return err
	})
	own := s.local.Outbox.Stats()
	all.Pending += own.Pending
	all.GivenUp += own.GivenUp
	if all.Oldest.IsZero() || !own.Oldest.IsZero() && own.Oldest.Before(all.Oldest) {
		all.Oldest = own.Oldest
	}
	return all
}
