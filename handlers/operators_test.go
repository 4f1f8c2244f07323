package handlers_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/handlers"
)

// operators is an operators' listener with that token, and its log.
func operators(bot *named, change func(*handlers.Options)) (*handlers.Server, *strings.Builder) {
	var out strings.Builder
	log := logrus.New()
	log.SetOutput(&out)
	log.SetFormatter(&logrus.JSONFormatter{})
	o := handlers.Options{
		Bot: bot, SDKAppID: 1, CallbackPath: "/callback",
		Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
	}
	if change != nil {
		change(&o)
	}
	return handlers.New(o), &out
}

// ask sends a request with headers, "Name: value", from loopback.
func ask(s *handlers.Server, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8081"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, r)
	return w
}

const aMute = `{"for":"2h","by":"li","why":"w"}`

// A page elsewhere sends what it likes from the browser of somebody who can reach
// the port.
func TestOperators_aPageElsewhere_canDoNothing(t *testing.T) {
	withHosts := func(o *handlers.Options) { o.AdminHosts = []string{"ops.example.com"} }
	for _, c := range []struct {
		name    string
		method  string
		body    string
		headers []string
		want    int
	}{
		{"curl", "POST", aMute, nil, 200},
		{"a form", "POST", aMute, []string{"Content-Type: text/plain"}, 415},
		{"a form without a type", "POST", aMute, []string{"Content-Type: "}, 415},
		{"almost JSON", "POST", aMute, []string{"Content-Type: application/jsonp"}, 415},
		{"JSON with a charset", "POST", aMute, []string{"Content-Type: application/json; charset=utf-8"}, 200},
		{"cross-site", "POST", aMute, []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"same site, another origin", "POST", aMute, []string{"Sec-Fetch-Site: same-site"}, 403},
		{"the console", "POST", aMute, []string{"Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:8081"}, 200},
		{"an old browser", "POST", aMute, []string{"Origin: https://attacker.example"}, 403},
		{"a page from a file", "POST", aMute, []string{"Origin: null"}, 403},
		{"unmute from elsewhere", "DELETE", "", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"another name that leads here", "POST", aMute, []string{"Host: attacker.example"}, 421},
		{"with our port", "POST", aMute, []string{"Host: attacker.example:8081"}, 421},
		{"a name that only looks alike", "POST", aMute, []string{"Host: localhost.attacker.example"}, 421},
		{"an address that is not ours", "POST", aMute, []string{"Host: 198.51.100.7"}, 421},
		{"localhost", "POST", aMute, []string{"Host: localhost:8081"}, 200},
		{"localhost in capitals, with a dot", "POST", aMute, []string{"Host: LocalHost.:8081"}, 200},
		{"loopback of IPv6", "POST", aMute, []string{"Host: [::1]:8081"}, 200},
		{"another loopback", "POST", aMute, []string{"Host: 127.8.8.8"}, 200},
		{"a listed name", "POST", aMute, []string{"Host: Ops.Example.com:443"}, 200},
	} {
		bot := &named{}
		s, _ := operators(bot, withHosts)
		w := ask(s, c.method, "/api/rules/ask/mute", c.body, c.headers...)
		if w.Code != c.want || (len(bot.ids) > 0) != (c.want == 200) {
			t.Errorf("%s: %d %s, did %q; want %d", c.name, w.Code, w.Body, bot.ids, c.want)
		}
	}
}

func TestOperators_readingIsGuardedToo(t *testing.T) {
	s, _ := operators(&named{}, nil)
	for _, c := range []struct {
		path, header string
		want         int
	}{
		{"/api/decisions", "Host: attacker.example", 421},
		{"/metrics", "Host: attacker.example", 421},
		{"/healthz", "Host: balancer.example", 200},
		{"/readyz", "Host: balancer.example", 200},
		{"/api/decisions?stream=1", "Sec-Fetch-Site: cross-site", 403},
		{"/api/decisions", "Sec-Fetch-Site: same-origin", 200},
		{"/api/decisions?n=1", "Accept: */*", 200},
		{"/api/decisions?foo=1", "Accept: */*", 400},
		{"/api/decisions?n=1&token=x", "Accept: */*", 400},
		{"/api/decisions?n=%zz", "Accept: */*", 400},
		{"/api/outbox?n=1", "Accept: */*", 400},
	} {
		if w := ask(s, http.MethodGet, c.path, "", c.header); w.Code != c.want {
			t.Errorf("%s with %s: %d %s, want %d", c.path, c.header, w.Code, w.Body, c.want)
		}
	}
}

