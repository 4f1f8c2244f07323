package memory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/bot/store/storetest"
)

func TestRecords_conform(t *testing.T) {
	storetest.Records(t, func(*testing.T) (storetest.Stores, func(time.Duration)) {
		var passed time.Duration
		now := func() time.Time { return time.Now().Add(passed) }
		records := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(storetest.RecordCap), Now: now})
		o, d := memory.NewOutbox(nil), memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 100_000})
		return storetest.Stores{Outbox: o, Dedup: d, Records: records, Conversations: memory.NewConversations(memory.ConversationsOptions{
			Outbox: o, Dedup: d, Records: records, Max: 100_000, Expires: expires,
		})}, func(d time.Duration) { passed += d }
	})
}

// What is over goes also where nobody asks for it, and then the journal hears of it.
func TestRecords_whatIsOver_isSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		evicted := 0
		m := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(1000), Evicted: func(store.Kind) { evicted++ }})
		ctx, cancel := context.WithCancel(t.Context())
		go memory.Sweep(ctx, m.Sweep)
		for n := range 900 {
			r := store.Record{Kind: store.KindUser, Name: strconv.Itoa(n), Value: []byte("x")}
			if n%3 != 0 {
				r.Until = time.Now().Add(time.Minute)
			}
			if err := m.PutRecords(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(59 * time.Second)
		if n := m.Len(); n != 900 {
			t.Errorf("%d are left before their time is over", n)
		}
		time.Sleep(2 * time.Second)
		if n := m.Len(); n != 300 || evicted != 0 {
			t.Errorf("%d are left, and %d were evicted; want 300 and none", n, evicted)
		}
		cancel()
		synctest.Wait()
	})
}

func TestRecords_overTheCap_areCounted(t *testing.T) {
	evicted := map[store.Kind]int{}
	m := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10), Evicted: func(k store.Kind) { evicted[k]++ }})
	for n := range 2000 {
		for _, kind := range []store.Kind{store.KindUser, store.KindLease} {
			if err := m.PutRecords(t.Context(), store.Record{Kind: kind, Name: strconv.Itoa(n), Value: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if evicted[store.KindUser] != 1990 || evicted[store.KindLease] != 1000 || m.Len() != 1010 {
		t.Errorf("evicted %v, kept %d", evicted, m.Len())
	}
}

// slowJournal holds commits back until it is told what becomes of them.
type slowJournal struct {
	arrived chan []store.Record
	answer  chan error
}

func (j *slowJournal) Keep(memory.Change) {}
func (j *slowJournal) Commit(_ *store.Transfer, c memory.Change) error {
	j.arrived <- c.Records
	return <-j.answer
}

// A commit keeps only those waiting who want the same record, and one that fails leaves
// what was there.
func TestRecords_underACommit_othersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &slowJournal{arrived: make(chan []store.Record, 1), answer: make(chan error)}
		m := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10), Journal: j})
		words := func(name, value string) store.Record {
			return store.Record{Kind: store.KindWords, Name: name, Value: []byte(value)}
		}
		ended := make(chan error, 2)
		go func() { ended <- m.PutRecords(t.Context(), words("a", "first")) }()
		<-j.arrived
		go func() { ended <- m.PutRecords(t.Context(), words("a", "second")) }()
		synctest.Wait()
		if r, err := m.Record(t.Context(), store.KindWords, "a"); err != nil || r.Value != nil {
			t.Errorf("seen before it is on disk: %+v, %v", r, err)
		}
		if err := m.PutRecords(t.Context(), store.Record{Kind: store.KindUser, Name: "u", Value: []byte("x")}); err != nil {
			t.Errorf("another one: %v", err)
		}
		full := errors.New("full")
		j.answer <- full
		if err := <-ended; !errors.Is(err, full) {
			t.Errorf("the first = %v", err)
		}
		<-j.arrived
		j.answer <- nil
		if err := <-ended; err != nil {
			t.Errorf("the second, who waited = %v", err)
		}
		if r, _ := m.Record(t.Context(), store.KindWords, "a"); string(r.Value) != "second" {
			t.Errorf("kept %q", r.Value)
		}
	})
}

// What is being put when Each begins is seen: it may be in a part of the journal that is
// not read any more.
func TestRecords_each_waitsForWhatIsBeingPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &slowJournal{arrived: make(chan []store.Record, 1), answer: make(chan error)}
		m := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10), Journal: j})
		put, walked, seen := make(chan error, 1), make(chan error, 1), ""
		go func() {
			put <- m.PutRecords(t.Context(), store.Record{Kind: store.KindWords, Name: "new", Value: []byte("x")})
		}()
		<-j.arrived
		go func() {
			walked <- m.Each(func(r store.Record) { seen += r.Name }, func() error { return nil })
		}()
		synctest.Wait()
		j.answer <- nil
		if err := errors.Join(<-put, <-walked); err != nil || seen != "new" {
			t.Errorf("seen %q, %v", seen, err)
		}
	})
}

func TestRecords_manyUsers_costLittleMoreThanTheirBytes(t *testing.T) {
	const users, size = 100_000, 160
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	m := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(users)})
	value, bytes := make([]byte, size), 0
	for n := range users {
		name := fmt.Sprintf("user-%015d", n)
		bytes += len(name) + len(value)
		if err := m.PutRecords(t.Context(), store.Record{Kind: store.KindUser, Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	each := int(heap()-before) / users
	t.Logf("%d bytes each, of which %d are name and value", each, bytes/users)
	if each > bytes/users+140 {
		t.Errorf("a user takes %d bytes, and has %d", each, bytes/users)
	}
	runtime.KeepAlive(m)
}
