package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// world is a process on a simulated disk: the live state of memory over the journal.
type world struct {
	t             *testing.T
	disk          *simDisk
	store         *Store
	conversations *memory.Conversations
	dedup         *memory.Dedup
	problems      []string
	turns         chan error // when writing begins to fail, and when it works again
}

func begin(t *testing.T, d *simDisk) *world {
	t.Helper()
	w := &world{t: t, disk: d, turns: make(chan error, 1000)}
	s, err := open(d, Options{
		Report: func(problem, _ string) { w.problems = append(w.problems, problem) },
		Turned: func(why error) { w.turns <- why },
	}, io.NopCloser(nil))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	w.store = s
	return w
}

// live takes up what was left.
func (w *world) live() {
	w.dedup = memory.NewDedup(memory.DedupOptions{Keep: time.Hour, Max: 100_000, Journal: w.store})
	w.conversations = memory.NewConversations(memory.ConversationsOptions{
		Journal: w.store, Dedup: w.dedup, Max: 100_000, Expires: func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) },
	})
	w.store.Live(w.conversations, w.dedup)
}

func (w *world) end() {
	w.t.Helper()
	_ = w.store.Close(context.WithoutCancel(w.t.Context()))
}

// fact is one change of one id, when it begins and when it has been promised.
type fact struct {
	id       string
	n        int
	transfer string // the transfer's state then; "" none; "-": unchanged
	promised bool
	failed   bool
}

// state is what one id may be after a loss of power.
type state struct {
	transfers map[string]bool
	refused   string // it may be there until something else is promised
	least     int    // what was promised
	most      int    // what was begun
	begun     map[int]bool
	failed    map[int]bool // what was begun and is not known to have been kept
}

// facts reads what a trace says. Who is told that a transfer is not stored may find it
// all the same, but no longer once anything else was promised.
func facts(trace []simEvent) map[string]*state {
	all := map[string]*state{}
	for _, e := range trace {
		f, ok := e.note.(fact)
		if !ok {
			continue
		}
		s := all[f.id]
		if s == nil {
			s = &state{transfers: map[string]bool{"": true}, refused: "-", begun: map[int]bool{}, failed: map[int]bool{}}
			all[f.id] = s
		}
		s.begun[f.n], s.most = true, max(s.most, f.n)
		switch {
		case f.failed:
			s.failed[f.n] = true
			if f.transfer != "-" {
				s.refused = f.transfer
			}
		case f.promised && f.transfer != "-":
			s.transfers, s.least = map[string]bool{f.transfer: true}, max(s.least, f.n)
			for _, s := range all {
				delete(s.transfers, s.refused)
				s.refused = "-"
			}
		case f.transfer != "-":
			s.transfers[f.transfer] = true
		}
	}
	return all
}

// client is one customer after another, and the courier of their transfers.
func (w *world) client(name string, r *rand.Rand, steps int) {
	for i := range steps {
		id := name + "-" + strconv.Itoa(i/12)
		n := i%12 + 1
		if r.IntN(3) == 0 {
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		}
		if r.IntN(50) == 0 {
			time.Sleep(supersededFor)
		}
		kept, err := w.store.Get(context.Background(), id)
		switch {
		case err == nil && r.IntN(3) == 0:
			w.change(id, "", func() error { return w.store.Delete(context.Background(), kept) })
		case err == nil && r.IntN(2) == 0:
			next := *kept
			next.Calls++
			next.State = store.TransferState(r.IntN(3))
			w.change(id, show(&next), func() error { return w.store.Save(context.Background(), &next) })
		case r.IntN(2) == 0:
			w.turn(id, n, &store.Transfer{ID: id, Episode: fmt.Sprint(id, "/", n), Chain: []*rules.Target{{ID: "t"}}, Say: strings.Repeat("x", r.IntN(2000)), Created: time.Now(), Due: time.Now()})
		default:
			w.turn(id, n, nil)
		}
	}
}

func show(t *store.Transfer) string {
	return fmt.Sprintf("%s calls %d %s %d", t.Episode, t.Calls, t.State, len(t.Say))
}

func (w *world) change(id, to string, do func() error) {
	w.disk.note(fact{id: id, transfer: to})
	if err := do(); err == nil {
		w.disk.note(fact{id: id, transfer: to, promised: true})
	}
}

// turn counts a callback into a conversation: the state says how many were.
func (w *world) turn(id string, n int, t *store.Transfer) {
	key := fmt.Sprint(id, "#", n)
	f := fact{id: id, n: n, transfer: "-"}
	if t != nil {
		f.transfer = show(t)
	}
	if c, err := w.dedup.Claim(context.Background(), key, id); err != nil || !c.First {
		w.t.Errorf("Claim(%s) = %+v, %v", key, c, err)
	}
	w.disk.note(f)
	err := w.conversations.Update(context.Background(), id, func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, time.UnixMilli(int64(n)), time.Time{})
		return store.Effect{Transfer: t, DedupKey: key, Answer: []byte(key)}, nil
	})
	f.promised = err == nil
	if err != nil && !errors.Is(err, store.ErrPending) {
		w.dedup.Release(context.Background(), key)
	}
	f.failed = err != nil
	w.disk.note(f)
}