// Who bears the token is no browser that was led here by a name: Prometheus asks by
// the name of a service.
func TestOperators_theTokenStandsForTheHost_butNoPageElsewhereHasIt(t *testing.T) {
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	for _, c := range []struct {
		headers []string
		want    int
	}{
		{[]string{"Host: escalator:8081", "Authorization: Bearer secret"}, 200},
		{[]string{"Host: escalator:8081"}, 401},
		{[]string{"Host: 127.0.0.1", "Authorization: Bearer secret", "Sec-Fetch-Site: cross-site"}, 403},
	} {
		if w := ask(s, http.MethodGet, "/api/decisions", "", c.headers...); w.Code != c.want {
			t.Errorf("%v: %d, want %d", c.headers, w.Code, c.want)
		}
	}
	if w := ask(s, http.MethodGet, "/api/decisions?token=secret", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("a token in the address: %d", w.Code)
	}
}

func TestOperators_withoutAToken_someThingsAreForNobody(t *testing.T) {
	closed := []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1"}
	s, _ := operators(&named{}, nil)
	for _, path := range closed {
		if w := ask(s, http.MethodGet, path, ""); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "set ESCALATOR_ADMIN_TOKEN") {
			t.Errorf("%s without a token: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask(s, http.MethodPost, "/api/session", `{"token":""}`); w.Code != http.StatusForbidden {
		t.Errorf("a session without a token: %d", w.Code)
	}
	s, _ = operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	for path, want := range map[string]int{
		"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine?debug=1": 200,
		"/debug/pprof/cmdline": 404, "/debug/pprof/nothing": 404,
		"/debug/pprof/profile?seconds=31": 400, "/debug/pprof/trace?seconds=31": 400, "/debug/pprof/heap?seconds=3600": 400,
		"/debug/pprof/trace?seconds=x": 400, "/debug/pprof/trace?seconds=-1": 400, "/debug/pprof/trace?seconds=0.1": 200,
	} {
		if w := ask(s, http.MethodGet, path, "", "Authorization: Bearer secret"); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestOperators_oneProfileAtATime(t *testing.T) {
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	server := httptest.NewServer(s.Admin())
	defer server.Close()
	get := func(path string) *http.Response {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		r.Header.Set("Authorization", "Bearer secret")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	trace := get("/debug/pprof/trace?seconds=20") // its beginning is sent at once
	if _, err := bufio.NewReader(trace.Body).Peek(1); err != nil {
		t.Fatal(err)
	}
	if second := get("/debug/pprof/profile?seconds=1"); second.StatusCode != http.StatusTooManyRequests {
		t.Errorf("beside another one: %d", second.StatusCode)
	}
	if index := get("/debug/pprof/"); index.StatusCode != http.StatusOK {
		t.Errorf("the list: %d", index.StatusCode)
	}
	_ = trace.Body.Close()
}

func TestSession_aCookieTakesTheTokensPlace(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	bot := &named{}
	s, _ := operators(bot, func(o *handlers.Options) {
		o.AdminToken, o.Now, o.AdminHosts = "secret", func() time.Time { return now }, []string{"ops.example.com"}
	})
	for _, c := range []struct {
		host   string
		secure bool
	}{{"127.0.0.1:8081", false}, {"localhost:8081", false}, {"ops.example.com", true}} {
		w := ask(s, http.MethodPost, "/api/session", `{"token":"secret"}`, "Host: "+c.host)
		cookies := w.Result().Cookies()
		if w.Code != http.StatusOK || len(cookies) != 1 {
			t.Fatalf("%s: %d %s, %d cookies", c.host, w.Code, w.Body, len(cookies))
		}
		k := cookies[0]
		if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Secure != c.secure || k.MaxAge != 12*3600 || k.Path != "/" || strings.Contains(k.Value, "secret") {
			t.Errorf("%s: %+v", c.host, k)
		}
	}
	cookie := ask(s, http.MethodPost, "/api/session", `{"token":"secret"}`).Result().Cookies()[0]
	use := func(value string, headers ...string) int {
		return ask(s, http.MethodPost, "/api/rules/ask/mute", aMute, append(headers, "Cookie: "+cookie.Name+"="+value)...).Code
	}
	if got := use(cookie.Value); got != http.StatusOK {
		t.Errorf("with the cookie: %d", got)
	}
	if got := use(cookie.Value, "Sec-Fetch-Site: cross-site"); got != http.StatusForbidden {
		t.Errorf("the cookie from elsewhere: %d", got)
	}
	if got := use(cookie.Value, "Host: attacker.example"); got != http.StatusMisdirectedRequest {
		t.Errorf("the cookie by another name: %d", got)
	}
	until, _, _ := strings.Cut(cookie.Value, ".")
	for _, forged := range []string{"", "x", until, until + ".", "9" + cookie.Value, cookie.Value + "0", cookie.Value[:len(cookie.Value)-1]} {
		if got := use(forged); got != http.StatusUnauthorized {
			t.Errorf("a cookie %q: %d", forged, got)
		}
	}
	other, _ := operators(bot, func(o *handlers.Options) { o.AdminToken = "another" })
	if w := ask(other, http.MethodGet, "/api/decisions", "", "Cookie: "+cookie.Name+"="+cookie.Value); w.Code != http.StatusUnauthorized {
		t.Errorf("after the token was changed: %d", w.Code)
	}
	now = now.Add(12*time.Hour + time.Second)
	if got := use(cookie.Value); got != http.StatusUnauthorized {
		t.Errorf("after 12 h: %d", got)
	}
	if gone := ask(s, http.MethodDelete, "/api/session", "").Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("signing out: %+v", gone)
	}
}

func TestSession_fiveWrongTriesAMinute(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken, o.Now = "secret", func() time.Time { return now } })
	try := func(token string) *httptest.ResponseRecorder {
		return ask(s, http.MethodPost, "/api/session", `{"token":"`+token+`"}`)
	}
	for i := range 5 {
		if w := try("wrong"); w.Code != http.StatusUnauthorized {
			t.Errorf("wrong try %d: %d", i+1, w.Code)
		}
		if i == 2 && try("secret").Code != http.StatusOK {
			t.Error("a right one between is refused")
		}
	}
	if w := try("secret"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("after five wrong ones: %d %v", w.Code, w.Header())
	}
	now = now.Add(time.Minute)
	if w := try("secret"); w.Code != http.StatusOK {
		t.Errorf("a minute later: %d", w.Code)
	}
}

func TestOperators_whatIsChanged_standsInTheLogWithWhoAndWhere(t *testing.T) {
	s, out := operators(&named{}, nil)
	ask(s, http.MethodGet, "/api/decisions", "")
	ask(s, http.MethodPost, "/api/rules/ask/mute", aMute)
	ask(s, http.MethodPost, "/api/outbox/s%2F1/retry", "")
	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == "operator" {
			lines = append(lines, fields)
		}
	}
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), out)
	}
	if l := lines[0]; l["action"] != "POST /api/rules/:id/mute" || l["of"] != "ask" || l["by"] != "li" || l["remote"] != "192.0.2.1" || l["status"] != 200.0 {
		t.Errorf("%v", l)
	}
	if l := lines[1]; l["action"] != "POST /api/outbox/:session/retry" || l["of"] != "s/1" || l["status"] != 200.0 {
		t.Errorf("%v", l)
	}
}

