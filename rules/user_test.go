package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// compareUsers looks into users. Times are compared as times, not as their parts.
var compareUsers = cmp.Options{cmp.AllowUnexported(User{}, userCooldown{}), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })}

// drawUser draws a customer as the rules leave one: nothing happened after the last contact.
func drawUser(t *rapid.T) User {
	before := func(last time.Time, label string) time.Time {
		return last.Add(-time.Duration(rapid.Int64Range(0, UserKeptFor.Milliseconds()).Draw(t, label)) * time.Millisecond)
	}
	last := start.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "last")) * time.Millisecond)
	u := User{First: last.Add(-time.Duration(rapid.Int64Range(0, 10*366*24*3600).Draw(t, "first")) * time.Second), Last: last}
	if rapid.Bool().Draw(t, "had an agent") {
		u.AgentAt, u.Agent = before(last, "agent at"), rapid.StringN(0, 60, 60).Draw(t, "agent")
	}
	for _, key := range rapid.SliceOfNDistinct(rapid.Uint32(), 0, maxUserCooldowns, rapid.ID).Draw(t, "rules") {
		u.cooldowns = append(u.cooldowns, userCooldown{key, rapid.Bool().Draw(t, "nobody"), before(last, "at").UnixMilli()})
	}
	return u
}

func TestUser_encoded_isReadBackAndSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUser(t)
		data := u.Encode()
		if len(data) > MaxUserSize {
			t.Fatalf("%d bytes", len(data))
		}
		if diff := cmp.Diff(u, ParseUser(data), compareUsers); diff != "" {
			t.Fatal(diff)
		}
		later := ParseUser(append(append([]byte{userVersion + 1}, data[1:]...), "more"...))
		if diff := cmp.Diff(u, later, compareUsers); diff != "" {
			t.Fatalf("of a later version: %s", diff)
		}
	})
	if (&User{}).Encode() != nil {
		t.Error("of a customer of whom nothing is kept there is something to keep")
	}
}

func TestUser_agentWithoutRoom_isLeftOut(t *testing.T) {
	u := User{First: start, Last: start, Agent: strings.Repeat("a", 200), AgentAt: start}
	got := ParseUser(u.Encode())
	if got.Agent != "" || !got.AgentAt.Equal(start) {
		t.Errorf("kept %d bytes of the agent, who came at %s", len(got.Agent), got.AgentAt)
	}
}

func FuzzParseUser(f *testing.F) {
	u := User{First: start, Last: start.Add(time.Hour), Agent: "li@example.com", AgentAt: start, cooldowns: []userCooldown{{7, true, start.UnixMilli()}}}
	f.Add(u.Encode())
	f.Add([]byte{})
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		u := ParseUser(data)
		again := u.Encode()
		if len(again) > MaxUserSize {
			t.Fatalf("%x is written in %d bytes", data, len(again))
		}
		if third := ParseUser(again); string(third.Encode()) != string(again) {
			t.Fatalf("%x changes when it is read and written: %x, %x", data, again, third.Encode())
		}
		MergeUsers(data, again)
		u.see(start)
		u.WithAgent("li", start)
	})
}

func TestMergeUsers_isAUnion(t *testing.T) {
	a := User{First: start, Last: start.Add(2 * time.Hour), Agent: "li", AgentAt: start.Add(time.Hour), cooldowns: []userCooldown{
		{key: 1, at: start.UnixMilli()}, {key: 2, at: start.Add(time.Hour).UnixMilli()},
	}}
	b := User{First: start.Add(-time.Hour), Last: start.Add(time.Hour), Agent: "wang", AgentAt: start, cooldowns: []userCooldown{
		{key: 1, at: start.UnixMilli(), nobody: true}, {key: 3, at: start.UnixMilli()},
	}}
	want := User{First: b.First, Last: a.Last, Agent: "li", AgentAt: a.AgentAt, cooldowns: []userCooldown{a.cooldowns[1], b.cooldowns[0], b.cooldowns[1]}}
	if diff := cmp.Diff(want, ParseUser(MergeUsers(a.Encode(), b.Encode())), compareUsers); diff != "" {
		t.Error(diff)
	}
	if got := MergeUsers(a.Encode(), nil); string(got) != string(a.Encode()) {
		t.Error("with nothing it is another one")
	}
}

func TestMergeUsers_orderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawUser(t), drawUser(t)
		x, y := a.Encode(), b.Encode()
		xy := MergeUsers(x, y)
		if yx := MergeUsers(y, x); string(xy) != string(yx) {
			t.Fatalf("%x and %x", xy, yx)
		}
		if string(MergeUsers(xy, x)) != string(xy) {
			t.Fatal("merged once more it changes")
		}
		if u := ParseUser(xy); u.First.After(a.First) || u.Last.Before(b.Last) || len(u.cooldowns) > maxUserCooldowns {
			t.Fatalf("%+v", u)
		}
	})
}

