package redis

import (
	"context"
	"strconv"
	"time"

	"escalator/bot/store"
)

// statsDepth is how many transfers are looked at for the oldest of them.
const statsDepth = 1000

// Stats counts the outbox without a list of what it holds.
func (o *Outbox) Stats(ctx context.Context) (all store.Stats, err error) {
	answer, err := o.run(ctx, "counting transfers", statsScript, o.keys.outbox(), statsDepth)
	list, _ := answer.([]any)
	if err != nil || len(list) != 3 {
		return all, err
	}
	pending, _ := list[0].(int64)
	givenUp, _ := list[1].(int64)
	all.Pending, all.GivenUp = int(pending), int(givenUp)
	text, _ := list[2].(string)
	if oldest, err := strconv.ParseInt(text, 10, 64); err == nil && oldest > 0 {
		all.Oldest = time.UnixMicro(oldest)
	}
	return all, nil
}
