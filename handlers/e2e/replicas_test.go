package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return all
}

func TestReplicas_sameCallbacksToSeveral_escalateExactlyOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	c.balancer.copy.Store(true)
	sessions := names("dup", fromEnv(t, "REPLICA_SESSIONS", 300))
	c.asks(sessions, 32)
	c.balancer.copies.Wait()
	c.judge(sessions)
	decided := c.decisions()
	for _, id := range sessions {
		if decided[id] != 1 {
			t.Errorf("%s: %d decisions to transfer, want 1", id, decided[id])
		}
	}
	n, p50, p99, longest := c.balancer.percentiles()
	t.Logf("%d sessions, %d callbacks, %d copies to other replicas: each accepted once; p50 %s, p99 %s, max %s; Redis away %d times",
		len(sessions), n, c.balancer.copied.Load(), p50, p99, longest, c.lineCount("redis cannot be used"))
}

// TestReplicas_killedAtRandom_losesNothing_andDoublesNothing kills a replica
// under load, round after round. Its transfers are taken over by the others.
func TestReplicas_killedAtRandom_losesNothing_andDoublesNothing(t *testing.T) {
	t.Parallel()
	rounds := fromEnv(t, "REPLICA_ROUNDS", 5)
	random := rand.New(rand.NewPCG(3, 5))
	c := newCluster(t, 3)
	var all []string
	for round := range rounds {
		sessions := names(fmt.Sprint("kill-", round), 24)
		all = append(all, sessions...)
		var asking sync.WaitGroup
		asking.Go(func() { c.asks(sessions, 8) })
		<-time.After(time.Duration(random.Int64N(int64(60 * time.Millisecond))))
		c.replace(random.IntN(len(c.replicas)))
		asking.Wait()
		if t.Failed() {
			return
		}
	}
	c.judge(all)
	t.Logf("%d rounds, %d sessions: lost 0, accepted twice 0", rounds, len(all))
}

// TestReplicas_onARedisThatFails_loseNothing kills, pauses and write-protects
// Redis under load. What was answered must happen, and be answered in time.
func TestReplicas_onARedisThatFails_loseNothing(t *testing.T) {
	t.Parallel()
	pause := durationFromEnv(t, "REDIS_PAUSE", 3*time.Second)
	for _, fault := range []struct {
		name          string
		breaks, mends func(c *cluster)
	}{
		{"killed and restarted", func(c *cluster) { c.redis.Kill() }, func(c *cluster) { c.redis.Restart() }},
		{"paused", func(c *cluster) { c.redis.Pause() }, func(c *cluster) { c.redis.Continue() }},
		{"read-only", func(c *cluster) { c.redis.ReadOnly(true) }, func(c *cluster) { c.redis.ReadOnly(false) }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			c := newCluster(t, 3, "--appendfsync", "always")
			sessions := names("fault", fromEnv(t, "REDIS_SESSIONS", 400))
			var asking sync.WaitGroup
			asking.Go(func() { c.asksSteadily(sessions, pause+2*time.Second) })
			<-time.After(time.Second)
			fault.breaks(c)
			<-time.After(pause / 2)
			c.wantReadiness("degraded")
			<-time.After(pause / 2)
			fault.mends(c)
			asking.Wait()
			eventually(t, "the return to Redis", func() bool { return c.ready("ready") })
			c.judge(sessions)
			n, p50, p99, longest := c.balancer.percentiles()
			t.Logf("%s for %s: %d sessions, %d callbacks p50 %s p99 %s max %s; lost 0, accepted twice 0", fault.name, pause, len(sessions), n, p50, p99, longest)
			if longest > time.Second {
				t.Errorf("a callback took %s", longest)
			}
		})
	}
}

// asksSteadily spreads the sessions over a time.
func (c *cluster) asksSteadily(sessions []string, over time.Duration) {
	tick := time.NewTicker(over / time.Duration(len(sessions)))
	defer tick.Stop()
	var all sync.WaitGroup
	for _, id := range sessions {
		<-tick.C
		all.Go(func() { c.asks([]string{id}, 1) })
	}
	all.Wait()
}

// ready reports whether all replicas say that they are this.
func (c *cluster) ready(what string) bool {
	for _, s := range c.replicas {
		status, body := s.get("/readyz")
		if status != http.StatusOK || !strings.Contains(body, fmt.Sprintf(`"status":%q`, what)) {
			return false
		}
	}
	return true
}

func (c *cluster) wantReadiness(what string) {
	c.t.Helper()
	eventually(c.t, "readiness "+what, func() bool { return c.ready(what) })
}
