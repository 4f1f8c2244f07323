package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"escalator/bot/store"
)

const (
	// A segment is a sixteenth of all, so that what goes at a time is a small part.
	leastSegments  = 16
	largestSegment = 64 << 20
	// mostSegments bounds the files that a process leaves which is started again and again.
	mostSegments = 4096
	// A segment is closed after a twelfth of the time that history is kept: so long may
	// an entry lie on disk after it is not shown any more.
	agesOfOne = 12
	// maxIndexed bounds the conversations, and the customers, of whom a place is
	// remembered: about 100 MB.
	maxIndexed = 2_000_000

	segmentPrefix, segmentSuffix = "history-", ".log"
)

// local keeps history in files of this process.
type local struct {
	dir    string
	keep   time.Duration
	max    int64 // bytes of all segments
	report func(problem string)
	now    func() time.Time
	loaded chan struct{} // closed when what was there at the start is known
	stop   chan struct{} // closed when loading is to end

	mu       sync.RWMutex
	sessions *index                // of the last entry
	users    *index                // likewise
	joins    map[position]position // what stands before a first entry that was written while loading
	firsts   map[uint64]position   // the first entries that were written while loading; nil: it is done
	segments []*segment            // the oldest first, the one that is written last

	// What only the writer uses.
	file *os.File // nil: the next entry begins a segment
	buf  []byte   // frames that are not in the file yet
	put  []placed // what they are
	tail map[uint64]position
}

// segment is a file.
type segment struct {
	number      uint32
	size        int64
	first, last int64 // when its first and its last entry happened, in milliseconds
}

// placed is an entry with its place.
type placed struct {
	meta
	at position
}

// openLocal opens a folder. What is there is read in the background.
func openLocal(o *Options) (*local, error) {
	l := &local{
		dir: o.Dir, keep: o.For, max: o.Max, report: o.report, now: o.Now, loaded: make(chan struct{}), stop: make(chan struct{}),
		sessions: new(index), users: new(index), joins: map[position]position{},
		firsts: map[uint64]position{}, tail: map[uint64]position{},
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for history: %w", err)
	}
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, fmt.Errorf("reading the folder of history: %w", err)
	}
	for _, e := range entries {
		digits := strings.TrimSuffix(strings.TrimPrefix(e.Name(), segmentPrefix), segmentSuffix)
		n, err := strconv.ParseUint(digits, 10, 32)
		info, infoErr := e.Info()
		if err != nil || infoErr != nil || n == 0 || segmentName(uint32(n)) != e.Name() {
			continue // none of ours
		}
		changed := info.ModTime().UnixMilli()
		l.segments = append(l.segments, &segment{number: uint32(n), size: info.Size(), first: changed, last: changed})
	}
	slices.SortFunc(l.segments, func(a, b *segment) int { return int(int64(a.number) - int64(b.number)) })
	return l, nil
}

func segmentName(n uint32) string { return fmt.Sprintf("%s%08d%s", segmentPrefix, n, segmentSuffix) }

func (l *local) path(n uint32) string { return filepath.Join(l.dir, segmentName(n)) }

func (l *local) segmentMax() int64 { return min(largestSegment, l.max/leastSegments) }

// append writes rows at the end. It returns how many of them could not be kept.
func (l *local) append(rows []store.HistoryRow) (lost int, err error) {
	if lost, err = l.prepare(rows); err != nil {
		return lost, err
	}
	n := len(l.put)
	if err = l.flush(); err != nil {
		lost += n
	}
	return lost, err
}

// prepare gives rows their places. It returns how many of them have none.
func (l *local) prepare(rows []store.HistoryRow) (lost int, err error) {
	for i := range rows {
		r := &rows[i]
		frame := int64(headLen + metaLen + len(r.Data))
		if frame > min(maxFrame, l.segmentMax()) {
			lost++
			continue
		}
		m := meta{session: nameHash(r.Session), user: nameHash(r.User), at: r.At.UnixMilli()}
		if err := l.makeRoom(frame, m.at); err != nil {
			return len(rows) - i + lost, err
		}
		m.prev = l.lastOf(m.session)
		s := l.segments[len(l.segments)-1]
		pos := at(s.number, s.size+int64(len(l.buf)))
		l.tail[m.session] = pos
		l.put = append(l.put, placed{m, pos})
		l.buf = appendFrame(l.buf, m, r.Data)
	}
	return lost, nil
}

