package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func newTransfer(id string) *store.Transfer {
	return &store.Transfer{ID: id, Episode: "e", Chain: []*rules.Target{{ID: "t"}}, Created: time.Now(), Due: time.Now()}
}

func (w *world) put(id string) error { return w.store.Put(context.Background(), newTransfer(id)) }

// reopen looks at what a disk holds when its process is killed now.
func reopen(t *testing.T, d *simDisk) *world {
	t.Helper()
	w := begin(t, d.killed(len(d.trace)))
	t.Cleanup(w.end)
	return w
}

func (w *world) has(id string) bool {
	_, err := w.store.Get(context.Background(), id)
	return err == nil
}

func TestStore_aFullDisk_isNotWritable_untilAGrowingWriteSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSimDisk(nil, 1)
		w := begin(t, d)
		defer w.end()
		w.live()
		if err := w.put("before"); err != nil {
			t.Fatal(err)
		}
		d.set(func() { d.full = true })
		refused := ""
		for i := 0; refused == ""; i++ { // until what was made ready is used up
			if id := fmt.Sprint("during", i); w.put(id) != nil {
				refused = id
			}
		}
		for range 20 {
			time.Sleep(time.Second)
			if err := w.store.Writable(); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("Writable on a full disk = %v", err)
			}
		}
		w.store.Keep(memory.Change{ID: "c", Conversation: new(rules.Conversation)})
		d.set(func() { d.full = false })
		time.Sleep(time.Second)
		if err := errors.Join(w.store.Writable(), w.put(refused)); err != nil {
			t.Errorf("with room again: %v", err)
		}
		if began, ended := <-w.turns, <-w.turns; !errors.Is(began, syscall.ENOSPC) || ended != nil || len(w.turns) > 0 {
			t.Errorf("told of %v, %v and %d more", began, ended, len(w.turns))
		}
		after := reopen(t, d)
		if !after.has("before") || !after.has(refused) || after.store.left.conversations["c"] == nil || len(after.problems) > 0 {
			t.Errorf("after a restart something is missing; reported %q", after.problems)
		}
	})
}

// hung is a store whose disk has stopped to answer.
func hung(t *testing.T) (w *world, release func()) {
	t.Helper()
	d := newSimDisk(nil, 1)
	w = begin(t, d)
	w.live()
	if err := w.put("before"); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	d.set(func() { d.hang = gate })
	return w, func() { d.set(func() { d.hang = nil }); close(gate); synctest.Wait() }
}

func TestStore_aDiskThatHangs_refusesInTime_andLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, release := hung(t)
		defer w.end()
		for _, id := range []string{"its commit has begun", "its commit has not begun"} {
			began := time.Now()
			if err := w.put(id); !errors.Is(err, errBusy) || time.Since(began) != commitTimeout || w.store.Writable() == nil {
				t.Errorf("%s: %v after %s, writable: %v", id, err, time.Since(began), w.store.Writable())
			}
		}
		began := time.Now()
		w.store.Keep(memory.Change{ID: "c", Conversation: new(rules.Conversation)})
		if time.Since(began) != 0 {
			t.Error("a change that nobody waits for has waited")
		}
		release()
		time.Sleep(time.Second)
		if err := errors.Join(w.store.Writable(), w.put("after")); err != nil {
			t.Fatal(err)
		}
		after := reopen(t, w.disk)
		if list, _ := after.store.List(t.Context()); len(list) != 2 || !after.has("before") || !after.has("after") {
			t.Errorf("%d transfers are there", len(list))
		}
	})
}

