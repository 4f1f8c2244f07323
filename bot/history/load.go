package history

import (
	"errors"
	"fmt"
	"maps"
	"os"
)

// load finds what an earlier process wrote. It runs beside the writer, who meanwhile
// writes segments of its own.
func (l *local) load(old []*segment) {
	defer close(l.loaded)
	sessions, users, joins := map[uint64]position{}, map[uint64]position{}, map[position]position{}
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
			if before := sessions[m.session]; m.prev == 0 && before != 0 {
				joins[pos] = before
			}
			sessions[m.session] = pos
			if m.user != 0 {
				users[m.user] = pos
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
func (l *local) join(sessions, users map[uint64]position, joins map[position]position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := func(_ uint64, pos position) bool { return len(l.segments) == 0 || pos.segment() < l.segments[0].number }
	maps.DeleteFunc(sessions, gone)
	maps.DeleteFunc(users, gone)
	maps.DeleteFunc(joins, func(pos, _ position) bool { return gone(0, pos) })
	for name, first := range l.firsts {
		if before := sessions[name]; before != 0 {
			joins[first] = before
		}
	}
	maps.Copy(sessions, l.sessions)
	maps.Copy(users, l.users)
	l.sessions, l.users, l.joins, l.firsts = sessions, users, joins, nil
}
