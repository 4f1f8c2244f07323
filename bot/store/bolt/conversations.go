package bolt

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"escalator/rules"
)

const (
	// flushEvery is how old the conversations on disk may be. They also go with
	// every commit of a transfer, so a busy service writes them for nothing.
	flushEvery = time.Second
	// expireEvery is how often old given-up transfers are looked for.
	expireEvery = time.Minute
)

// Keep has the conversation written with the next commit, or forgotten when c
// is nil. It does not wait.
func (s *Store) Keep(id string, c *rules.Conversation) {
	var value []byte
	if c != nil {
		var err error
		if value, err = c.MarshalBinary(); err != nil {
			return // no state of ours fails to encode; the next change tries again
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved[id] = value
}

// Restored returns the conversations that an earlier process left, once.
func (s *Store) Restored() map[string]*rules.Conversation {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.restored
	s.restored = nil
	return r
}

// batch is conversations to write, encoded; a nil value is to be removed.
type batch map[string][]byte

func (b batch) write(tx *bolt.Tx) error {
	bucket := tx.Bucket(bucketConversations)
	for id, value := range b {
		var err error
		if value == nil {
			err = bucket.Delete([]byte(id))
		} else {
			err = bucket.Put([]byte(id), value)
		}
		if err != nil {
			return fmt.Errorf("writing the conversation %s: %w", id, err)
		}
	}
	return nil
}

// take implements companion.
func (s *Store) take() batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.unsaved
	s.unsaved = batch{}
	return b
}

// putBack implements companion; what has changed since stays as it is.
func (s *Store) putBack(b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, value := range b {
		if _, newer := s.unsaved[id]; !newer {
			s.unsaved[id] = value
		}
	}
}

// flushNowAndThen writes conversations that no transfer takes along.
func (s *Store) flushNowAndThen() {
	flush, expire := time.NewTicker(flushEvery), time.NewTicker(expireEvery)
	defer flush.Stop()
	defer expire.Stop()
	for {
		select {
		case <-s.closing:
			return
		case <-flush.C:
			_ = s.flush() // Writable tells of it
		case <-expire.C:
			s.expire()
		}
	}
}

func (s *Store) flush() error {
	s.mu.Lock()
	idle := len(s.unsaved) == 0 && s.failure == nil
	s.mu.Unlock()
	if idle {
		return nil
	}
	return s.commit(func(*bolt.Tx) error { return nil })
}

// expire removes given-up transfers that nobody will ask for any more.
func (s *Store) expire() {
	gone := s.index.Expire()
	if len(gone) == 0 {
		return
	}
	_ = s.commit(func(tx *bolt.Tx) error {
		for _, t := range gone {
			if err := ifSame(t, func(b *bolt.Bucket) error { return b.Delete([]byte(t.ID)) })(tx); err != nil {
				return err
			}
		}
		return nil
	})
}
