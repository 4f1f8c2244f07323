package handlers

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// connections bounds those of one listener. One more than the bound is let in all the
// same, and another one ends: of strangers the one that has been silent for longest, or
// has not sent all of its request; then of those that we know the one that has been
// idle for longest. So nobody who merely holds connections keeps others out.
type connections struct {
	max int
	cut func() // counts

	mu        sync.Mutex
	open      map[net.Conn]*connection
	strangers *list.List // of *connection, the one that changed longest ago first
	known     *list.List // the same
}

// connection is one of them.
type connection struct {
	net.Conn
	place  *list.Element
	listed bool        // among the known
	known  atomic.Bool // it has carried something that we took
	busy   atomic.Bool // all of its request is there, and the answer is not sent
}

func newConnections(limit int, cut func()) *connections {
	return &connections{max: limit, cut: cut, open: map[net.Conn]*connection{}, strangers: list.New(), known: list.New()}
}

// attach has the server tell of its connections.
func (s *connections) attach(h *http.Server) {
	h.ConnState = s.changed
	h.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return contextWith(ctx, s.begin(c))
	}
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
	if len(s.open) >= s.max {
		s.evict()
	}
	conn := &connection{Conn: c}
	s.open[c] = conn
	conn.place = s.strangers.PushBack(conn)
	return conn
}

// changed follows a connection through its states (http.ConnState).
func (s *connections) changed(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateActive, http.StateIdle:
		if conn := s.open[c]; conn != nil {
			conn.busy.Store(false)
			s.moveBack(conn)
		}
	case http.StateClosed, http.StateHijacked:
		if conn := s.open[c]; conn != nil {
			s.forget(conn)
		}
	case http.StateNew: // begin was first
	}
}

// moveBack puts a connection behind all others of its kind.
func (s *connections) moveBack(c *connection) {
	if c.known.Load() && !c.listed {
		s.strangers.Remove(c.place)
		c.place, c.listed = s.known.PushBack(c), true
		return
	}
	s.strangers.MoveToBack(c.place) // in the list that it is in; the other one does nothing
	s.known.MoveToBack(c.place)
}

func (s *connections) forget(c *connection) {
	delete(s.open, c.Conn)
	s.strangers.Remove(c.place)
	s.known.Remove(c.place)
}

// endWaiting ends those connections that nobody is worked for on: who has not sent all
// of a request.
func (s *connections) endWaiting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		if !c.busy.Load() {
			_ = c.Close()
		}
	}
}

// evict ends one connection that is not being worked for. There is always one: less
// is worked on at once than may be open.
func (s *connections) evict() {
	for _, l := range []*list.List{s.strangers, s.known} {
		for e := l.Front(); e != nil; e = e.Next() {
			if c, _ := e.Value.(*connection); !c.busy.Load() {
				s.forget(c)
				_ = c.Close()
				s.cut()
				return
			}
		}
	}
}
