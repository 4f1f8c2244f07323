package bolt_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"escalator/bot/store"
	"escalator/bot/store/bolt"
	"escalator/bot/store/memory"
	"escalator/bot/store/storetest"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reports collects what a store says of damage.
type reports struct {
	mu   sync.Mutex
	said []string
}

func (r *reports) add(problem, keptAt string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, problem+" | "+keptAt)
}

func open(t *testing.T, dir string, r *reports) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(bolt.Options{Dir: dir, Report: r.add})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func shut(t *testing.T, s *bolt.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func TestStore_conforms(t *testing.T) {
	storetest.Outbox(t, func(t *testing.T) store.Outbox { return open(t, t.TempDir(), &reports{}) })
}

func newTransfer(id string) *store.Transfer {
	now := time.Now().Truncate(time.Second)
	return &store.Transfer{ID: id, Session: id, Rule: "r", Target: "default", Chain: []*rules.Target{{ID: "default"}}, Episode: id, Created: now, Due: now}
}

func TestStore_afterARestart_everyTransferIsThere_andUnsure(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, &reports{})
	for i := range 100 {
		if err := s.Put(t.Context(), newTransfer(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	given := newTransfer("7")
	given.State, given.Error = store.GivenUp, "no such session"
	if err := errors.Join(s.Save(t.Context(), given), s.Delete(t.Context(), newTransfer("8"))); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	list, err := open(t, dir, &reports{}).List(t.Context())
	if err != nil || len(list) != 99 {
		t.Fatalf("%d transfers after a restart, %v", len(list), err)
	}
	for _, tr := range list {
		if tr.ID == "8" || tr.OutcomeUnknown == (tr.ID == "7") || (tr.State == store.GivenUp) != (tr.ID == "7") {
			t.Errorf("after a restart: %+v", tr)
		}
	}
}

func TestStore_afterARestart_conversationsAreThere(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, &reports{})
	c := new(rules.Conversation)
	c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
	s.Keep(memory.Change{ID: "a", Conversation: c})
	s.Keep(memory.Change{ID: "b", Conversation: c})
	s.Keep(memory.Change{ID: "b"})
	shut(t, s)
	s = open(t, dir, &reports{})
	restored, _ := s.Restored()
	if len(restored) != 1 || restored["a"].Phase() != rules.PhaseHuman {
		t.Errorf("restored %v", restored)
	}
	if again, _ := s.Restored(); len(again) != 0 {
		t.Error("restored twice")
	}
}

func TestOpen_aSecondProcess_isRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, &reports{})
	if _, err := bolt.Open(bolt.Options{Dir: dir}); !errors.Is(err, bolt.ErrInUse) {
		t.Errorf("second Open = %v, want ErrInUse", err)
	}
}

func TestOpen_aDamagedOrForeignFile_isKeptAsideAndReported(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string){
		"not a database": func(t *testing.T, path string) { write(t, path, []byte("hello, I am a text file\n")) },
		"empty pages":    func(t *testing.T, path string) { write(t, path, make([]byte, 64<<10)) },
		"cut in half": func(t *testing.T, path string) {
			fill(t, filepath.Dir(path))
			b := read(t, path)
			write(t, path, b[:len(b)/2+100])
		},
		"overwritten in the middle": func(t *testing.T, path string) {
			fill(t, filepath.Dir(path))
			b := read(t, path)
			for i := 2 * os.Getpagesize(); i < len(b); i++ {
				b[i] = 0xff
			}
			write(t, path, b)
		},
		"of another program": func(t *testing.T, path string) {
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "escalator.db")
			spoil(t, path)
			before := read(t, path)
			r := &reports{}
			s := open(t, dir, r)
			if err := s.Put(t.Context(), newTransfer("new")); err != nil {
				t.Errorf("Put into the new store: %v", err)
			}
			kept, _ := filepath.Glob(path + ".damaged-*")
			if len(kept) != 1 || string(read(t, kept[0])) != string(before) {
				t.Fatalf("kept aside: %v", kept)
			}
			if len(r.said) != 1 || !strings.Contains(r.said[0], kept[0]) {
				t.Errorf("reported %q", r.said)
			}
		})
	}
}

// fill makes a store with enough in it to have many pages.
func fill(t *testing.T, dir string) {
	t.Helper()
	s := open(t, dir, &reports{})
	for i := range 500 {
		if err := s.Put(t.Context(), newTransfer(fmt.Sprint("transfer", i))); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
}

func TestOpen_aDamagedRecord_isSetAside_andTheOthersLive(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, &reports{})
	if err := s.Put(t.Context(), newTransfer("good")); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	db, err := bbolt.Open(filepath.Join(dir, "escalator.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket([]byte("outbox")).Put([]byte("bad"), []byte(`{"id":"ba`)),
			tx.Bucket([]byte("outbox")).Put([]byte("empty"), []byte(`{}`)),
			tx.Bucket([]byte("conversations")).Put([]byte("odd"), []byte("odd")))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	r := &reports{}
	s = open(t, dir, r)
	list, _ := s.List(t.Context())
	if len(list) != 1 || list[0].ID != "good" || len(r.said) != 3 {
		t.Errorf("%d transfers, reports %q", len(list), r.said)
	}
	shut(t, s)
	r = &reports{}
	if left, _ := open(t, dir, r).Restored(); len(left) != 0 || len(r.said) != 0 {
		t.Errorf("reported again: %q", r.said)
	}
}

func TestStore_manyWritersAtOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, &reports{})
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			id := fmt.Sprint(i)
			if err := s.Put(t.Context(), newTransfer(id)); err != nil {
				t.Errorf("Put: %v", err)
			}
			if i%2 == 0 {
				if err := s.Delete(t.Context(), newTransfer(id)); err != nil {
					t.Errorf("Delete: %v", err)
				}
			}
		})
	}
	all.Wait()
	shut(t, s)
	if list, _ := open(t, dir, &reports{}).List(t.Context()); len(list) != 100 {
		t.Errorf("%d transfers on disk, want 100", len(list))
	}
}

func TestStore_afterClose_refusesToPromise(t *testing.T) {
	s := open(t, t.TempDir(), &reports{})
	shut(t, s)
	if err := s.Put(t.Context(), newTransfer("late")); err == nil {
		t.Error("Put after Close promised to keep a transfer")
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkPut(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers, "writers"), func(b *testing.B) {
			s, err := bolt.Open(bolt.Options{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			b.SetParallelism(writers)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					id := fmt.Sprintf("%p-%d", pb, i)
					if err := s.Put(b.Context(), newTransfer(id)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
