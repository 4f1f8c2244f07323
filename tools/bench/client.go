package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"time"
)

// client is one connection. It speaks just enough HTTP/1.1 for what it asks,
// because it works on the same processors as what it measures.
type client struct {
	address string
	conn    net.Conn
	in      []byte
	request []byte
	body    []byte
	closes  bool // the other side, after this answer
}

func newClient(address string) *client {
	return &client{address: address, in: make([]byte, 4096), request: make([]byte, 0, 2048), body: make([]byte, 0, 1024)}
}

var errAnswer = errors.New("this is no HTTP answer")

// do sends the n-th request and returns the status of its answer. A connection
// that the other side has closed is made anew.
func (c *client) do(r *requests, n int) (status int, err error) {
	if c.conn == nil {
		if c.conn, err = (&net.Dialer{Timeout: timeout}).DialContext(context.Background(), "tcp", c.address); err != nil {
			return 0, err
		}
		_ = c.conn.SetDeadline(time.Now().Add(limit)) // of the whole run; only the last resort
	}
	c.request, c.body = r.append(c.request, c.body, n)
	if _, err = c.conn.Write(c.request); err == nil {
		status, err = c.answer()
	}
	if err != nil || c.closes {
		c.close()
	}
	return status, err
}

// answer reads one answer to its end.
func (c *client) answer() (status int, err error) {
	have, end := 0, -1
	for {
		n, err := c.conn.Read(c.in[have:])
		if have += n; err != nil {
			return 0, err
		}
		if end < 0 {
			if end, err = c.head(c.in[:have]); err != nil {
				return 0, err
			}
		}
		if end >= 0 && have >= end {
			return strconv.Atoi(string(c.in[9:12]))
		}
		if have == len(c.in) {
			return 0, errAnswer
		}
	}
}

var (
	endOfHead     = []byte("\r\n\r\n")
	contentLength = []byte("\r\nContent-Length: ")
	closing       = []byte("\r\nConnection: close")
)

// head returns where the answer ends, or -1 while its head is not complete.
func (c *client) head(b []byte) (end int, err error) {
	at := bytes.Index(b, endOfHead)
	if at < 0 {
		return -1, nil
	}
	c.closes = bytes.Contains(b[:at], closing)
	i := bytes.Index(b[:at], contentLength)
	if i < 0 || at < 12 {
		return 0, errAnswer
	}
	digits := b[i+len(contentLength) : at]
	if j := bytes.IndexByte(digits, '\r'); j >= 0 {
		digits = digits[:j]
	}
	n, err := strconv.Atoi(string(digits))
	return at + len(endOfHead) + n, err
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}
