package redis

import (
	"context"
	"strconv"
	"time"

	"escalator/bot/store"
)

// tallyDepth is how many transfers are looked at for the oldest of them.
const tallyDepth = 1000

// tally counts the outbox without a list of what it holds.
func (o *Outbox) tally(ctx context.Context) (tally store.Stats, err error) {
	answer, err := o.run(ctx, "counting transfers", tallyScript, o.keys.outbox(), tallyDepth)
	list, _ := answer.([]any)
	if err != nil || len(list) != 3 {
		return tally, err
	}
	pending, _ := list[0].(int64)
	givenUp, _ := list[1].(int64)
	tally.Pending, tally.GivenUp = int(pending), int(givenUp)
	text, _ := list[2].(string)
	if oldest, err := strconv.ParseInt(text, 10, 64); err == nil && oldest > 0 {
		tally.Oldest = time.UnixMicro(oldest)
	}
	return tally, nil
}

// Stats counts what is in Redis and what this replica has of its own.
func (r *Replica) Stats() (tally store.Stats) {
	_ = r.ask(func() (err error) {
		tally, err = r.outbox.tally(context.Background())
		return err
	})
	own, ok := r.refuge.Outbox.(interface{ Stats() store.Stats })
	if !ok {
		return tally
	}
	ours := own.Stats()
	tally.Pending += ours.Pending
	tally.GivenUp += ours.GivenUp
	if tally.Oldest.IsZero() || !ours.Oldest.IsZero() && ours.Oldest.Before(tally.Oldest) {
		tally.Oldest = ours.Oldest
	}
	return tally
}
