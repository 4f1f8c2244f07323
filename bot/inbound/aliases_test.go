package inbound

import (
	"fmt"
	"strings"
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

// The bot's message that grows is told of each time: what the customer said before it must not be forgotten for that.
func TestAliases_aMessageThatGrows_pushesOutNoneOfTheCustomer(t *testing.T) {
	r, policy := New(nil), load(t, readingRules)
	at := time.Unix(1_700_000_000, 0)
	read := func(e desk.Event) *Message {
		m, err := r.Read(t.Context(), policy, &e, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.Commit(false)
		return m
	}
	read(desk.Event{Command: desk.CommandC2CAfter, From: "u", To: "@s", Text: "hello", MsgKey: "k"})
	for n := range 20 {
		read(desk.Event{Command: desk.CommandC2CAfter, From: "@s", To: "u", Text: strings.Repeat("a", n+1), MsgKey: "m"})
	}
	if n := len(r.aliases.find("im:u|@s").echoes); n != 1+maxEchoesOfOne {
		t.Errorf("%d messages are remembered", n)
	}
	desks := desk.Event{Command: desk.CommandSessionEvent, Name: desk.EventUserMessage, SessionID: "s1", UserID: "u", ServiceID: "@s", Text: "hello", MsgKey: "d"}
	if m := read(desks); !m.Echo {
		t.Error("Desk's copy of the customer's message counts anew")
	}
}
