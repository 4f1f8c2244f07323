package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/handlers"
)

func (*named) UnknownEvents() map[string]int { return map[string]int{"Desk.New": 3} }

func readStatus(t *testing.T, s *handlers.Server) (is handlers.Status) {
	t.Helper()
	w := ask(s, http.MethodGet, "/api/status", "")
	if err := json.Unmarshal(w.Body.Bytes(), &is); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return is
}

func TestStatus_tellsOfTheServerWhatNobodyElseKnows(t *testing.T) {
	s, _ := operators(&named{}, func(o *handlers.Options) {
		o.Status = func() handlers.Installation { return handlers.Installation{Version: "1.2.3"} }
		o.Degraded = func() []string { return []string{"courier held"} }
		o.Pending = func() int { return 0 }
	})
	is := readStatus(t, s)
	if is.Version != "1.2.3" || is.Ready.Status != "degraded" || is.Ready.Reasons[0] != "courier held" || is.Drain != nil || is.Clock != nil || is.UnknownEvents["Desk.New"] != 3 {
		t.Errorf("%+v", is)
	}
	if w := ask(s, http.MethodPost, "/api/drain", `{"by":"li","for":"2m"}`); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	if is = readStatus(t, s); is.Drain == nil || is.Drain.By != "li" || is.Drain.Until.Sub(is.Drain.Since) != 2*time.Minute || is.Ready.Status != "unready" {
		t.Errorf("%+v", is)
	}
}

// A callback that is refused for its time is the one that people ask about.
func TestStatus_showsHowFarTheTimeOfTheLastCallbackWasFromOurs(t *testing.T) {
	const token = "planted"
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		name, token string
		signed      bool
		off         time.Duration
		want        bool
	}{
		{"right", token, true, 3 * time.Second, true},
		{"stale", token, true, -5 * time.Minute, true},
		{"forged", token, false, time.Hour, false},
		{"no token is set", "", false, -2 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := operators(&named{}, func(o *handlers.Options) {
				o.Status = func() handlers.Installation { return handlers.Installation{} }
				o.Verifier = desk.NewVerifier([]desk.Secret{desk.Secret(c.token)}, time.Minute)
				o.Now = func() time.Time { return now }
			})
			at := strconv.FormatInt(now.Add(c.off).Unix(), 10)
			sign := strings.Repeat("0", 64)
			if c.signed {
				sign = desk.Sign(c.token, at)
			}
			r := httptest.NewRequest(http.MethodPost, "/callback?SdkAppid=1&RequestTime="+at+"&Sign="+sign, nil)
			s.Public().ServeHTTP(httptest.NewRecorder(), r)
			is := readStatus(t, s)
			if (is.Clock != nil) != c.want || c.want && (is.Clock.SkewS != c.off.Seconds() || !is.Clock.SeenAt.Equal(now)) {
				t.Errorf("%+v", is.Clock)
			}
		})
	}
}
