package memory

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// taken takes n transfers and names them.
func taken(t *testing.T, o *Outbox, n int, now time.Time) string {
	t.Helper()
	var ids []string
	for range n {
		next, _, err := o.Take(t.Context(), now)
		if err != nil || next == nil {
			t.Fatalf("after %q: %v %v", ids, next, err)
		}
		ids = append(ids, next.ID)
	}
	return strings.Join(ids, " ")
}

func TestOutbox_whatMayBeForged_waitsBehindAllOthers_andACrowdOfItKeepsNobodyWaiting(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	o := NewOutbox(func() time.Time { return began })
	put := func(id string, second int, unproven bool) {
		at := began.Add(time.Duration(second) * time.Second)
		transfer := &store.Transfer{ID: id, Episode: id, Chain: []*rules.Target{{}}, Created: at, Due: at, Unproven: unproven}
		if err := o.Put(t.Context(), transfer); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		put(fmt.Sprint("u", i), i, true)
	}
	put("sure", 10, false)
	now := began.Add(time.Hour)
	if got := taken(t, o, 5, now); got != "sure u0 u1 u2 u3" {
		t.Errorf("few: %s", got)
	}
	for i := range crowd + 3 {
		put(fmt.Sprint("c", i), i, true)
	}
	put("real", 1000, true)
	put("sure2", 1001, false)
	// The newest and the oldest in turn, until what is left is no crowd any more.
	if got, want := taken(t, o, 7, now), fmt.Sprintf("sure2 real c0 c%d c1 c2 c3", crowd+2); got != want {
		t.Errorf("a crowd: %s, want %s", got, want)
	}
	rest := strings.Fields(taken(t, o, crowd-2, now))
	if rest[0] != "c4" || rest[len(rest)-1] != fmt.Sprint("c", crowd+1) {
		t.Errorf("the rest: %s … %s", rest[0], rest[len(rest)-1])
	}
	if next, _, err := o.Take(t.Context(), now); next != nil || err != nil {
		t.Errorf("one is left: %v %v", next, err)
	}
}
