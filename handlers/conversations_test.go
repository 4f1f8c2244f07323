package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/handlers"
)

func (n *named) Conversation(_ context.Context, session string) (*history.Conversation, error) {
	n.ids = append(n.ids, session)
	return &history.Conversation{Session: session, Entries: []history.Entry{{Kind: history.Turn, Text: "hello"}}}, n.err
}

func (n *named) Forget(_ context.Context, user string) (bot.Forgotten, error) {
	n.ids = append(n.ids, user)
	return bot.Forgotten{User: user, Conversations: 2, Record: true}, n.err
}

func TestConversation_anIDMayHoldAnything_alsoAsItIsTyped(t *testing.T) {
	for _, id := range []string{"s1", "im:jared|@service", "group/a/b", "50%", "a+b", "a b", "..", "会话", "%2F", "a?b#c"} {
		n := &named{}
		w := operate(n, http.MethodGet, "/api/conversations/"+url.PathEscape(id), "")
		if w.Code != http.StatusOK || len(n.ids) != 1 || n.ids[0] != id || !strings.Contains(w.Body.String(), `"text":"hello"`) {
			t.Errorf("%q: %d %s, asked for %q", id, w.Code, w.Body, n.ids)
		}
	}
	for _, id := range []string{"im:jared|@service", "group/a/b", "a/", "retry/retry"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			n := &named{}
			if w := operate(n, method, "/api/conversations/"+id, ""); w.Code != http.StatusOK || len(n.ids) != 1 || n.ids[0] != id {
				t.Errorf("%s %s: %d %q", method, id, w.Code, n.ids)
			}
		}
	}
}

// An id that is longer than any real one is kept under its hash. Somebody who names it as
// Desk has it must find it, and not be told that nothing was there to forget.
func TestConversation_andForget_findAnIDThatIsKeptUnderItsHash(t *testing.T) {
	long := strings.Repeat("x", 2000)
	e, err := desk.Decode(desk.Query{}, []byte(`{"SessionId":"`+long+`"}`))
	if err != nil || len(e.SessionID) > 100 {
		t.Fatalf("%v %q", err, e.SessionID)
	}
	n := &named{}
	s, _ := operators(n, func(o *handlers.Options) { o.AdminToken = "secret" })
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/api/conversations/"+long, http.NoBody),
		httptest.NewRequest(http.MethodDelete, "/api/users/"+long, strings.NewReader(`{"by":"zhang"}`)),
	} {
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Content-Type", "application/json")
		s.Admin().ServeHTTP(httptest.NewRecorder(), r)
	}
	if len(n.ids) != 2 || n.ids[0] != e.SessionID || n.ids[1] != e.SessionID {
		t.Errorf("asked for %.100q, want %q twice", n.ids, e.SessionID)
	}
}

func TestConversation_thatCannotBeShown_saysWhy(t *testing.T) {
	for err, want := range map[error]int{
		fmt.Errorf("%w: conversation s1", history.ErrUnknown): http.StatusNotFound,
		bot.ErrNoHistory:   http.StatusNotFound,
		history.ErrLoading: http.StatusServiceUnavailable,
		history.ErrBusy:    http.StatusServiceUnavailable,
		errors.New("disk"): http.StatusServiceUnavailable,
	} {
		w := operate(&named{err: err}, http.MethodGet, "/api/conversations/s1", "")
		if w.Code != want || !strings.Contains(w.Body.String(), err.Error()) || (w.Header().Get("Retry-After") == "") == (want != http.StatusNotFound) {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
	if w := operate(&named{}, http.MethodGet, "/api/conversations/s1?n=1", ""); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown name in the query: %d", w.Code)
	}
}

func TestForget_needsTheToken_andLeavesALineWithItsAuthor(t *testing.T) {
	if w := operate(&named{}, http.MethodDelete, "/api/users/li", ""); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "set ESCALATOR_ADMIN_TOKEN") {
		t.Errorf("without a token: %d %s", w.Code, w.Body)
	}
	n := &named{}
	s, log := operators(n, func(o *handlers.Options) { o.AdminToken = "secret" })
	r := httptest.NewRequest(http.MethodDelete, "/api/users/li%2F1", strings.NewReader(`{"by":"zhang","why":"asked to"}`))
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, r)
	if w.Code != http.StatusOK || len(n.ids) != 1 || n.ids[0] != "li/1" || !strings.Contains(w.Body.String(), `"conversations":2`) {
		t.Errorf("%d %s %q", w.Code, w.Body, n.ids)
	}
	for _, want := range []string{`"by":"zhang"`, `"of":"li/1"`, `"action":"DELETE /api/users/:user"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in the log: %s", want, log)
		}
	}
}