// What is wrong with a body is told in words of JSON, not of Go.
func TestOperators_aBodyThatDoesNotFit_isExplained(t *testing.T) {
	for body, want := range map[string]string{
		`{"for":2,"by":"li","why":"w"}`:      `"for" must be text, not a number`,
		`{"for":"2h","by":["li"],"why":"w"}`: `"by" must be text, not a list`,
		`[]`:                                 "an object, not a list",
		`{"For how long":"2h"}`:              `unknown field "For how long"`,
		`{"for":"2h",`:                       "ends early",
		`{"for":"2h"} {}`:                    "more than one",
		`{'for':"2h"}`:                       "is no JSON",
		`{"for":"soon","by":"li","why":"w"}`: `"for" must be a duration such as "2h" or "2d"`,
		`{"for":"` + strings.Repeat("1", 300<<10) + `"}`: "larger than 256 KiB",
	} {
		s, _ := operators(&named{}, nil)
		w := ask(s, http.MethodPost, "/api/rules/ask/mute", body)
		if w.Code < 400 || w.Code >= 500 || !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), want) || strings.Contains(w.Body.String(), "Go ") {
			t.Errorf("%.40s: %d %s, want %q", body, w.Code, w.Body, want)
		}
	}
	bot := &named{}
	s, _ := operators(bot, nil)
	if w := ask(s, http.MethodPost, "/api/rules/ask/mute", `{"for":"2d","by":"li","why":"w"}`); w.Code != 200 || bot.ids[1] != "48h0m0s" {
		t.Errorf("two days: %d %q", w.Code, bot.ids)
	}
}