func TestStore_aDiskThatHangs_doesNotHoldUpItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, release := hung(t)
		w.store.Keep(memory.Change{ID: "c", Conversation: new(rules.Conversation)})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if err := w.store.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("Close = %v after %s", err, time.Since(began))
		}
		release()
		if err := w.store.Close(t.Context()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

// A kill loses at most what was counted in the last 100 ms.
func TestStore_killed_hasWhatWasCounted100msAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSimDisk(nil, 1)
		w := begin(t, d)
		defer w.end()
		w.live()
		for i := range 40 {
			w.turn("a", i+1, nil)
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			after := begin(t, d.killed(len(d.trace)))
			after.verifyCounts("a", facts(d.trace)["a"], "killed")
			if got := after.store.left.conversations["a"]; got == nil || got.Seen().UnixMilli() != int64(i+1) {
				t.Errorf("after turn %d: %v", i+1, got)
			}
			after.end()
		}
	})
}

// The folder stays within twice what is kept, and twice the longest log. The constants
// are small here: with those of the service that is 2 × live state + 256 MiB.
func TestStore_theFolderStaysSmall_whateverIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSimDisk(nil, 1)
		w := begin(t, d)
		defer w.end()
		synctest.Wait()
		w.store.maxLog = 1 << 20
		w.live()
		for i := range 2000 {
			w.store.Keep(memory.Change{ID: "gone", Conversation: new(rules.Conversation)}) // nothing of it is kept
			w.turn(fmt.Sprint("c", i%50), i+1, nil)
			tr := newTransfer(fmt.Sprint("t", i))
			tr.Say = strings.Repeat("x", 10_000)
			if err := errors.Join(w.store.Put(t.Context(), tr), w.store.Delete(t.Context(), tr)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
			if size, live := d.size(), int64(2000*120); size > 2*live+2*w.store.maxLog+4*firstStep+2*longStep {
				t.Fatalf("after %d transfers the folder takes %d bytes", i+1, size)
			}
		}
		if w.store.base.Load() < 10 {
			t.Errorf("the log was written anew %d times", w.store.base.Load())
		}
	})
}

// What that costs those who wait for the disk meanwhile, where a sync takes 1 ms.
func TestStore_noTransferWaitsForTheLogToBeWrittenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSimDisk(nil, 1)
		w := begin(t, d)
		defer w.end()
		w.live()
		for i := range 20_000 {
			if err := w.conversations.Update(t.Context(), fmt.Sprint(i), func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
				return store.Effect{}, nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		d.set(func() { d.latency = time.Millisecond })
		w.store.ask()
		for i := 0; i < 10_000 && w.store.base.Load() == 0; i++ {
			began := time.Now()
			if err := w.put(fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(began); waited > 5*time.Millisecond {
				t.Errorf("transfer %d waited %s", i, waited)
			}
		}
		if w.store.base.Load() == 0 {
			t.Error("the log was not written anew meanwhile")
		}
	})
}

// What was refused must not come back, whatever a disk that fails has kept of it.
func TestStore_aTransferThatWasRefused_doesNotComeBack(t *testing.T) {
	for name, fail := range map[string]func(*simDisk, bool){
		"full":            func(d *simDisk, yes bool) { d.full = yes },
		"failing to sync": func(d *simDisk, yes bool) { d.noSync = yes },
	} {
		for seed := range uint64(20) {
			synctest.Test(t, func(t *testing.T) {
				d := newSimDisk(nil, seed)
				w := begin(t, d)
				defer w.end()
				for i := 0; w.put(fmt.Sprint("before", i)) == nil; i++ {
					if i == 2 {
						d.set(func() { fail(d, true) })
					}
				}
				list, _ := w.store.List(t.Context())
				d.set(func() { fail(d, false) })
				time.Sleep(time.Second)
				if err := w.put("after"); err != nil {
					t.Fatal(err)
				}
				after := reopen(t, d)
				if found, _ := after.store.List(t.Context()); len(found) != len(list)+1 {
					t.Errorf("%s: %d transfers are there, want %d", name, len(found), len(list)+1)
				}
			})
		}
	}
}

