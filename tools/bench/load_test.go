package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// answering is the address of a server that answers with a status, until the test ends.
func answering(t *testing.T, status int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// late is a worker of an open loop whose only request was meant to be sent 3 s ago.
func late(address string, ended time.Duration) *worker {
	g := newGenerator(load{Kind: quiet, Rate: 1, Connections: 1})
	g.counting, g.end = time.Now().Add(-time.Minute), time.Now().Add(-ended)
	w := &worker{generator: g, client: newClient(address), latency: newHistogram(), sent: newHistogram(), statuses: map[int]int{}}
	g.arrivals <- arrival{number: 1, meant: time.Now().Add(-3 * time.Second)}
	close(g.arrivals)
	w.open()
	return w
}

// A generator that is stopped for a moment must not hide what would have been
// sent meanwhile.
func TestLoad_openLoop_countsFromTheIntendedTime(t *testing.T) {
	w := late(answering(t, http.StatusOK), 0)
	if meant, sent := w.latency.Max()/1000, w.sent.Max()/1000; meant < 2_900_000 || sent > 2_900_000 || w.statuses[http.StatusOK] != 1 {
		t.Errorf("%d µs from when it was meant to be sent, %d µs from when it was; statuses %v", meant, sent, w.statuses)
	}
}

func TestLoad_openLoop_whatIsNeverSentHasNoAnswer(t *testing.T) {
	w := late("127.0.0.1:1", grace+time.Second)
	if w.statuses[0] != 1 || w.latency.TotalCount() != 0 {
		t.Errorf("statuses %v, %d times", w.statuses, w.latency.TotalCount())
	}
}

// What is turned away is counted, but is no answer: a service that only refused
// would be the fastest of all.
func TestLoad_refusals_areCountedApart(t *testing.T) {
	g := newGenerator(load{Address: answering(t, http.StatusServiceUnavailable), Kind: quiet, Connections: 2, Count: 10})
	o := g.run()
	if o.Rate != 0 || o.P99 != 0 || o.Statuses[http.StatusServiceUnavailable] != 10 {
		t.Errorf("%+v", o)
	}
}

// Past saturation the queue of the generator would grow as long as it runs.
func TestLoad_tooMuch_whatFindsNoRoomIsNeverSent(t *testing.T) {
	g := newGenerator(load{Kind: quiet, Rate: 100_000, Connections: 3, TooMuch: true})
	g.began = time.Now()
	g.counting, g.end = g.began, g.began.Add(10*time.Millisecond)
	g.arrive() // nobody takes them
	o := g.sum(nil)
	if waiting := len(g.arrivals); waiting != 3 || o.Statuses[0] == 0 || o.Statuses[0]+waiting != o.Next {
		t.Errorf("%d arrivals: %d wait, %d are never sent", o.Next, waiting, o.Statuses[0])
	}
}
