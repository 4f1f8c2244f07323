package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"escalator/bot/history"
	"escalator/bot/report"
	"escalator/handlers"
)

// reports notes which period it was asked for.
type reports struct {
	since, until time.Time
	err          error
}

func (r *reports) Report(_ context.Context, since, until time.Time) (*report.Report, error) {
	r.since, r.until = since, until
	return &report.Report{Sessions: 7, Rules: []report.Row{}}, r.err
}

func TestReport_ofAPeriod(t *testing.T) {
	now := time.Date(2026, 11, 2, 12, 0, 30, 0, time.UTC)
	get := func(r handlers.Reports, query string) *httptest.ResponseRecorder {
		s, _ := operators(&named{}, func(o *handlers.Options) { o.Reports, o.Now = r, func() time.Time { return now } })
		return ask(s, http.MethodGet, "/api/report"+query, "")
	}
	for query, want := range map[string][2]time.Time{
		"":           {now.Add(-24 * time.Hour), now.Add(time.Minute)},
		"?since=48h": {now.Add(-48 * time.Hour), now.Add(time.Minute)},
		"?since=2026-11-01T00:00:00Z&until=2026-11-01T08:00:00%2B08:00": {time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
	} {
		r := &reports{}
		w := get(r, query)
		if empty := want[0].Equal(want[1]); empty != (w.Code == http.StatusBadRequest) {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		} else if !empty && (!r.since.Equal(want[0]) || !r.until.Equal(want[1]) || !strings.Contains(w.Body.String(), `"sessions":7`) || !strings.Contains(w.Body.String(), `"containment":null`)) {
			t.Errorf("%q: from %s to %s: %s", query, r.since, r.until, w.Body)
		}
	}
	for query, code := range map[string]int{"?since=yesterday": 400, "?since=-1h": 400, "?until=48h": 400, "?from=1h": 400} {
		if w := get(&reports{}, query); w.Code != code {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
	if w := get(nil, ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "ESCALATOR_HISTORY_FOR") {
		t.Errorf("without history: %d %s", w.Code, w.Body)
	}
	for _, err := range []error{history.ErrLoading, errors.New("the report takes too long: ask for a shorter period")} {
		if w := get(&reports{err: err}, ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), err.Error()) {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}
