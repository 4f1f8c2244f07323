package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"escalator/bot/desk"
)

const (
	overloadConnections = 3000 // more than the service works on at once
	escalateEvery       = 20   // one callback in so many asks for a person
	overloadFactor      = 10
)

// generator sends callbacks at a rate that does not wait for the answers: an
// arrival that finds all connections busy is counted and dropped, as the sender
// of a flood would see it.
type generator struct {
	s        *service
	address  string
	arrivals chan int
	number   int

	dropped  atomic.Int64
	mu       sync.Mutex
	took     []time.Duration
	statuses map[int]int
	promised []string // sessions that were answered 200 with AIProvider 0
	refused  []string // escalations that were answered 503
	bare     int      // 503 without Retry-After
}

func newGenerator(s *service) *generator {
	address, _, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), "/")
	return &generator{s: s, address: address, statuses: map[int]int{}}
}

// run sends rate callbacks a second (0: as many as the connections bear) for d.
func (g *generator) run(connections int, rate float64, d time.Duration) {
	g.arrivals = make(chan int)
	var all sync.WaitGroup
	for range connections {
		all.Go(g.work)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	begun := time.Now()
	for sent := 0; time.Since(begun) < d; {
		if rate == 0 {
			g.number++
			g.arrivals <- g.number
			continue
		}
		<-tick.C
		for due := int(rate * time.Since(begun).Seconds()); sent < due; sent++ {
			g.number++
			select {
			case g.arrivals <- g.number:
			default:
				g.dropped.Add(1)
			}
		}
	}
	close(g.arrivals)
	all.Wait()
}

// work is one connection.
func (g *generator) work() {
	var c net.Conn
	var r *bufio.Reader
	for n := range g.arrivals {
		if c == nil {
			var err error
			if c, err = net.Dial("tcp", g.address); err != nil {
				g.note(n, 0, 0, "", false)
				continue
			}
			r = bufio.NewReaderSize(c, 1<<10)
		}
		if !g.exchange(n, c, r) {
			_ = c.Close()
			c = nil
		}
	}
	if c != nil {
		_ = c.Close()
	}
}

func sessionOf(n int) string { return fmt.Sprint("load-", n) }

// callback is the n-th: its text, and whether it asks for a person.
func callback(n int) (body string, escalates bool) {
	text, escalates := "where is my parcel", n%escalateEvery == 0
	if escalates {
		text = "a human please"
	}
	return fmt.Sprintf(`{"CallbackCommand":%q,"SessionId":%q,"Event":"ChatBot.UserSendMsg","ClientUserId":"u","CustomerServiceId":"@s",`+
		`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":%q}}]}`, desk.CommandSessionEvent, sessionOf(n), text), escalates
}

func (g *generator) exchange(n int, c net.Conn, r *bufio.Reader) bool {
	body, escalates := callback(n)
	if escalates {
		g.s.desk.SetState(sessionOf(n), desk.StateChatbot, "")
	}
	began := time.Now()
	_ = c.SetDeadline(began.Add(soon))
	if _, err := fmt.Fprintf(c, "POST /callback?%s&RequestID=%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", sign(began), n, len(body), body); err != nil {
		g.note(n, 0, 0, "", false)
		return false
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		g.note(n, 0, 0, "", false)
		return false
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	g.note(n, resp.StatusCode, time.Since(began), string(answer), resp.Header.Get("Retry-After") != "")
	return err == nil && !resp.Close
}

func (g *generator) note(n, status int, took time.Duration, answer string, retryAfter bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.statuses[status]++
	g.took = append(g.took, took)
	switch escalates := n%escalateEvery == 0; {
	case status == http.StatusServiceUnavailable && !retryAfter:
		g.bare++
	case !escalates:
	case status == http.StatusOK && strings.Contains(answer, `"AIProvider":0`):
		g.promised = append(g.promised, sessionOf(n))
	case status == http.StatusServiceUnavailable:
		g.refused = append(g.refused, sessionOf(n))
	}
}

func (g *generator) percentile(p float64) time.Duration {
	slices.Sort(g.took)
	return g.took[min(len(g.took)-1, int(p*float64(len(g.took))))].Round(10 * time.Microsecond)
}

// drain waits until everything is delivered. It looks seldom: to count a long
// outbox costs the service more than to deliver from it.
func (s *service) drain() time.Duration {
	s.t.Helper()
	began, late, look := time.Now(), time.After(5*time.Minute), time.NewTicker(200*time.Millisecond)
	defer look.Stop()
	for {
		_, metrics := s.get("/metrics")
		pending := gauge(metrics, "escalator_outbox_pending")
		if pending == 0 {
			return time.Since(began).Round(time.Millisecond)
		}
		select {
		case <-look.C:
		case <-late:
			s.t.Fatalf("%v transfers are not delivered", pending)
		}
	}
}

// memory returns the resident memory of the service and its highest, in MiB.
func (s *service) memory() (now, highest int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return -1, -1 // no /proc: a figure less
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			now = kib >> 10
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			highest = kib >> 10
		}
	}
	return now, highest
}

