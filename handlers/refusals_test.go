package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/handlers"
)

// accepting answers every callback.
type accepting struct{ handlers.Operations }

func (accepting) Handle(context.Context, bot.Request) (bot.Answer, error) { return bot.AnswerOK(), nil }

// A refusal says what to mend, and shows nothing that is secret or a stranger's.
func TestRefusal_saysWhatToMend(t *testing.T) {
	const secretPath = "/callback/8d2cplanted"
	now := time.Unix(1_800_000_000, 0)
	signed := func(at string) string {
		return "SdkAppid=1400000001&RequestTime=" + at + "&Sign=" + desk.Sign("token", at)
	}
	stamp := func(off time.Duration) string { return strconv.FormatInt(now.Add(off).Unix(), 10) }
	for _, c := range []struct {
		name, target string
		status       int
		want         map[string]any // fields of the line
		why          string
	}{
		{"another app", secretPath + "?SdkAppid=1400000099", 403, map[string]any{"reason": "sdkappid", "sdkappid": "1400000099", "expected": "1400000001"}, ""},
		{"no app", secretPath, 403, map[string]any{"reason": "sdkappid", "sdkappid": "missing, or there twice"}, ""},
		{"an app that is none", secretPath + "?SdkAppid=planted%0Aline", 403, map[string]any{"reason": "sdkappid", "sdkappid": "no number"}, ""},
		{"a clock that is slow", secretPath + "?" + signed(stamp(-300*time.Second)), 403, map[string]any{"reason": "sign_stale", "skew_s": -300.0}, "-300 s"},
		{"a clock that is fast", secretPath + "?" + signed(stamp(300*time.Second)), 403, map[string]any{"reason": "sign_stale", "skew_s": 300.0}, "+300 s"},
		{"milliseconds", secretPath + "?" + signed(stamp(-5*time.Second)+"000"), 403, map[string]any{"reason": "sign_stale", "skew_s": -5.0}, "in milliseconds"},
		{"no time", secretPath + "?" + signed("now"), 403, map[string]any{"reason": "sign_stale", "skew_s": nil}, "not a number of seconds"},
		{"stale and not signed", secretPath + "?SdkAppid=1400000001&RequestTime=1&Sign=" + desk.Sign("other", "1"), 403, map[string]any{"reason": "sign_mismatch", "skew_s": nil, "hint": "compare ESCALATOR_CALLBACK_TOKEN with the token in Desk's console"}, ""},
		{"not signed", secretPath + "?SdkAppid=1400000001&RequestID=r1", 403, map[string]any{"reason": "sign_missing", "request_id": "r1", "hint": "set the token of ESCALATOR_CALLBACK_TOKEN in Desk's console too"}, ""},
		{"not signed, by a stranger", secretPath + "?SdkAppid=1400000001&RequestID=planted%20words", 403, map[string]any{"reason": "sign_missing", "request_id": nil}, ""},
		{"a slash too many", secretPath + "/?SdkAppid=1400000001", 404, map[string]any{"reason": "wrong_path", "path": "/callback…", "hint": "there is a slash too many, or too few"}, "ESCALATOR_CALLBACK_PATH"},
		{"other capitals", strings.ToUpper(secretPath), 404, map[string]any{"path": "/CAL…", "hint": "some letters are small instead of capital, or the other way round"}, ""},
		{"a prefix", "/desk" + secretPath, 404, map[string]any{"path": "/des…", "hint": "something stands before it: does a proxy put it there?"}, ""},
		{"a part only", "/8d2cplanted", 404, map[string]any{"path": "/8d2…", "hint": "its beginning is missing: does a proxy take it off?"}, ""},
		{"the usual path", "/callback", 404, map[string]any{"path": "/callback", "hint": "its end is missing"}, ""},
		{"another path", "/xmlrpc.php", 404, map[string]any{"path": "/xml…", "hint": nil}, ""},
		{"a path of other letters", "/密planted", 404, map[string]any{"path": "/密…"}, ""},
	} {
		var out strings.Builder
		log := logrus.New()
		log.SetOutput(&out)
		log.SetFormatter(&logrus.JSONFormatter{})
		registry := prometheus.NewRegistry()
		s := handlers.New(handlers.Options{
			Bot: accepting{}, SDKAppID: 1400000001, CallbackPath: secretPath, Verifier: desk.NewVerifier([]desk.Secret{"token"}, time.Minute),
			Log: log, Registry: registry, Now: func() time.Time { return now }, NotReady: func() []string { return nil },
		})
		w := httptest.NewRecorder()
		s.Public().ServeHTTP(w, httptest.NewRequest(http.MethodPost, c.target, strings.NewReader(`{"a":1}`)))
		line := map[string]any{}
		if err := json.Unmarshal([]byte(out.String()), &line); err != nil || w.Code != c.status || line["msg"] != "callback refused" {
			t.Errorf("%s: %d, %v, log %q", c.name, w.Code, err, out.String())
			continue
		}
		for name, want := range c.want {
			if line[name] != want {
				t.Errorf("%s: %s is %v, want %v", c.name, name, line[name], want)
			}
		}
		if why, _ := line["why"].(string); !strings.Contains(why, c.why) || !strings.Contains(w.Body.String(), c.why) {
			t.Errorf("%s: %q, and to the sender %s", c.name, why, w.Body)
		}
		if strings.Contains(strings.ToLower(out.String()+w.Body.String()), "planted") {
			t.Errorf("%s: shown is %s %s", c.name, out.String(), w.Body)
		}
		if n := testutil.CollectAndCount(registry, "escalator_callbacks_total"); n == 0 {
			t.Errorf("%s is not counted", c.name)
		}
	}
}

