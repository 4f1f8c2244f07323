package bolt

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"escalator/bot/store/memory"
	"escalator/rules"
)

const (
	// flushEvery is how old the conversations on disk may be. They also go with
	// every commit of a transfer, so a busy service writes them for nothing.
	flushEvery = time.Second
	// expireEvery is how often old given-up transfers are looked for.
	expireEvery = time.Minute
)

// pending is what waits to be written, encoded; a nil conversation is to be removed.
// What belongs together is put in, and taken out, together.
type pending struct {
	conversations map[string][]byte
	answers       map[string][]byte // by the callback's key; see encodeAnswer
}

func newPending() pending {
	return pending{conversations: map[string][]byte{}, answers: map[string][]byte{}}
}

// add puts a change in.
func (p pending) add(c memory.Change, now time.Time) error {
	if c.ID != "" {
		var value []byte
		if c.Conversation != nil {
			var err error
			if value, err = c.Conversation.MarshalBinary(); err != nil {
				return fmt.Errorf("encoding the conversation %s: %w", c.ID, err)
			}
		}
		p.conversations[c.ID] = value
	}
	if c.DedupKey != "" && len(c.DedupKey) <= maxDedupKey {
		p.answers[c.DedupKey] = encodeAnswer(c.Answer, now)
	}
	return nil
}

// putBack returns what could not be committed; what has changed since stays as it is.
func (p pending) putBack(failed pending) {
	for _, m := range [][2]map[string][]byte{{p.conversations, failed.conversations}, {p.answers, failed.answers}} {
		for id, value := range m[1] {
			if _, newer := m[0][id]; !newer {
				m[0][id] = value
			}
		}
	}
}

func (p pending) write(tx *bolt.Tx) error {
	conversations, answers := tx.Bucket(bucketConversations), tx.Bucket(bucketAnswers)
	for id, value := range p.conversations {
		var err error
		if value == nil {
			err = conversations.Delete([]byte(id))
		} else {
			err = conversations.Put([]byte(id), value)
		}
		if err != nil {
			return fmt.Errorf("writing the conversation %s: %w", id, err)
		}
	}
	for key, value := range p.answers {
		if err := answers.Put([]byte(key), value); err != nil {
			return fmt.Errorf("writing the answer to %q: %w", key, err)
		}
	}
	return nil
}

// Keep implements memory.Journal: the change goes with the next commit.
func (s *Store) Keep(c memory.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.unsaved.add(c, s.now()) // no state of ours fails to encode; the next change tries again
}

// Restored returns what an earlier process left, once: its conversations, and the
// answers to callbacks by their keys (nil: counted, and not answered).
func (s *Store) Restored() (conversations map[string]*rules.Conversation, answers map[string][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conversations, answers = s.conversations, s.answers
	s.conversations, s.answers = nil, nil
	return conversations, answers
}

// takePending returns what waits to be written.
func (s *Store) takePending() pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.unsaved
	s.unsaved = newPending()
	return p
}

// putBackPending returns what could not be committed.
func (s *Store) putBackPending(p pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved.putBack(p)
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
			s.expireAnswers()
		}
	}
}

func (s *Store) flush() error {
	s.mu.Lock()
	idle := len(s.unsaved.conversations)+len(s.unsaved.answers) == 0 && s.failure == nil
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
