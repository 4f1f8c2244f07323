package memory

import (
	"context"
	"time"
)

// sweepEvery is one shard's turn: a table is swept through in shardCount turns.
const sweepEvery = 100 * time.Millisecond

// Sweep calls the given sweeps in turn until ctx ends. It is the one goroutine
// that go-cache's own janitor would be, but one that stops.
func Sweep(ctx context.Context, sweeps ...func()) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, sweep := range sweeps {
				sweep()
			}
		}
	}
}
