package bolt

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxGroup bounds the writes of one commit, so that the first of them does not
// wait for thousands of others.
const maxGroup = 512

// commitTimeout bounds how long a callback waits for its commit to begin: Tencent
// waits 2 s for the answer and then sends it again.
const commitTimeout = 1500 * time.Millisecond

// errBusy is returned for a write that waited too long and was taken back.
var errBusy = errors.New("the disk is too slow: the commit did not begin in time")

// errClosed is returned for a write after Close.
var errClosed = errors.New("the store is closed")

// write is one change of the file that waits for its commit.
type write struct {
	change func(*bolt.Tx) error
	done   chan error
	// settled is set once: by the committer that takes the write into a group,
	// or by the writer that takes it back.
	settled *atomic.Bool
}

// committer groups writes into transactions.
type committer struct {
	db      *bolt.DB
	store   *Store // whose pending changes go with every commit
	queue   chan write
	mu      sync.RWMutex // guards closed against the queue's closing
	closed  bool
	working sync.WaitGroup
}

func newCommitter(db *bolt.DB, s *Store) *committer {
	c := &committer{db: db, store: s, queue: make(chan write, maxGroup)}
	c.working.Go(c.run)
	return c
}

// do runs change in a transaction and returns when that is on disk. Changes of
// one group fail together; a change must not fail for reasons of its own.
func (c *committer) do(change func(*bolt.Tx) error) error { return c.enqueue(change, nil) }

// doSoon is do, but the change is taken back when its commit has not begun
// within commitTimeout. One that has begun is waited for: what became of it is not
// known before, and a promise must not be half kept.
func (c *committer) doSoon(change func(*bolt.Tx) error) error {
	timer := time.NewTimer(commitTimeout)
	defer timer.Stop()
	return c.enqueue(change, timer.C)
}

func (c *committer) enqueue(change func(*bolt.Tx) error, late <-chan time.Time) error {
	w := write{change: change, done: make(chan error, 1), settled: new(atomic.Bool)}
	c.mu.RLock()
	if c.closed {
		c.mu.RUnlock()
		return errClosed
	}
	select {
	case c.queue <- w:
	case <-late:
		c.mu.RUnlock()
		return errBusy
	}
	c.mu.RUnlock()
	select {
	case err := <-w.done:
		return err
	case <-late:
		if w.settled.CompareAndSwap(false, true) {
			return errBusy
		}
		return <-w.done
	}
}

// run commits group after group until the queue is closed and empty.
func (c *committer) run() {
	group := make([]write, 0, maxGroup)
	for first := range c.queue {
		group = taken(c.gather(append(group[:0], first)))
		if len(group) == 0 {
			continue
		}
		err := c.commit(group)
		for _, w := range group {
			w.done <- err
		}
	}
}

// taken keeps the writes that nobody took back; from now on nobody can.
func taken(group []write) []write {
	return slices.DeleteFunc(group, func(w write) bool { return !w.settled.CompareAndSwap(false, true) })
}

// commit writes one group, and the pending changes with it: they cost no fsync of
// their own.
func (c *committer) commit(group []write) error {
	along := c.store.takePending()
	err := guarded(func() error {
		return c.db.Update(func(tx *bolt.Tx) error {
			if err := along.write(tx); err != nil {
				return err
			}
			for _, w := range group {
				if err := w.change(tx); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		c.store.putBackPending(along)
	}
	return err
}

// gather adds what is waiting in the queue now.
func (c *committer) gather(group []write) []write {
	for len(group) < maxGroup {
		select {
		case w, ok := <-c.queue:
			if !ok {
				return group
			}
			group = append(group, w)
		default:
			return group
		}
	}
	return group
}

// close commits what is queued and ends.
func (c *committer) close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.mu.Unlock()
	c.working.Wait()
}
