//go:build !race

// Under the race detector allocations say nothing; make test runs this file without it.

package memory_test

import (
	"strconv"
	"testing"

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
		{"claim and finish", 4, func() {
			k := key()
			_, _ = marks.Claim(t.Context(), k, "")
			marks.Finish(t.Context(), k, answer)
		}},
		{"a new conversation", 4, func() { _ = conversations.Update(t.Context(), key(), nothing) }},
		{"a known conversation", 0, func() { _ = conversations.Update(t.Context(), "known", nothing) }},
	} {
		if got := testing.AllocsPerRun(5000, c.do); got > c.budget {
			t.Errorf("%s: %.1f allocations, the budget is %.0f", c.name, got, c.budget)
		} else {
			t.Logf("%s: %.1f allocations", c.name, got)
		}
	}
}
