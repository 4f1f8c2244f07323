package handlers_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
		{"JSON in capitals", "POST", aMute, []string{"Content-Type: Application/JSON"}, 200},
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
		{"/api/decisions?stream=1", "Sec-Fetch-Site: same-site", 403},
		{"/api/decisions", "Sec-Fetch-Site: same-origin", 200},
		{"/api/decisions?n=1", "Accept: */*", 200},
		{"/api/decisions?foo=1", "Accept: */*", 400},
		{"/api/decisions?n=1&token=x", "Accept: */*", 400},
		{"/api/decisions?n=%zz", "Accept: */*", 400},
		{"/api/decisions?n=1&n=2", "Accept: */*", 400},
		{"/api/decisions?stream=2", "Accept: */*", 400},
		{"/api/decisions?stream=true", "Accept: */*", 400},
		{"/api/decisions?stream=0", "Accept: */*", 200},
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
		{[]string{"Host: escalator:8081", "Authorization: bearer secret"}, 200},
		{[]string{"Host: escalator:8081", "Authorization: BEARER  secret"}, 200},
		{[]string{"Host: escalator:8081", "Authorization: secret"}, 401},
		{[]string{"Host: escalator:8081", "Authorization: Basic secret"}, 401},
		{[]string{"Host: escalator:8081", "Authorization: Bearersecret"}, 401},
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
		"/debug/pprof/trace?seconds=x": 400, "/debug/pprof/trace?seconds=-1": 400, "/debug/pprof/trace?seconds=0.1": 400,
		"/debug/pprof/profile?seconds=1.5": 400, "/debug/pprof/profile?seconds=0": 400, "/debug/pprof/profile?seconds=1e1": 400,
		"/debug/pprof/profile?seconds=1": 200, "/debug/pprof/trace?seconds=1": 200,
	} {
		if w := ask(s, http.MethodGet, path, "", "Authorization: Bearer secret"); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestOperators_whatIsChanged_standsInTheLogWithWhoAndWhere(t *testing.T) {
	s, out := operators(&named{}, nil)
	ask(s, http.MethodGet, "/api/decisions", "")
	ask(s, http.MethodPost, "/api/rules/ask/mute", aMute)
	ask(s, http.MethodPost, "/api/outbox/s%2F1/retry", "")
	ask(s, http.MethodPost, "/api/outbox/retry?code=70009", "")
	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == "operator" {
			lines = append(lines, fields)
		}
	}
	if len(lines) != 3 {
		t.Fatalf("%d lines: %s", len(lines), out)
	}
	if l := lines[2]; l["action"] != "POST /api/outbox/retry" || l["of"] != "code 70009" {
		t.Errorf("it does not say what was retried: %v", l)
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
		`{"for":2,"by":"li","why":"w"}`:                `"for" must be text, not a number`,
		`{"for":"2h","by":["li"],"why":"w"}`:           `"by" must be text, not a list`,
		`[]`:                                           "an object, not a list",
		`{"For how long":"2h"}`:                        `it has no field "For how long"`,
		`{"for":"2h",`:                                 "ends early",
		`{"for":"2h"} {}`:                              "more than one",
		`{"for":"2h","by":"li","why":"w"}}`:            "more than one",
		`{'for':"2h"}`:                                 "is not valid JSON",
		`{"for":"soon","by":"li","why":"w"}`:           `"for" must be a duration up to 168h, such as "2h" or "2d"`,
		`{"for":"` + strings.Repeat("1", 1<<20) + `"}`: "over 1 MiB",
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

// Uptime checks and load balancers ask by HEAD.
func TestOperators_whatIsRead_answersHEADToo(t *testing.T) {
	s, _ := operators(&named{}, nil)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/api/decisions", "/api/decisions?stream=1"} {
		if w := ask(s, http.MethodHead, path, ""); w.Code != http.StatusOK {
			t.Errorf("HEAD %s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, route := range s.AdminRoutes() {
		method, path, _ := strings.Cut(route, " ")
		if w := ask(s, http.MethodHead, path, ""); method == http.MethodGet && w.Code == http.StatusMethodNotAllowed {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
	}
	closed, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	if w := ask(closed, http.MethodHead, "/api/decisions", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("HEAD without the token: %d", w.Code)
	}
}

// A script reads .error of whatever is refused; Tencent's form is for callbacks.
func TestOperators_eachRefusal_hasTheSameForm(t *testing.T) {
	s, _ := operators(&named{}, nil)
	for request, want := range map[string]int{
		"GET /nothing": 404, "POST /api/rules": 405, "GET /api/rules": 500 /* the bot of this test panics */, "GET /api/decisions?n=x": 400,
	} {
		method, path, _ := strings.Cut(request, " ")
		w := ask(s, method, path, "")
		var said map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != want || len(said) != 1 || said["error"] == "" {
			t.Errorf("%s: %d %s, %v", request, w.Code, w.Body, err)
		}
		if want == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s does not say what it allows", request)
		}
	}
}

// halfSent is a body of which no more comes.
type halfSent struct {
	reading chan<- struct{}
	given   <-chan struct{} // closed: up
}

func (h halfSent) Read([]byte) (int, error) {
	h.reading <- struct{}{}
	<-h.given
	return 0, io.ErrUnexpectedEOF
}

// Who merely sends slowly takes no place from those who are there, nor a try to sign in.
func TestOperators_halfSentBodies_takeNobodysPlace(t *testing.T) {
	const many = 300 // more than are worked for at once
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	reading, given, answered := make(chan struct{}), make(chan struct{}), make(chan int, many)
	for range many {
		r := httptest.NewRequest(http.MethodPost, "/api/session", halfSent{reading, given})
		r.Host, r.ContentLength = "localhost", 900_000
		r.Header.Set("Content-Type", "application/json")
		go func() {
			w := httptest.NewRecorder()
			s.Admin().ServeHTTP(w, r)
			answered <- w.Code
		}()
	}
	for range many {
		select {
		case <-reading:
		case status := <-answered:
			t.Fatalf("one is answered %d before its body is there", status)
		}
	}
	if w := ask(s, http.MethodGet, "/api/decisions", "", "Authorization: Bearer secret"); w.Code != http.StatusOK {
		t.Errorf("beside them: %d %s", w.Code, w.Body)
	}
	if w := ask(s, http.MethodPost, "/api/session", `{"token":"secret"}`); w.Code != http.StatusOK {
		t.Errorf("signing in beside them: %d %s", w.Code, w.Body)
	}
	close(given)
	for range many {
		if status := <-answered; status != http.StatusBadRequest {
			t.Errorf("a body that ended early: %d", status)
		}
	}
}
