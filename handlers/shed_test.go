package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/handlers"
)

// blocking keeps every callback until it is let go.
type blocking struct {
	handlers.Operations
	entered chan struct{}
	let     chan struct{}
}

func (b blocking) Handle(context.Context, bot.Request) (bot.Answer, error) {
	b.entered <- struct{}{}
	<-b.let
	return bot.AnswerOK(), nil
}

func TestServer_tooManyCallbacksAtOnce_are503AfterAPause_andRoomIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 2048
		b := blocking{entered: make(chan struct{}), let: make(chan struct{})}
		log := logrus.New()
		log.SetOutput(&strings.Builder{})
		s := handlers.New(handlers.Options{
			Bot: b, SDKAppID: 1, CallbackPath: "/callback", Verifier: desk.NewVerifier(nil, 0),
			Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
		})
		post := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			s.Public().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/callback?SdkAppid=1", strings.NewReader(`{"a":1}`)))
			return w
		}
		var all sync.WaitGroup
		for range limit {
			all.Go(func() {
				if w := post(); w.Code != http.StatusOK {
					t.Errorf("one of the first: %d", w.Code)
				}
			})
		}
		for range limit {
			<-b.entered
		}
		began := time.Now()
		w := post()
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"ActionStatus":"FAIL"`) {
			t.Errorf("one too many: %d %v %s", w.Code, w.Header(), w.Body)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("one too many is turned away after %s: at once it would be back at once", took)
		}
		close(b.let)
		all.Wait()
		go func() { <-b.entered }()
		if w := post(); w.Code != http.StatusOK {
			t.Errorf("after the flood: %d", w.Code)
		}
	})
}
