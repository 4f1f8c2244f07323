package handlers_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/history"
)

// nowhere is a http.ResponseWriter that keeps nothing and allocates nothing.
type nowhere struct {
	header http.Header
	status int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w *nowhere) WriteHeader(status int)      { w.status = status }

// rewound is a body that is read again and again.
type rewound struct{ bytes.Reader }

func (*rewound) Close() error { return nil }

// What a callback allocates from Gin on, beyond what net/http does for it; one is
// this test's own, and a refilled pool may add one. Who needs more argues for it.
func TestCallback_allocations_stayWithinTheirBudget(t *testing.T) {
	for _, c := range []struct {
		name    string
		repeat  bool
		history *history.History
		budget  float64
	}{
		{"does not escalate", false, nil, 16},
		{"does not escalate, with history", false, newHistory(t), 18}, // what masks and writes it in the background included
		{"duplicate", true, nil, 9},
	} {
		s := newServiceWith(t, nil, c.history)
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		query := "SdkAppid=" + strconv.Itoa(benchApp) + "&CallbackCommand=" + desk.CommandSessionEvent + "&RequestTime=" + stamp +
			"&Sign=" + desk.Sign(benchToken, stamp) + "&RequestID="
		bodies := make([][]byte, 3000) // a message each
		for i := range bodies {
			bodies[i] = []byte(strings.Replace(benchBody(7), `"152_1600012345_7"`, strconv.Quote("152_1600012345_"+strconv.Itoa(i)), 1))
		}
		text := bodies[0]
		r := httptest.NewRequest(http.MethodPost, "/callback?"+query, nil)
		body, w, handler := new(rewound), &nowhere{header: http.Header{}}, s.Public()
		r.Body = body
		n := 100_000
		call := func() {
			if !c.repeat {
				n++
				text = bodies[n%len(bodies)]
			}
			r.URL.RawQuery = query + strconv.Itoa(n)
			body.Reset(text)
			r.ContentLength = int64(len(text))
			handler.ServeHTTP(w, r)
		}
		if c.history != nil { // a busy service has made its notes, and uses them again
			for range 2000 {
				call()
			}
			_, _ = c.history.Conversation(t.Context(), "all before is written by then")
		}
		got := testing.AllocsPerRun(500, call)
		if w.status != http.StatusOK {
			t.Errorf("%s: status %d", c.name, w.status)
		}
		if got > c.budget && !raceDetector {
			t.Errorf("%s: %.1f allocations, the budget is %.0f", c.name, got, c.budget)
		}
		t.Logf("%s: %.1f allocations", c.name, got)
	}
}
