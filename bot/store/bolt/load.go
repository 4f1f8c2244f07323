package bolt

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"escalator/bot/store"
	"escalator/rules"
)

// load reads what an earlier process left. A record that cannot be read is
// moved to a bucket of its own and reported; the others are not harmed by it.
func (s *Store) load() error {
	s.conversations, s.answers = map[string]*rules.Conversation{}, map[string][]byte{}
	pending := map[string]bool{}
	err := s.db.Update(func(tx *bolt.Tx) error {
		err := s.loadBucket(tx, bucketOutbox, func(id string, value []byte) error {
			t := &store.Transfer{}
			if err := json.Unmarshal(value, t); err != nil {
				return err
			}
			if err := t.Check(); err != nil {
				return err
			}
			if t.ID != id {
				return errors.New("it stands under another id")
			}
			t.Clamp(s.now()) // the clock may have been set back meanwhile
			t.OutcomeUnknown = t.OutcomeUnknown || t.State != store.GivenUp
			pending[id] = t.State == store.Pending
			s.index.Insert(t)
			return nil
		})
		if err != nil {
			return err
		}
		err = s.loadBucket(tx, bucketAnswers, func(key string, value []byte) (err error) {
			s.answers[key], err = decodeAnswer(value)
			return err
		})
		if err != nil {
			return err
		}
		return s.loadBucket(tx, bucketConversations, func(id string, value []byte) error {
			c := new(rules.Conversation)
			if err := c.UnmarshalBinary(value); err != nil {
				return err
			}
			s.conversations[id] = c
			return nil
		})
	})
	for id, c := range s.conversations {
		if c.Phase() == rules.PhaseTransferring && !pending[id] {
			// The process ended between Desk's answer and the next commit: the
			// outbox says that the transfer is over. Most likely Desk has the
			// customer; that is old news, so that the next request asks Desk.
			c.Observe(rules.EventWithHuman, c.Seen().Add(-time.Hour), time.Time{})
		}
	}
	return err
}

// loadBucket reads each record of a bucket.
func (s *Store) loadBucket(tx *bolt.Tx, name []byte, read func(id string, value []byte) error) error {
	type record struct{ key, value []byte }
	var bad []record
	err := tx.Bucket(name).ForEach(func(key, value []byte) error {
		if err := read(string(key), value); err != nil {
			s.report(fmt.Sprintf("the record of %q in %s cannot be read: %v", key, name, err), "bucket damaged of "+s.db.Path())
			bad = append(bad, record{append([]byte(nil), key...), append([]byte(nil), value...)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range bad {
		if err := tx.Bucket(bucketDamaged).Put(append(append([]byte(nil), name...), append([]byte("/"), r.key...)...), r.value); err != nil {
			return err
		}
		if err := tx.Bucket(name).Delete(r.key); err != nil {
			return err
		}
	}
	return nil
}
