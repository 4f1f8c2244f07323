package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"escalator/bot/messages"
	"escalator/handlers"
)

// keptMessages are words left in session im:a|@b.
type keptMessages struct {
	err     error
	deleted string
}

func (k *keptMessages) List(context.Context) ([]messages.Shown, error) {
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	return []messages.Shown{{Session: "im:a|@b", Rule: "ask", Target: "default", State: messages.Waiting, Since: at, Until: at, Changed: at, Tried: 2, Words: []string{"call ***"}}}, k.err
}

func (k *keptMessages) Delete(_ context.Context, session string) error {
	if session != "im:a|@b" {
		return messages.ErrNone
	}
	k.deleted = session
	return k.err
}

func TestMessages_whatOperatorsDo(t *testing.T) {
	full := errors.New("the disk is full")
	for _, c := range []struct {
		method, query string
		err           error
		status        int
		says          string
	}{
		{http.MethodGet, "", nil, 200, `{"messages":[{"session":"im:a|@b","rule":"ask","target":"default","state":"waiting","since":"2026-01-05T10:00:00Z","until":"2026-01-05T10:00:00Z","changed":"2026-01-05T10:00:00Z","tried":2,"words":["call ***"]}]}`},
		{http.MethodGet, "", full, 503, "disk is full"},
		{http.MethodGet, "?n=1", nil, 400, "query"},
		{http.MethodDelete, "?session=im:a%7C@b&by=li", nil, 200, `"state":"deleted"`},
		{http.MethodDelete, "?session=other", nil, 404, "no words"},
		{http.MethodDelete, "", nil, 400, "?session="},
		{http.MethodDelete, "?session=im:a%7C@b", full, 503, "disk is full"},
	} {
		kept := &keptMessages{err: c.err}
		s, log := operators(&named{}, func(o *handlers.Options) { o.Messages = kept })
		w := ask(s, c.method, "/api/messages"+c.query, "")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s", c.method, c.query, w.Code, w.Body)
		}
		deleted := c.method == http.MethodDelete && c.status == http.StatusOK
		if deleted && (kept.deleted == "" || !strings.Contains(log.String(), `"of":"im:a|@b"`) || !strings.Contains(log.String(), `"by":"li"`)) || !deleted && log.String() != "" {
			t.Errorf("%s %s: log %s", c.method, c.query, log)
		}
	}
}
