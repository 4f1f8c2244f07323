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
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// maxIdle is how many connections to the bot are kept, and idleFor for how long.
	maxIdle = 256
	idleFor = 90 * time.Second
	// maxWire bounds what is read of one answer, its head included.
	maxWire = 1 << 20
	// maxOut bounds the bodies that are sent in one piece: a socket takes it, whether the bot reads or not.
	maxOut = 32 << 10
)

// lines is a http.RoundTripper for HTTP/1.1 to one address. Unlike http.Transport it has
// no goroutines: a request goes out, and its answer is read, where it is asked for. That
// saves four switches of goroutines a callback. It leaves out what a callback does not
// need: proxies, and the end of a context before its deadline. A body that a bot may answer
// before all of it is sent goes the usual way.
type lines struct {
	address string
	tls     *tls.Config // nil: plain
	large   *http.Transport

	mu    sync.Mutex
	idle  []*line // the one that was used last at the end: the others can be closed
	sweep *time.Timer
}

// line is one connection.
type line struct {
	net.Conn
	left io.LimitedReader // of this answer
	in   *bufio.Reader
	used time.Time
}

func newLines(base *url.URL, large *http.Transport) *lines {
	l := &lines{address: base.Host, large: large}
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

// requests are buffers for what is sent.
var requests = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// RoundTrip asks. The context's deadline counts, reading the answer included.
func (l *lines) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength > maxOut {
		return l.large.RoundTrip(r)
	}
	request, _ := requests.Get().(*bytes.Buffer)
	defer requests.Put(request)
	request.Reset()
	if err := r.Write(request); err != nil {
		return nil, err
	}
	c, err := l.send(r.Context(), request.Bytes())
	if err != nil {
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

// send sends a request. One of which nothing could be sent on a kept connection goes out
// on another: the bot has not seen it.
func (l *lines) send(ctx context.Context, request []byte) (*line, error) {
	deadline, _ := ctx.Deadline()
	for {
		c, kept := l.take()
		if !kept {
			var err error
			if c, err = l.dial(ctx); err != nil {
				return nil, err
			}
		}
		_ = c.SetDeadline(deadline)
		n, err := c.Write(request)
		if err == nil {
			return c, nil
		}
		_ = c.Close()
		if !kept || n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
	}
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

// take returns the connection that was used last, if any is kept. What the bot has closed meanwhile is none.
func (l *lines) take() (c *line, kept bool) {
	for {
		l.mu.Lock()
		n := len(l.idle) - 1
		if n < 0 {
			l.mu.Unlock()
			return nil, false
		}
		c := l.idle[n]
		l.idle[n], l.idle = nil, l.idle[:n]
		l.mu.Unlock()
		if c.quiet() {
			return c, true
		}
		_ = c.Close()
	}
}

// quiet reports whether another request can go out: the bot has neither closed the
// connection nor sent anything that nobody asked for, which would become an answer.
func (c *line) quiet() bool {
	t, ok := c.Conn.(*tls.Conn)
	if !ok {
		return quiet(c.Conn)
	}
	_ = t.SetReadDeadline(time.Unix(1, 0)) // TLS may hold what came behind the answer; do not wait for more
	_, err := c.in.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded) && quiet(t.NetConn())
}

func (l *lines) put(c *line) {
	c.used = time.Now()
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
func (l *lines) CloseIdleConnections() {
	l.closeUnused(time.Now())
	l.large.CloseIdleConnections()
}

func (l *lines) closeUnused(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := 0
	for old < len(l.idle) && !l.idle[old].used.After(since) {
		_ = l.idle[old].Close()
		old++
	}
	l.idle = slices.Delete(l.idle, 0, old)
	if len(l.idle) > 0 {
		l.sweep.Reset(time.Until(l.idle[0].used.Add(idleFor)))
	} else {
		l.sweep.Stop()
	}
}
