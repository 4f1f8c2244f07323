package journal

import (
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// maxGroup bounds the transfers of one commit, so that the first of them does not
	// wait for thousands of others.
	maxGroup = 512
	// commitTimeout bounds how long a callback waits for its commit: Tencent waits 2 s
	// for the answer and then sends it again.
	commitTimeout = 1500 * time.Millisecond
	// flushAfter is how old a change may be that nobody waits for, before it is written,
	// and syncAfter how old it may be before it is synced.
	flushAfter = 50 * time.Millisecond
	syncAfter  = time.Second
	// probeAfter is when writing is tried again after it has failed.
	probeAfter = 500 * time.Millisecond
	// maxUnwritten bounds the changes that wait for a disk. When there are more they are
	// dropped, and the log is written anew once there is room.
	maxUnwritten = 16 << 20
	// maxSpare is how large an empty buffer may be without having been of use.
	maxSpare = 64 << 10
)

var (
	// errBusy is returned for a write that waited too long and was taken back.
	errBusy    = errors.New("the disk is too slow: it was not written in time")
	errRemoved = errors.New("the journal was removed")
	// errClosed is returned for a write after Close.
	errClosed = errors.New("the store is closed")
)

// write is a change that somebody waits for.
type write struct {
	frames func(b []byte) []byte // appends it; the committer calls it, at most once
	stored func()                // the committer calls it once it is on disk; may be nil
	done   chan error
	state  atomic.Int32
}

// The states of a write. Whoever moves it on decides what becomes of it: the
// committer, or the writer whose time is over.
const (
	queued int32 = iota
	taken        // by the committer
	over         // done, or taken back
)

// do has a change written and returns when it is on disk. It is taken back when that
// takes longer than commitTimeout; should it get there all the same, the log is
// written anew without it.
func (s *Store) do(frames func([]byte) []byte, stored func()) error {
	w := &write{frames: frames, stored: stored, done: make(chan error, 1)}
	late := time.NewTimer(commitTimeout)
	defer late.Stop()
	select {
	case <-s.closing.Done():
		return errClosed
	case s.queue <- w:
	case <-late.C:
		return s.noted(errBusy)
	}
	select {
	case err := <-w.done:
		return err
	case <-late.C:
		if w.state.Swap(over) == over {
			return <-w.done
		}
		return s.noted(errBusy)
	}
}

// run is the committer: it writes group after group until the store is closed.
func (s *Store) run() {
	timer := time.NewTimer(0) // whether the disk takes anything is known at once
	defer timer.Stop()
	for {
		select {
		case w := <-s.queue:
			_ = s.commit(s.group(w), true) // each of its writers is told
		case <-s.kept:
			timer.Reset(flushAfter)
			continue
		case <-timer.C:
			_ = s.commit(nil, time.Since(s.unsynced) >= syncAfter) // Writable tells of it
		case <-s.closing.Done():
			s.failed = s.commit(s.group(), true)
			if s.segment != nil {
				s.before = s.segment.close()
			}
			return
		}
		switch {
		case s.segment == nil:
			timer.Reset(probeAfter)
		case s.segment.synced < s.segment.end:
			timer.Reset(syncAfter)
		}
	}
}

// group adds what waits in the queue now, and leaves out what was taken back. Callbacks
// that are under way may come along: on a busy machine that makes one sync of many, and
// on an idle one it costs nothing.
func (s *Store) group(first ...*write) (group []*write) {
	runtime.Gosched()
	for range min(len(s.queue), maxGroup-1) {
		first = append(first, <-s.queue)
	}
	for _, w := range first {
		if w.state.CompareAndSwap(queued, taken) {
			group = append(group, w)
		}
	}
	return group
}

// commit writes a group, and what was kept with it: that costs no sync of its own.
func (s *Store) commit(group []*write, sync bool) error {
	err := s.noted(s.write(group, sync))
	if err != nil && s.segment != nil { // it is not written again; the next one goes on from what is certain
		if end := s.segment.close(); end.end > 0 { // else that takes its place
			s.before = end
		}
		s.segment = nil
	}
	s.settle(err)
	for _, w := range group {
		if !w.state.CompareAndSwap(taken, over) { // its writer was told that it is not stored
			s.due.Store(true)
			continue
		}
		if err == nil && w.stored != nil {
			w.stored()
		}
		w.done <- err
	}
	if s.segment != nil && (s.due.Load() || s.logged > s.maxLog || s.segment.number-s.base.Load() >= maxSegments) {
		s.ask()
	}
	return err
}

// write appends what was kept, and the group. A new segment is begun at the start, after
// a failure, and where the log is written anew. It takes new room on the disk, so one
// that is full stays a failure until there is some.
func (s *Store) write(group []*write, sync bool) (err error) {
	if s.segment != nil && !s.folder.holds(segmentName(s.segment.number), s.segment.file) {
		s.removed()
	}
	if s.segment != nil && s.roll.Load() {
		if err := s.segment.sync(); err != nil {
			return err
		}
		s.before, s.segment = s.segment.close(), nil
		s.roll.Store(false)
	}
	if s.segment == nil {
		if s.segment, err = nextSegment(s.folder, s.before); err != nil {
			return err
		}
	}
	b := appendFixed(s.out, ofSynced, "", numbers(s.segment.synced))
	mark := len(b)
	b = s.takeUnwritten(b)
	for _, w := range group {
		b = w.frames(b)
	}
	s.out = emptied(b)
	if len(b) > mark {
		if s.segment.synced == s.segment.end {
			s.unsynced = time.Now()
		}
		s.logged += int64(len(b))
		if err := s.segment.append(b); err != nil {
			return err
		}
	}
	if sync {
		return s.segment.sync()
	}
	return nil
}

// removed has all written again, the transfers with the next commit: somebody removed
// what the log said of them, and the process must not go on writing where nobody reads.
func (s *Store) removed() {
	s.report("the journal was removed while it was in use: another one is begun, and all that is kept is written into it", s.dir)
	s.before, s.segment = s.segment.close(), nil
	s.settle(errRemoved)
	s.due.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.transfers {
		s.unwritten = appendFixed(s.unwritten, ofTransfer, id, t.value)
	}
}

// takeUnwritten appends the changes that nobody waits for. They stay in along until
// they are certain. Callbacks wait for no copy: they go on with another buffer.
func (s *Store) takeUnwritten(b []byte) []byte {
	s.mu.Lock()
	taken := s.unwritten
	s.unwritten = s.spare
	s.mu.Unlock()
	if len(s.along)+len(taken) > cap(s.along) { // in few steps: under load it holds megabytes
		s.along = slices.Grow(s.along, 2*cap(s.along)+len(taken))
	}
	s.along = append(s.along, taken...)
	s.spare = emptied(taken)
	return append(b, taken...)
}

// emptied is a buffer for use again, unless it is far larger than what it held.
func emptied(b []byte) []byte {
	if cap(b) > maxSpare && len(b) < cap(b)/4 {
		return nil
	}
	return b[:0]
}

// settle forgets the changes that are certain, and has those written anew that a disk
// has lost which failed.
func (s *Store) settle(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.unwritten = append(s.along, s.unwritten...)
		s.along = nil
		s.boundUnwritten()
	case s.segment.synced == s.segment.end:
		s.along = emptied(s.along)
	}
}

func (s *Store) boundUnwritten() {
	if len(s.unwritten) > maxUnwritten {
		s.unwritten = nil
		s.due.Store(true)
	}
}
