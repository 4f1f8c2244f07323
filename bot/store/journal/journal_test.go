package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"escalator/bot/store"
	"escalator/bot/store/journal"
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

func open(t *testing.T, dir string, r *reports) *journal.Store {
	t.Helper()
	s, err := journal.Open(journal.Options{Dir: dir, Report: r.add})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close(context.WithoutCancel(t.Context())) })
	return s
}

func shut(t *testing.T, s *journal.Store) {
	t.Helper()
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
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

func TestOpen_aSecondProcess_isRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, &reports{})
	if _, err := journal.Open(journal.Options{Dir: dir}); !errors.Is(err, journal.ErrInUse) {
		t.Errorf("second Open = %v, want ErrInUse", err)
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
			s, err := journal.Open(journal.Options{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close(context.WithoutCancel(b.Context())) }()
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
