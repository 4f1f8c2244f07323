package inbound

import (
	"fmt"
	"testing"
	"time"

	"escalator/bot/desk"
)

func TestAliases_forgetTheOldest_neverGrowing(t *testing.T) {
	r, policy := New(nil), load(t, readingRules)
	at := time.Unix(1_700_000_000, 0)
	say := func(i int) {
		m, err := r.Read(t.Context(), policy, &desk.Event{Command: desk.CommandC2CAfter, From: fmt.Sprint("u", i), To: "@s", Text: "x"}, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.Commit(false)
	}
	l := &r.aliases
	for i := range maxAliases + 10 {
		say(i)
		say(0) // stays among the newest
	}
	if n := len(l.young) + len(l.old); n > maxAliases {
		t.Errorf("%d aliases", n)
	}
	if l.find("im:u0|@s") == nil || l.find("im:u1|@s") != nil {
		t.Error("the newest are forgotten, or the oldest are not")
	}
	if n := len(l.find("im:u0|@s").echoes); n > maxEchoesOfOne || len(l.recent) > maxEchoes {
		t.Errorf("%d messages of one are remembered, and %d of all", n, len(l.recent))
	}
	at = at.Add(2 * sameWithin)
	say(1)
	if n := len(l.find("im:u0|@s").echoes); n > 0 || len(l.recent) != 1 {
		t.Errorf("%d old messages of one are remembered, and %d of all", n, len(l.recent))
	}
}
