package handlers

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"
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
		lines, conns := []*line{{}, {}, {}, {}}, make([]*connection, 3)
		for _, st := range c.steps {
			if st.state != http.StateNew {
				s.changed(conns[st.of], st.state)
				continue
			}
			conns[st.of] = s.begin(lines[st.of])
			conns[st.of].known.Store(slices.Contains(c.known, st.of))
		}
		for _, n := range c.busy {
			conns[n].busy.Store(true)
		}
		last := s.begin(lines[3])
		for i, l := range lines {
			if l.closed != (i == c.ended) {
				t.Errorf("%s: connection %d closed: %v", c.name, i, l.closed)
			}
		}
		if want := min(1, c.ended+1); cut != want || s.strangers.Len()+s.known.Len() != 3 {
			t.Errorf("%s: %d cut, %d and %d listed", c.name, cut, s.strangers.Len(), s.known.Len())
		}
		for range 2 { // http.Server tells of one that we have ended
			s.changed(last, http.StateClosed)
		}
		if s.strangers.Len()+s.known.Len() != 2 {
			t.Errorf("%s: one that has ended is kept", c.name)
		}
	}
}

// deadlines remembers the deadline that is set.
type deadlines struct {
	net.Conn
	set  time.Time
	sets int
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = t
	d.sets++
	return nil
}

func (*deadlines) Write(p []byte) (int, error) { return len(p), nil }

// Each request sets one and takes it away; it may come a second early, never late.
func TestConnection_writeDeadline_isSetOnceASecond(t *testing.T) {
	under := &deadlines{}
	c := &connection{Conn: under}
	now := time.Unix(1_800_000_000, 0)
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		if err := c.SetWriteDeadline(now); err != nil || under.set.After(now) || now.Sub(under.set) >= time.Second {
			t.Fatalf("%s is asked for, and %s set (%v)", now, under.set, err)
		}
		_, _ = c.Write(nil)
		_ = c.SetWriteDeadline(time.Time{})
	}
	if under.sets != 10 {
		t.Errorf("it is set %d times in 10 s", under.sets)
	}
	for _, by := range []time.Time{{}, now.Add(-time.Minute), {}, now} {
		_ = c.SetWriteDeadline(by)
		if _, _ = c.Write(nil); !under.set.Equal(by) {
			t.Errorf("%s is asked for, and what is written has %s", by, under.set)
		}
	}
}

// A refusal that ends the connection must reach the sender whose body is still on its way.
func TestConnection_closeWrite_isThatOfTheSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	theirs, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = theirs.Close() }()
	ours, err := newConnections(3, nil).listen(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ours.Close() }()
	half, ok := ours.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		t.Fatal("it cannot be closed by half")
	}
	if n, err := theirs.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the sender reads %d bytes, %v", n, err)
	}
	if _, err := theirs.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if n, err := ours.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("we read %d bytes, %v", n, err)
	}
}
