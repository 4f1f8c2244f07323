package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestReplicas_throughput compares one process on its own disk with one, two
// and three replicas on one Redis, all on this machine: generator, emulator,
// Redis and replicas share its cores. One callback in twenty escalates. It fails
// on what does not depend on the machine: the number of calls of Redis.
func TestReplicas_throughput(t *testing.T) {
	lasts := durationFromEnv(t, "THROUGHPUT_TIME", time.Second)
	alone := newUnreliable(t, 1, quiet)
	base := rateOf([]*service{alone}, lasts)
	alone.drain()
	t.Logf("one process, its own disk: %.0f/s", base.perSecond)
	for n := 1; n <= 3; n++ {
		c := newCluster(t, n)
		before := c.redisUse()
		got := rateOf(c.replicas, lasts)
		c.drainAll()
		used := c.redisUse().less(before)
		calls := used.scripts / float64(got.callbacks)
		t.Logf("%d on Redis: %.0f/s = %.2f of that; per callback %.2f calls of a script, %.1f commands in all, %.0f µs of Redis's CPU, so one core of it carries %.0f/s",
			n, got.perSecond, got.perSecond/base.perSecond, calls, used.commands/float64(got.callbacks),
			used.cpu/float64(got.callbacks)*1e6, float64(got.callbacks)/used.cpu)
		// 2 for each, one for the first of a session, which each is here, 2 more for one in
		// twenty, and what its delivery takes; one of the history for each session of a batch,
		// which goes in one round trip with the others, and one for each attempt. Looks at the
		// outbox and refused transfers leave some room.
		if calls > 5 {
			t.Errorf("%.2f calls of Redis per callback", calls)
		}
		for _, s := range c.replicas {
			s.kill()
		}
		c.redis.Kill()
	}
}

// loadResult is what a load came to.
type loadResult struct {
	callbacks int
	perSecond float64
}

// rateOf asks all replicas as fast as 48 connections in all can.
func rateOf(replicas []*service, d time.Duration) loadResult {
	var all sync.WaitGroup
	generators := make([]*generator, len(replicas))
	for i, s := range replicas {
		g := newGenerator(s)
		g.number = i * 100_000_000 // sessions of its own
		generators[i] = g
		all.Go(func() { g.run(48/len(replicas), 0, d) })
	}
	all.Wait()
	var r loadResult
	for _, g := range generators {
		r.callbacks += g.statuses[http.StatusOK]
	}
	r.perSecond = float64(r.callbacks) / d.Seconds()
	return r
}

// redisUse is what Redis has done so far.
type redisUse struct{ scripts, commands, cpu float64 }

func (u redisUse) less(o redisUse) redisUse {
	return redisUse{u.scripts - o.scripts, u.commands - o.commands, u.cpu - o.cpu}
}

// redisUse reads what Redis tells of itself: calls of scripts, commands (those
// inside scripts included) and seconds of CPU.
func (c *cluster) redisUse() (u redisUse) {
	c.t.Helper()
	client := c.redis.Client()
	defer func() { _ = client.Close() }()
	info, err := client.InfoMap(context.Background(), "commandstats", "cpu").Result()
	if err != nil {
		c.t.Fatal(err)
	}
	for name, value := range info["Commandstats"] {
		var calls float64
		_, _ = fmt.Sscanf(value, "calls=%f", &calls)
		u.commands += calls
		if strings.HasPrefix(name, "cmdstat_eval") {
			u.scripts += calls
		}
	}
	for _, name := range []string{"used_cpu_sys", "used_cpu_user"} {
		var seconds float64
		_, _ = fmt.Sscan(info["CPU"][name], &seconds)
		u.cpu += seconds
	}
	return u
}
