package failover

import (
	"context"
	"time"

	"escalator/bot/store"
)

const (
	// checkEvery is how often a replica looks whether the shared store still has
	// what it was given: it may have been emptied, or replaced by an older copy.
	checkEvery = 5 * time.Second
	// maxPromises bounds what a replica remembers. Nobody looks after more of them
	// than that; they are still delivered.
	maxPromises = 20_000
	// checkAtOnce bounds what is asked in one call.
	checkAtOnce = 500
)

// promises are the transfers that this replica put into the shared store and that
// have not ended as far as it knows, by their conversations. Guarded by Store.mu.
type promises map[string]*store.Transfer

// promise remembers a transfer that the shared store has now, as it stands.
func (s *Store) promise(t *store.Transfer) {
	kept := *t
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.promises[t.ID]; known || len(s.promises) < maxPromises {
		s.promises[t.ID] = &kept
	}
}

// progress remembers what became of a transfer, if this replica promised it.
func (s *Store) progress(t *store.Transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.promises[t.ID]; p == nil || p.Episode != t.Episode {
		return
	}
	if t.State == store.GivenUp {
		delete(s.promises, t.ID)
		return
	}
	kept := *t
	s.promises[t.ID] = &kept
}

// ended forgets a promise that is kept, or is not this replica's any more.
func (s *Store) ended(t *store.Transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.promises[t.ID]; p != nil && p.Episode == t.Episode {
		delete(s.promises, t.ID)
	}
}

// checkPromises puts back what the shared store has lost. Desk is asked first:
// somebody may have been trying it.
func (s *Store) checkPromises(ctx context.Context) {
	s.mu.Lock()
	all := make([]*store.Transfer, 0, len(s.promises))
	for _, t := range s.promises {
		all = append(all, t)
	}
	s.mu.Unlock()
	for len(all) > 0 && ctx.Err() == nil {
		some := all[:min(len(all), checkAtOnce)]
		all = all[len(some):]
		var missing, ended []*store.Transfer
		done, err := s.try(func() (err error) {
			missing, ended, err = s.shared.Missing(ctx, some)
			return err
		})
		if !done || err != nil {
			return // the next time will do
		}
		for _, t := range ended {
			s.ended(t)
		}
		for _, t := range missing {
			s.putBack(ctx, t)
		}
	}
}

// putBack puts a transfer back that was lost, unless its conversation has another
// one by now.
func (s *Store) putBack(ctx context.Context, t *store.Transfer) {
	defer s.locks.Lock(t.ID).Unlock()
	s.mu.Lock()
	still := s.promises[t.ID] == t // it may have ended, or gone on, meanwhile
	s.mu.Unlock()
	if !still {
		return
	}
	again := *t
	again.OutcomeUnknown = true
	s.ended(t)
	err := s.Put(ctx, &again)
	s.lost(t, err)
}
