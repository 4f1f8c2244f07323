package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
)

// lockTimeout is how long a second process waits before it is told that the folder is
// taken: a moment, for one that is just ending.
const lockTimeout = time.Second

// ErrInUse says that another process has the data folder.
var ErrInUse = errors.New("another process uses this data folder")

// Options says where and how the store works.
type Options struct {
	Dir string
	Now func() time.Time // nil: time.Now
	// KeepAnswers is how long callbacks are remembered over a restart; 0: all of them.
	KeepAnswers time.Duration
	// Report is told of what was found damaged and where it is kept.
	Report func(problem, keptAt string)
	// Failed is told of each write that failed; nil: nobody counts them.
	Failed func()
	// Turned is told when writing begins to fail, with the reason, and with nil when it works again; nil: nobody hears.
	Turned func(why error)
}

// Store is the open data folder.
type Store struct {
	view        // of the index
	folder      folder
	dir         string
	now         func() time.Time
	report      func(problem, keptAt string)
	countFailed func()
	turned      func(error)
	keepAnswers time.Duration
	maxLog      int64

	index *memory.Outbox
	left  restored // by an earlier process, until Live
	live  atomic.Pointer[live]

	// The committer's own.
	transfers map[string]kept // what the log says of each transfer
	segment   *segment        // nil: there is none that can be written
	before    position        // where the next one goes on
	unsynced  time.Time       // since when something has been written and not synced
	along     []byte          // changes that were written, and not synced
	out       []byte          // empty: for what is written next
	spare     []byte          // empty: for unwritten
	logged    int64           // bytes since all was written anew

	queue chan *write
	kept  chan struct{} // the first change was kept since all were written
	asked chan struct{} // the log is to be written anew
	roll  atomic.Bool   // a new segment is to begin
	due   atomic.Bool   // the log holds what it should not, or not what it should
	erase atomic.Bool   // the log holds what somebody had removed
	base  atomic.Int64  // the segment before which nothing counts

	counted int // what was kept when the log was last written anew; the maintainer's own

	mu        sync.Mutex
	unwritten []byte // frames of changes that nobody waits for
	failure   error  // of the last write, nil when it went well

	closing context.Context
	close   context.CancelFunc
	working sync.WaitGroup
	ended   chan struct{}
	failed  error // the last write, once ended
}

// view is what the index answers alone. Reschedule is not written down: after a restart
// the transfer is tried at its own time.
type view interface {
	Take(ctx context.Context, now time.Time) (*store.Transfer, time.Time, error)
	Reschedule(ctx context.Context, id string, due time.Time) error
	Get(ctx context.Context, id string) (*store.Transfer, error)
	List(ctx context.Context, in ...store.TransferState) ([]*store.Transfer, error)
	Stats() store.Stats
	Changed() <-chan struct{}
}

// kept is a transfer as it is written.
type kept struct {
	episode string
	value   []byte
}

// Open opens or makes the store in the folder, and reads what an earlier process
// left. What cannot be read is kept aside and reported; a folder that is in use is
// ErrInUse. A disk that is full is no error: see Writable.
func Open(o Options) (*Store, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	locked, err := lockFolder(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("opening the data folder %s: %w", o.Dir, err)
	}
	s, err := open(disk(o.Dir), o, locked)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the data folder %s: %w", o.Dir, err), locked.Close())
	}
	return s, nil
}

// Check says what is wrong with the files of a folder, and changes nothing; a process
// may be using it.
func Check(dir string) (problems []string, err error) {
	l, err := load(disk(dir))
	if err != nil {
		return nil, err
	}
	for _, p := range l.problems {
		problems = append(problems, p.name+": "+p.text)
	}
	return problems, nil
}

// lockFolder keeps other processes out until the file is closed.
func lockFolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names the folder
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(lockTimeout)
	for {
		if err = lock(f); err == nil {
			return f, nil
		}
		if !errors.Is(err, ErrInUse) || time.Now().After(end) {
			return nil, errors.Join(err, f.Close())
		}
		<-time.After(lockTimeout / 20)
	}
}

