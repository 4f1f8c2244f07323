package redis

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
func (r *Replica) Update(ctx context.Context, id string, change store.Change) error {
	var after rules.Conversation
	var merged uint64
	var decided bool
	done, err := r.on(func() error {
		doubtful := r.link.doubtful()
		return r.shared.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
			merged = r.merge(id, c)
			effect, err := change(c)
			after.CopyFrom(c)
			if decided = effect.Transfer != nil; decided && err == nil {
				effect.Transfer.OutcomeUnknown = effect.Transfer.OutcomeUnknown || doubtful
				err = r.free(ctx, id)
			}
			return effect, err
		})
	})
	if done {
		if err == nil {
			r.remember(id, &after, merged)
		}
		if err == nil && decided {
			r.supersede(ctx, id)
		}
		return err
	}
	err = r.refuge.Conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		effect, err := change(c)
		if effect.Transfer != nil {
			effect.Transfer.OutcomeUnknown = true
		}
		return effect, err
	})
	if err == nil {
		r.soil(id)
	}
	return err
}

// View implements store.Conversations.
func (r *Replica) View(ctx context.Context, id string, look func(*rules.Conversation)) error {
	done, err := r.on(func() error {
		return r.shared.View(ctx, id, func(c *rules.Conversation) {
			r.merge(id, c)
			look(c)
		})
	})
	if done {
		return err
	}
	return r.refuge.Conversations.View(ctx, id, look)
}

// remember keeps a copy of what Redis has, which is up to date but for changes
// without it that came after those that were merged.
func (r *Replica) remember(id string, c *rules.Conversation, merged uint64) {
	r.mu.Lock()
	if r.dirty[id] == merged {
		delete(r.dirty, id)
	}
	r.mu.Unlock()
	r.refuge.Conversations.Set(id, c)
}

// soiledAtLeast is how many changed conversations are remembered without a look
// at whether they are still there.
const soiledAtLeast = 1000

// soil notes that the refuge knows more of a conversation than Redis. Those that
// the refuge has forgotten are forgotten here too, when they might be many.
func (r *Replica) soil(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	r.dirty[strings.Clone(id)] = r.changes // the caller's may be a piece of something large
	if len(r.dirty) < soiledAtLeast || len(r.dirty) < 2*r.refuge.Conversations.Live() {
		return
	}
	for id := range r.dirty {
		if _, kept := r.refuge.Conversations.Copy(id); !kept {
			delete(r.dirty, id)
		}
	}
}

// soiled returns the number of the last change without Redis, 0 for none.
func (r *Replica) soiled(id string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dirty[id]
}

// merge gives c what happened without Redis. Of two states the one that is away
// from the bot counts, because asking twice for a person does harm and Desk will
// correct the rest; else the newer one. It returns the number of the last change
// that was merged.
func (r *Replica) merge(id string, c *rules.Conversation) uint64 {
	merged := r.soiled(id)
	if merged == 0 {
		return 0
	}
	ours, ok := r.refuge.Conversations.Copy(id)
	if !ok {
		return merged
	}
	oursAway, theirsAway := ours.Phase() != rules.PhaseBot, c.Phase() != rules.PhaseBot
	if oursAway && !theirsAway || oursAway == theirsAway && ours.Seen().After(c.Seen()) {
		c.CopyFrom(ours)
	}
	return merged
}

// bringBackEvery is how often a replica looks whether there is something that
// Redis should know.
const bringBackEvery = time.Second

// bringBackNowAndThen brings conversations to Redis that were changed without
// it, until ctx ends.
func (r *Replica) bringBackNowAndThen(ctx context.Context) {
	tick := time.NewTicker(bringBackEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.bringBack(ctx)
		}
	}
}

func (r *Replica) bringBack(ctx context.Context) {
	_, _ = r.on(func() error { return r.cleanUp(ctx) })
	r.mu.Lock()
	ids := slices.Collect(maps.Keys(r.dirty))
	r.mu.Unlock()
	for _, id := range ids {
		if !r.link.usable() || ctx.Err() != nil {
			return
		}
		_ = r.Update(ctx, id, func(*rules.Conversation) (store.Effect, error) { return store.Effect{}, nil })
	}
}
