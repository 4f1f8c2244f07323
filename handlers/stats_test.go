package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"escalator/bot/stats"
	"escalator/handlers"
	"escalator/rules"
)

func TestStats_ofTheLastTime(t *testing.T) {
	now := time.Date(2027, 2, 6, 12, 0, 30, 0, time.UTC)
	clock := func() time.Time { return now }
	counts := stats.New(clock)
	counts.Add(&stats.Count{At: now, Message: true, Outcome: rules.OutcomeTransfer, Rule: "ask", Fired: true})
	s, _ := operators(&named{stats: counts}, func(o *handlers.Options) { o.Now = clock })
	for query, want := range map[string]string{
		"":                            `"step_s":1800,"counted_since":"2027-02-06T12:00:30Z"`,
		"?since=2m":                   `{"since":"2027-02-06T11:59:00Z","until":"2027-02-06T12:00:30Z","step_s":60,"counted_since":"2027-02-06T12:00:30Z","messages":[0,1]`,
		"?since=2027-02-06T11:59:30Z": `"rules":{"ask":{"fired":[1],"near":[0],"suppressed":[0],"shadow":[0],"right":0,"wrong":0}},"wrong":[0],"replicas":1,"totals":{"messages":1,`,
	} {
		if w := ask(s, http.MethodGet, "/api/stats"+query, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
	for _, query := range []string{"?since=25h", "?since=0s", "?since=soon", "?step=60"} {
		if w := ask(s, http.MethodGet, "/api/stats"+query, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
}
