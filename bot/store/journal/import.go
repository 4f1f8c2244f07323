package journal

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"escalator/bot/regular"
	"escalator/bot/store/memory"
)

// oldName is the file of the store before this one, a bbolt database. It is read once.
const oldName = "escalator.db"

// importOld takes up an older store, if there is one. Its file stays where it is until
// mend has written what was in it into a segment.
func importOld(dir string, l *loaded) (found bool, err error) {
	path := filepath.Join(dir, oldName)
	switch f, err := regular.Open(path); {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case errors.Is(err, os.ErrPermission):
		return false, err
	case err != nil:
		l.note(oldName, "it cannot be read: %v", err)
		return false, nil
	default:
		_ = f.Close() // bbolt opens it itself
	}
	err = guarded(func() error {
		db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
		if err != nil {
			return err
		}
		return errors.Join(db.View(l.readOld), db.Close())
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return false, ErrInUse
	case errors.Is(err, os.ErrPermission):
		return false, err
	case err != nil:
		l.note(oldName, "not all of the older store can be read (%v); the rest is in use", err)
	}
	return true, nil
}

// readOld reads the buckets; what they hold counts more than what l has.
func (l *loaded) readOld(tx *bolt.Tx) error {
	if tx.Bucket([]byte("meta")) == nil {
		return errors.New("it is the database of another program")
	}
	for name, of := range map[string]byte{"outbox": ofTransfer, "conversations": ofConversation, "answers": ofCallback} {
		b := tx.Bucket([]byte(name))
		if b == nil {
			continue
		}
		err := b.ForEach(func(key, value []byte) error {
			if of == ofCallback { // its value was what ours is, under the whole key
				k := memory.KeyOf(string(key))
				key = k[:]
			}
			l.take(append([]byte{of}, key...), value, math.MaxInt64)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// guarded runs f, which reads the file's map in memory. Where the file was cut, or a
// page of it points anywhere, bbolt panics or reads beyond the map; that is the error
// then, and not the end of the process.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // of this goroutine
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it is damaged: %v", p)
		}
	}()
	return f()
}
