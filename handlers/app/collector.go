package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	// heapFloor is what the heap may grow to before it is collected, however
	// little of it is live. A service that keeps 20 MB would else be collected
	// several times a second under load, and each time takes a processor from the
	// callbacks for tens of milliseconds: with it the 99th percentile is half.
	heapFloor = 256 << 20
	// usualPercent is Go's own: the heap may grow to twice of what is live.
	usualPercent = 100
)

// CollectSeldom puts the heap floor in force. Who sets GOGC or GOMEMLIMIT knows
// better, and is left alone.
func CollectSeldom() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	(&collector{floor: min(heapFloor, containerMemory()/4)}).watch()
}

// collector sets GOGC anew after each collection.
type collector struct {
	floor   uint64
	percent atomic.Int64
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
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	want := int64(percentFor(live[0].Value.Uint64(), c.floor))
	// Setting it stops the world for a moment: not for a trifle.
	if have := c.percent.Load(); want > have+have/8 || want < have-have/8 {
		c.percent.Store(want)
		debug.SetGCPercent(int(want))
	}
}

// percentFor is the GOGC with which so much live heap grows to the floor, or to
// its double where that is more.
func percentFor(live, floor uint64) int {
	if live == 0 || 2*live >= floor {
		return usualPercent
	}
	return int(min((floor-live)*100/live, 10*usualPercent))
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
