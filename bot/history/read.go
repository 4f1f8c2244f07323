package history

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"escalator/bot/regular"
)

// firstRead is how much of a frame is read at once: nearly all of them whole.
const firstRead = 1 << 10

// errGone says that there is no such frame (any more).
var errGone = errors.New("there is no such entry")

// reading is one look at the segments.
type reading struct {
	*local
	files map[uint32]*os.File
}

func (l *local) reading() *reading { return &reading{l, map[uint32]*os.File{}} }

func (r *reading) close() {
	for _, f := range r.files {
		_ = f.Close() // they were read
	}
}

// read gives the entries of a session to take, the last one first, until that returns
// false. older says that there was more.
func (l *local) read(ctx context.Context, session string, take func(entry []byte) bool) (older bool, err error) {
	if err := l.wait(ctx); err != nil {
		return false, err
	}
	name := nameHash(session)
	l.mu.RLock()
	pos := l.sessions.get(name)
	l.mu.RUnlock()
	r := l.reading()
	defer r.close()
	for pos != 0 {
		m, entry, err := r.frame(pos)
		switch {
		case errors.Is(err, errGone):
			return true, nil
		case err != nil:
			return false, err
		case m.session != name: // forgotten
			return false, nil
		case !take(entry):
			return true, nil
		}
		next := l.before(pos, m)
		if next >= pos {
			return true, nil
		}
		pos = next
	}
	return false, nil
}

// before is the place of the entry before one of the same conversation.
func (l *local) before(pos position, m meta) position {
	if m.prev != 0 {
		return m.prev
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.joins[pos]
}

// last returns the last entry of a user.
func (l *local) last(ctx context.Context, user string) (entry []byte, err error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	name := nameHash(user)
	l.mu.RLock()
	pos := l.users.get(name)
	l.mu.RUnlock()
	if pos == 0 {
		return nil, nil
	}
	r := l.reading()
	defer r.close()
	m, entry, err := r.frame(pos)
	if errors.Is(err, errGone) || err == nil && m.user != name {
		return nil, nil
	}
	return entry, err
}

// since is when the oldest entry happened that is kept, in milliseconds; 0: there is none.
func (l *local) since(ctx context.Context) (ms int64, err error) {
	if err := l.wait(ctx); err != nil {
		return 0, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.segments {
		if s.first != 0 {
			return s.first, nil
		}
	}
	return 0, nil
}

// conversations is of how many something is kept.
func (l *local) conversations() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.sessions.len()
}

// frame reads one frame.
func (r *reading) frame(pos position) (m meta, entry []byte, err error) {
	f := r.files[pos.segment()]
	if f == nil {
		if f, err = regular.Open(r.path(pos.segment())); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				err = errGone
			}
			return m, nil, err
		}
		r.files[pos.segment()] = f
	}
	b := make([]byte, firstRead)
	n, err := f.ReadAt(b, pos.offset())
	if err != nil && !errors.Is(err, io.EOF) {
		return m, nil, err
	}
	if b = b[:n]; len(b) < headLen {
		return m, nil, errGone
	}
	if whole := frameLen(b); whole > len(b) {
		b = slices.Grow(b, whole-len(b))[:whole]
		if _, err := f.ReadAt(b[n:], pos.offset()+int64(n)); err != nil {
			return m, nil, errGone // its end was torn off
		}
	}
	m, entry, ok := readFrame(b)
	if !ok {
		return m, nil, errGone
	}
	return m, entry, nil
}
