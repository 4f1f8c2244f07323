package backend

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
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

func clientOf(t *testing.T, address string) (*Client, *pool) {
	t.Helper()
	c, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	l, ok := c.http.(*pool)
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
func TestPool_connections_areKeptOrNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		idle   func(*bot, *pool) // between two requests; nil: nothing
		want   int32             // connections for three requests
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
		{"the bot has closed what was idle", echo, func(b *bot, l *pool) {
			b.CloseClientConnections()
			for l.idle[0].reusable() {
				runtime.Gosched() // the news is on its way
			}
		}, 3},
		{"the last deadline is over", echo, func(_ *bot, l *pool) { _ = l.idle[0].SetDeadline(time.Unix(1, 0)) }, 1},
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

func TestPool_manyAtOnce_eachGetsItsOwnAnswer(t *testing.T) {
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

func TestPool_overTLS(t *testing.T) {
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

// What a bot sends behind an answer must never become the answer to the next customer, also where TLS
// has read it already.
func TestForward_overTLS_whatComesBehindAnAnswer_answersNobody(t *testing.T) {
	certificate := newBot(t, (*httptest.Server).StartTLS, echo)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			go answerTwice(&corked{Conn: raw}, certificate.TLS)
		}
	}()
	c, pool := clientOf(t, "https://"+l.Addr().String())
	pool.tls.RootCAs = x509.NewCertPool()
	pool.tls.RootCAs.AddCert(certificate.Certificate())
	for range 20 {
		if answer, err := c.Forward(t.Context(), "a=1", nil, []byte(`{}`)); err != nil || string(answer) != `{"a":1}` {
			t.Fatalf("answer %s, %v", answer, err)
		}
	}
}

// corked sends what is written while it is shut in one piece.
type corked struct {
	net.Conn
	shut bool
	held bytes.Buffer
}

func (c *corked) Write(p []byte) (int, error) {
	if c.shut {
		return c.held.Write(p)
	}
	return c.Conn.Write(p)
}

func answerTwice(raw *corked, config *tls.Config) {
	c := tls.Server(raw, config)
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		raw.shut = true
		for _, answer := range []string{`{"a":1}`, `{"other":1}`} { // a record each
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		}
		raw.shut = false
		_, _ = raw.held.WriteTo(raw)
	}
}

// A kept connection that fails before anything is sent loses no callback, and no other failure sends one twice.
func TestPool_nothingSent_goesOutOnAnotherConnection(t *testing.T) {
	b := newBot(t, (*httptest.Server).Start, echo)
	c, l := clientOf(t, b.URL)
	for range 3 {
		mine, theirs := net.Pipe()
		_ = theirs.Close()
		l.put(newConnection(mine))
	}
	if ask(t, c, `{"a":1}`); len(l.idle) != 1 || b.connections.Load() != 1 {
		t.Errorf("%d kept, %d connections", len(l.idle), b.connections.Load())
	}
	mine, theirs := net.Pipe()
	go func() {
		_, _ = io.ReadFull(theirs, make([]byte, 10))
		_ = theirs.Close()
	}()
	l.put(newConnection(mine))
	if answer, err := c.Forward(t.Context(), "", nil, []byte(`{}`)); err == nil {
		t.Errorf("sent twice: %s", answer)
	}
}

// A bot that answers before it has read a large body is heard.
func TestForward_answerBeforeALargeBodyIsRead_isTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
		_, _ = c.Read(make([]byte, 100))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
		<-t.Context().Done()
		_ = c.Close()
	}()
	c, _ := clientOf(t, "http://"+l.Addr().String())
	if answer, err := c.Forward(t.Context(), "", nil, make([]byte, 32<<20)); err != nil || string(answer) != `{"a":1}` {
		t.Errorf("%s, %v", answer, err)
	}
}

// A sender that leaves is no failure of the bot's.
func TestForward_senderThatLeaves_getsTheBotsAnswerKept(t *testing.T) {
	b := newBot(t, (*httptest.Server).Start, echo)
	c, _ := clientOf(t, b.URL)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if answer, err := c.Forward(gone, "", nil, []byte(`{"a":1}`)); err != nil || string(answer) != `{"a":1}` {
		t.Errorf("%s, %v", answer, err)
	}
}

// What is left of an answer that was too long must not become the next one.
func TestPool_answerThatIsNotReadToItsEnd_endsTheConnection(t *testing.T) {
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
func TestPool_headWithoutEnd_isCut(t *testing.T) {
	mine, theirs := net.Pipe()
	defer func() { _ = mine.Close() }()
	go func() {
		defer func() { _ = theirs.Close() }()
		_, err := io.WriteString(theirs, "HTTP/1.1 200 OK\r\n")
		for err == nil {
			_, err = io.WriteString(theirs, "A: "+strings.Repeat("x", 1000)+"\r\n")
		}
	}()
	c := newConnection(mine)
	if _, err := c.answer(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// Idle connections are closed after a while, so that none is held for a bot that nobody asks.
func TestPool_idle_areClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPool(&url.URL{Scheme: "http", Host: "bot"}, &http.Transport{})
		for range 2 { // half of the time between them
			mine, theirs := net.Pipe()
			defer func() { _ = theirs.Close() }()
			l.put(newConnection(mine))
			<-time.After(idleFor / 2)
		}
		for _, left := range []int{1, 0} { // each when its own time is over
			synctest.Wait()
			l.mu.Lock()
			kept := len(l.idle)
			l.mu.Unlock()
			if kept != left {
				t.Errorf("%d are kept, want %d", kept, left)
			}
			<-time.After(idleFor / 2)
		}
	})
}

func TestNew_address(t *testing.T) {
	for address, want := range map[string]string{
		"http://bot/a": "bot:80", "http://bot:9": "bot:9", "http://bot:/": "bot:80", "http://[::1]/": "[::1]:80", "http://[::1]:8/": "[::1]:8",
		"https://bot": "bot:443", "https://[::1]:8/": "[::1]:8", "http://机器人.example:9/": "",
	} {
		c, err := New(address)
		if err != nil {
			t.Fatal(err)
		}
		got := "" // as the transport does it
		if l, ok := c.http.(*pool); ok {
			got = l.address
		}
		if got != want || strings.HasSuffix(c.base.Host, ":") {
			t.Errorf("%s: %q, want %q; host %s", address, got, want, c.base.Host)
		}
	}
}

func TestForward_userInTheAddress_signsIn(t *testing.T) {
	var got string
	b := newBot(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		echo(w, r)
	})
	c, _ := clientOf(t, strings.Replace(b.URL, "http://", "http://me:secret@", 1))
	for sent, want := range map[string]string{"": "Basic bWU6c2VjcmV0", "Bearer x": "Bearer x"} {
		if _, err := c.Forward(t.Context(), "", http.Header{"Authorization": {sent}}, []byte(`{}`)); err != nil || got != want {
			t.Errorf("%q comes as %q, want %q; %v", sent, got, want, err)
		}
	}
	if ask(t, c, "{}"); got != "Basic bWU6c2VjcmV0" {
		t.Errorf("got %q", got)
	}
}
