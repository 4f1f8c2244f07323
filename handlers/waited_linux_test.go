package handlers

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/bot/desk"
)

// counting counts what is handled.
type counting struct {
	Operations
	handled chan struct{}
}

func (b counting) Handle(context.Context, bot.Request) (bot.Answer, error) {
	b.handled <- struct{}{}
	return bot.AnswerOK(), nil
}

// A request that lies in the kernel for longer than tooLong is turned away where others
// wait as long, and handled where they do not.
func TestServer_requestThatWaitedTooLong_isTurnedAwayUnderLoadOnly(t *testing.T) {
	for _, c := range []struct {
		average time.Duration
		status  int
	}{{0, http.StatusOK}, {2 * tooLong, http.StatusServiceUnavailable}} {
		log := logrus.New()
		log.SetOutput(&strings.Builder{})
		b := counting{handled: make(chan struct{}, 1)}
		s := New(Options{
			Bot: b, SDKAppID: 1, CallbackPath: "/callback", Verifier: desk.NewVerifier(nil, 0),
			Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
		})
		shed := s.callbacks.shed
		shed.wait.Store(int64(c.average))
		shed.epoch = shed.epoch.Add(-time.Minute) // it has been there for longer than the request
		var listeners [2]net.Listener
		for i := range listeners {
			var err error
			if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
		}
		conn, err := net.Dial("tcp", listeners[0].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /callback?SdkAppid=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
		<-time.After(tooLong + 100*time.Millisecond)    // nobody takes it
		shed.asked.Store(int64(time.Since(shed.epoch))) // another one has just been begun
		served := make(chan error, 1)
		go func() { served <- s.Serve(listeners[0], listeners[1]) }()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		turned := testutil.ToFloat64(s.reached.count.WithLabelValues(limitWait))
		if away := c.status != http.StatusOK; resp.StatusCode != c.status || (len(b.handled) == 0) != away || (turned == 1) != away || resp.Close {
			t.Errorf("others waited for %s: status %d, %d handled, %v turned away, the connection ends: %v", c.average, resp.StatusCode, len(b.handled), turned, resp.Close)
		}
		_ = conn.Close()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}
