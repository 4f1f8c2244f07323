package handlers

import (
	"net"
	"net/http"
	"slices"
	"testing"
)

// line is a connection that remembers being closed.
type line struct {
	net.Conn
	closed bool
}

func (l *line) Close() error { l.closed = true; return nil }

func TestConnections_overTheBound_theRightOneEnds(t *testing.T) {
	type step struct {
		of    int
		state http.ConnState
	}
	begin := func(n int) (steps []step) {
		for i := range n {
			steps = append(steps, step{i, http.StateNew})
		}
		return steps
	}
	for _, c := range []struct {
		name        string
		steps       []step
		known, busy []int
		ended       int // when a fourth one comes
	}{
		{"the oldest stranger", begin(3), nil, nil, 0},
		{"the one that did nothing since", append(begin(3), step{0, http.StateActive}), nil, nil, 1},
		{"a stranger rather than one we know", append(begin(3), step{0, http.StateIdle}, step{1, http.StateActive}), []int{0}, nil, 2},
		{"of those we know the one idle for longest", append(begin(3), step{0, http.StateIdle}, step{2, http.StateIdle}, step{1, http.StateIdle}), []int{0, 1, 2}, nil, 0},
		{"nobody whom we work for", append(begin(3), step{0, http.StateActive}, step{1, http.StateActive}, step{2, http.StateActive}), nil, []int{0, 1}, 2},
		{"nobody where one has left", append(begin(3), step{1, http.StateClosed}), nil, nil, -1},
	} {
		cut := 0
		s := newConnections(3, func() { cut++ })
		lines := []*line{{}, {}, {}, {}}
		for _, st := range c.steps {
			if st.state != http.StateNew {
				s.changed(lines[st.of], st.state)
				continue
			}
			s.begin(lines[st.of]).known.Store(slices.Contains(c.known, st.of))
		}
		for _, n := range c.busy {
			s.open[lines[n]].busy.Store(true)
		}
		s.begin(lines[3])
		for i, l := range lines {
			if l.closed != (i == c.ended) {
				t.Errorf("%s: connection %d closed: %v", c.name, i, l.closed)
			}
		}
		if want := min(1, c.ended+1); cut != want || len(s.open) > 3 || s.strangers.Len()+s.known.Len() != len(s.open) {
			t.Errorf("%s: %d cut, %d open, %d and %d listed", c.name, cut, len(s.open), s.strangers.Len(), s.known.Len())
		}
		if s.changed(lines[3], http.StateClosed); s.open[lines[3]] != nil {
			t.Errorf("%s: one that has ended is kept", c.name)
		}
	}
}
