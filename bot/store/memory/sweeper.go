package memory

import (
	"context"
	"time"

	"escalator/bot/clock"
)

// sweepEvery is the turn of sweepShards shards.
const sweepEvery = 100 * time.Millisecond

// Sweep calls the given sweeps in turn until ctx ends. It is the one goroutine
// that go-cache's own janitor would be, but one that stops.
func Sweep(ctx context.Context, sweeps ...func()) {
	clock.Every(ctx, sweepEvery, func(context.Context) {
		for _, sweep := range sweeps {
			sweep()
		}
	})
}
