package backend

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// maxIdle is how many connections to the bot are kept, and idleFor for how long.
	maxIdle = 256
	idleFor = 90 * time.Second
	// maxWire bounds what is read of one answer, its head included.
	maxWire = 1 << 20
	// maxKept is how much of a buffer stays with an idle connection.
	maxKept = 32 << 10
)

// lines is a http.RoundTripper for HTTP/1.1 to one address. Unlike http.Transport it has
// no goroutines: a request goes out, and its answer is read, where it is asked for. That
// saves four switches of goroutines a callback. It leaves out what a callback does not
// need: proxies, answers that come before all of the request is sent, and the end of a
// context before its deadline.
type lines struct {
	address string
	tls     *tls.Config // nil: plain

	mu    sync.Mutex
	idle  []*line // the one that was used last at the end: the others can be closed
	sweep *time.Timer
}

// line is one connection.
type line struct {
	net.Conn
	left io.LimitedReader // of this answer
	in   *bufio.Reader
	out  bytes.Buffer
	used time.Time
}

func newLines(base *url.URL) *lines {
	l := &lines{address: base.Host}
	port := "80"
	if base.Scheme == "https" {
		port, l.tls = "443", &tls.Config{ServerName: base.Hostname(), MinVersion: tls.VersionTLS12}
	}
	if base.Port() == "" {
		l.address = net.JoinHostPort(base.Hostname(), port)
	}
	l.sweep = time.AfterFunc(idleFor, l.closeOld)
	l.sweep.Stop()
	return l
}

// RoundTrip asks. The context's deadline counts, reading the answer included.
func (l *lines) RoundTrip(r *http.Request) (*http.Response, error) {
	defer func() { _ = r.Body.Close() }()
	c := l.take()
	if c == nil {
		var err error
		if c, err = l.dial(r.Context()); err != nil {
			return nil, err
		}
	}
	c.out.Reset()
	if err := r.Write(&c.out); err != nil {
		_ = c.Close()
		return nil, err
	}
	deadline, _ := r.Context().Deadline()
	_ = c.SetDeadline(deadline)
	if _, err := c.Write(c.out.Bytes()); err != nil {
		_ = c.Close()
		return nil, err
	}
	resp, err := c.answer(r)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	resp.Body = &answerBody{ReadCloser: resp.Body, line: c, lines: l, last: resp.Close || resp.StatusCode == http.StatusSwitchingProtocols}
	return resp, nil
}

// answer reads the head of the answer.
func (c *line) answer(r *http.Request) (*http.Response, error) {
	c.left.N = maxWire
	for {
		resp, err := http.ReadResponse(c.in, r)
		if err != nil || resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		} // else another one follows, such as to Expect: 100-continue
	}
}

// answerBody gives its connection back when all of it is read.
type answerBody struct {
	io.ReadCloser
	line  *line
	lines *lines
	whole bool
	last  bool // the bot ends the connection
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.whole = b.whole || errors.Is(err, io.EOF)
	return n, err
}

func (b *answerBody) Close() error {
	if b.whole && !b.last && b.line.in.Buffered() == 0 {
		b.lines.put(b.line)
		return nil
	}
	return b.line.Close()
}

func (l *lines) dial(ctx context.Context) (*line, error) {
	dialer := &net.Dialer{KeepAlive: 30 * time.Second}
	dial := dialer.DialContext
	if l.tls != nil {
		dial = (&tls.Dialer{NetDialer: dialer, Config: l.tls}).DialContext
	}
	conn, err := dial(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	return newLine(conn), nil
}

func newLine(conn net.Conn) *line {
	c := &line{Conn: conn, left: io.LimitedReader{R: conn}}
	c.in = bufio.NewReader(&c.left)
	return c
}

// take returns the connection that was used last, nil if none is kept. What the bot has closed meanwhile is none.
func (l *lines) take() *line {
	for {
		l.mu.Lock()
		n := len(l.idle) - 1
		if n < 0 {
			l.mu.Unlock()
			return nil
		}
		c := l.idle[n]
		l.idle[n], l.idle = nil, l.idle[:n]
		l.mu.Unlock()
		if quiet(c.Conn) {
			return c
		}
		_ = c.Close()
	}
}

func (l *lines) put(c *line) {
	c.used = time.Now()
	if c.out.Cap() > maxKept {
		c.out = bytes.Buffer{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.idle) >= maxIdle {
		_ = c.Close()
		return
	}
	if l.idle = append(l.idle, c); len(l.idle) == 1 {
		l.sweep.Reset(idleFor)
	}
}

// closeOld closes what was not used for long.
func (l *lines) closeOld() { l.closeUnused(time.Now().Add(-idleFor)) }

// CloseIdleConnections closes what waits for a callback.
func (l *lines) CloseIdleConnections() { l.closeUnused(time.Now()) }

func (l *lines) closeUnused(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := 0
	for old < len(l.idle) && !l.idle[old].used.After(since) {
		_ = l.idle[old].Close()
		old++
	}
	l.idle = append(l.idle[:0], l.idle[old:]...)
	if len(l.idle) > 0 {
		l.sweep.Reset(idleFor)
	} else {
		l.sweep.Stop()
	}
}