func TestStore_transfersThatEndWhileTheLogIsWrittenAnew_doNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSimDisk(nil, 1)
		w := begin(t, d)
		w.live()
		for i := range 3 * atOnce {
			if err := w.put(fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		d.set(func() { d.latency = time.Millisecond })
		w.store.ask()
		for i := range 3 * atOnce {
			if err := w.store.Delete(t.Context(), newTransfer(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		w.end()
		if w.store.base.Load() == 0 {
			t.Error("the log was not written anew meanwhile")
		}
		if found, _ := reopen(t, d).store.List(t.Context()); len(found) > 0 {
			t.Errorf("%d transfers came back", len(found))
		}
	})
}

// Words that are changed, left or removed while the log is written anew are afterwards
// what memory says: an older state must not come behind a newer one, and none be missed.
func TestStore_wordsThatChangeWhileTheLogIsWrittenAnew_areAsTheyWerePromised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const words, writers = 1000, 8
		d := newSimDisk(nil, 1)
		w := begin(t, d)
		w.live()
		for i := range words {
			if err := w.putWords(fmt.Sprint(i), []byte("old")); err != nil {
				t.Fatal(err)
			}
		}
		d.set(func() { d.latency, d.slow = time.Millisecond, true })
		w.store.ask()
		ended, again := make(chan struct{}), make(chan struct{})
		go func() { // what it does again and again
			defer close(again)
			for {
				_ = w.records.Each(func(r store.Record) { w.store.Keep(memory.Change{Records: []store.Record{r}}) }, func() error {
					return w.store.do(func(b []byte) []byte { return b }, nil)
				})
				select {
				case <-ended:
					return
				default:
				}
			}
		}()
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				for i := n; i < words; i += writers {
					value := []byte("new")
					if i%3 == 0 {
						value = nil
					}
					if err := errors.Join(w.putWords(fmt.Sprint(i), value), w.putWords(fmt.Sprint("another ", i), []byte("new"))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		close(ended)
		<-again
		time.Sleep(time.Second)
		w.end()
		if w.store.base.Load() == 0 {
			t.Error("the log was not written anew meanwhile")
		}
		kept, err := w.records.Records(t.Context(), store.KindWords)
		want := map[string]string{}
		for _, r := range kept {
			want[r.Name] = string(r.Value)
		}
		if diff := cmp.Diff(want, reopen(t, d).left(store.KindWords)); err != nil || diff != "" {
			t.Errorf("after a restart (-want +got), %v:\n%s", err, diff)
		}
	})
}

// What somebody had removed of a customer leaves the files soon, also when nothing else
// happens and when the process is killed in between.
func TestStore_whatWasRemovedOfACustomer_leavesTheFiles(t *testing.T) {
	for name, killed := range map[string]bool{"running": false, "killed after it": true} {
		synctest.Test(t, func(t *testing.T) {
			d := newSimDisk(nil, 1)
			w := begin(t, d)
			w.live()
			user := w.read(store.KindUser, "jared-personal", []byte("last seen"))
			err := errors.Join(
				w.putWords("stays", []byte("these words stay")), w.putWords("gone", []byte("secret words")),
				w.records.PutRecords(t.Context(), user), w.putWords("gone", nil),
				w.records.PutRecords(t.Context(), w.read(store.KindUser, "jared-personal", nil)),
			)
			if err != nil {
				t.Fatal(err)
			}
			if killed {
				w.end()
				w = begin(t, d)
				w.live()
			}
			defer w.end()
			time.Sleep(3 * supersededFor)
			synctest.Wait()
			var all string
			names, _ := d.names()
			for _, n := range names {
				f, err := d.open(n)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(f)
				all += string(b)
			}
			if strings.Contains(all, "secret words") || strings.Contains(all, "last seen") || !strings.Contains(all, "these words stay") {
				t.Errorf("%s: the files hold %q", name, all)
			}
			base := w.store.base.Load()
			time.Sleep(10 * supersededFor)
			if w.store.base.Load() != base {
				t.Errorf("%s: the log is written anew again and again", name)
			}
		})
	}
}