// What only looks at us is no callback gone astray.
func TestRefusal_onlyAPostIsAstray(t *testing.T) {
	s, out := operators(&named{}, nil)
	for _, c := range []struct {
		method, path string
		want         int
	}{{"GET", "/", 404}, {"GET", "/callback", 405}, {"PUT", "/callback", 405}} {
		w := httptest.NewRecorder()
		s.Public().ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.want || out.Len() != 0 {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, out)
		}
	}
}

// never is a body that does not come.
type never struct{ until <-chan struct{} }

func (n never) Read([]byte) (int, error) {
	<-n.until
	return 0, fmt.Errorf("planted: %w", context.DeadlineExceeded)
}

// Strangers hold few places, and nobody who is known waits for them.
func TestLimits_strangers_areFewAtOnce(t *testing.T) {
	const limit = 256
	registry := prometheus.NewRegistry()
	log := logrus.New()
	log.SetOutput(&strings.Builder{})
	s := handlers.New(handlers.Options{
		Bot: accepting{}, SDKAppID: 1, CallbackPath: "/callback", Log: log, Registry: registry, NotReady: func() []string { return nil },
	})
	over := make(chan struct{})
	answers := make(chan int, limit+1)
	post := func(target string, body interface{ Read([]byte) (int, error) }) {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, target, body)
		r.ContentLength = -1
		s.Public().ServeHTTP(w, r)
		answers <- w.Code
	}
	for range limit + 1 {
		go post("/callback?SdkAppid=2", never{over})
	}
	select {
	case got := <-answers:
		if got != http.StatusServiceUnavailable {
			t.Errorf("one too many: %d", got)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("one too many waits")
	}
	go post("/callback?SdkAppid=1", strings.NewReader(`{"a":1}`))
	if got := <-answers; got != http.StatusOK {
		t.Errorf("a callback beside them: %d", got)
	}
	close(over)
	for range limit {
		if got := <-answers; got != http.StatusForbidden {
			t.Errorf("a stranger: %d", got)
		}
	}
	if n := limitReached(t, registry, "strangers"); n != 1 {
		t.Errorf("counted %v times", n)
	}
}

// limitReached returns how often a limit was reached.
func limitReached(t *testing.T, registry *prometheus.Registry, limit string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "escalator_limits_reached_total" && m.GetLabel()[0].GetValue() == limit {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("%s is not counted", limit)
	return 0
}

// A stranger's connection ends with its answer; that of a callback goes on.
func TestLimits_aStrangersConnection_ends(t *testing.T) {
	for target, body := range map[string]string{"/callback?SdkAppid=2": `{"a":1}`, "/callback": "", "/callback?SdkAppid=1": "", "/other": "x"} {
		s, _ := operators(&named{}, nil)
		w := httptest.NewRecorder()
		s.Public().ServeHTTP(w, httptest.NewRequest(http.MethodPost, target, strings.NewReader(body)))
		if w.Header().Get("Connection") != "close" {
			t.Errorf("%s %q: %d %v", target, body, w.Code, w.Header())
		}
	}
	log := logrus.New()
	log.SetOutput(&strings.Builder{})
	s := handlers.New(handlers.Options{Bot: accepting{}, SDKAppID: 1, CallbackPath: "/callback", Log: log, Registry: prometheus.NewRegistry()})
	w := httptest.NewRecorder()
	s.Public().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/callback?SdkAppid=1", strings.NewReader(`{"a":1}`)))
	if w.Code != http.StatusOK || w.Header().Get("Connection") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
