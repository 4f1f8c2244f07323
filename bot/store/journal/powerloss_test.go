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
	records       *memory.Records
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
	w.records = memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(100_000), Journal: w.store})
	w.conversations = memory.NewConversations(memory.ConversationsOptions{
		Journal: w.store, Dedup: w.dedup, Records: w.records, Max: 100_000, Expires: func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) },
	})
	w.store.Live(w.conversations, w.dedup, w.records)
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
	words    string // the words that are kept with the id, likewise
	promised bool
	failed   bool
}

// promise is what something of an id may be: a transfer, or words.
type promise struct {
	may     map[string]bool
	sure    string // what was promised last
	refused string // it may be there until something else is promised
}

func newPromise() *promise { return &promise{may: map[string]bool{"": true}, refused: "-"} }

// note takes up what a fact says of it, and reports whether that is a new promise.
func (p *promise) note(to string, f fact) bool {
	switch {
	case to == "-":
		return false
	case f.failed:
		p.refused = to
	case f.promised:
		p.may, p.sure = map[string]bool{to: true}, to
		return true
	default:
		p.may[to] = true
	}
	return false
}

// forgetRefused forgets what was refused, unless it was what there is already.
func (p *promise) forgetRefused() {
	if p.refused != p.sure {
		delete(p.may, p.refused)
	}
	p.refused = "-"
}

// state is what one id may be after a loss of power.
type state struct {
	transfers, words *promise
	least            int // what was promised
	most             int // what was begun
	begun            map[int]bool
	failed           map[int]bool // what was begun and is not known to have been kept
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
			s = &state{transfers: newPromise(), words: newPromise(), begun: map[int]bool{}, failed: map[int]bool{}}
			all[f.id] = s
		}
		s.begun[f.n], s.most = true, max(s.most, f.n)
		s.failed[f.n] = s.failed[f.n] || f.failed
		transfer, words := s.transfers.note(f.transfer, f), s.words.note(f.words, f)
		if transfer || words {
			s.least = max(s.least, f.n)
			for _, s := range all {
				s.transfers.forgetRefused()
				s.words.forgetRefused()
			}
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
			w.change(fact{id: id, words: "-"}, func() error { return w.store.Delete(context.Background(), kept) })
		case err == nil && r.IntN(2) == 0:
			next := *kept
			next.Calls++
			next.State = store.TransferState(r.IntN(3))
			w.change(fact{id: id, transfer: show(&next), words: "-"}, func() error { return w.store.Save(context.Background(), &next) })
		case r.IntN(6) == 0:
			w.change(fact{id: id, transfer: "-", words: ""}, func() error { return w.putWords(id, nil) })
		case r.IntN(6) == 0:
			words := fmt.Sprint("alone after ", n)
			w.change(fact{id: id, transfer: "-", words: words}, func() error { return w.putWords(id, []byte(words)) })
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

func (w *world) change(f fact, do func() error) {
	w.disk.note(f)
	err := do()
	// Of what became of a transfer memory knows also where the disk refused it.
	if f.promised, f.failed = err == nil, err != nil && f.transfer == "-"; f.promised || f.failed {
		w.disk.note(f)
	}
}

// read returns a record as memory has it.
func (w *world) read(kind store.Kind, name string, value []byte) store.Record {
	r, err := w.records.Record(context.Background(), kind, name)
	if err != nil {
		w.t.Error(err)
	}
	r.Value = value
	return r
}

func (w *world) putWords(id string, words []byte) error {
	return w.records.PutRecords(context.Background(), w.read(store.KindWords, id, words))
}

// turn counts a callback into a conversation: the state says how many were, and so does
// the record of its user. Every fourth one leaves words.
func (w *world) turn(id string, n int, t *store.Transfer) {
	key := fmt.Sprint(id, "#", n)
	f := fact{id: id, n: n, transfer: "-", words: "-"}
	if t != nil {
		f.transfer = show(t)
	}
	records := []store.Record{w.read(store.KindUser, id, []byte(strconv.Itoa(n)))}
	if n%4 == 0 {
		f.words = fmt.Sprint("words ", n)
		records = append(records, w.read(store.KindWords, id, []byte(f.words)))
	}
	if c, err := w.dedup.Claim(context.Background(), key, id); err != nil || !c.First {
		w.t.Errorf("Claim(%s) = %+v, %v", key, c, err)
	}
	w.disk.note(f)
	err := w.conversations.Update(context.Background(), id, func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, time.UnixMilli(int64(n)), time.Time{})
		return store.Effect{Transfer: t, DedupKey: key, Answer: []byte(key), Records: records}, nil
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
		if all[id] == nil || !all[id].transfers.may[got] {
			w.t.Errorf("%s: the transfer of %s is %q, want one of %v", where, id, got, all[id])
		}
	}
	words, users := w.left(store.KindWords), w.left(store.KindUser)
	for id, s := range all {
		if found[id] == "" && !s.transfers.may[""] {
			w.t.Errorf("%s: the transfer of %s is lost, want one of %v", where, id, s.transfers.may)
		}
		if !s.words.may[words[id]] {
			w.t.Errorf("%s: the words of %s are %q, want one of %v", where, id, words[id], s.words.may)
		}
		if c := w.store.left.conversations[id]; c != nil && users[id] != strconv.FormatInt(c.Seen().UnixMilli(), 10) || c == nil && users[id] != "" {
			w.t.Errorf("%s: the user's record of %s is of turn %q, its conversation is %v", where, id, users[id], c)
		}
		w.verifyCounts(id, s, where)
	}
}

// left returns the values of the records that a store has found.
func (w *world) left(kind store.Kind) map[string]string {
	values := map[string]string{}
	for _, r := range w.store.left.records {
		if r.Kind == kind {
			values[r.Name] = string(r.Value)
		}
	}
	return values
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
		all["new"] = &state{transfers: &promise{may: map[string]bool{"e calls 0 pending 0": true}}, words: newPromise()}
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
