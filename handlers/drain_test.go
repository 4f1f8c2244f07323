package handlers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"escalator/handlers"
)

// drained is a service with so many transfers on its way.
func drained(t *testing.T, transfers int) (s *handlers.Server, log *strings.Builder, pending *atomic.Int64) {
	t.Helper()
	pending = &atomic.Int64{}
	pending.Store(int64(transfers))
	s, log = operators(&named{}, func(o *handlers.Options) { o.Pending = func() int { return int(pending.Load()) } })
	return s, log, pending
}

// drainAnswer is what POST /api/drain answers.
type drainAnswer struct {
	Drained bool
	Pending int
	WaitedS float64 `json:"waited_s"`
}

func readDrain(t *testing.T, w *httptest.ResponseRecorder) (a drainAnswer) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return a
}

// beginDrain asks for a drain and returns where its answer will be.
func beginDrain(s *handlers.Server, body string) <-chan *httptest.ResponseRecorder {
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() { answer <- ask(s, http.MethodPost, "/api/drain", body) }()
	synctest.Wait()
	return answer
}

func TestDrain_answersWhenTheOutboxIsEmpty_andTheServiceStaysUnready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log, pending := drained(t, 2)
		if metrics := ask(s, http.MethodGet, "/metrics", "").Body.String(); !strings.Contains(metrics, "escalator_ready 1") {
			t.Error("no metric says that it is ready")
		}
		answer := beginDrain(s, `{"for":"5m","by":"li","why":"upgrade"}`)
		ready := ask(s, http.MethodGet, "/readyz", "")
		if ready.Code != http.StatusServiceUnavailable || !strings.Contains(ready.Body.String(), `"draining since `) || !strings.Contains(ready.Body.String(), "by li") {
			t.Errorf("while it drains: %d %s", ready.Code, ready.Body)
		}
		if metrics := ask(s, http.MethodGet, "/metrics", "").Body.String(); !strings.Contains(metrics, "escalator_draining 1") || !strings.Contains(metrics, "escalator_ready 0") {
			t.Error("no metric says that it drains, or that it is not ready")
		}
		time.Sleep(30 * time.Second)
		pending.Store(0)
		a := readDrain(t, <-answer)
		if !a.Drained || a.Pending != 0 || a.WaitedS < 30 || a.WaitedS > 31 {
			t.Errorf("%+v", a)
		}
		if ready := ask(s, http.MethodGet, "/readyz", ""); ready.Code != http.StatusServiceUnavailable {
			t.Errorf("drained, it is ready again: %s", ready.Body)
		}
		for _, want := range []string{"draining: not ready any more", `"by":"li"`, `"remote":"192.0.2.1"`, `"why":"upgrade"`, `"pending":2`, "the wait for the outbox has ended", `"action":"POST /api/drain"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %s:\n%s", want, log)
			}
		}
	})
}

func TestDrain_whatIsNotEmptyInTime_isToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := drained(t, 1)
		if a := readDrain(t, <-beginDrain(s, `{"for":"10s"}`)); a.Drained || a.Pending != 1 || a.WaitedS < 10 || a.WaitedS > 11 {
			t.Errorf("%+v", a)
		}
	})
}

func TestDrain_aSecondOneProlongsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := drained(t, 1)
		first := beginDrain(s, `{"for":"10s"}`)
		time.Sleep(5 * time.Second)
		second := beginDrain(s, `{"for":"1m"}`)
		shorter := beginDrain(s, `{"for":"1s"}`)
		for _, answer := range []<-chan *httptest.ResponseRecorder{first, second, shorter} {
			if a := readDrain(t, <-answer); a.Drained || a.WaitedS < 59 || a.WaitedS > 66 {
				t.Errorf("%+v", a)
			}
		}
	})
}

func TestDrain_endsByHand_andNotByACallerWhoGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, log, _ := drained(t, 1)
		ctx, goAway := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/drain", nil)
		r.Host = "127.0.0.1"
		gone := make(chan struct{})
		go func() { s.Admin().ServeHTTP(httptest.NewRecorder(), r); close(gone) }()
		synctest.Wait()
		goAway()
		<-gone
		if ready := ask(s, http.MethodGet, "/readyz", ""); ready.Code != http.StatusServiceUnavailable {
			t.Error("the drain ended with its caller")
		}
		waiting := beginDrain(s, "")
		if w := ask(s, http.MethodDelete, "/api/drain?by=li", ""); w.Code != http.StatusOK {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if a := readDrain(t, <-waiting); a.Drained || a.Pending != 1 {
			t.Errorf("who waits is told %+v", a)
		}
		if ready := ask(s, http.MethodGet, "/readyz", ""); ready.Code != http.StatusOK {
			t.Errorf("the drain was ended: %s", ready.Body)
		}
		if w := ask(s, http.MethodDelete, "/api/drain", ""); w.Code != http.StatusNotFound {
			t.Errorf("ending none: %d %s", w.Code, w.Body)
		}
		if !strings.Contains(log.String(), "the drain has ended") {
			t.Error(log)
		}
	})
}

func TestDrain_aStopEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := drained(t, 1)
		answer := beginDrain(s, "")
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if a := readDrain(t, <-answer); a.Drained || a.Pending != 1 || a.WaitedS > 1 {
			t.Errorf("%+v", a)
		}
	})
}

func TestDrain_refusesATimeThatIsNone(t *testing.T) {
	s, _, _ := drained(t, 0)
	for _, body := range []string{`{"for":"soon"}`, `{"for":"0s"}`, `{"for":"25h"}`, `{"for":5}`, `{"fro":"5m"}`} {
		if w := ask(s, http.MethodPost, "/api/drain", body); w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "Go ") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if ready := ask(s, http.MethodGet, "/readyz", ""); ready.Code != http.StatusOK {
		t.Error("what was refused drains")
	}
}
