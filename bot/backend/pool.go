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

// pool is an http.RoundTripper for HTTP/1.1 to one address, which keeps connections. Unlike
// http.Transport it has no goroutines: the caller's own writes the request and reads the
// answer, which saves four switches of goroutines a callback. It leaves out what a callback
// does not need: proxies, and a context that ends before its deadline. A body that a bot may
// answer before all of it is sent goes through http.Transport.
type pool struct {
	address string
	tls     *tls.Config // nil: plain
	large   *http.Transport

	mu    sync.Mutex
	idle  []*connection // the one that was used last at the end: the others can be closed
	sweep *time.Timer
}

// connection is one to the bot.
type connection struct {
	net.Conn
	left io.LimitedReader // of this answer
	in   *bufio.Reader
	used time.Time
}

func newPool(base *url.URL, large *http.Transport) *pool {
	p := &pool{address: base.Host, large: large}
	port := "80"
	if base.Scheme == "https" {
		port, p.tls = "443", &tls.Config{ServerName: base.Hostname(), MinVersion: tls.VersionTLS12}
	}
	if base.Port() == "" {
		p.address = net.JoinHostPort(base.Hostname(), port)
	}
	p.sweep = time.AfterFunc(idleFor, p.closeOld)
	p.sweep.Stop()
	return p
}

// requests are buffers for what is sent.
var requests = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// RoundTrip implements http.RoundTripper. The context must have a deadline, which bounds reading the answer too.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength > maxOut {
		return p.large.RoundTrip(r)
	}
	request, _ := requests.Get().(*bytes.Buffer)
	defer requests.Put(request)
	request.Reset()
	if err := r.Write(request); err != nil {
		return nil, err
	}
	c, err := p.send(r.Context(), request.Bytes())
	if err != nil {
		return nil, err
	}
	resp, err := c.answer(r)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	resp.Body = &answerBody{ReadCloser: resp.Body, connection: c, pool: p, last: resp.Close || resp.StatusCode == http.StatusSwitchingProtocols}
	return resp, nil
}

// send sends a request. One of which nothing could be sent on a kept connection goes out
// on another: the bot has not seen it.
func (p *pool) send(ctx context.Context, request []byte) (*connection, error) {
	deadline, _ := ctx.Deadline()
	for {
		c, kept := p.take()
		if !kept {
			var err error
			if c, err = p.dial(ctx); err != nil {
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
func (c *connection) answer(r *http.Request) (*http.Response, error) {
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
	connection *connection
	pool       *pool
	whole      bool
	last       bool // the bot ends the connection
}

// Read implements io.Reader.
func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.whole = b.whole || errors.Is(err, io.EOF)
	return n, err
}

// Close gives the connection back, or closes it where something is left that could become the next answer.
func (b *answerBody) Close() error {
	if b.whole && !b.last && b.connection.in.Buffered() == 0 {
		b.pool.put(b.connection)
		return nil
	}
	return b.connection.Close()
}

func (p *pool) dial(ctx context.Context) (*connection, error) {
	dialer := &net.Dialer{KeepAlive: 30 * time.Second}
	dial := dialer.DialContext
	if p.tls != nil {
		dial = (&tls.Dialer{NetDialer: dialer, Config: p.tls}).DialContext
	}
	conn, err := dial(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	return newConnection(conn), nil
}

func newConnection(conn net.Conn) *connection {
	c := &connection{Conn: conn, left: io.LimitedReader{R: conn}}
	c.in = bufio.NewReader(&c.left)
	return c
}

// take returns the connection that was used last, if any is kept. What the bot has closed meanwhile is none.
func (p *pool) take() (c *connection, kept bool) {
	for {
		p.mu.Lock()
		n := len(p.idle) - 1
		if n < 0 {
			p.mu.Unlock()
			return nil, false
		}
		c := p.idle[n]
		p.idle[n], p.idle = nil, p.idle[:n]
		p.mu.Unlock()
		if c.reusable() {
			return c, true
		}
		_ = c.Close()
	}
}

// reusable reports whether another request can go out: the bot has neither closed the
// connection nor sent anything that nobody asked for, which would become an answer.
func (c *connection) reusable() bool {
	t, ok := c.Conn.(*tls.Conn)
	if !ok {
		return reusable(c.Conn)
	}
	_ = t.SetReadDeadline(time.Unix(1, 0)) // TLS may hold what came behind the answer; do not wait for more
	_, err := c.in.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded) && reusable(t.NetConn())
}

func (p *pool) put(c *connection) {
	c.used = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) >= maxIdle {
		_ = c.Close()
		return
	}
	if p.idle = append(p.idle, c); len(p.idle) == 1 {
		p.sweep.Reset(idleFor)
	}
}

// closeOld closes what was not used for long.
func (p *pool) closeOld() { p.closeUnused(time.Now().Add(-idleFor)) }

// CloseIdleConnections closes what waits for a callback.
func (p *pool) CloseIdleConnections() {
	p.closeUnused(time.Now())
	p.large.CloseIdleConnections()
}

func (p *pool) closeUnused(since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && !p.idle[old].used.After(since) {
		_ = p.idle[old].Close()
		old++
	}
	p.idle = slices.Delete(p.idle, 0, old)
	if len(p.idle) > 0 {
		p.sweep.Reset(time.Until(p.idle[0].used.Add(idleFor)))
	} else {
		p.sweep.Stop()
	}
}
