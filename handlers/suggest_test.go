package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"escalator/bot"
	"escalator/handlers"
	"escalator/rules"
	"escalator/rules/suggest"
)

// suggesting is a bot that proposes a phrase once it may go on.
type suggesting struct {
	named
	began chan struct{}
	goOn  chan struct{}
	err   error
	most  int
	since time.Time
}

func (s *suggesting) Suggest(_ context.Context, set rules.Set, since time.Time, n int) (*suggest.Result, error) {
	if s.began != nil {
		s.began <- struct{}{}
		<-s.goOn
	}
	s.most, s.since = n, since
	if s.err != nil || len(set.Files) == 0 {
		return nil, errors.Join(s.err)
	}
	return &suggest.Result{Suggestions: []suggest.Suggestion{{Phrase: "hand me over", Kind: "phrase"}}, Whole: true}, nil
}

func TestSuggest_answers(t *testing.T) {
	b := &suggesting{}
	s, _ := operators(&b.named, func(o *handlers.Options) { o.Bot, o.RuleFile = b, &playedFile{} })
	for path, want := range map[string]string{
		"/api/suggest":                `200 {"from":{"conversations":0,"calls":0,"missed":0},"suggestions":[{"phrase":"hand me over","kind":"phrase"`,
		"/api/suggest?since=72h&n=50": "200 ",
		"/api/suggest?n=0":            "400 ", "/api/suggest?n=51": "400 ", "/api/suggest?n=x": "400 ", "/api/suggest?since=x": "400 ",
		"/api/suggest?since=721h": "400 ", "/api/suggest?for=1h": "400 ",
	} {
		w := ask(s, http.MethodGet, path, "")
		if got := fmt.Sprint(w.Code, " ", w.Body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	for err, want := range map[error]int{bot.ErrNoHistory: http.StatusNotFound, suggest.ErrNoList: http.StatusConflict} {
		b.err = err
		if w := ask(s, http.MethodGet, "/api/suggest", ""); w.Code != want || !strings.Contains(w.Body.String(), strings.Split(err.Error(), ":")[0]) {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}

func TestSuggest_oneSearchAtATime(t *testing.T) {
	b := &suggesting{began: make(chan struct{}), goOn: make(chan struct{})}
	s, _ := operators(&b.named, func(o *handlers.Options) { o.Bot, o.RuleFile = b, &playedFile{} })
	first := make(chan int)
	go func() { first <- ask(s, http.MethodGet, "/api/suggest", "").Code }()
	<-b.began
	if w := ask(s, http.MethodGet, "/api/suggest", ""); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(b.goOn)
	if code := <-first; code != http.StatusOK {
		t.Errorf("the first got %d", code)
	}
}
