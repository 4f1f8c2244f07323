package history

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
)

// large fills a history with so many bytes of conversations of ten turns, as the shipped
// rules leave them, and returns the names of the conversations that are still there.
func large(t testing.TB, dir string, size int64) (sessions int) {
	t.Helper()
	h, err := Open(Options{Dir: dir, Mask: mask.Masked, For: 72 * time.Hour, Max: size, Log: logrus.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	const turns = 10
	stories := []rules.RuleStory{}
	for i := range 7 {
		stories = append(stories, rules.RuleStory{ID: fmt.Sprint("rule-number-", i), Result: "no", Why: "says: none of its phrases is there"})
	}
	for written := int64(0); written < size+size/8; sessions += 512 { // over its bound: the oldest goes
		var notes []*Note
		for turn := range turns {
			for s := range 512 {
				n := &Note{Entry: Entry{
					Kind: Turn, At: time.Now(), Session: sessionName(sessions + s), User: "user-" + strconv.Itoa((sessions+s)/2), Role: "user",
					Text: "我的快递什么时候能到，已经等了三天了 where is my parcel " + strconv.Itoa(turn), Event: "ChatBot.UserSendMsg", RequestID: "12345", Outcome: "none",
					RulesVersion: "5be0c1d2a3f4", Counters: &rules.Counters{UserMessages: turn + 1}, CountersBefore: &rules.Counters{UserMessages: turn}, Phase: "bot", Rules: stories,
				}}
				notes = append(notes, n)
			}
		}
		var rows []store.HistoryRow
		var buf []byte
		for _, n := range notes {
			from := len(buf)
			buf = appendEntry(buf, &n.Entry)
			rows = append(rows, store.HistoryRow{Session: n.Session, User: n.User, At: n.At, Data: slices.Clone(buf[from:])})
			written += int64(headLen + metaLen + len(buf) - from)
		}
		if err := h.between(t.Context(), func() {
			if lost, err := h.local.append(rows); lost > 0 || err != nil {
				t.Errorf("lost %d: %v", lost, err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	return sessions
}

func sessionName(n int) string { return fmt.Sprintf("2baf4d84-beb4-4607-a1ea-%012d", n) }

// figures are what a history of some size costs.
type figures struct {
	conversations                                int
	open, loaded, p50, p99, oldest, forget, each time.Duration
	whole                                        bool
	entries                                      int
	index                                        uint64 // bytes
	slowestPut                                   time.Duration
}

func measure(t testing.TB, dir string, size int64, sessions int) (f figures) {
	t.Helper()
	heap := func() uint64 {
		runtime.GC()
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, began := heap(), time.Now()
	h, err := Open(Options{Dir: dir, Mask: mask.Masked, For: 72 * time.Hour, Max: size, Log: logrus.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	f.open = time.Since(began)
	<-h.local.loaded
	f.loaded = time.Since(began)
	f.conversations = h.local.sessions.len()
	f.index = heap() - before
	var took []time.Duration
	for i := range 500 {
		began := time.Now()
		c, err := h.Conversation(t.Context(), sessionName(sessions-1-i*f.conversations*9/10/500))
		took = append(took, time.Since(began))
		if err != nil || len(c.Entries) != 10 {
			t.Fatalf("conversation %d of %d: %v", i, f.conversations, err)
		}
	}
	slices.Sort(took)
	f.p50, f.p99 = took[len(took)/2], took[len(took)*99/100]
	ctx, stop := context.WithCancel(t.Context())
	slowest := make(chan time.Duration, 1)
	go func() { // what a callback does meanwhile
		var longest time.Duration
		defer func() { slowest <- longest }()
		tick := time.NewTicker(100 * time.Microsecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			began := time.Now()
			h.Add(Entry{Kind: Turn, At: time.Now(), Session: "meanwhile", Role: "user", Text: "hello"})
			longest = max(longest, time.Since(began))
		}
	}()
	timed := func(do func() error) time.Duration {
		began := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	f.each = timed(func() (err error) {
		f.whole, err = h.Each(t.Context(), time.Time{}, func(*Entry) { f.entries++ })
		return err
	})
	f.forget = timed(func() error {
		_, err := h.Forget(t.Context(), "user-"+strconv.Itoa((sessions-1)/2))
		return err
	})
	f.oldest = timed(func() (err error) {
		return h.between(t.Context(), func() { err = h.local.removeOldest() })
	})
	stop()
	f.slowestPut = <-slowest
	return f
}

// A short version of the benchmark below: what it writes is found, bounded and forgotten.
func TestHistory_ofManyConversations_isFound(t *testing.T) {
	dir := t.TempDir()
	sessions := large(t, dir, 32<<20)
	f := measure(t, dir, 32<<20, sessions)
	t.Logf("%+v", f)
	if !f.whole || f.conversations < 2000 || f.entries < 8*f.conversations || f.p99 > time.Second || f.index > 200*uint64(f.conversations)+1<<20 {
		t.Errorf("%+v", f)
	}
	info, err := os.ReadDir(dir)
	if err != nil || len(info) < leastSegments/2 {
		t.Errorf("%d files, %v", len(info), err)
	}
}

// What 1 GiB costs; docs/performance.md has the figures. `make history` runs it.
func BenchmarkHistory_large(b *testing.B) {
	dir := b.TempDir()
	sessions := large(b, dir, 1<<30)
	for b.Loop() {
		f := measure(b, dir, 1<<30, sessions)
		b.ReportMetric(float64(f.open.Microseconds())/1000, "open-ms")
		b.ReportMetric(f.loaded.Seconds(), "loaded-s")
		b.ReportMetric(float64(f.conversations), "conversations")
		b.ReportMetric(float64(f.index)/float64(f.conversations)*100_000/(1<<20), "MiB/100k")
		b.ReportMetric(float64(f.p50.Microseconds())/1000, "get-p50-ms")
		b.ReportMetric(float64(f.p99.Microseconds())/1000, "get-p99-ms")
		b.ReportMetric(float64(f.oldest.Microseconds())/1000, "oldest-out-ms")
		b.ReportMetric(f.forget.Seconds(), "forget-s")
		b.ReportMetric(f.each.Seconds(), "each-s")
		b.ReportMetric(float64(f.entries), "entries")
		b.ReportMetric(float64(f.slowestPut.Microseconds())/1000, "slowest-put-ms")
		if !f.whole {
			b.Log("Each had no time to see all of it")
		}
	}
}
