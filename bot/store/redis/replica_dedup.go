package redis

import (
	"context"

	"escalator/bot/store"
)

// Claim implements store.Dedup. The copies that this replica gets wait for each
// other here; only the first asks Redis.
func (r *Replica) Claim(ctx context.Context, key, conversation string) (store.Claim, error) {
	own, err := r.refuge.Dedup.Claim(ctx, key, conversation)
	if err != nil || !own.First {
		return own, err
	}
	var shared store.Claim
	done, err := r.on(func() (err error) {
		shared, err = r.marks.Claim(ctx, key, conversation)
		return err
	})
	switch {
	case !done:
		return own, nil
	case err != nil:
		r.refuge.Dedup.Release(ctx, key)
		return store.Claim{}, err
	case !shared.First:
		r.refuge.Dedup.Finish(ctx, key, shared.Answer)
	}
	shared.Counted = shared.Counted || shared.First && own.Counted
	return shared, nil
}

// Finish implements store.Dedup.
func (r *Replica) Finish(ctx context.Context, key string, answer []byte) {
	_, _ = r.on(func() error { return r.marks.finish(ctx, key, answer) })
	r.marks.end(key)
	r.refuge.Dedup.Finish(ctx, key, answer)
}

// Release implements store.Dedup.
func (r *Replica) Release(ctx context.Context, key string) {
	_, _ = r.on(func() error { return r.marks.release(ctx, key) })
	r.marks.end(key)
	r.refuge.Dedup.Release(ctx, key)
}

var _ store.Dedup = (*Replica)(nil)
