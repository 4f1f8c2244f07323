package delivery

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
)

// slowDesk answers every call over HTTP with 429.
type slowDesk struct {
	mu         sync.Mutex
	retryAfter string
	ok         bool
	calls      []string
	times      []time.Time
}

func (s *slowDesk) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	s.times = append(s.times, time.Now())
	status, body, header := 429, `{"ActionStatus":"FAIL","ErrorCode":429,"ErrorInfo":"slow"}`, http.Header{"Retry-After": {s.retryAfter}}
	if s.ok {
		status, body, header = 200, `{"ActionStatus":"OK","ErrorCode":0,"CurrentState":"Chatbot"}`, nil
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func overHTTP(t *testing.T, s *slowDesk, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, err := desk.NewClient(desk.ClientOptions{
			Identity: desk.Identity{SDKAppID: 1, Identifier: "administrator", Key: "k"}, URL: "https://desk.example", Transport: s,
		})
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) { o.Desk = c })
		w.courier.Start()
		test(w)
		w.stop()
	})
}

func TestRetryAfter_isHonoured_byTheWholeCourier(t *testing.T) {
	for name, before := range map[string]func(*store.Transfer){
		"delivery": func(*store.Transfer) {},
		"question": func(t *store.Transfer) { t.OutcomeUnknown = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := &slowDesk{retryAfter: "30"}
			overHTTP(t, s, func(w *world) {
				began := time.Now()
				w.put("plain", before)
				w.put("plain", before, func(t *store.Transfer) { t.ID, t.Session = "s2", "s2" })
				w.passes(29 * time.Second)
				if len(s.calls) != 1 {
					t.Errorf("calls in 29 s: %v", s.calls)
				}
				s.mu.Lock()
				s.ok = true
				s.mu.Unlock()
				w.passes(10 * time.Second)
				w.wantLines("retrying/429 assigned! assigned!")
				if told := w.log.Lines("Desk asks for time (Retry-After): no transfer is sent meanwhile"); len(told) != 1 || told[0]["pause_s"] != 30.0 {
					t.Errorf("told of the pause: %v", told)
				}
				if at := s.times[1].Sub(began); at < 30*time.Second || at > 31*time.Second {
					t.Errorf("the next call after %v", at)
				}
			})
		})
	}
}

func TestRetryAfter_isBoundedByTheHorizon_forOne_andByAMinute_forAll(t *testing.T) {
	s := &slowDesk{retryAfter: "86400"}
	overHTTP(t, s, func(w *world) {
		w.put("plain")
		w.passes(time.Minute)
		s.mu.Lock()
		s.ok = true
		s.mu.Unlock()
		w.put("plain", func(t *store.Transfer) { t.ID, t.Session = "s2", "s2" })
		w.passes(time.Second)
		w.wantLines("retrying/429 assigned!")
		w.passes(29*time.Minute + time.Second) // the first one's horizon
		w.wantLines("retrying/429 assigned! assigned!")
	})
	s = &slowDesk{retryAfter: "86400"}
	overHTTP(t, s, func(w *world) {
		w.put("plain")
		w.passes(31 * time.Minute)
		w.wantLines("retrying/429 failed/429!")
		if len(s.calls) != 2+1 { // and the apology
			t.Errorf("calls: %v", s.calls)
		}
	})
}

func TestRetryAfter_isHonoured_bySpeech(t *testing.T) {
	s := &slowDesk{retryAfter: "10"}
	overHTTP(t, s, func(w *world) {
		w.courier.Say(&Speech{Session: "s1", Text: "hello"})
		w.passes(9 * time.Second)
		if len(s.calls) != 1 {
			t.Errorf("calls: %v", s.calls)
		}
		s.mu.Lock()
		s.ok = true
		s.mu.Unlock()
		w.passes(5 * time.Second)
		if len(s.calls) != 2 || len(w.log.Lines("say")) != 1 || w.log.Lines("say")[0]["outcome"] != "sent" {
			t.Errorf("calls: %v, lines %v", s.calls, w.log.Lines("say"))
		}
	})
	s = &slowDesk{retryAfter: "60"} // beyond the life of words
	overHTTP(t, s, func(w *world) {
		w.courier.Say(&Speech{Session: "s1", Text: "hello"})
		synctest.Wait()
		if lines := w.log.Lines("say"); len(lines) != 1 || lines[0]["outcome"] != "dropped" {
			t.Errorf("lines %v", lines)
		}
		for outcome, want := range map[string]float64{"sent": 0, "failed": 0, "dropped": 1} {
			if got := testutil.ToFloat64(w.metrics.Said.WithLabelValues(outcome)); got != want {
				t.Errorf("say_total %s: %v", outcome, got)
			}
		}
	})
}

func TestSpeaker_aFullQueue_dropsWordsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil)) // not started: nobody speaks
		dropped := 0
		for range speechQueue + 3 {
			w.courier.Say(&Speech{Session: "s1", Text: "x", Done: func(sent bool) {
				if !sent {
					dropped++
				}
			}})
		}
		if dropped != 3 {
			t.Errorf("%d dropped", dropped)
		}
		if err := w.courier.Stop(w.t.Context()); err != nil && !errors.Is(err, errStopped) {
			t.Error(err)
		}
	})
}

// heldAtTake is an outbox that hands out a transfer just when a hold begins.
type heldAtTake struct {
	store.Outbox
	hold func()
}

func (o *heldAtTake) Take(ctx context.Context, now time.Time) (*store.Transfer, time.Time, error) {
	t, next, err := o.Outbox.Take(ctx, now)
	if t != nil && o.hold != nil {
		o.hold()
		o.hold = nil
	}
	return t, next, err
}

func TestHold_thatBeginsWhileATransferIsTaken_holdsThatTooWithoutACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &heldAtTake{Outbox: memory.NewOutbox(nil)}
		w := newWorld(t, outbox)
		outbox.hold = func() { w.courier.hold.set(70009, "code 70009") }
		w.courier.Start()
		w.put("plain")
		if got := w.lines(); got != "" {
			t.Errorf("Desk was called in spite of the hold: %s", got)
		}
		w.passes(holdFirst + time.Second)
		if got := w.lines(); got != "assigned!" {
			t.Errorf("after the hold: %s", got)
		}
		w.stop()
	})
}