// open is Open on any folder; unlock is closed with it.
func open(in folder, o Options, unlock io.Closer) (*Store, error) {
	s := &Store{
		folder: in, dir: o.Dir, now: o.Now, report: o.Report, countFailed: o.Failed, turned: o.Turned, keepAnswers: o.KeepAnswers, maxLog: maxLog, index: memory.NewOutbox(o.Now),
		transfers: map[string]kept{}, queue: make(chan *write, maxGroup), kept: make(chan struct{}, 1), asked: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.report == nil {
		s.report = func(string, string) {}
	}
	if s.countFailed == nil {
		s.countFailed = func() {}
	}
	s.view = s.index
	s.closing, s.close = context.WithCancel(context.Background())
	l, err := load(in)
	if err != nil {
		return nil, err
	}
	imported, err := importOld(o.Dir, l)
	if err != nil {
		return nil, err
	}
	s.before, s.logged = l.last, l.logged
	s.base.Store(l.base)
	s.erase.Store(l.erase)
	if err := s.mend(l, imported); err != nil {
		return nil, err
	}
	s.takeUp(l)
	s.working.Go(s.run)
	s.working.Go(s.maintain)
	go func() {
		s.working.Wait()
		s.failed = errors.Join(s.failed, unlock.Close())
		close(s.ended)
	}()
	return s, nil
}

// mend writes all that could be read anew where something could not, or comes from an
// older store, and sets those files aside. Where there is no room for that they stay,
// and the next start tries again.
func (s *Store) mend(l *loaded, imported bool) error {
	aside := map[string]string{}
	for _, p := range l.problems {
		aside[p.name] = p.name + s.now().UTC().Format(".damaged-20060102T150405.000")
	}
	if imported && aside[oldName] == "" {
		aside[oldName] = oldName + ".imported"
	}
	var err error
	if len(aside) > 0 {
		err = s.writeAll(l)
	}
	if imported && err != nil {
		return err
	}
	for from, to := range aside {
		if err != nil || s.folder.rename(from, to) != nil {
			delete(aside, from)
		}
	}
	for _, p := range l.problems {
		s.report(p.name+": "+p.text, filepath.Join(s.dir, cmp.Or(aside[p.name], p.name)))
	}
	return nil
}

// writeAll writes what was loaded into a new segment, which replaces all before it.
func (s *Store) writeAll(l *loaded) error {
	next, err := nextSegment(s.folder, s.before)
	if err != nil {
		return s.noted(err)
	}
	for key, r := range l.state {
		err = errors.Join(err, next.append(appendFixed(nil, key[0], key[1:], r.value)))
	}
	err = errors.Join(err, next.append(appendFixed(nil, ofBase, "", numbers(next.number))), next.sync())
	s.before = next.close()
	if err == nil {
		s.base.Store(next.number)
	}
	return err
}

// noted keeps what became of a write for Writable.
func (s *Store) noted(err error) error {
	if err != nil {
		s.countFailed()
	}
	s.mu.Lock()
	turned := (err == nil) != (s.failure == nil)
	s.failure = err
	s.mu.Unlock()
	if turned && s.turned != nil {
		s.turned(err)
	}
	return err
}

// Writable reports why nothing can be stored: the error of the last write, or nil.
// After one that failed a growing write is tried again and again until one succeeds.
func (s *Store) Writable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Close writes what is left and closes the folder; it may be called twice. When ctx
// ends before that it returns, and leaves a disk that hangs alone.
func (s *Store) Close(ctx context.Context) error {
	s.close()
	select {
	case <-s.ended:
		return s.failed
	case <-ctx.Done():
		return fmt.Errorf("closing the data folder: %w", context.Cause(ctx))
	}
}
