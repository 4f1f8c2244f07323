//go:build !race

// Under the race detector allocations say nothing; make test runs this file without it.

package memory_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// What is kept of a callback and of a conversation is most of the memory of the
// service, and each allocation is an object for the collector to look at.
func TestStores_allocations_stayWithinTheirBudget(t *testing.T) {
	marks := memory.NewDedup(memory.DedupOptions{Keep: 1 << 40, Max: 1 << 20})
	conversations := newConversations(memory.NewOutbox(nil), 1<<20, nil)
	nothing := func(*rules.Conversation) (store.Effect, error) { return store.Effect{}, nil }
	answer, n := []byte("{}"), 0
	key := func() string { n++; return "some-callback-" + strconv.Itoa(n) } // one allocation of its own
	for _, c := range []struct {
		name   string
		budget float64
		do     func()
	}{
		{"claim and finish", 3, func() {
			k := key()
			_, _ = marks.Claim(t.Context(), k, "")
			marks.Finish(t.Context(), k, answer)
		}},
		{"a new conversation", 3, func() { _ = conversations.Update(t.Context(), key(), nothing) }},
		{"a known conversation", 0, func() { _ = conversations.Update(t.Context(), "known", nothing) }},
	} {
		if got := testing.AllocsPerRun(5000, c.do); got > c.budget {
			t.Errorf("%s: %.1f allocations, the budget is %.0f", c.name, got, c.budget)
		} else {
			t.Logf("%s: %.1f allocations", c.name, got)
		}
	}
}

// allocated is by how much what is allocated grows for each of n ids.
func allocated(n int, keep func(id string)) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		keep(fmt.Sprintf("2baf4d84-beb4-4607-a1ea-%012d", i))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	return (int(after.HeapAlloc) - int(before.HeapAlloc)) / n
}

// The caps allow a million conversations and two million callbacks.
func TestStores_allocated_forEachOfMany(t *testing.T) {
	const many = 500_000
	dedup := memory.NewDedup(memory.DedupOptions{Keep: time.Hour, Max: many})
	if got := allocated(many, func(id string) {
		_, _ = dedup.Claim(t.Context(), id, "")
		dedup.Finish(t.Context(), id, nil)
	}); got > 95 {
		t.Errorf("a callback takes %d bytes, the budget is 95", got)
	}
	runtime.KeepAlive(dedup)
	conversations := newConversations(memory.NewOutbox(nil), many, nil)
	begun := func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(rules.EventBotMessage, time.Now(), time.Time{})
		return store.Effect{}, nil
	}
	if got := allocated(many, func(id string) { _ = conversations.Update(t.Context(), id, begun) }); got > 228 {
		t.Errorf("a conversation takes %d bytes, the budget is 228", got)
	}
	runtime.KeepAlive(conversations)
}

// Keys share strings: a conversation that goes on must not keep alive the keys of those that
// began with it. (The maps stay as large as they were.)
func TestConversations_allocated_goesWithThem(t *testing.T) {
	const many, kept = 100_000, 32
	synctest.Test(t, func(t *testing.T) {
		conversations := memory.NewConversations(memory.ConversationsOptions{
			Outbox: memory.NewOutbox(nil), Max: many, Expires: func(c *rules.Conversation) time.Time { return c.Seen().Add(time.Hour) },
		})
		talk := func(id string) {
			_ = conversations.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(rules.EventBotMessage, time.Now(), time.Time{})
				return store.Effect{}, nil
			})
		}
		sweep := func() {
			for range 1000 {
				conversations.Sweep()
			}
		}
		got := allocated(many, func(id string) {
			talk(id)
			if !strings.HasSuffix(id, "99999") {
				return
			}
			for range 3 {
				time.Sleep(45 * time.Minute)
				for i := 0; i < many; i += kept {
					talk(fmt.Sprintf("2baf4d84-beb4-4607-a1ea-%012d", i))
				}
				sweep()
			}
		})
		if live := conversations.Live(); live != many/kept || got > 90 {
			t.Errorf("%d conversations are left, which take %d bytes for each that was there", live, got)
		}
	})
}
