package handlers

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// connections bounds those of one listener. One more than the bound is let in all the
// same, and another one ends: of strangers the one that has been silent for longest, or
// has not sent all of its request; then of those that we know the one that has been
// idle for longest. So nobody who merely holds connections keeps others out.
type connections struct {
	max int
	cut func() // counts

	mu        sync.Mutex
	strangers *list.List // of *connection, the one that changed longest ago first
	known     *list.List // the same
}

// connection is one of them, as its http.Server sees it.
type connection struct {
	net.Conn
	place     *list.Element // nil: it has ended
	listed    bool          // among the known
	known     atomic.Bool   // it has carried something that we took
	busy      atomic.Bool   // all of its request is there, and the answer is not sent
	writeBy   time.Time     // the deadline that is set
	unbounded bool          // no deadline is wanted
}

func newConnections(limit int, cut func()) *connections {
	return &connections{max: limit, cut: cut, strangers: list.New(), known: list.New()}
}

// attach has the server tell of its connections, which have to come through listen.
func (s *connections) attach(h *http.Server) {
	h.ConnState = s.changed
	h.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		conn, _ := c.(*connection)
		return contextWith(ctx, conn)
	}
}

// listen returns a listener whose connections are bounded.
func (s *connections) listen(l net.Listener) net.Listener { return listener{l, s} }

type listener struct {
	net.Listener
	bound *connections
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // http.Server looks at it
	}
	return l.bound.begin(c), nil
}

// CloseWrite lets the sender read an answer before the connection ends.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite() //nolint:wrapcheck // http.Server looks at it
	}
	return nil
}

// SetWriteDeadline leaves a deadline that is a second earlier at most, and takes one away
// only when something is written without: http.Server sets one for each request and takes
// it away at its end, and both cost a hundredth of it.
func (c *connection) SetWriteDeadline(by time.Time) error {
	c.unbounded = by.IsZero()
	if later := by.Sub(c.writeBy); c.unbounded || later >= 0 && later < time.Second {
		return nil
	}
	c.writeBy = by
	return c.Conn.SetWriteDeadline(by) //nolint:wrapcheck // http.Server looks at it
}

func (c *connection) Write(p []byte) (int, error) {
	if c.unbounded && !c.writeBy.IsZero() {
		c.writeBy = time.Time{}
		_ = c.Conn.SetWriteDeadline(c.writeBy) // an error is that of the write, too
	}
	return c.Conn.Write(p) //nolint:wrapcheck // http.Server looks at it
}

type connectionKey struct{}

func contextWith(ctx context.Context, c *connection) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// connectionOf returns the connection of a request; in tests without a listener there
// is none, and what is told to it is lost.
func connectionOf(r *http.Request) *connection {
	if c, ok := r.Context().Value(connectionKey{}).(*connection); ok && c != nil {
		return c
	}
	return &nobody
}

var nobody connection

// begin lets a connection in, and another one end for it where there are too many.
func (s *connections) begin(c net.Conn) *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strangers.Len()+s.known.Len() >= s.max {
		s.evict()
	}
	conn := &connection{Conn: c}
	conn.place = s.strangers.PushBack(conn)
	return conn
}

// changed follows a connection through its states (http.ConnState).
func (s *connections) changed(c net.Conn, state http.ConnState) {
	conn, ok := c.(*connection)
	if !ok {
		return
	}
	switch state {
	case http.StateActive, http.StateIdle:
		conn.busy.Store(false)
		s.moveBack(conn)
	case http.StateClosed, http.StateHijacked:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forget(conn)
	case http.StateNew: // begin was first
	}
}

// moveBack puts a connection behind all others of its kind.
func (s *connections) moveBack(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.place == nil: // it has been ended
	case c.known.Load() && !c.listed:
		s.strangers.Remove(c.place)
		c.place, c.listed = s.known.PushBack(c), true
	default:
		s.strangers.MoveToBack(c.place) // in the list that it is in; the other one does nothing
		s.known.MoveToBack(c.place)
	}
}

func (s *connections) forget(c *connection) {
	if c.place != nil {
		s.strangers.Remove(c.place)
		s.known.Remove(c.place)
		c.place = nil
	}
}

// all are those of the strangers, then those that we know.
func (s *connections) all(yield func(*connection) bool) {
	for _, l := range []*list.List{s.strangers, s.known} {
		for e := l.Front(); e != nil; e = e.Next() {
			if c, _ := e.Value.(*connection); !yield(c) {
				return
			}
		}
	}
}

// endWaiting ends those connections that nobody is worked for on: who has not sent all
// of a request.
func (s *connections) endWaiting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.all {
		if !c.busy.Load() {
			_ = c.Close()
		}
	}
}

// evict ends one connection that is not being worked for. There is always one: less
// is worked on at once than may be open.
func (s *connections) evict() {
	for c := range s.all {
		if !c.busy.Load() {
			s.forget(c)
			_ = c.Close()
			s.cut()
			return
		}
	}
}