// TestServe_underTenTimesItsLoad_shedsAndKeepsItsPromises floods the service.
// Whatever it answered holds: a promise is delivered once, a refusal left
// nothing behind and works when it is sent again.
func TestServe_underTenTimesItsLoad_shedsAndKeepsItsPromises(t *testing.T) {
	lasts := durationFromEnv(t, "OVERLOAD_TIME", 4*time.Second)
	s := newUnreliable(t, 1, quiet, "ESCALATOR_MAX_CONVERSATIONS=100000", "ESCALATOR_MAX_MARKS=100000")
	can := newGenerator(s)
	measure := min(lasts/4, 5*time.Second)
	can.run(64, 0, measure)
	capacity := float64(can.statuses[http.StatusOK]) / measure.Seconds()

	g := newGenerator(s)
	g.number = can.number
	g.run(overloadConnections, overloadFactor*capacity, lasts)
	now, highest := s.memory()
	t.Logf("alone it answers %.0f/s; offered %.0f/s for %s: %d × 200, %d × 503, %d without an answer, %d found no free connection of %d; "+
		"latency p50 %s p99 %s max %s; memory %d MiB, at most %d MiB",
		capacity, overloadFactor*capacity, lasts, g.statuses[200], g.statuses[503], g.statuses[0], g.dropped.Load(), overloadConnections,
		g.percentile(.5), g.percentile(.99), g.percentile(1), now, highest)
	if odd := len(g.took) - g.statuses[200] - g.statuses[503] - g.statuses[0]; odd != 0 || g.bare != 0 || len(g.promised) == 0 {
		t.Errorf("statuses %v, %d × 503 without Retry-After, %d promises", g.statuses, g.bare, len(g.promised))
	}
	t.Logf("%d promises, the last of the outbox delivered after %s", len(can.promised)+len(g.promised), s.drain())
	ledger := s.desk.Ledger()
	refused := map[string]bool{}
	for _, session := range g.refused {
		refused[session] = true
	}
	for _, a := range ledger.Accepted {
		if refused[a.Session] {
			t.Errorf("%s was refused and is transferred nevertheless", a.Session)
		}
	}
	again := newGenerator(s)
	again.arrivals = make(chan int)
	var all sync.WaitGroup
	for range 32 {
		all.Go(again.work)
	}
	for _, session := range g.refused {
		var n int
		_, _ = fmt.Sscanf(session, "load-%d", &n)
		again.arrivals <- n
	}
	close(again.arrivals)
	all.Wait()
	if len(again.promised) != len(g.refused) {
		t.Errorf("%d of %d refused callbacks work when they are sent again: %v", len(again.promised), len(g.refused), again.statuses)
	}
	s.wantEachAcceptedOnce(slices.Concat(can.promised, g.promised, again.promised))
}
