package handlers_test

import (
	"cmp"
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
	"escalator/rules"
)

// playedFile is a rule file that answers what a test wants.
type playedFile struct {
	err  error
	by   rulefile.Author
	from string
	to   string
	done rulefile.Draft
	sent rules.Files

	// A check says by working that it is under way, and waits for end; nil: it does not.
	working, end chan struct{}
}

func (f *playedFile) Show(context.Context) (*rulefile.Shown, error) {
	return &rulefile.Shown{Version: "bbbbbbbbbbbb", Writable: true}, f.err
}

func (f *playedFile) Save(_ context.Context, d rulefile.Draft) (*rulefile.Change, error) {
	f.done = d
	return &rulefile.Change{Before: "aaaaaaaaaaaa", Version: "bbbbbbbbbbbb"}, f.err
}

func (f *playedFile) Check(ctx context.Context, sent rules.Files) (*rulefile.Checked, error) {
	f.sent = sent
	if f.working != nil {
		f.working <- struct{}{}
		select {
		case <-f.end:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return &rulefile.Checked{OK: true, Version: "bbbbbbbbbbbb"}, f.err
}

func (f *playedFile) InForce(context.Context) (rules.Set, error) {
	return rules.Set{Main: "rules.yaml", Files: rules.Files{"rules.yaml": []byte(onlyAsk)}}, f.err
}

func (f *playedFile) Compile(_ context.Context, version string, sent rules.Files) (*rules.Policy, error) {
	f.to, f.sent = version, sent
	if f.err != nil {
		return nil, f.err
	}
	p, r := rules.Load([]byte(cmp.Or(string(sent["rules.yaml"]), onlyAsk)), rules.LoadOptions{})
	if p == nil {
		return nil, &rulefile.RefusedError{Why: "the rule file has mistakes", Report: r}
	}
	return p, nil
}

// onlyAsk are the rules of a played file.
const onlyAsk = "version: 1\ntargets: {default: {}}\nrules: [{id: ask, when: {says: [human]}, then: {transfer: default}}]\n" +
	"tests: [{name: asks, say: human, expect: ask}, {name: fails, say: hello, expect: ask}]\n"

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

// listener is the operators' listener of a service with that file.
func (f *playedFile) listener(token desk.Secret) http.Handler {
	log := logrus.New()
	log.SetOutput(&strings.Builder{})
	return handlers.New(handlers.Options{
		Bot: panicking{}, RuleFile: f, SDKAppID: 1, CallbackPath: "/callback", AdminToken: token,
		Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
	}).Admin()
}

// asked is a request to it, with its token if it has one.
func asked(token desk.Secret, method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "10.0.0.7:4711"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	r.Host = "127.0.0.1"
	return r
}

// command sends a request to the operators' listener. What is saved was edited from the version that is there.
func (f *playedFile) command(token desk.Secret, method, path, body string) *httptest.ResponseRecorder {
	r := asked(token, method, path, body)
	if method == http.MethodPut {
		r.Header.Set("If-Match", `"aaaaaaaaaaaa"`)
	}
	w := httptest.NewRecorder()
	f.listener(token).ServeHTTP(w, r)
	return w
}

func TestRuleFile_eachFaultHasItsStatus(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		says   string
	}{
		{nil, http.StatusOK, ""},
		{&rulefile.StaleError{Version: "cccccccccccc"}, http.StatusPreconditionFailed, `"version":"cccccccccccc"`},
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
			{http.MethodGet, "/api/rules/file", ""},
			{http.MethodPut, "/api/rules/file", goodSave},
			{http.MethodPost, "/api/check", "{}"},
			{http.MethodPost, "/api/test", "{}"},
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
	for _, bad := range []string{"", "{}", `{"version":"bbbb"}`, `{"by":"li"}`, `{"version":"bbbb","by":" "}`, `{"version":"bbbb","by":"li","force":true}`} {
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
