package bolt

import (
	"errors"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// maxGroup bounds the writes of one commit, so that the first of them does not
// wait for thousands of others.
const maxGroup = 512

// errClosed is returned for a write after Close.
var errClosed = errors.New("the store is closed")

// write is one change of the file that waits for its commit.
type write struct {
	change func(*bolt.Tx) error
	done   chan error
}

// companion goes with every commit: what is worth writing when there is one.
type companion interface {
	// take returns what waits to be written.
	take() batch
	// putBack returns what could not be committed.
	putBack(batch)
}

// committer groups writes into transactions.
type committer struct {
	db      *bolt.DB
	rider   companion
	queue   chan write
	mu      sync.RWMutex // guards closed against the queue's closing
	closed  bool
	working sync.WaitGroup
}

func newCommitter(db *bolt.DB, rider companion) *committer {
	c := &committer{db: db, rider: rider, queue: make(chan write, maxGroup)}
	c.working.Go(c.run)
	return c
}

// do runs change in a transaction and returns when that is on disk. Changes of
// one group fail together; a change must not fail for reasons of its own.
func (c *committer) do(change func(*bolt.Tx) error) error {
	w := write{change: change, done: make(chan error, 1)}
	c.mu.RLock()
	if c.closed {
		c.mu.RUnlock()
		return errClosed
	}
	c.queue <- w
	c.mu.RUnlock()
	return <-w.done
}

// run commits group after group until the queue is closed and empty.
func (c *committer) run() {
	group := make([]write, 0, maxGroup)
	for first := range c.queue {
		group = append(group[:0], first)
		group = c.gather(group)
		err := c.commit(group)
		for _, w := range group {
			w.done <- err
		}
	}
}

// commit writes one group and what rides with it.
func (c *committer) commit(group []write) error {
	along := c.rider.take()
	err := c.db.Update(func(tx *bolt.Tx) error {
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
	if err != nil {
		c.rider.putBack(along)
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
