package failover

import (
	"context"

	"escalator/bot/store"
)

// Claim implements store.Dedup. The copies that this replica gets wait for each
// other here; only the first asks the shared store.
func (s *Store) Claim(ctx context.Context, key, conversation string) (store.Claim, error) {
	own, err := s.local.Dedup.Claim(ctx, key, conversation)
	if err != nil || !own.First {
		return own, err
	}
	var shared store.Claim
	done, err := s.try(func() (err error) {
		shared, err = s.shared.Claim(ctx, key, conversation)
		return err
	})
	switch {
	case !done:
		return own, nil
	case err != nil:
		s.local.Dedup.Release(ctx, key)
		return store.Claim{}, err
	case !shared.First:
		s.local.Dedup.Finish(ctx, key, shared.Answer)
		return shared, nil
	}
	shared.Counted = shared.Counted || own.Counted
	return shared, nil
}

// Finish implements store.Dedup.
func (s *Store) Finish(ctx context.Context, key string, answer []byte) {
	if s.breaker.usable() {
		s.shared.Finish(ctx, key, answer)
	}
	s.shared.ReleaseClaim(key)
	s.local.Dedup.Finish(ctx, key, answer)
}

// Release implements store.Dedup.
func (s *Store) Release(ctx context.Context, key string) {
	if s.breaker.usable() {
		s.shared.Release(ctx, key)
	}
	s.shared.ReleaseClaim(key)
	s.local.Dedup.Release(ctx, key)
}