// lastOf is the place of a session's last entry, written or not.
func (l *local) lastOf(session uint64) position {
	if pos, waits := l.tail[session]; waits {
		return pos
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.sessions.get(session)
}

// makeRoom has a segment with room for a frame of an entry that happened at a time.
func (l *local) makeRoom(frame, when int64) error {
	if l.file != nil {
		s := l.segments[len(l.segments)-1]
		aged := when-s.first > l.keep.Milliseconds()/agesOfOne
		if s.size+int64(len(l.buf))+frame <= l.segmentMax() && !aged {
			return nil
		}
		if err := l.flush(); err != nil {
			return err
		}
		l.close()
	}
	for len(l.segments) > 0 && (l.total()+l.segmentMax() > l.max || len(l.segments) >= mostSegments) {
		if err := l.removeOldest(); err != nil {
			return err
		}
	}
	number := uint32(1)
	if n := len(l.segments); n > 0 {
		number = l.segments[n-1].number + 1
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(l.path(number), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file, l.segments = f, append(l.segments, &segment{number: number, first: when, last: when})
	return nil
}

// total is the size of all segments.
func (l *local) total() (sum int64) {
	for _, s := range l.segments {
		sum += s.size
	}
	return sum
}

// flush writes the frames that wait. What the disk does not take is lost, and the next
// frames begin another segment.
func (l *local) flush() error {
	defer func() { l.buf, l.put = l.buf[:0], l.put[:0]; clear(l.tail) }()
	if len(l.buf) == 0 {
		return nil
	}
	s := l.segments[len(l.segments)-1]
	if _, err := l.file.WriteAt(l.buf, s.size); err != nil {
		l.abandon(s)
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.size += int64(len(l.buf))
	for _, p := range l.put {
		s.last = max(s.last, p.meta.at)
		if _, known := l.firsts[p.session]; !known && l.firsts != nil {
			l.firsts[p.session] = p.at
		}
		if before := l.sessions.get(p.session); before != 0 && p.prev == 0 { // load found it after p had its place
			l.joins[p.at] = before
		}
		l.sessions.set(p.session, p.at)
		if p.user != 0 {
			l.users.set(p.user, p.at)
		}
	}
	return nil
}

// abandon ends a segment whose end could not be written.
func (l *local) abandon(s *segment) {
	_ = l.file.Truncate(s.size) // what stays behind the end is skipped at the next start
	l.close()
	if s.size == 0 && os.Remove(l.path(s.number)) == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.segments = l.segments[:len(l.segments)-1]
	}
}

// close ends the segment that is written.
func (l *local) close() {
	if l.file != nil {
		_ = l.file.Close() // all of it was written
		l.file = nil
	}
}

// removeOldest removes the oldest segment, and forgets what lay there.
func (l *local) removeOldest() error {
	s := l.segments[0]
	if err := os.Remove(l.path(s.number)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = l.segments[1:]
	l.sessions.deleteUpTo(s.number)
	l.users.deleteUpTo(s.number)
	maps.DeleteFunc(l.firsts, func(_ uint64, pos position) bool { return pos.segment() <= s.number })
	maps.DeleteFunc(l.joins, func(pos, _ position) bool { return pos.segment() <= s.number })
	return nil
}

// expire removes what is too old or too much, and ends a segment whose folder was
// removed below us.
func (l *local) expire() error {
	if l.file != nil {
		s := l.segments[len(l.segments)-1]
		ours, err := l.file.Stat()
		there, thereErr := os.Stat(l.path(s.number))
		if err == nil && (thereErr != nil || !os.SameFile(ours, there)) {
			l.close()
		}
	}
	for l.tooMuch() {
		if len(l.segments) == 1 {
			l.close()
		}
		if err := l.removeOldest(); err != nil {
			return err
		}
	}
	return nil
}

// tooMuch reports whether the oldest segment is to go.
func (l *local) tooMuch() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	oldest := l.now().Add(-l.keep).UnixMilli()
	return len(l.segments) > 0 && (l.segments[0].last < oldest || l.sessions.len() > maxIndexed)
}

// sync makes what was written survive a loss of power.
func (l *local) sync() error {
	if l.file == nil {
		return nil
	}
	return l.file.Sync()
}

// wait waits until it is known what is there.
func (l *local) wait(ctx context.Context) error {
	select {
	case <-l.loaded:
		return nil
	case <-ctx.Done():
		return ErrLoading
	}
}