// Where a file has changed so often that there are more than eight, a rule that is in it loses nothing.
func TestUser_tooManyCooldowns_theOldestThatNoRuleHasGoes(t *testing.T) {
	u := User{}
	inFile := []uint32{100, 101}
	for i, key := range []uint32{100, 1, 2, 3, 4, 5, 6, 7, 101} {
		u.rest(userCooldown{key: key, at: start.Add(time.Duration(i) * time.Hour).UnixMilli()}, inFile)
	}
	var keys []uint32
	for _, c := range u.cooldowns {
		keys = append(keys, c.key)
	}
	if want := []uint32{100, 2, 3, 4, 5, 6, 7, 101}; !slices.Equal(keys, want) {
		t.Errorf("kept %v, want %v", keys, want)
	}
}

func TestUser_clockSetBack_stampsAreReadAsNow(t *testing.T) {
	u := User{First: start, Last: start.Add(time.Hour), AgentAt: start.Add(time.Hour), cooldowns: []userCooldown{{key: 1, at: start.Add(time.Hour).UnixMilli()}}}
	u.age(start)
	if u.Last.After(start) || u.AgentAt.After(start) || u.cooldowns[0].at > start.UnixMilli() {
		t.Errorf("%+v is later than %s", u, start)
	}
}

func TestUser_isForgottenAfter30Days(t *testing.T) {
	u := User{}
	u.see(start)
	if u.age(start.Add(UserKeptFor)); !u.Known() {
		t.Error("forgotten too early")
	}
	if u.age(start.Add(UserKeptFor + time.Millisecond)); u.Known() {
		t.Error("kept for too long")
	}
}

func TestUser_nobody_hasNoAgent(t *testing.T) {
	var u *User
	u.WithAgent("li", start) // it must not panic
	known := User{}
	known.WithAgent("li", start)
	known.WithAgent("", start.Add(time.Hour))
	if known.Agent != "li" || !known.AgentAt.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v: a person without a name takes the last one's place, but not the name", known)
	}
}

// NeedsUsers is true for the words that need it, in rules that are on, and for no other.
func TestPolicy_NeedsUsers(t *testing.T) {
	for rule, want := range map[string]bool{
		"{id: a, when: {first_contact: true}, then: {transfer: default}}":                                       true,
		"{id: a, when: {not: {had_agent: {within: 7d}}}, then: {transfer: default}}":                            true,
		"{id: a, when: {says: [x1]}, then: {transfer: default}, cooldown: {for: 24h, per: customer}}":           true,
		"{id: a, when: {says: [x1]}, then: {transfer: default, prefer_last_agent: 7d}}":                         true,
		"{id: a, mode: shadow, when: {first_contact: true}, then: {transfer: default}}":                         true,
		"{id: a, mode: off, when: {first_contact: true}, then: {transfer: default}}":                            false,
		"{id: a, mode: off, when: {says: [x1]}, then: {transfer: default}, cooldown: {for: 1h, per: customer}}": false,
		"{id: a, when: {says: [x1], age: {at_least: 1m}, turns: {at_most: 3}}, then: {transfer: default}}":      false,
	} {
		if got := load(t, "rules: ["+rule+"]").NeedsUsers(); got != want {
			t.Errorf("%s: %v", rule, got)
		}
	}
	if !load(t, "targets: {default: {}, b: {}}\nroutes: {r: [{when: {first_contact: true}, to: b}, {to: default}]}\nrules: [{id: a, when: {says: [x1]}, then: {transfer: r}}]").NeedsUsers() {
		t.Error("a word in a route is not seen")
	}
}

// A ninth rule would push the cooldown of another one out.
func TestLoad_nineCooldownsPerCustomer_areRefused(t *testing.T) {
	file := func(n int) []byte {
		var b strings.Builder
		b.WriteString("version: 1\ntargets: {default: {}}\nrules:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {id: r%d, when: {says: [word%d]}, then: {transfer: default}, cooldown: {for: 24h, per: customer}}\n", i, i)
		}
		return []byte(b.String())
	}
	if _, r := Load(file(maxUserCooldowns), LoadOptions{}); !r.OK() {
		t.Errorf("eight: %+v", r.Errors)
	}
	if _, r := Load(file(maxUserCooldowns+1), LoadOptions{}); len(r.Errors) != 1 || r.Errors[0].Line != 12 || !strings.Contains(r.Errors[0].Message.String(), "at most 8") {
		t.Errorf("nine: %+v", r.Errors)
	}
}
