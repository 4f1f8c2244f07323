package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
	"github.com/tidwall/gjson"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/messages"
	"escalator/bot/metrics"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/handlers"
	"escalator/rules"
)

const panelToken = "token-of-the-panel"

// Panel shows a customer who asked for a person, whatever the session.
func (n *named) Panel(_ context.Context, session, user string) *bot.Panel {
	n.ids = append(n.ids, session, user)
	if n.panel != nil {
		return n.panel
	}
	return &bot.Panel{Known: true, Session: session, User: user, Phase: "human"}
}

// withPanel is a server with the panel on, and its log.
func withPanel(n *named, change func(*handlers.Options)) (*handlers.Server, *strings.Builder) {
	return operators(n, func(o *handlers.Options) {
		o.Panel = &handlers.PanelOptions{Path: "/x/panel", Token: panelToken, FrameAncestors: []string{"https://desk.example.com", "https://*.example.net"}, Customers: n}
		if change != nil {
			change(o)
		}
	})
}

// visit sends a request to the public listener.
func visit(s *handlers.Server, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "From" {
			r.RemoteAddr = value + ":1234"
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.Public().ServeHTTP(w, r)
	return w
}

const bearer = "Authorization: Bearer " + panelToken

func TestPanel_isOffUnlessSwitchedOn(t *testing.T) {
	s, _ := operators(&named{}, nil)
	for _, path := range []string{"/x/panel", "/x/panel/panel.js", "/panel", "/"} {
		if w := visit(s, http.MethodGet, path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestPanel_allThatIsServed_hasItsHeaders_andNothingElseIsThere(t *testing.T) {
	s, _ := withPanel(&named{}, nil)
	want := map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors https://desk.example.com https://*.example.net",
	}
	for path, kind := range map[string]string{"GET /x/panel": "text/html", "GET /x/panel/panel.js": "text/javascript", "GET /x/panel/panel.css": "text/css", "POST /x/panel/context": "application/json"} {
		method, path, _ := strings.Cut(path, " ")
		w := visit(s, method, path, `{"session":"s1"}`, bearer)
		for name, value := range want {
			if got := w.Header().Values(name); len(got) != 1 || got[0] != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) || w.Header().Get("X-Frame-Options") != "" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	for _, path := range []string{"/x/panel/", "/x/panel/page.html", "/x/panel/panel.go", "/x/panel/..", "/x"} {
		if w := visit(s, http.MethodGet, path, ""); w.Code != http.StatusNotFound || w.Header().Get("Content-Security-Policy") != "" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Nothing stands in the page itself, so it cannot give anything away, and a policy without
// exceptions holds.
func TestPanel_thePage_holdsNoDataAndNoInlineCode(t *testing.T) {
	s, _ := withPanel(&named{}, nil)
	page := visit(s, http.MethodGet, "/x/panel", "").Body.String()
	for _, want := range []string{`src="panel/panel.js"`, `href="panel/panel.css"`} { // relative, for proxies
		if !strings.Contains(page, want) {
			t.Errorf("no %s in %s", want, page)
		}
	}
	script := visit(s, http.MethodGet, "/x/panel/panel.js", "").Body.String()
	for _, never := range []string{panelToken, "style=", "onclick", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "postMessage", "addEventListener('message'", "eval(", "http://", "https://", "location.search", "localStorage"} {
		if strings.Contains(page+script, never) {
			t.Errorf("the page has %s", never)
		}
	}
}

// Whoever has not got the token cannot even find out that the panel is there.
func TestPanel_aWrongToken_isAnsweredAsAnUnknownPath(t *testing.T) {
	n := &named{}
	s, log := withPanel(n, nil)
	unknown := visit(s, http.MethodPost, "/x/other/context", `{"session":"s1"}`)
	if unknown.Code != http.StatusNotFound {
		t.Fatal(unknown.Code)
	}
	log.Reset()
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer token-of-the-pane", "Bearer " + panelToken + "x", "Basic " + panelToken, panelToken, "Bearer \"" + panelToken + "\""} {
		for range 2 * 60 { // also over every limit
			w := visit(s, http.MethodPost, "/x/panel/context", `{"session":"s1"}`, "Authorization: "+authorization)
			if w.Code != unknown.Code || w.Body.String() != unknown.Body.String() || cmp.Diff(unknown.Header(), w.Header()) != "" {
				t.Fatalf("%q: %d %s %v, want %s %v", authorization, w.Code, w.Body, w.Header(), unknown.Body, unknown.Header())
			}
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions} {
		w, unknown := visit(s, method, "/x/panel/context", ""), visit(s, method, "/x/other/context", "")
		if w.Code != unknown.Code || w.Body.String() != unknown.Body.String() || cmp.Diff(unknown.Header(), w.Header()) != "" {
			t.Errorf("%s: %d %s %v", method, w.Code, w.Body, w.Header())
		}
	}
	if n.ids != nil || strings.Count(log.String(), "another one than ESCALATOR_PANEL_TOKEN") != 1 || strings.Contains(log.String(), "token-of") {
		t.Errorf("asked for %q, log %s", n.ids, log)
	}
	if w := visit(s, http.MethodPost, "/x/panel/context?token="+panelToken, `{"session":"s1"}`); w.Code != http.StatusNotFound {
		t.Errorf("a token in the query: %d", w.Code)
	}
	if w := visit(s, http.MethodPost, "/x/panel/context", `{"session":"s1"}`, bearer); w.Code != http.StatusOK {
		t.Errorf("wrong tries keep the right one out: %d", w.Code)
	}
}

func TestPanel_answersWhatTheBotKnows(t *testing.T) {
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	n := &named{panel: &bot.Panel{
		Known: true, Session: "s|1", User: "li", Phase: "queued", Older: true, Missing: []string{"history"},
		Why:   &bot.PanelReason{At: at, Rule: "ask", About: "asks", Outcome: "transfer", Target: "default", Matched: []string{"人工"}, Why: "says: 人工"},
		Turns: []bot.PanelTurn{{At: at, Role: "user", Text: "<b>人工", Sends: []string{"image"}}}, Fields: []rules.PanelField{{Name: "会员", Value: "gold"}},
		Counters: &rules.Counters{UserMessages: 3}, Words: []messages.Words{{At: at, Text: "call"}},
	}}
	s, _ := withPanel(n, nil)
	w := visit(s, http.MethodPost, "/x/panel/context", `{"session":"s|1","user":"li","names":[]}`, bearer)
	want := `{"known":true,"session":"s|1","user":"li","phase":"queued",` +
		`"why":{"at":"2026-01-05T10:00:00Z","rule":"ask","about":"asks","outcome":"transfer","target":"default","matched":["人工"],"why":"says: 人工"},` +
		`"counters":{"user_messages":3,"misses_in_a_row":0,"transfers":0,"misses":0},"turns":[{"at":"2026-01-05T10:00:00Z","role":"user","text":"\u003cb\u003e人工","sends":["image"]}],` +
		`"older":true,"fields":[{"name":"会员","value":"gold"}],"words":[{"at":"2026-01-05T10:00:00Z","text":"call"}],"missing":["history"]}`
	if w.Body.String() != want || cmp.Diff([]string{"s|1", "li"}, n.ids) != "" {
		t.Errorf("%s, asked for %q", w.Body, n.ids)
	}
	for body, status := range map[string]int{
		`{}`: 200, `{"session":"`: 400, `[]`: 400, `{"sesion":"s1"}`: 400, `{"session":1}`: 400, "": 400,
		`{"session":"` + strings.Repeat("x", 17<<10) + `"}`: 413,
	} {
		s, _ := withPanel(n, nil)
		if w := visit(s, http.MethodPost, "/x/panel/context", body, bearer); w.Code != status {
			t.Errorf("%.30s: %d", body, w.Code)
		}
	}
}

func TestPanel_limits_5OfAnAddressAnd50InAll(t *testing.T) {
	now := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	s, _ := withPanel(&named{}, func(o *handlers.Options) { o.Now = func() time.Time { return now } })
	for _, c := range []struct{ method, path string }{{"GET", "/x/panel"}, {"POST", "/x/panel/context"}} {
		ask := func(from string, want int) {
			t.Helper()
			w := visit(s, c.method, c.path, `{"session":"s1"}`, bearer, "From: "+from)
			if w.Code != want || (w.Header().Get("Retry-After") == "") == (want == http.StatusTooManyRequests) {
				t.Errorf("%s from %s: %d %v, want %d", c.path, from, w.Code, w.Header(), want)
			}
		}
		for a := range 10 {
			for range 5 {
				ask(fmt.Sprint("192.0.2.", a), http.StatusOK)
			}
			ask(fmt.Sprint("192.0.2.", a), http.StatusTooManyRequests)
		}
		ask("192.0.2.77", http.StatusTooManyRequests) // 50 in all
		now = now.Add(time.Second)
		ask("192.0.2.1", http.StatusOK)
	}
	if got := metric(t, s, `escalator_limits_reached_total{limit="panel"}`); got != "22" {
		t.Errorf("counted %q", got)
	}
}

// metric reads one series of /metrics.
func metric(t *testing.T, s *handlers.Server, series string) string {
	t.Helper()
	for line := range strings.Lines(ask(s, http.MethodGet, "/metrics", "").Body.String()) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestPanel_unknownParameters_areNamedOnce_withoutWhatMayBeAValue(t *testing.T) {
	now := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	s, log := withPanel(&named{}, func(o *handlers.Options) { o.Now = func() time.Time { now = now.Add(time.Second); return now } })
	names := func(list ...string) {
		t.Helper()
		body, _ := json.Marshal(map[string]any{"session": "s1", "names": list})
		if w := visit(s, http.MethodPost, "/x/panel/context", string(body), bearer); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
	}
	names("callId", "skill-group", "a b", "", "13800138000", "x=1", strings.Repeat("n", 100), "id13800138000", "<b>")
	names("callId", "skill-group")
	if got := log.String(); strings.Count(got, "callId") != 1 || strings.Count(got, "\n") != 1 ||
		!strings.Contains(got, `"names":["callId","skill-group","`+strings.Repeat("n", 40)+`…","id***"]`) {
		t.Errorf("%s", got)
	}
	for i := range 200 {
		names(fmt.Sprint("n", i))
	}
	if lines := strings.Count(log.String(), "\n"); lines > 40 {
		t.Errorf("%d lines", lines)
	}
}

// An agent waits for this while the customer does: all that there may be of a conversation is read from a disk, in
// less than 20 ms.
func BenchmarkPanel_context(b *testing.B) {
	now := time.Now()
	kept := newHistory(b)
	service := newServiceWith(b, nil, kept)
	stamp := strconv.FormatInt(now.Unix(), 10)
	for i := range 200 {
		query := "SdkAppid=" + strconv.Itoa(benchApp) + "&CallbackCommand=" + desk.CommandSessionEvent + "&RequestTime=" + stamp + "&Sign=" + desk.Sign(benchToken, stamp) + "&RequestID=" + strconv.Itoa(i)
		body := strings.Replace(benchBody(7), `"152_1600012345_7"`, strconv.Quote("152_1600012345_"+strconv.Itoa(i)), 1)
		if w := visit(service, http.MethodPost, "/callback?"+query, body); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	n := &named{}
	s, _ := withPanel(n, func(o *handlers.Options) {
		o.Now = func() time.Time { now = now.Add(time.Second); return now }
		o.Panel.Customers = customersOf(b, kept)
	})
	session := gjson.Get(benchBody(7), "SessionId").String()
	for b.Loop() {
		w := visit(s, http.MethodPost, "/x/panel/context", `{"session":"`+session+`"}`, bearer)
		if w.Code != http.StatusOK || gjson.Get(w.Body.String(), "turns.#").Int() == 0 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// customersOf is another replica's bot, which has only the history.
func customersOf(tb testing.TB, kept *history.History) *bot.Bot {
	tb.Helper()
	policy, _ := rules.Load([]byte(benchRules), rules.LoadOptions{})
	log := logrus.New()
	log.SetOutput(io.Discard)
	outbox := memory.NewOutbox(nil)
	return bot.New(bot.Options{
		Policy: policy, Desk: noDesk{}, History: kept, Outbox: outbox, Horizon: time.Minute, LogText: mask.Masked, Log: log,
		Conversations: memory.NewConversations(memory.ConversationsOptions{Outbox: outbox, Max: 1, Expires: policy.Expiry}),
		Records:       memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(1000)}), Metrics: metrics.New(prometheus.NewRegistry()),
	})
}
