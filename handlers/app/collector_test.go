package app

import "testing"

func TestPercentFor_aSmallHeapGrowsToTheFloor_aLargeOneToItsDouble(t *testing.T) {
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
		{400 * mib, 100},
	} {
		if got := percentFor(c.live, 256*mib); got != c.want {
			t.Errorf("%d MiB live: %d %%, want %d %%", c.live/mib, got, c.want)
		}
	}
}
