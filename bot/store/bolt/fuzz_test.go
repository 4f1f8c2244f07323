package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"escalator/bot/store/bolt"
)

// FuzzOpen_arbitraryRecords: whatever a record holds, the store opens, and
// holds a transfer or has set the record aside.
func FuzzOpen_arbitraryRecords(f *testing.F) {
	f.Add([]byte(`{"id":"k","chain":[{"id":"default"}],"state":"pending","episode":"e"}`), []byte("odd"))
	f.Add([]byte(`{"id":"k","chain":[null],"step":-1,"due":"9999-01-01T00:00:00Z"}`), []byte{1, 0})
	f.Fuzz(func(t *testing.T, transfer, conversation []byte) {
		dir := t.TempDir()
		shut(t, open(t, dir, &reports{}))
		db, err := bbolt.Open(filepath.Join(dir, "escalator.db"), 0o600, &bbolt.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			return errors.Join(tx.Bucket([]byte("outbox")).Put([]byte("k"), transfer),
				tx.Bucket([]byte("conversations")).Put([]byte("k"), conversation))
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		r := &reports{}
		s := open(t, dir, r)
		list, err := s.List(t.Context())
		restored, _ := s.Restored()
		if err != nil || len(list)+len(restored)+len(r.said) != 2 {
			t.Errorf("%d transfers, reports %q, %v", len(list), r.said, err)
		}
		for _, tr := range list {
			_, _ = tr.Current(), tr.Last()
		}
		shut(t, s)
	})
}

// FuzzOpen_arbitraryFiles changes a store's file anywhere: it opens, or is set
// aside with a report, and never takes the process down.
func FuzzOpen_arbitraryFiles(f *testing.F) {
	dir := f.TempDir()
	s, err := bolt.Open(bolt.Options{Dir: dir})
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		if err := s.Put(f.Context(), newTransfer(id)); err != nil {
			f.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "escalator.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte("hello"), uint32(0))
	f.Add(uint32(8200), []byte{0xff, 0xff, 0xff, 0xff}, uint32(0))
	f.Add(uint32(16400), []byte{0xff, 0xff, 0xff, 0x7f}, uint32(100))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, cut uint32) {
		b := append([]byte(nil), whole...)
		copy(b[int(at)%len(b):], patch)
		b = b[:len(b)-int(cut)%len(b)]
		dir := t.TempDir()
		write(t, filepath.Join(dir, "escalator.db"), b)
		s, err := bolt.Open(bolt.Options{Dir: dir})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		_ = s.Put(t.Context(), newTransfer("new"))
		_ = s.Close()
	})
}
