package bolt

import (
	"encoding/binary"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxDedupKey bounds the key of a callback on disk; no sender of ours has one that long.
const maxDedupKey = 1024

// The record of a callback begins with when it was written, in Unix milliseconds,
// and whether an answer follows.
const (
	answerHead  = 9
	answerKnown = 'a'
	answerNone  = 'n'
)

func encodeAnswer(answer []byte, now time.Time) []byte {
	kind := byte(answerKnown)
	if answer == nil {
		kind = answerNone
	}
	return append(append(binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli())), kind), answer...)
}

func decodeAnswer(value []byte) (answer []byte, err error) {
	switch {
	case len(value) < answerHead:
	case value[answerHead-1] == answerKnown:
		return append([]byte{}, value[answerHead:]...), nil
	case value[answerHead-1] == answerNone && len(value) == answerHead:
		return nil, nil
	}
	return nil, errors.New("it is no answer of ours")
}

// expireAnswers removes callbacks of which no copy comes any more.
func (s *Store) expireAnswers() {
	latest := s.now().Add(-s.keepAnswers).UnixMilli()
	var old [][]byte
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketAnswers).ForEach(func(key, value []byte) error {
			if len(value) < answerHead || int64(binary.BigEndian.Uint64(value)) < latest {
				old = append(old, append([]byte{}, key...))
			}
			return nil
		})
	})
	if err != nil || len(old) == 0 {
		return
	}
	_ = s.commit(func(tx *bolt.Tx) error { // the next time will do
		for _, key := range old {
			if err := tx.Bucket(bucketAnswers).Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}
