package journal_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/journal"
	"escalator/bot/store/memory"
	"escalator/bot/store/storetest"
	"escalator/rules"
)

// process is what one process has: the live state, over the file.
type process struct {
	storetest.Stores
	disk *journal.Store
}

// start begins a process on a folder with what an earlier one left there.
func start(t *testing.T, dir string, alarms store.Alarms) *process {
	t.Helper()
	return startAt(t, dir, alarms, time.Now)
}

// startAt is start by the clock now of the records.
func startAt(t *testing.T, dir string, alarms store.Alarms, now func() time.Time) *process {
	t.Helper()
	disk, err := journal.Open(journal.Options{Dir: dir, KeepAnswers: time.Minute, Report: func(problem, _ string) { t.Errorf("reported: %s", problem) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = disk.Close(context.WithoutCancel(t.Context())) })
	d := memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 1000, Wait: 50 * time.Millisecond, Journal: disk})
	r := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(storetest.RecordCap), Journal: disk, Now: now})
	c := memory.NewConversations(memory.ConversationsOptions{
		Journal: disk, Dedup: d, Records: r, Alarms: alarms, Max: 1000,
		Expires: func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) },
	})
	disk.Live(c, d, r)
	return &process{storetest.Stores{Conversations: c, Outbox: disk, Dedup: d, Records: r}, disk}
}

func TestStore_underTheLiveState_conforms(t *testing.T) {
	storetest.Conversations(t, func(t *testing.T, alarms store.Alarms) storetest.Stores { return start(t, t.TempDir(), alarms).Stores })
}

// kill copies the folder as a process leaves it that is killed now.
func kill(t *testing.T, dir string) (left string) {
	t.Helper()
	left = t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return left
}

// handle does with a callback what the bot does, as far as it gets.
func (p *process) handle(t *testing.T, key string, transfer *store.Transfer, answer []byte) {
	t.Helper()
	if c, err := p.Dedup.Claim(t.Context(), key, "s"); err != nil || !c.First {
		t.Fatal(c, err)
	}
	err := p.Conversations.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventTransferring, time.Now(), time.Time{})
		return store.Effect{Transfer: transfer, DedupKey: key, Answer: answer}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A kill right after the answer: transfer, conversation and key are on disk, all of
// them, because they were in one commit.
func TestStore_killedAfterATransferWasAnswered_knowsItsRepeat(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, store.Alarms{})
	p.handle(t, "k", newTransfer("s"), []byte("taken"))
	q := start(t, kill(t, dir), store.Alarms{})
	if c, err := q.Dedup.Claim(t.Context(), "k", "s"); err != nil || c.First || string(c.Answer) != "taken" {
		t.Errorf("a repeat = %+v, %v", c, err)
	}
	var phase rules.Phase
	_ = q.Conversations.View(t.Context(), "s", func(c *rules.Conversation) { phase = c.Phase() })
	tr, err := q.Outbox.Get(t.Context(), "s")
	if phase != rules.PhaseQueued || err != nil || !tr.OutcomeUnknown {
		t.Errorf("phase %s, transfer %+v, %v; want it queued, its outcome unknown", phase, tr, err)
	}
}

func TestStore_stoppedCleanly_knowsWhatWasCounted(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, store.Alarms{})
	p.handle(t, "answered with it", nil, []byte("one"))
	p.handle(t, "answered later", nil, nil)
	p.Dedup.Finish(t.Context(), "answered later", []byte("two"))
	p.handle(t, "never answered", nil, nil)
	shut(t, p.disk)
	q := start(t, dir, store.Alarms{})
	for key, want := range map[string]store.Claim{
		"answered with it": {Answer: []byte("one")}, "answered later": {Answer: []byte("two")},
		"never answered": {First: true, Counted: true}, "another": {First: true},
	} {
		if got, err := q.Dedup.Claim(t.Context(), key, "s"); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v, %v; want %+v", key, got, err, want)
		}
	}
}

// An alarm is planned from what was kept, without anybody asking.
func TestStore_restarted_plansTheAlarmsThatItFinds(t *testing.T) {
	dir := t.TempDir()
	planned := map[string]time.Time{}
	alarms := store.Alarms{
		Next: func(c *rules.Conversation) time.Time { return c.Seen().Add(time.Minute) },
		Set:  func(id string, at time.Time) { planned[id] = at },
	}
	p := start(t, dir, alarms)
	p.handle(t, "k", nil, []byte("ok"))
	want := planned["s"]
	shut(t, p.disk)
	clear(planned)
	start(t, dir, alarms)
	if got := planned["s"]; want.IsZero() || !got.Equal(want) {
		t.Errorf("planned at %s, want %s", got, want)
	}
}

func TestStore_aTransferThatCannotBeStored_keepsNothing(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, store.Alarms{})
	shut(t, p.disk)
	if c, err := p.Dedup.Claim(t.Context(), "k", "s"); err != nil || !c.First {
		t.Fatal(c, err)
	}
	err := p.Conversations.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventTransferring, time.Now(), time.Time{})
		return store.Effect{Transfer: newTransfer("s"), DedupKey: "k", Answer: []byte("taken")}, nil
	})
	p.Dedup.Release(t.Context(), "k")
	var phase rules.Phase
	_ = p.Conversations.View(t.Context(), "s", func(c *rules.Conversation) { phase = c.Phase() })
	if c, claimErr := p.Dedup.Claim(t.Context(), "k", "s"); err == nil || phase != rules.PhaseBot || claimErr != nil || !c.First || c.Counted {
		t.Errorf("Update = %v, phase %s, the repeat %+v, %v", err, phase, c, claimErr)
	}
}
