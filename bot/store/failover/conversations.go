package failover

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// Update implements store.Conversations.
func (s *Store) Update(ctx context.Context, id string, change store.Change) error {
	defer s.locks.Lock(id).Unlock()
	var decided *store.Transfer
	var after rules.Conversation
	var merged uint64
	records := recordPut{store: s}
	defer records.end()
	done, err := s.try(func() error {
		verify := s.breaker.verifyFirst()
		return s.shared.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
			merged = s.merge(id, c)
			effect, err := change(c)
			after.CopyFrom(c)
			if decided = effect.Transfer; decided != nil && err == nil {
				decided.OutcomeUnknown = decided.OutcomeUnknown || verify
				err = s.free(ctx, id)
			}
			if err == nil {
				effect.Records, err = records.shared(ctx, effect.Records)
			}
			return effect, err
		})
	})
	switch {
	case done && err == nil:
		s.remember(id, &after, merged)
		if decided != nil {
			s.promise(decided)
			s.supersede(ctx, id)
		}
		return nil
	case done:
		return err
	}
	err = s.local.Conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		effect, err := change(c)
		if effect.Transfer != nil {
			effect.Transfer.OutcomeUnknown = true
		}
		if err == nil {
			effect.Records, err = records.local(ctx, effect.Records)
		}
		return effect, err
	})
	if err == nil {
		s.markDirty(id)
	}
	return err
}

// View implements store.Conversations.
func (s *Store) View(ctx context.Context, id string, look func(*rules.Conversation)) error {
	done, err := s.try(func() error {
		return s.shared.View(ctx, id, func(c *rules.Conversation) {
			s.merge(id, c)
			look(c)
		})
	})
	if done {
		return err
	}
	return s.local.Conversations.View(ctx, id, look)
}

// remember keeps a copy of what the shared store has, which is all there is but for
// local changes that came after those that were merged.
func (s *Store) remember(id string, c *rules.Conversation, merged uint64) {
	s.mu.Lock()
	if s.dirty[id] == merged {
		delete(s.dirty, id)
	}
	s.mu.Unlock()
	s.local.Conversations.Set(id, c)
}

// dirtyAtLeast is how many changed conversations are remembered without a look
// at whether they are still there.
const dirtyAtLeast = 1000

// markDirty records that the local copy is newer than the shared one, and must be
// brought there when that can be used. When they might be many, those that have been
// evicted from the local store are dropped.
func (s *Store) markDirty(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	s.dirty[strings.Clone(id)] = s.changes // the caller's may be a piece of something large
	if len(s.dirty) < dirtyAtLeast || len(s.dirty) < 2*s.local.Conversations.Live() {
		return
	}
	for id := range s.dirty {
		if _, kept := s.local.Conversations.Copy(id); !kept {
			delete(s.dirty, id)
		}
	}
}

// dirtyAt returns the number of the last local change, 0 for none.
func (s *Store) dirtyAt(id string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dirty[id]
}

// merge gives c what was changed locally. Of two states the one that is away
// from the bot counts, because asking twice for a person does harm and Desk will
// correct the rest; else the newer one. It returns the number of the last change
// that was merged.
func (s *Store) merge(id string, c *rules.Conversation) uint64 {
	merged := s.dirtyAt(id)
	if merged == 0 {
		return 0
	}
	ours, ok := s.local.Conversations.Copy(id)
	if !ok {
		return merged
	}
	oursAway, theirsAway := ours.Phase() != rules.PhaseBot, c.Phase() != rules.PhaseBot
	if oursAway && !theirsAway || oursAway == theirsAway && ours.Seen().After(c.Seen()) {
		c.CopyFrom(ours)
	}
	return merged
}

// bringBackEvery is how often a replica looks whether there is something that the
// shared store should know.
const bringBackEvery = time.Second

// bringBack brings conversations that were changed locally to the shared store.
func (s *Store) bringBack(ctx context.Context) {
	_, _ = s.try(func() error { return s.tidy(ctx) })
	s.mu.Lock()
	ids := slices.Collect(maps.Keys(s.dirty))
	s.mu.Unlock()
	for _, id := range ids {
		if !s.breaker.usable() || ctx.Err() != nil {
			return
		}
		_ = s.Update(ctx, id, func(*rules.Conversation) (store.Effect, error) { return store.Effect{}, nil })
	}
	s.tellAnswers(ctx)
	_, _ = s.try(func() error { return s.bringRecords(ctx, usersAtOnce, store.KindUser) })
}
