package history

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
)

// load finds what an earlier process wrote. It runs beside the writer, who meanwhile
// writes segments of its own.
func (l *local) load(old []*segment) {
	defer close(l.loaded)
	sessions, users, joins := new(index), new(index), map[position]position{}
	for _, s := range old {
		first, last := int64(0), int64(0)
		gaps, err := scan(l.path(s.number), func(offset int64, m meta, _ []byte) bool {
			pos := at(s.number, offset)
			if first == 0 {
				first = m.at
			}
			last = max(last, m.at)
			if m.session == 0 {
				return !l.stopped()
			}
			if before := sessions.get(m.session); m.prev == 0 && before != 0 {
				joins[pos] = before
			}
			sessions.set(m.session, pos)
			if m.user != 0 {
				users.set(m.user, pos)
			}
			return !l.stopped()
		})
		switch {
		case errors.Is(err, os.ErrNotExist): // it was too old, or too much
		case err != nil:
			l.report(fmt.Sprintf("%s cannot be read: %v", segmentName(s.number), err))
		case len(gaps) > 0:
			lost := int64(0)
			for _, g := range gaps {
				lost += g.to - g.from
			}
			l.report(fmt.Sprintf("%s: %d bytes are no entries, and were passed over: its process was killed, or it is damaged", segmentName(s.number), lost))
		}
		l.mu.Lock()
		if err == nil {
			s.first, s.last = first, last // 0 of both where there is no entry: the file may go
		}
		l.mu.Unlock()
	}
	l.join(sessions, users, joins)
}

func (l *local) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// join adds what was found to what was written since.
func (l *local) join(sessions, users *index, joins map[position]position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := uint32(math.MaxUint32) // the last segment that is there no more
	if len(l.segments) > 0 {
		gone = l.segments[0].number - 1
	}
	sessions.deleteUpTo(gone)
	users.deleteUpTo(gone)
	maps.DeleteFunc(joins, func(pos, _ position) bool { return pos.segment() <= gone })
	for name, first := range l.firsts {
		if before := sessions.get(name); before != 0 {
			joins[first] = before
		}
	}
	sessions.setAll(l.sessions)
	users.setAll(l.users)
	l.sessions, l.users, l.joins, l.firsts = sessions, users, joins, nil
}
