package app

import (
	"testing"
	"time"
)

func TestPercentFor_aSmallHeapGrowsToTheFloor_aLargerOneToItsDouble_andAHugeOneByLess(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 100},         // nothing is known
		{1 * mib, 1000},  // bounded: what is live may soon be more
		{32 * mib, 700},  // 32 + 224
		{64 * mib, 300},  // 64 + 192
		{128 * mib, 100}, // the double is the floor
		{320 * mib, 100},
		{400 * mib, 80}, // 400 + 320
		{640 * mib, 50},
		{4000 * mib, 50}, // not more often than that
	} {
		if got := percentFor(c.live, 256*mib, 320*mib); got != c.want {
			t.Errorf("%d MiB live: %d %%, want %d %%", c.live/mib, got, c.want)
		}
	}
}

// Collections that follow one another closely take processor time from callbacks: then the heap may grow larger, within its
// bounds. Who has little to do gives the memory back.
func TestFloorAfter_growsUnderLoad_andFallsAtRest(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		floor, most uint64
		after       time.Duration
		want        uint64
	}{
		{256 * mib, 512 * mib, time.Second, 512 * mib},
		{512 * mib, 512 * mib, time.Second, 512 * mib},
		{256 * mib, 300 * mib, time.Second, 300 * mib}, // a small container
		{256 * mib, 512 * mib, 10 * time.Second, 256 * mib},
		{256 * mib, 512 * mib, time.Minute, 128 * mib},
		{64 * mib, 512 * mib, time.Minute, 64 * mib},
		{32 * mib, 32 * mib, time.Minute, 32 * mib},
	} {
		if got := (&collector{floor: c.floor, most: c.most}).floorAfter(c.after); got != c.want {
			t.Errorf("of %d MiB, %v after the one before: %d MiB, want %d", c.floor/mib, c.after, got/mib, c.want/mib)
		}
	}
}
