package history

import (
	"context"
	"errors"
	"os"
	"slices"
)

// endSegment closes the segment that is written, and returns all that are closed.
func (l *local) endSegment() []*segment {
	l.close()
	return slices.Clone(l.segments)
}

// forget overwrites all entries of a user, and of every conversation of that user, in
// segments that are closed, and whatever is no entry there: what is left of one that was
// torn may be this user's. name may also be a session. It returns how many conversations
// it found.
func (l *local) forget(ctx context.Context, closed []*segment, name string) (conversations int, err error) {
	if err := l.wait(ctx); err != nil {
		return 0, err
	}
	user := nameHash(name)
	if user == 0 {
		return 0, nil
	}
	theirs := map[uint64]bool{}
	find := func(_ int64, m meta, _ []byte) bool {
		if m.user == user || m.session == user {
			theirs[m.session] = true
		}
		return ctx.Err() == nil
	}
	gaps := make([][]gap, len(closed))
	for i, s := range closed {
		if gaps[i], err = scan(l.path(s.number), find); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
	}
	delete(theirs, 0)
	for i, s := range closed {
		if err := l.overwrite(ctx, l.path(s.number), theirs, gaps[i]); err != nil {
			return 0, err
		}
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for session := range theirs {
		if pos := l.sessions.get(session); pos != 0 && slices.ContainsFunc(closed, func(s *segment) bool { return s.number == pos.segment() }) {
			l.sessions.delete(session)
		}
	}
	if pos := l.users.get(user); slices.ContainsFunc(closed, func(s *segment) bool { return s.number == pos.segment() }) {
		l.users.delete(user)
	}
	return len(theirs), nil
}

// overwrite overwrites the entries of some sessions in a file, and its gaps.
func (l *local) overwrite(ctx context.Context, path string, sessions map[uint64]bool, gaps []gap) error {
	if len(sessions) == 0 && len(gaps) == 0 {
		return nil
	}
	var f *os.File
	var fault error
	write := func(b []byte, offset int64) bool {
		if f == nil {
			f, fault = os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // one of our own
		}
		if fault == nil {
			_, fault = f.WriteAt(b, offset)
		}
		return fault == nil && ctx.Err() == nil
	}
	var err error
	if len(sessions) > 0 {
		_, err = scan(path, func(offset int64, m meta, frame []byte) bool {
			if !sessions[m.session] {
				return ctx.Err() == nil
			}
			gone := slices.Clone(frame)
			forgotten(gone)
			return write(gone, offset)
		})
	}
	zeros := make([]byte, maxFrame)
	for _, g := range gaps {
		for from := g.from; from < g.to && write(zeros[:min(g.to-from, maxFrame)], from); from += maxFrame {
		}
	}
	if errors.Is(err, os.ErrNotExist) || errors.Is(fault, os.ErrNotExist) {
		return nil // the whole of it is gone
	}
	if f != nil {
		err = errors.Join(err, fault, f.Sync(), f.Close())
	}
	return errors.Join(err, fault)
}