// verify compares what a store has found with what the trace says of it.
func (w *world) verify(all map[string]*state, where string) {
	w.t.Helper()
	for _, p := range w.problems {
		if !strings.Contains(p, "was not written whole") {
			w.t.Errorf("%s: reported %q", where, p)
		}
	}
	found := map[string]string{}
	list, _ := w.store.List(context.Background())
	for _, tr := range list {
		found[tr.ID] = show(tr)
	}
	for id, got := range found {
		if all[id] == nil || !all[id].transfers[got] {
			w.t.Errorf("%s: the transfer of %s is %q, want one of %v", where, id, got, all[id])
		}
	}
	for id, s := range all {
		if found[id] == "" && !s.transfers[""] {
			w.t.Errorf("%s: the transfer of %s is lost, want one of %v", where, id, s.transfers)
		}
		w.verifyCounts(id, s, where)
	}
}

// verifyCounts compares how often a conversation was counted with the callbacks that
// are known: the two must agree.
func (w *world) verifyCounts(id string, s *state, where string) {
	w.t.Helper()
	n := 0
	if c := w.store.left.conversations[id]; c != nil {
		n = int(c.Seen().UnixMilli())
	}
	if n < s.least || n > s.most {
		w.t.Errorf("%s: %s was counted %d times, want %d to %d", where, id, n, s.least, s.most)
	}
	for m := 1; m <= s.most; m++ {
		key := fmt.Sprint(id, "#", m)
		answer, known := w.store.left.answers[memory.KeyOf(key)]
		if known && (m > n || string(answer) != key) || !known && m <= n && !s.failed[m] && s.begun[m] {
			w.t.Errorf("%s: of %s, counted %d times, the callback %d is known %t with %q", where, id, n, m, known, answer)
		}
	}
}

// TestStore_aLossOfPower_keepsWhatWasPromised runs customers on a disk that records what
// is done to it, and is sometimes full or failing. For random moments the disk is rebuilt
// as a loss of power, or a kill, leaves it, and opened. make powerloss has 10,000 of them.
func TestStore_aLossOfPower_keepsWhatWasPromised(t *testing.T) {
	moments, _ := strconv.Atoi(os.Getenv("POWERLOSS_MOMENTS"))
	moments = max(moments, 400)
	const each = 100
	for run := range moments / each {
		synctest.Test(t, func(t *testing.T) { losePower(t, uint64(run), each) })
		if t.Failed() {
			t.Fatalf("in run %d", run)
		}
	}
	t.Logf("%d moments", moments)
}

func losePower(t *testing.T, seed uint64, moments int) {
	r := rand.New(rand.NewPCG(seed, 0))
	d := newSimDisk(nil, seed)
	d.slow = r.IntN(2) == 0
	w := begin(t, d)
	synctest.Wait()
	w.store.maxLog = 20_000 + int64(r.IntN(50_000))
	w.live()
	var customers sync.WaitGroup
	for i := range 4 {
		customers.Go(func() { w.client(fmt.Sprint("c", i), rand.New(rand.NewPCG(seed, uint64(i+1))), 60) })
	}
	if seed%2 == 1 {
		customers.Go(func() { d.misbehave(rand.New(rand.NewPCG(seed, 99))) })
	}
	customers.Wait()
	w.end()
	for range moments {
		n := r.IntN(len(d.trace) + 1)
		all, kept := facts(d.trace[:n]), r.IntN(4) == 0
		where := fmt.Sprintf("seed %d, event %d of %d, killed only: %t", seed, n, len(d.trace), kept)
		left := d.killed(n)
		if !kept {
			left = newSimDisk(d.after(n, r), seed)
		}
		after := begin(t, left)
		after.verify(all, where)
		if err := after.store.Put(t.Context(), &store.Transfer{ID: "new", Episode: "e", Chain: []*rules.Target{{ID: "t"}}}); err != nil {
			t.Errorf("%s: Put: %v", where, err)
		}
		if r.IntN(2) == 0 {
			after.end()
		}
		again := begin(t, newSimDisk(left.after(len(left.trace), r), seed))
		all["new"] = &state{transfers: map[string]bool{"e calls 0 pending 0": true}}
		again.verify(all, where+", and again")
		after.end()
		again.end()
	}
}

// misbehave is a disk that is full, or fails, now and then.
func (d *simDisk) misbehave(r *rand.Rand) {
	for range 6 {
		time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
		d.set(func() { d.full, d.noSync = r.IntN(2) == 0, r.IntN(3) == 0 })
		time.Sleep(time.Duration(r.IntN(800)) * time.Millisecond)
		d.set(func() { d.full, d.noSync = false, false })
	}
}
