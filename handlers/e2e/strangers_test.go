package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
)

// holders hold connections to a listener.
type holders struct {
	t       *testing.T
	address string
	mu      sync.Mutex
	open    []net.Conn
}

func newHolders(t *testing.T, url string) *holders {
	address, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	s := &holders{t: t, address: address}
	t.Cleanup(func() {
		for _, c := range s.open {
			_ = c.Close()
		}
	})
	return s
}

// come opens so many connections more, each of which sends text and is held.
func (s *holders) come(count int, text string) {
	s.t.Helper()
	var all sync.WaitGroup
	each := make(chan struct{})
	for range 64 {
		all.Go(func() {
			for range each {
				c, err := net.Dial("tcp", s.address)
				if err != nil {
					continue // it is turned away: that is not what is asked here
				}
				_ = c.SetWriteDeadline(time.Now().Add(soon))
				_, _ = io.WriteString(c, text)
				s.mu.Lock()
				s.open = append(s.open, c)
				s.mu.Unlock()
			}
		})
	}
	for range count {
		each <- struct{}{}
	}
	close(each)
	all.Wait()
}

// strangersFromEnv is how many of the full number come: a tenth, or what
// STRANGERS says in percent.
func strangersFromEnv(t *testing.T, full int) int {
	t.Helper()
	percent := 10
	if text := os.Getenv("STRANGERS"); text != "" {
		var err error
		if percent, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	return full * percent / 100
}

// TestServe_strangersWhoHoldConnections_keepNobodyOut lets them come in all the ways
// that cost them nothing, without a token, and measures how a customer fares.
func TestServe_strangersWhoHoldConnections_keepNobodyOut(t *testing.T) {
	t.Parallel() // it mostly waits
	app := fmt.Sprint(desktest.DefaultSDKAppID)
	const begun = "POST /callback?SdkAppid=%s&CallbackCommand=Desk.SessionEventNotify HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n%s"
	for _, c := range []struct {
		name  string
		admin bool
		count int
		text  string
	}{
		{"idle", false, 10_000, ""},
		{"half a header", false, 10_000, "POST /callback HTTP/1.1\r\nHo"},
		{"probes that stay", false, 10_000, "POST /callback HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
		{"one byte of a body", false, 2400, fmt.Sprintf(begun, app, "{")},
		{"a body without its end", false, 2040, fmt.Sprintf(begun, app, strings.Repeat(" ", 1<<20-1))},
		{"of another app", false, 2400, fmt.Sprintf(begun, "1", "{")},
		{"idle at the operators'", true, 4000, ""},
		{"half a request to operators", true, 2000, "POST /api/explain HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"},
		{"watching", true, 2000, "GET /api/decisions?stream=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startService(t, "ESCALATOR_CALLBACK_TOKEN=", "ESCALATOR_LOG_LEVEL=info")
			url := s.url
			if c.admin {
				url = s.admin
			}
			crowd := newHolders(t, url)
			crowd.come(strangersFromEnv(t, c.count), c.text)
			var took []time.Duration
			for i := range 100 {
				began := time.Now()
				if a := s.says(fmt.Sprint("known-", i), "where is my parcel"); a.Status != http.StatusOK {
					t.Errorf("a customer's message: %d", a.Status)
				}
				took = append(took, time.Since(began))
				if i%20 == 0 { // they do not give up
					crowd.come(strangersFromEnv(t, c.count)/20, c.text)
				}
			}
			if code, out, errOut := command(t, []string{"ESCALATOR_ADMIN_LISTEN=" + strings.TrimPrefix(s.admin, "http://")}, "health"); code != 0 {
				t.Errorf("escalator health: %d %s%s", code, out, errOut)
			}
			s.says("waiting", "转人工")
			eventually(t, "the transfer", func() bool { return len(s.desk.Ledger().Accepted) == 1 })
			slices.Sort(took)
			now, highest := s.memory()
			_, metrics := s.get("/metrics")
			t.Logf("%d connections: p50 %s, p99 %s; memory %d MiB, at most %d MiB; reached: %s", len(crowd.open), took[50].Round(time.Microsecond), took[98].Round(time.Microsecond), now, highest, limitsIn(metrics))
			if took[98] > time.Second || highest > 512 {
				t.Error("too slow, or too much memory")
			}
			if code := s.stop(); code != 0 {
				t.Errorf("exit %d", code)
			}
		})
	}
}

// limitsIn names the limits that were reached.
func limitsIn(metrics string) string {
	var found []string
	for line := range strings.Lines(metrics) {
		if rest, ok := strings.CutPrefix(line, "escalator_limits_reached_total"); ok && !strings.HasSuffix(rest, " 0\n") {
			found = append(found, strings.TrimSpace(rest))
		}
	}
	return strings.Join(found, " ")
}

// TestServe_aFloodOfForgedRequests_keepsNoCustomerWaiting asks for a person in sessions
// that Desk does not know, as anybody can without a token; then a customer asks.
func TestServe_aFloodOfForgedRequests_keepsNoCustomerWaiting(t *testing.T) {
	s := startService(t, "ESCALATOR_CALLBACK_TOKEN=", "ESCALATOR_LOG_LEVEL=info")
	if err := s.desk.Fail(desktest.Fault{Kind: desktest.FaultDelay, Delay: 30 * time.Millisecond, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	forged := max(1000, strangersFromEnv(t, 8400))
	each := make(chan int)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for n := range each {
				body := fmt.Sprintf(`{"SessionId":"forged-%d","Event":"ChatBot.UserSendMsg","ClientUserId":"u%d","CustomerServiceId":"@s",`+
					`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a human please"}}]}`, n, n)
				url := fmt.Sprintf("%s?SdkAppid=%d&CallbackCommand=Desk.SessionEventNotify", s.url, desktest.DefaultSDKAppID)
				if status, answer := request(t, http.MethodPost, url, body); status != http.StatusOK {
					t.Errorf("a forged one: %d %s", status, answer)
				}
			}
		})
	}
	for n := range forged {
		each <- n
	}
	close(each)
	all.Wait()
	began := time.Now()
	s.says("real", "转人工")
	within(t, 5*time.Second, "the customer's transfer", func() bool { return len(s.desk.Ledger().Accepted) > 0 })
	_, metrics := s.get("/metrics")
	t.Logf("behind %d forged requests, %v of them pending, a customer waited for %s", forged, gauge(metrics, "escalator_outbox_pending"), time.Since(began).Round(time.Millisecond))
}

// An unsigned request whose body does not come has two seconds, and a signed one four
// with its headers; who says nothing at all has two.
func TestServe_whoDoesNotSend_isCutInTime(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startService(t)
	for _, c := range []struct {
		name, text, want string
		within           time.Duration
	}{
		{"nothing", "", "", 2 * time.Second},
		{"unsigned", "POST /callback?SdkAppid=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "403", 2 * time.Second},
		{"signed", fmt.Sprintf("POST /callback?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", sign(time.Now())), "408", 4 * time.Second},
	} {
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/callback"))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_ = conn.SetDeadline(began.Add(soon))
		_, _ = io.WriteString(conn, c.text)
		answer, _ := io.ReadAll(conn)
		_ = conn.Close()
		if took := time.Since(began); took > c.within+2*time.Second || !strings.Contains(string(answer), c.want) {
			t.Errorf("%s: %q after %s, want %q within %s", c.name, answer, took, c.want, c.within)
		}
	}
}
