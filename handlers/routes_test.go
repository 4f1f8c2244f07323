package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"escalator/bot"
	"escalator/bot/decisions"
	"escalator/bot/delivery"
	"escalator/bot/mute"
	"escalator/bot/stats"
	"escalator/rules"
)

// Decisions are none.
func (n *named) Decisions() *decisions.List {
	if n.list == nil {
		n.list = decisions.New(decisions.Options{})
	}
	return n.list
}

// named remembers whom the operators' requests named.
type named struct {
	list *decisions.List
	panicking
	ids []string
	who delivery.Operator
	err error

	panel *bot.Panel // what agents are shown; nil: that it is known
	stats *stats.Stats
}

func (n *named) Stats() *stats.Stats { return n.stats }

func (n *named) Retry(_ context.Context, session string, who delivery.Operator) error {
	n.ids = append(n.ids, session)
	n.who = who
	return n.err
}

func (n *named) Dismiss(ctx context.Context, session string, who delivery.Operator) error {
	return n.Retry(ctx, "dismiss "+session, who)
}

func (n *named) RetryAll(ctx context.Context, code string, who delivery.Operator) (delivery.Retried, error) {
	return delivery.Retried{Retried: 3, TargetGone: 1}, n.Retry(ctx, "code "+code, who)
}

func (n *named) Mute(rule string, d time.Duration, by, _ string) (rules.Mute, error) {
	if rule == "unknown" {
		return rules.Mute{}, mute.ErrNoSuchRule
	}
	n.ids = append(n.ids, rule, d.String(), by)
	return rules.Mute{}, nil
}

// operate sends a request to the operators' listener of a service with that bot.
func operate(n *named, method, path, body string) *httptest.ResponseRecorder {
	s, _ := operators(n, nil)
	return ask(s, method, path, body)
}

func TestRoutes_anIDMayHoldAnything(t *testing.T) {
	for _, id := range []string{"im:jared|@service", "group/a/b", "50%", "a+b", "a b", "..", "会话", "%2F", "a?b#c"} {
		n := &named{}
		w := operate(n, http.MethodPost, "/api/outbox/"+url.PathEscape(id)+"/retry", "")
		if w.Code != http.StatusOK || len(n.ids) != 1 || n.ids[0] != id {
			t.Errorf("retry of %q: %d, asked for %q", id, w.Code, n.ids)
		}
		n = &named{}
		w = operate(n, http.MethodPost, "/api/rules/"+url.PathEscape(id)+"/mute", `{"for":"2h","by":"li","why":"w"}`)
		if w.Code != http.StatusOK || len(n.ids) != 3 || n.ids[0] != id {
			t.Errorf("mute of %q: %d, asked for %q", id, w.Code, n.ids)
		}
	}
	for _, id := range []string{"im:jared|@service", "group/a/b", "a//b", "retry/retry"} { // as it is typed, where that can be told from a path
		n := &named{}
		if w := operate(n, http.MethodPost, "/api/outbox/"+id+"/retry", ""); w.Code != http.StatusOK || len(n.ids) != 1 || n.ids[0] != id {
			t.Errorf("%s: %d %q", id, w.Code, n.ids)
		}
	}
}

func TestUnmute_endsAMute_andSaysWhoDidIt(t *testing.T) {
	for path, want := range map[string]string{
		"/api/rules/ask/mute":       "ask 0s 192.0.2.1", // httptest's
		"/api/rules/ask/mute?by=li": "ask 0s li",
	} {
		n := &named{}
		if w := operate(n, http.MethodDelete, path, ""); w.Code != http.StatusOK || strings.Join(n.ids, " ") != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, n.ids, want)
		}
	}
	if w := operate(&named{}, http.MethodDelete, "/api/rules/unknown/mute", ""); w.Code != http.StatusNotFound {
		t.Errorf("a rule that never was: %d", w.Code)
	}
}
