package e2e_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
	"escalator/bot/store/redis/redistest"
)

// cluster is several replicas of the binary on one real Redis, with a load
// balancer between them and the emulator.
type cluster struct {
	*service // the first replica; its emulator is everybody's
	redis    *redistest.Server
	replicas []*service
	balancer *balancer
	settings []string
}

// newCluster starts Redis, with settings added, and n replicas.
func newCluster(t *testing.T, n int, redisSettings ...string) *cluster {
	t.Helper()
	c := &cluster{redis: redistest.Start(t, redisSettings...)}
	c.settings = []string{quiet, "ESCALATOR_REDIS_URL=" + c.redis.URL()}
	c.service = newUnreliable(t, 1, c.settings...)
	c.replicas = []*service{c.service}
	for range n - 1 {
		s := &service{t: t, dir: t.TempDir(), desk: c.desk}
		s.writeRules(plainRules)
		s.start(c.settings...)
		c.replicas = append(c.replicas, s)
	}
	c.balancer = newBalancer(t)
	c.share()
	return c
}

// share tells the balancer where the replicas are.
func (c *cluster) share() {
	c.balancer.set(c.replicas)
	c.desk.SetCallbackURL(c.balancer.server.URL + "/callback")
}

// replace kills a replica and starts it again on its folder.
func (c *cluster) replace(n int) {
	c.t.Helper()
	c.replicas[n].kill()
	c.replicas[n].start(c.settings...)
	c.share()
}

// drainAll waits until no replica has anything to deliver. Alone, a replica counts only what is its own: what waits
// in Redis is seen from when it is back there.
func (c *cluster) drainAll() {
	c.t.Helper()
	for _, s := range c.replicas {
		eventually(c.t, "a replica that is back at Redis", func() bool {
			_, metrics := s.get("/metrics")
			return gauge(metrics, "escalator_redis_up") == 1
		})
		s.drain()
	}
}

// judge wants each session accepted exactly once.
func (c *cluster) judge(sessions []string) {
	c.t.Helper()
	c.drainAll()
	c.wantEachAcceptedOnce(sessions)
}

// decisions counts the log lines of transfers that were decided, by session.
func (c *cluster) decisions() map[string]int {
	n := map[string]int{}
	for _, s := range c.replicas {
		for _, line := range logLines(s.out.String()) {
			if line["msg"] == "decision" && line["outcome"] == "transfer" {
				n[line["session"].(string)]++
			}
		}
	}
	return n
}

// balancer passes each callback to a replica drawn at random; to another one
// where that cannot be reached; and, if told so, a copy to a third.
type balancer struct {
	server *httptest.Server
	client *http.Client
	copies sync.WaitGroup
	copied atomic.Int64
	copy   atomic.Bool // whether copies are sent

	mu      sync.Mutex
	targets []string
	took    []time.Duration
}

func newBalancer(t *testing.T) *balancer {
	b := &balancer{client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 128}}}
	b.server = httptest.NewServer(b)
	t.Cleanup(func() { b.server.Close(); b.copies.Wait(); b.client.CloseIdleConnections() })
	return b
}

func (b *balancer) set(replicas []*service) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets = nil
	for _, s := range replicas {
		b.targets = append(b.targets, s.url)
	}
}

// draw returns the replicas in a random order.
func (b *balancer) draw() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	order := slices.Clone(b.targets)
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// ServeHTTP implements http.Handler.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	order := b.draw()
	if b.copy.Load() && len(order) > 1 && rand.IntN(2) == 0 {
		b.copied.Add(1)
		b.copies.Go(func() { _, _, _ = b.pass(order[1], r.URL.RawQuery, body) })
	}
	began := time.Now()
	status, answer, err := b.pass(order[0], r.URL.RawQuery, body)
	b.note(time.Since(began))
	if err != nil { // the sender sends it again
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func (b *balancer) pass(to, query string, body []byte) (status int, answer []byte, err error) {
	resp, err := b.client.Post(to+"?"+query, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func (b *balancer) note(took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.took = append(b.took, took)
}

// percentiles returns what callbacks took since the last call.
func (b *balancer) percentiles() (n int, p50, p99, longest time.Duration) {
	b.mu.Lock()
	took := b.took
	b.took = nil
	b.mu.Unlock()
	if len(took) == 0 {
		return 0, 0, 0, 0
	}
	slices.Sort(took)
	at := func(p float64) time.Duration { return took[int(p*float64(len(took)-1))].Round(10 * time.Microsecond) }
	return len(took), at(.5), at(.99), at(1)
}

// asks lets sessions ask for a person, so many at a time, each after a word that
// leads to nothing. What gets no answer is sent again until it gets one.
func (c *cluster) asks(sessions []string, atOnce int) {
	c.t.Helper()
	queue := make(chan string)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for id := range queue {
				c.insist(c.desk.UserSays(id, "where is my parcel"))
				a := c.desk.UserSays(id, "a human please")
				if a.Err != nil { // its replica died: what it had stored by then is not known
					c.insist(a)
				} else if a.AIProvider == nil || *a.AIProvider != 0 {
					c.t.Errorf("%s was answered %s, want AIProvider 0", id, a.Body)
				}
			}
		})
	}
	for _, id := range sessions {
		queue <- id
	}
	close(queue)
	all.Wait()
}

// insist sends a callback again until it is answered, as Tencent does.
func (c *cluster) insist(a desktest.Answer) desktest.Answer {
	for tries := 0; a.Err != nil && tries < 50; tries++ {
		if a.Status != 0 && a.Status != http.StatusBadGateway && a.Status != http.StatusServiceUnavailable {
			break
		}
		<-time.After(100 * time.Millisecond)
		a = c.desk.Resend(a.Request)
	}
	if a.Err != nil {
		c.t.Errorf("a callback was never answered: %v", a.Err)
	}
	return a
}

// lineCount counts the log lines of all replicas that hold a text.
func (c *cluster) lineCount(text string) (n int) {
	for _, s := range c.replicas {
		n += strings.Count(s.out.String(), text)
	}
	return n
}
