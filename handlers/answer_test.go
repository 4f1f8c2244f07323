package handlers_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/handlers"
)

// saying answers every callback with these bytes.
type saying struct {
	handlers.Operations
	json []byte
}

func (s *saying) Handle(context.Context, bot.Request) (bot.Answer, error) {
	return bot.Answer{JSON: s.json}, nil
}

// The own bot may say much: that comes whole as well, with its length, and not in chunks.
func TestCallback_anAnswerOfAnyLength_comesWithItsLength(t *testing.T) {
	log := logrus.New()
	log.SetOutput(io.Discard)
	own := new(saying)
	s := handlers.New(handlers.Options{
		Bot: own, SDKAppID: 1, CallbackPath: "/callback", Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
	})
	server := httptest.NewServer(s.Public())
	defer server.Close()
	for _, n := range []int{2, 100, 1 << 10, 1<<10 + 1, 2 << 10, 2<<10 + 1, 20_000, 1 << 20} {
		own.json = []byte(`{` + strings.Repeat(" ", n-2) + `}`)
		resp, err := http.Post(server.URL+"/callback?SdkAppid=1", "application/json", strings.NewReader(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !bytes.Equal(body, own.json) || resp.ContentLength != int64(n) || len(resp.TransferEncoding) != 0 || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("an answer of %d bytes: %d come, announced as %d, %q, %v, %v", n, len(body), resp.ContentLength, resp.TransferEncoding, resp.Header, err)
		}
	}
}
