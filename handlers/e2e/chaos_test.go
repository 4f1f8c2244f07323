package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
)

// chaosKinds are the faults that are mixed. Each is drawn again and again.
var chaosKinds = []desktest.Fault{
	{Kind: desktest.FaultDrop},
	{Kind: desktest.FaultDrop, After: true},
	{Kind: desktest.Fault502},
	{Kind: desktest.Fault502, After: true},
	{Kind: desktest.FaultHTML, After: true},
	{Kind: desktest.FaultInvalid, After: true},
	{Kind: desktest.FaultCode, Code: 141002},
	{Kind: desktest.FaultCode, Code: 141003},
	{Kind: desktest.FaultCode, Code: 141005},
	{Kind: desktest.FaultCode, Code: 141777},
	{Kind: desktest.FaultCode, Code: 60011},
	{Kind: desktest.FaultDelay, Delay: 300 * time.Millisecond},
	{Kind: desktest.FaultDelay, Delay: 6 * time.Second}, // the client waits 5 s
}

// chaos is one run: what was asked of the service and what it answered.
type chaos struct {
	*service
	random *rand.Rand

	mu       sync.Mutex
	outs     []*output // of every process
	took     []time.Duration
	sessions []string
	again    []desktest.Callback // without an answer, because their process died
}

// TestServe_throughChaos_deliversOrSaysWhyNot mixes faults of Desk, agents who
// come and go, and deaths of the service, all drawn from a seed; then all is
// well. Every session that asked for a person has one, or a reason why not.
func TestServe_throughChaos_deliversOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	lasts := durationFromEnv(t, "CHAOS_TIME", 6*time.Second)
	seed := uint64(fromEnv(t, "CHAOS_SEED", 1))
	c := &chaos{service: newUnreliable(t, seed, quiet), random: rand.New(rand.NewPCG(seed, 11))}
	c.outs = append(c.outs, c.out)
	kills := c.rage(lasts)

	c.desk.ClearFaults()
	c.desk.SetOnline(agentLi, true)
	c.drain()
	c.judge(kills, lasts)
}

// rage runs the storm. It returns how often the service was killed.
func (c *chaos) rage(lasts time.Duration) (kills int) {
	c.t.Helper()
	ask, fail := time.NewTicker(20*time.Millisecond), time.NewTicker(250*time.Millisecond)
	defer ask.Stop()
	defer fail.Stop()
	over, kill := time.After(lasts), time.After(c.untilDeath())
	var asking sync.WaitGroup
	for n := 0; ; {
		select {
		case <-ask.C:
			n++
			id := fmt.Sprint("chaos-", n)
			c.sessions = append(c.sessions, id)
			asking.Go(func() { c.asks(id) })
		case <-fail.C:
			c.breakSomething()
		case <-kill:
			kills++
			c.kill()
			asking.Wait()
			c.start(quiet)
			c.outs = append(c.outs, c.out)
			c.resend(c.again)
			c.again = nil
			kill = time.After(c.untilDeath())
		case <-over:
			asking.Wait()
			return kills
		}
	}
}

// untilDeath draws how long the service lives.
func (c *chaos) untilDeath() time.Duration {
	return time.Second + time.Duration(c.random.Int64N(int64(4*time.Second)))
}

// breakSomething draws the faults of the next moments. A code that holds the
// courier comes once in a while and alone.
func (c *chaos) breakSomething() {
	c.desk.ClearFaults()
	c.desk.SetOnline(agentLi, c.random.IntN(10) > 0)
	var faults []desktest.Fault
	for range c.random.IntN(4) {
		f := chaosKinds[c.random.IntN(len(chaosKinds))]
		f.Probability = 0.05 + 0.3*c.random.Float64()
		if f.Delay > time.Second {
			f.Probability = 0.02
		}
		faults = append(faults, f)
	}
	if c.random.IntN(40) == 0 {
		faults = append(faults, desktest.Fault{Kind: desktest.FaultCode, Code: 70009})
	}
	if err := c.desk.Fail(faults...); err != nil {
		c.t.Error(err)
	}
}

// asks lets a session ask for a person.
func (c *chaos) asks(id string) {
	began := time.Now()
	a := c.desk.UserSays(id, "a human please")
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case a.Status != 0 && a.Err != nil:
		c.t.Errorf("%s was answered %d %s", id, a.Status, a.Body)
	case a.Err != nil:
		c.again = append(c.again, a.Request)
	default:
		c.took = append(c.took, took)
	}
}

// judge compares what every session asked for with ledger, log and outbox.
func (c *chaos) judge(kills int, lasted time.Duration) {
	c.t.Helper()
	accepted, ended := map[string]bool{}, map[string]string{}
	ledger := c.desk.Ledger()
	for _, a := range ledger.Accepted {
		accepted[a.Session] = true
	}
	for _, out := range c.outs {
		for _, line := range logLines(out.settled()) {
			if line["msg"] == "transfer" && line["outcome"] != "retrying" {
				ended[fmt.Sprint(line["session"])] = fmt.Sprint(line["outcome"])
			}
		}
	}
	count := map[string]int{}
	for _, id := range c.sessions {
		switch outcome := ended[id]; {
		case accepted[id]:
			count["accepted"]++
		case outcome == "failed" || outcome == "no_agent":
			count[outcome]++
		default:
			c.t.Errorf("%s asked for a person, and nothing tells what became of it (last outcome %q)", id, outcome)
		}
	}
	for _, id := range c.givenUp() {
		if ended[id] == "" {
			c.t.Errorf("%s was given up without a line in the log", id)
		}
	}
	if twice := ledger.AcceptedTwice(); len(twice) > 0 {
		c.t.Errorf("accepted twice: %v", twice)
	}
	slices.Sort(c.took)
	at := func(p float64) time.Duration {
		return c.took[int(p*float64(len(c.took)-1))].Round(10 * time.Microsecond)
	}
	c.t.Logf("%s, %d kills, %d sessions: %v; accepted twice 0; callbacks p50 %s p99 %s max %s",
		lasted, kills, len(c.sessions), count, at(.5), at(.99), at(1))
	if at(1) > time.Second {
		c.t.Errorf("a callback took %s", at(1))
	}
}

// givenUp reads the sessions of GET /api/outbox that were given up; each must
// say why.
func (c *chaos) givenUp() (ids []string) {
	c.t.Helper()
	var outbox struct {
		GivenUp []struct{ Session, Error string } `json:"given_up"`
	}
	_, body := c.get("/api/outbox")
	if err := json.NewDecoder(strings.NewReader(body)).Decode(&outbox); err != nil {
		c.t.Fatalf("/api/outbox: %v", err)
	}
	for _, g := range outbox.GivenUp {
		if g.Error == "" {
			c.t.Errorf("%s was given up without a reason", g.Session)
		}
		ids = append(ids, g.Session)
	}
	return ids
}
