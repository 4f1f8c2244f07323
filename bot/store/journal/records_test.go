package journal_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"escalator/bot/store"
	"escalator/bot/store/journal"
	"escalator/bot/store/memory"
	"escalator/bot/store/storetest"
	"escalator/rules"
)

func TestRecords_overTheJournal_conform(t *testing.T) {
	storetest.Records(t, func(t *testing.T) (storetest.Stores, func(time.Duration)) {
		var passed time.Duration
		p := startAt(t, t.TempDir(), store.Alarms{}, func() time.Time { return time.Now().Add(passed) })
		return p.Stores, func(d time.Duration) { passed += d }
	})
}

type kept = store.Records // its method would have the field's name

// journaled are records with the journal that they are kept in.
type journaled struct {
	kept
	disk *journal.Store
}

func TestRecords_equalANaiveModel_alsoOverRestarts(t *testing.T) {
	root, walks := t.TempDir(), 0
	var dir string
	var now func() time.Time
	begin := func(t *rapid.T) store.Records {
		disk, err := journal.Open(journal.Options{Dir: dir, Report: func(problem, _ string) { t.Fatalf("reported: %s", problem) }})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		t.Cleanup(func() { _ = disk.Close(context.WithoutCancel(t.Context())) })
		records := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(storetest.ModelCap), Journal: disk, Now: now})
		disk.Live(memory.NewConversations(memory.ConversationsOptions{Journal: disk}), memory.NewDedup(memory.DedupOptions{}), records)
		return journaled{records, disk}
	}
	storetest.RecordsModel(t, func(t *rapid.T, clock func() time.Time) store.Records {
		walks++
		dir, now = filepath.Join(root, fmt.Sprint(walks)), clock
		return begin(t)
	}, func(t *rapid.T, s store.Records) store.Records {
		if err := s.(journaled).disk.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Fatalf("Close: %v", err)
		}
		return begin(t)
	})
}

// ask reads a record that must not fail.
func (p *process) ask(t *testing.T, kind store.Kind, name string) store.Record {
	t.Helper()
	r, err := p.Records.Record(t.Context(), kind, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What may not be late is there after a kill that comes right after the answer, alone or
// with a conversation that has no transfer; what was removed is gone.
func TestRecords_killedAtOnce_keepWhatWasPromised(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, store.Alarms{})
	until := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	for _, kind := range []store.Kind{store.KindWords, store.KindNotice, store.KindLease} {
		for _, name := range []string{"a", "gone"} {
			if err := p.Records.PutRecords(t.Context(), store.Record{Kind: kind, Name: name, Value: []byte("kept"), Until: until}); err != nil {
				t.Fatal(err)
			}
		}
		gone := p.ask(t, kind, "gone")
		gone.Value = nil
		if err := p.Records.PutRecords(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	err := p.Conversations.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
		return store.Effect{Records: []store.Record{{Kind: store.KindWords, Name: "s", Value: []byte("with it")}, {Kind: store.KindUser, Name: "s", Value: []byte("with it")}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	user := p.ask(t, store.KindUser, "s")
	user.Value = nil
	q := start(t, kill(t, dir), store.Alarms{})
	for _, kind := range []store.Kind{store.KindWords, store.KindNotice, store.KindLease} {
		want := store.Record{Kind: kind, Name: "a", Value: []byte("kept"), Until: until, Version: p.ask(t, kind, "a").Version}
		if diff := cmp.Diff(want, q.ask(t, kind, "a")); diff != "" {
			t.Errorf("after the kill (-want +got):\n%s", diff)
		}
		if r := q.ask(t, kind, "gone"); r.Value != nil {
			t.Errorf("%s %s came back", r.Kind, r.Name)
		}
	}
	var phase rules.Phase
	_ = q.Conversations.View(t.Context(), "s", func(c *rules.Conversation) { phase = c.Phase() })
	if phase != rules.PhaseHuman || string(q.ask(t, store.KindWords, "s").Value) != "with it" || string(q.ask(t, store.KindUser, "s").Value) != "with it" {
		t.Errorf("the change is not whole: phase %s, %+v", phase, q.ask(t, store.KindWords, "s"))
	}
	// Who was forgotten on demand stays so.
	if err := p.Records.PutRecords(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if r := start(t, kill(t, dir), store.Alarms{}).ask(t, store.KindUser, "s"); r.Value != nil {
		t.Error("a user who was forgotten came back")
	}
}

func TestRecords_thatCannotBeStored_keepNothing(t *testing.T) {
	p := start(t, t.TempDir(), store.Alarms{})
	if err := p.Records.PutRecords(t.Context(), store.Record{Kind: store.KindWords, Name: "s", Value: []byte("before")}); err != nil {
		t.Fatal(err)
	}
	shut(t, p.disk)
	words := p.ask(t, store.KindWords, "s")
	words.Value = []byte("after")
	if err := p.Records.PutRecords(t.Context(), words); err == nil {
		t.Error("words were promised that are not on disk")
	}
	err := p.Conversations.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
		return store.Effect{Records: []store.Record{words, {Kind: store.KindUser, Name: "u", Value: []byte("x")}}}, nil
	})
	var phase rules.Phase
	_ = p.Conversations.View(t.Context(), "s", func(c *rules.Conversation) { phase = c.Phase() })
	if kept := p.ask(t, store.KindWords, "s"); err == nil || phase != rules.PhaseBot || string(kept.Value) != "before" || kept.Version != words.Version || p.ask(t, store.KindUser, "u").Value != nil {
		t.Errorf("Update = %v, phase %s, words %+v", err, phase, kept)
	}
}

// The order and the caps hold over a restart, and versions go on from where they were.
func TestRecords_afterARestart_areInOrder_andOverTheCapTheOldestGo(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, store.Alarms{})
	for n := range storetest.RecordCap + 5 {
		if err := p.Records.PutRecords(t.Context(), store.Record{Kind: store.KindUser, Name: strconv.Itoa(n), Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	last := p.ask(t, store.KindUser, strconv.Itoa(storetest.RecordCap+4)).Version
	shut(t, p.disk)
	q := start(t, dir, store.Alarms{})
	all, err := q.Records.Records(t.Context(), store.KindUser)
	if err != nil || len(all) != storetest.RecordCap {
		t.Fatalf("%d users, %v", len(all), err)
	}
	for i, r := range all {
		if r.Name != strconv.Itoa(i+5) {
			t.Errorf("place %d has user %s", i, r.Name)
		}
	}
	if err := q.Records.PutRecords(t.Context(), store.Record{Kind: store.KindUser, Name: "new", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if v := q.ask(t, store.KindUser, "new").Version; v <= last {
		t.Errorf("version %d comes after %d", v, last)
	}
}
