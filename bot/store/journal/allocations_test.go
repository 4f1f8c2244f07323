//go:build !race

// Under the race detector memory says nothing; make test runs this file without it.

package journal_test

import (
	"fmt"
	"runtime"
	"testing"

	"escalator/bot/store/memory"
	"escalator/rules"
)

// What changes second after second needs no new memory: a collector that runs for it takes a processor from the callbacks.
func TestKeep_takesNoNewMemory(t *testing.T) {
	s := open(t, t.TempDir(), &reports{})
	changes := make([]memory.Change, 2000)
	for i := range changes {
		changes[i] = memory.Change{ID: fmt.Sprint("conversation-", i), Conversation: new(rules.Conversation)}
	}
	keep := func(time int) {
		for _, c := range changes {
			s.Keep(c)
		}
		if err := s.Put(t.Context(), newTransfer(fmt.Sprint("transfer-", time))); err != nil { // writes them too
			t.Fatal(err)
		}
	}
	const warm, times = 5, 20
	var before, after runtime.MemStats
	for time := range warm + times {
		if time == warm {
			runtime.ReadMemStats(&before)
		}
		keep(time)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / uint64(times*len(changes)); each > 64 {
		t.Errorf("each change takes %d bytes", each)
	}
}
