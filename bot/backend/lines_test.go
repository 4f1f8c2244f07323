package backend

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bot counts the connections that it is asked over.
type bot struct {
	*httptest.Server
	connections atomic.Int32
}

func newBot(t *testing.T, start func(*httptest.Server), answer http.HandlerFunc) *bot {
	t.Helper()
	b := &bot{Server: httptest.NewUnstartedServer(answer)}
	b.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			b.connections.Add(1)
		}
	}
	start(b.Server)
	t.Cleanup(b.Close)
	return b
}

func clientOf(t *testing.T, address string) (*Client, *lines) {
	t.Helper()
	c, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	l, ok := c.http.(*lines)
	if !ok {
		t.Fatalf("the bot at %s is asked by %T", address, c.http)
	}
	return c, l
}

func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }

func ask(t *testing.T, c *Client, body string) {
	t.Helper()
	if answer, err := c.Forward(t.Context(), "a=1", nil, []byte(body)); err != nil || string(answer) != body {
		t.Errorf("%s, %v; want %s", answer, err, body)
	}
}

// A connection goes on to the next request when it can, and no answer to another one.
func TestLines_connections_areKeptOrNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		idle   func(*bot, *lines) // between two requests; nil: nothing
		want   int32              // connections for three requests
	}{
		{"of known length", echo, nil, 1},
		{"in chunks", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			for _, part := range body {
				_, _ = w.Write([]byte{part})
				_ = http.NewResponseController(w).Flush()
			}
		}, nil, 1},
		{"the bot ends each", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			echo(w, r)
		}, nil, 3},
		{"another answer comes first", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			echo(w, r)
		}, nil, 1},
		{"the bot has closed what was idle", echo, func(b *bot, l *lines) {
			b.CloseClientConnections()
			for quiet(l.idle[0].Conn) {
				runtime.Gosched() // the news is on its way
			}
		}, 3},
		{"the last deadline is over", echo, func(_ *bot, l *lines) { _ = l.idle[0].SetDeadline(time.Unix(1, 0)) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBot(t, (*httptest.Server).Start, c.answer)
			client, l := clientOf(t, b.URL)
			for i := range 3 {
				if i > 0 && c.idle != nil {
					c.idle(b, l)
				}
				ask(t, client, fmt.Sprintf(`{"n":%d}`, i))
			}
			if n := b.connections.Load(); n != c.want {
				t.Errorf("%d connections, want %d", n, c.want)
			}
		})
	}
}

func TestLines_manyAtOnce_eachGetsItsOwnAnswer(t *testing.T) {
	b := newBot(t, (*httptest.Server).Start, echo)
	c, l := clientOf(t, b.URL)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			for n := range 20 {
				ask(t, c, fmt.Sprintf(`{"who":%d,"n":%d}`, i, n))
			}
		})
	}
	all.Wait()
	if n := int(b.connections.Load()); n > 32 || len(l.idle) > n {
		t.Errorf("%d connections, %d kept", n, len(l.idle))
	}
}

func TestLines_overTLS(t *testing.T) {
	b := newBot(t, (*httptest.Server).StartTLS, echo)
	c, l := clientOf(t, b.URL)
	if _, err := c.Forward(t.Context(), "a=1", nil, []byte(`{}`)); err == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
	l.tls.RootCAs = x509.NewCertPool()
	l.tls.RootCAs.AddCert(b.Certificate())
	before := b.connections.Load()
	for range 3 {
		ask(t, c, `{"a":1}`)
	}
	if n := b.connections.Load() - before; n != 1 {
		t.Errorf("%d connections", n)
	}
}

// What is left of an answer that was too long must not become the next one.
func TestLines_answerThatIsNotReadToItsEnd_endsTheConnection(t *testing.T) {
	long := true
	b := newBot(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		if long {
			_, _ = io.WriteString(w, `{"a":"`+strings.Repeat("x", maxAnswer)+`"}`)
			return
		}
		echo(w, r)
	})
	c, l := clientOf(t, b.URL)
	if _, err := c.Forward(t.Context(), "", nil, []byte(`{}`)); err == nil {
		t.Error("no error")
	}
	if long = false; len(l.idle) != 0 {
		t.Error("the connection is kept")
	}
	ask(t, c, `{"a":1}`)
}

// An answer without end is cut, its head included.
func TestLines_headWithoutEnd_isCut(t *testing.T) {
	mine, theirs := net.Pipe()
	defer func() { _ = mine.Close() }()
	go func() {
		defer func() { _ = theirs.Close() }()
		_, err := io.WriteString(theirs, "HTTP/1.1 200 OK\r\n")
		for err == nil {
			_, err = io.WriteString(theirs, "A: "+strings.Repeat("x", 1000)+"\r\n")
		}
	}()
	c := newLine(mine)
	if _, err := c.answer(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// Idle connections are closed after a while, so that none is held for a bot that nobody asks.
func TestLines_idle_areClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLines(&url.URL{Scheme: "http", Host: "bot"})
		for range 2 { // half of the time between them
			mine, theirs := net.Pipe()
			defer func() { _ = theirs.Close() }()
			l.put(newLine(mine))
			<-time.After(idleFor / 2)
		}
		for _, left := range []int{1, 0} {
			synctest.Wait()
			l.mu.Lock()
			kept := len(l.idle)
			l.mu.Unlock()
			if kept != left {
				t.Errorf("%d are kept, want %d", kept, left)
			}
			<-time.After(idleFor)
		}
	})
}

func TestNewLines_address(t *testing.T) {
	for address, want := range map[string]string{
		"http://bot/a": "bot:80", "https://bot": "bot:443", "http://bot:9": "bot:9", "http://[::1]/": "[::1]:80", "https://[::1]:8/": "[::1]:8",
	} {
		base, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if l := newLines(base); l.address != want || (l.tls != nil) != (base.Scheme == "https") {
			t.Errorf("%s: %s, TLS %v", address, l.address, l.tls)
		}
	}
}

func TestForward_userInTheAddress_signsIn(t *testing.T) {
	var user, password string
	b := newBot(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		echo(w, r)
	})
	c, _ := clientOf(t, strings.Replace(b.URL, "http://", "http://me:secret@", 1))
	if ask(t, c, "{}"); user != "me" || password != "secret" {
		t.Errorf("user %q, password %q", user, password)
	}
}
