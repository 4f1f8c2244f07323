package redis

import (
	"context"
	"errors"
	"slices"
	"time"

	"escalator/bot/store"
)

// Put implements store.Outbox.
func (r *Replica) Put(ctx context.Context, t *store.Transfer) error {
	if err := r.free(ctx, t.ID); err != nil {
		return err
	}
	if done, err := r.on(func() error { return r.outbox.Put(ctx, t) }); done {
		if err == nil {
			r.supersede(ctx, t.ID)
		}
		return err
	}
	return r.refuge.Outbox.Put(ctx, t)
}

// free is ErrPending while a transfer of the conversation is on its way from the
// refuge: Redis does not know of it.
func (r *Replica) free(ctx context.Context, id string) error {
	if kept, err := r.refuge.Outbox.Get(ctx, id); err == nil && kept.State == store.Pending {
		return store.ErrPending
	}
	return nil
}

// supersede removes what waits, or was given up, in the refuge: Redis has a
// newer transfer of the conversation.
func (r *Replica) supersede(ctx context.Context, id string) {
	if kept, err := r.refuge.Outbox.Get(ctx, id); err == nil && kept.State != store.Pending {
		_ = r.refuge.Outbox.Delete(ctx, kept) // it stays in the list, no more
	}
}

// Take implements store.Outbox: first what this replica has of its own, which
// is older as a rule.
func (r *Replica) Take(ctx context.Context, now time.Time) (*store.Transfer, time.Time, error) {
	t, next, err := r.refuge.Outbox.Take(ctx, now)
	if err != nil || t != nil {
		return t, next, err
	}
	var shared time.Time
	done, err := r.on(func() (err error) {
		t, shared, err = r.outbox.Take(ctx, now)
		return err
	})
	// What others leave behind makes no signal here, nor does the return of Redis.
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

// own reports whether a transfer is in the refuge.
func (r *Replica) own(ctx context.Context, t *store.Transfer) bool {
	kept, err := r.refuge.Outbox.Get(ctx, t.ID)
	return err == nil && kept.Episode == t.Episode
}

// Save implements store.Outbox. A transfer that was taken from Redis goes on in
// the refuge when Redis goes away meanwhile.
func (r *Replica) Save(ctx context.Context, t *store.Transfer) error {
	if r.own(ctx, t) {
		return r.refuge.Outbox.Save(ctx, t)
	}
	if done, err := r.on(func() error { return r.outbox.Save(ctx, t) }); done {
		return err
	}
	moved := *t
	moved.OutcomeUnknown = moved.OutcomeUnknown || moved.State != store.GivenUp
	err := r.refuge.Outbox.Put(ctx, &moved)
	if err != nil && !errors.Is(err, store.ErrPending) { // its lease in Redis runs out, and another tries it
		r.outbox.letGo(t.ID)
		return err
	}
	r.move(t) // ErrPending: it was decided again without Redis, and one is enough
	return nil
}

// Delete implements store.Outbox.
func (r *Replica) Delete(ctx context.Context, t *store.Transfer) error {
	if r.own(ctx, t) {
		return r.refuge.Outbox.Delete(ctx, t)
	}
	if done, err := r.on(func() error { return r.outbox.Delete(ctx, t) }); done {
		return err
	}
	r.move(t)
	return nil
}

// move notes that a transfer's record in Redis is to be removed when that is back.
func (r *Replica) move(t *store.Transfer) {
	r.outbox.letGo(t.ID)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moved = append(r.moved, &store.Transfer{ID: t.ID, Episode: t.Episode})
}

// Reschedule implements store.Outbox.
func (r *Replica) Reschedule(ctx context.Context, id string, due time.Time) error {
	err := r.refuge.Outbox.Reschedule(ctx, id, due)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if done, err := r.on(func() error { return r.outbox.Reschedule(ctx, id, due) }); done {
		return err
	}
	return err
}

// Get implements store.Outbox.
func (r *Replica) Get(ctx context.Context, id string) (t *store.Transfer, err error) {
	t, err = r.refuge.Outbox.Get(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	if done, sharedErr := r.on(func() (err error) {
		t, err = r.outbox.Get(ctx, id)
		return err
	}); done {
		return t, sharedErr
	}
	return nil, err
}

// List implements store.Outbox: all that is in Redis, and what this replica has.
func (r *Replica) List(ctx context.Context, in ...store.TransferState) ([]*store.Transfer, error) {
	list, err := r.refuge.Outbox.List(ctx, in...)
	if err != nil {
		return nil, err
	}
	if !r.link.usable() {
		return list, nil
	}
	shared, err := r.outbox.List(ctx, in...)
	if err != nil {
		return list, err
	}
	list = append(list, shared...)
	slices.SortFunc(list, func(a, b *store.Transfer) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// Changed implements store.Outbox.
func (r *Replica) Changed() <-chan struct{} { return r.outbox.Changed() }

// passOnSignals makes one channel of two, until ctx ends.
func (r *Replica) passOnSignals(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.refuge.Outbox.Changed():
			r.outbox.signal()
		}
	}
}

// Writable reports why nothing can be stored, or nil: one place is enough.
func (r *Replica) Writable() error {
	if r.link.usable() {
		return nil
	}
	return r.refuge.Writable()
}

var (
	_ store.Outbox        = (*Replica)(nil)
	_ store.Conversations = (*Replica)(nil)
)
