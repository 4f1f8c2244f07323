package handlers_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/decisions"
	"escalator/handlers"
	"escalator/rules"
)

func TestStreams_areBounded_andASlowReaderIsCutAndCounted(t *testing.T) {
	const limit = 64
	registry := prometheus.NewRegistry()
	log := logrus.New()
	log.SetOutput(&strings.Builder{})
	b := &named{list: decisions.New(decisions.Options{})}
	s := handlers.New(handlers.Options{Bot: b, SDKAppID: 1, CallbackPath: "/callback", Log: log, Registry: registry, NotReady: func() []string { return nil }})
	server := httptest.NewServer(s.Admin())
	t.Cleanup(server.Close)
	get := func(path string) (*http.Response, *bufio.Reader) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp, bufio.NewReader(resp.Body)
	}
	var first *bufio.Reader
	for i := range limit {
		resp, lines := get(fmt.Sprint("/api/decisions?stream=1&session=s", i))
		if line, err := lines.ReadString('\n'); resp.StatusCode != http.StatusOK || !strings.HasPrefix(line, ":") {
			t.Fatalf("stream %d: %d %q %v", i+1, resp.StatusCode, line, err)
		}
		if first == nil {
			first = lines
		}
	}
	if resp, _ := get("/api/decisions?stream=1"); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %v", resp.StatusCode, resp.Header)
	}
	for _, path := range []string{"/healthz", "/api/decisions"} {
		if resp, _ := get(path); resp.StatusCode != http.StatusOK {
			t.Errorf("%s beside them: %d", path, resp.StatusCode)
		}
	}
	for range 300 { // at once: its reader falls too far behind
		b.list.Add(&decisions.Record{Session: "s0"}, "")
	}
	b.list.Find("")
	for {
		if _, err := first.ReadByte(); err != nil {
			break
		}
	}
	if resp, _ := get("/api/decisions?stream=1"); resp.StatusCode != http.StatusOK {
		t.Errorf("in its place: %d", resp.StatusCode)
	}
	for name, want := range map[string]float64{"streams": 1, "slow_stream": 1} {
		if got := limitReached(t, registry, name); got != want {
			t.Errorf("%s was reached %v times, want %v", name, got, want)
		}
	}
}

// head is a reader who gets the head of an answer, does something at once, and goes when it has read some words.
type head struct {
	*httptest.ResponseRecorder
	came func()
	want string
	goes func()
}

func (h *head) WriteHeader(status int) {
	h.ResponseRecorder.WriteHeader(status)
	h.came()
}

func (h *head) Write(text []byte) (int, error) {
	n, err := h.ResponseRecorder.Write(text)
	if strings.Contains(h.Body.String(), h.want) {
		h.goes()
	}
	return n, err
}

// Who has the head of a stream and then reads the list has everything: what is decided from the head on is told.
func TestStreams_tellWhatIsDecidedFromTheirHeadOn(t *testing.T) {
	for _, after := range []string{"", "no such id"} {
		w := newDecisions()
		s, _ := operators(w, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		go w.list.Run(ctx)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/api/decisions?stream=1", http.NoBody)
		r.Header.Set("Last-Event-ID", after)
		reader := &head{httptest.NewRecorder(), func() { w.decided("s-at-once", rules.OutcomeTransfer, "") }, "s-at-once", cancel}
		s.Admin().ServeHTTP(reader, r)
		cancel()
		if got := reader.Body.String(); !strings.Contains(got, "s-at-once") {
			t.Errorf("after %q: it is lost: %s", after, got)
		}
	}
}
