package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

const (
	// The heap floor is what the heap may grow to before it is collected, however
	// little of it is live. A service that keeps 20 MB would else be collected
	// several times a second under load, and each time takes a processor from the
	// callbacks for tens of milliseconds: with it the 99th percentile is half.
	// It is halved when collections come later than seldom, and doubled while they
	// come sooner than often: so they take about a hundredth of the time, and who
	// has little to do needs little memory. The most leaves room for all else below 512 MiB.
	leastFloor, mostFloor = 64 << 20, 320 << 20
	often, seldom         = 5 * time.Second, 30 * time.Second
	// usualPercent is Go's own: the heap may grow to twice of what is live. Of much it grows
	// by mostFloor before it is collected, or by half where that is more: a million
	// conversations need a tenth less memory, and a quarter more collections.
	usualPercent = 100
)

// CollectSeldom puts the heap floor in force, a quarter of what the container may have at
// most. Who sets GOGC or GOMEMLIMIT knows better, and is left alone.
func CollectSeldom() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	most := min(mostFloor, containerMemory()/4)
	(&collector{most: most, floor: most, last: time.Now()}).watch()
}

// collector sets GOGC anew after each collection, one after the other.
type collector struct {
	most    uint64 // that the floor may be
	floor   uint64
	last    time.Time // when it was collected last
	percent int
}

// canary is an object that nobody holds: the next collection finds it dead.
type canary struct{ _ *collector }

// watch has the next collection call adjust.
func (c *collector) watch() {
	runtime.AddCleanup(new(canary), func(c *collector) {
		c.adjust()
		c.watch()
	}, c)
}

func (c *collector) adjust() {
	now := time.Now()
	c.floor = c.floorAfter(now.Sub(c.last))
	c.last = now
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	want := percentFor(live[0].Value.Uint64(), c.floor, c.most)
	// Setting it stops the world for a moment: not for a trifle.
	if want > c.percent+c.percent/8 || want < c.percent-c.percent/8 {
		c.percent = want
		debug.SetGCPercent(want)
	}
}

// floorAfter is the floor after a collection that came so long after the one before.
func (c *collector) floorAfter(d time.Duration) uint64 {
	switch {
	case d < often:
		return min(2*c.floor, c.most)
	case d > seldom:
		return max(c.floor/2, min(leastFloor, c.most))
	}
	return c.floor
}

// percentFor is the GOGC with which so much live heap grows to the floor, or to its double
// where that is more; but then by most, or by half where that is more.
func percentFor(live, floor, most uint64) int {
	if live == 0 {
		return usualPercent
	}
	room := min(live, max(most, live/2))
	if live < floor {
		room = max(room, floor-live)
	}
	return int(min(room*100/live, 10*usualPercent))
}

// containerMemory is what the container may have, by its control group; without
// a bound it is a lot.
func containerMemory() uint64 {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file) //nolint:gosec // one of two names
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return limit
		}
	}
	return 1 << 62
}
