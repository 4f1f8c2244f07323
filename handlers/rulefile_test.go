package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/rulefile"
	"escalator/handlers"
)

// playedFile is a rule file that answers what a test wants.
type playedFile struct {
	err  error
	by   rulefile.Author
	from string
	to   string
}

func (f *playedFile) Status() rulefile.Status { return rulefile.Status{Version: "bbbbbbbbbbbb"} }

func (f *playedFile) Reload(context.Context) (*rulefile.Change, error) {
	return &rulefile.Change{Before: "aaaaaaaaaaaa", Version: "bbbbbbbbbbbb"}, f.err
}

func (f *playedFile) History() []rulefile.Accepted {
	return []rulefile.Accepted{{Version: "bbbbbbbbbbbb", At: time.Unix(1, 0).UTC(), Author: rulefile.Author{How: "rollback", By: "li", Why: "w"}}}
}

func (f *playedFile) Diff(_ context.Context, from, to string) (*rulefile.Diff, error) {
	f.from, f.to = from, to
	return &rulefile.Diff{From: from, To: to, Text: "-a\n+b\n"}, f.err
}

func (f *playedFile) Rollback(_ context.Context, version string, by rulefile.Author) (*rulefile.Change, error) {
	f.to, f.by = version, by
	return &rulefile.Change{Before: "aaaaaaaaaaaa", Version: version}, f.err
}

// command sends a request to the operators' listener, with its token if it has one.
func (f *playedFile) command(token desk.Secret, method, path, body string) *httptest.ResponseRecorder {
	log := logrus.New()
	log.SetOutput(&strings.Builder{})
	s := handlers.New(handlers.Options{
		Bot: panicking{}, RuleFile: f, SDKAppID: 1, CallbackPath: "/callback", AdminToken: token,
		Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
	})
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "10.0.0.7:4711"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	r.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, r)
	return w
}

func TestRuleFile_eachFaultHasItsStatus(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{nil, http.StatusOK, "bbbbbbbbbbbb"},
		{&rulefile.RefusedError{Why: "the rule file has mistakes"}, http.StatusUnprocessableEntity, `"error":"the rule file has mistakes","problems":[]`},
		{fmt.Errorf("x: %w", rulefile.ErrStorage), http.StatusGatewayTimeout, "the storage has not answered within 2s"},
		{fmt.Errorf("%w: x", rulefile.ErrUnknownVersion), http.StatusNotFound, "no such version is kept"},
		{&rulefile.NotWritableError{File: "rules.yaml", Err: errors.New("planted")}, http.StatusConflict, "nothing was changed: planted"},
		{errors.New("planted"), http.StatusInternalServerError, "planted"},
	} {
		for _, request := range [][3]string{
			{http.MethodPost, "/api/reload", ""},
			{http.MethodGet, "/api/rules/diff?from=aaaaaaaaaaaa&to=bbbbbbbbbbbb", ""},
			{http.MethodPost, "/api/rules/rollback", `{"version":"bbbbbbbbbbbb","by":"li"}`},
		} {
			w := (&playedFile{err: c.err}).command("secret", request[0], request[1], request[2])
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%s, %v: %d %s", request[1], c.err, w.Code, w.Body)
			}
		}
	}
}

func TestRollback_passesOnWhoDoesIt_andWants_aTokenAndAName(t *testing.T) {
	const good = `{"version":"bbbb","by":"li","why":"the queue is full"}`
	f := &playedFile{}
	if w := f.command("secret", http.MethodPost, "/api/rules/rollback", good); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if want := (rulefile.Author{By: "li", Why: "the queue is full", Address: "10.0.0.7"}); f.by != want || f.to != "bbbb" {
		t.Errorf("to %s by %+v, want %+v", f.to, f.by, want)
	}
	f = &playedFile{}
	if w := f.command("", http.MethodPost, "/api/rules/rollback", good); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "set ESCALATOR_ADMIN_TOKEN") || f.to != "" {
		t.Errorf("without an admin token: %d %s", w.Code, w.Body)
	}
	for _, bad := range []string{"", "{}", `{"version":"bbbb"}`, `{"by":"li"}`, `{"version":"bbbb","by":"li","force":true}`} {
		f := &playedFile{}
		if w := f.command("secret", http.MethodPost, "/api/rules/rollback", bad); w.Code != http.StatusBadRequest || f.to != "" {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

func TestRuleHistory_andDiff_areReadWithoutAToken(t *testing.T) {
	f := &playedFile{}
	w := f.command("", http.MethodGet, "/api/rules/history", "")
	for _, want := range []string{`"in_force":"bbbbbbbbbbbb"`, `"author":"rollback"`, `"by":"li"`, `"at":"1970-01-01T00:00:01Z"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d %s lacks %s", w.Code, w.Body, want)
		}
	}
	if w := f.command("", http.MethodGet, "/api/rules/diff", ""); w.Code != http.StatusOK || f.from != "" || f.to != "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := f.command("", http.MethodGet, "/api/rules/diff?form=x", ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "form") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
