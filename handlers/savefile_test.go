package handlers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/rulefile"
	"escalator/rules"
)

const goodSave = `{"files":{"rules.yaml":"version: 1\n"},"by":" li ","why":"the queue is full","run_tests":true}`

func TestSaveFile_passesOnWhatIsWritten_andByWhom(t *testing.T) {
	f := &playedFile{}
	w := f.command("secret", http.MethodPut, "/api/rules/file", goodSave)
	want := rulefile.Draft{
		Files: rules.Files{"rules.yaml": []byte("version: 1\n")}, From: "aaaaaaaaaaaa", TestsMustPass: true,
		Author: rulefile.Author{How: "api", By: "li", Why: "the queue is full", Address: "10.0.0.7"},
	}
	if d := cmp.Diff(want, f.done); d != "" || w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"version":"bbbbbbbbbbbb"`) || w.Header().Get("ETag") != `"bbbbbbbbbbbb"` {
		t.Errorf("%d %s %v %s", w.Code, w.Body, w.Header(), d)
	}
	f = &playedFile{}
	listener := f.listener("secret")
	signIn := httptest.NewRecorder()
	listener.ServeHTTP(signIn, asked("", http.MethodPost, "/api/session", `{"token":"secret"}`))
	r := asked("", http.MethodPut, "/api/rules/file", goodSave)
	r.Header.Del("Authorization")
	r.Header.Set("If-Match", `"aaaaaaaaaaaa"`)
	r.AddCookie(signIn.Result().Cookies()[0])
	listener.ServeHTTP(httptest.NewRecorder(), r)
	if f.done.How != "console" {
		t.Errorf("who signed in: %+v", f.done.Author)
	}
}

func TestSaveFile_needsATokenAVersionAndAName(t *testing.T) {
	for _, c := range []struct {
		name, token, match, body string
		status                   int
		says                     string
	}{
		{"no token", "", `"a"`, goodSave, http.StatusForbidden, "set ESCALATOR_ADMIN_TOKEN"},
		{"no version", "secret", "", goodSave, http.StatusPreconditionRequired, "If-Match"},
		{"any version", "secret", "*", goodSave, http.StatusPreconditionRequired, "If-Match"},
		{"an empty one", "secret", `""`, goodSave, http.StatusPreconditionRequired, "If-Match"},
		{"nobody", "secret", `"a"`, `{"files":{"rules.yaml":""},"by":" ","why":"w"}`, http.StatusBadRequest, "who changes them"},
		{"no reason", "secret", `"a"`, `{"files":{"rules.yaml":""},"by":"li"}`, http.StatusBadRequest, "why"},
		{"no files", "secret", `"a"`, `{"files":{},"by":"li","why":"w"}`, http.StatusBadRequest, "files"},
		{"something more", "secret", `"a"`, `{"files":{"rules.yaml":""},"by":"li","why":"w","force":true}`, http.StatusBadRequest, "force"},
		{"no text", "secret", `"a"`, `{"files":{"rules.yaml":1},"by":"li","why":"w"}`, http.StatusBadRequest, "must be text"},
		{"too much", "secret", `"a"`, `{"files":{"rules.yaml":"` + strings.Repeat("x", 2<<20) + `"},"by":"li","why":"w"}`, http.StatusRequestEntityTooLarge, "over 2 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &playedFile{}
			r := asked("", http.MethodPut, "/api/rules/file", c.body)
			r.Header.Set("Authorization", "Bearer "+c.token)
			if c.match != "" {
				r.Header.Set("If-Match", c.match)
			}
			w := httptest.NewRecorder()
			f.listener(desk.Secret(c.token)).ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || f.done.Files != nil {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestShowFile_hasItsVersionAsETag_andSaysThatATokenIsMissing(t *testing.T) {
	w := (&playedFile{}).command("secret", http.MethodGet, "/api/rules/file", "")
	if w.Header().Get("ETag") != `"bbbbbbbbbbbb"` || !strings.Contains(w.Body.String(), `"writable":true`) {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	w = (&playedFile{}).command("", http.MethodGet, "/api/rules/file", "")
	if !strings.Contains(w.Body.String(), `"writable":false,"why_not":"set ESCALATOR_ADMIN_TOKEN`) {
		t.Errorf("without a token: %s", w.Body)
	}
}

func TestTest_runsThoseOfTheFilesThatWereSent(t *testing.T) {
	f := &playedFile{}
	w := f.command("", http.MethodPost, "/api/test", `{"files":{"rules.yaml":`+asJSON(strings.Replace(onlyAsk, "hello", "a human", 1))+`}}`)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"passed":2,"failed":0`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = f.command("", http.MethodPost, "/api/test", "{}")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"passed":1,"failed":1`) || f.sent == nil {
		t.Errorf("those on disk: %d %s, asked for %v", w.Code, w.Body, f.sent)
	}
	if w := f.command("", http.MethodPost, "/api/test", `{"files":{"rules.yaml":"nonsense: 1\n"}}`); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "nonsense") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// To compile a file takes a processor for a while, and the callbacks need it too.
func TestCheck_tooManyAtOnce_waitAndAreTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &playedFile{working: make(chan struct{}), end: make(chan struct{})}
		listener := f.listener("")
		answers := make(chan int)
		check := func(ctx context.Context) {
			w := httptest.NewRecorder()
			listener.ServeHTTP(w, asked("", http.MethodPost, "/api/check", "{}").WithContext(ctx))
			answers <- w.Code
		}
		for range 2 {
			go check(t.Context())
			<-f.working
		}
		began := time.Now()
		go check(t.Context())
		if status := <-answers; status != http.StatusServiceUnavailable || time.Since(began) != 3*time.Second {
			t.Errorf("the third: %d after %s", status, time.Since(began))
		}
		given, giveUp := context.WithCancel(t.Context())
		go check(given)
		synctest.Wait()
		giveUp()
		<-answers
		f.end <- struct{}{}
		if status := <-answers; status != http.StatusOK {
			t.Errorf("the first: %d", status)
		}
		go check(t.Context())
		<-f.working
		began = time.Now()
		for range 2 { // what is not told to end takes too long
			if status := <-answers; status != http.StatusUnprocessableEntity {
				t.Errorf("%d after %s", status, time.Since(began))
			}
		}
	})
}

func asJSON(text string) string {
	out, _ := json.Marshal(text) // a string always can be
	return string(out)
}
