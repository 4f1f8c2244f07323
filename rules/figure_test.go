package rules

import (
	"strings"
	"testing"
	"time"
)

// deskRule is a file of one rule `r` with this condition; it acts on any message.
func deskRule(t testing.TB, when string) *Policy {
	t.Helper()
	return load(t, "rules: [{id: r, when: "+when+", then: {transfer: default}}]\n")
}

func TestFigures_holdAsDeskTells(t *testing.T) {
	figures := &Reading{Free: new(2), Queue: new(7), Groups: map[string]int{"2473": 4}, Agents: map[string]bool{"li@x": true, "wang@x": false}}
	for _, c := range []struct {
		when string
		desk *Reading
		want bool
	}{
		{"{agents_online: {at_least: 2}}", figures, true},
		{"{agents_online: {at_least: 3}}", figures, false},
		{"{agents_online: {at_most: 2}}", figures, true},
		{"{agents_online: {at_most: 1}}", figures, false},
		{"{agents_online: {at_least: 1, at_most: 2}}", figures, true},
		{"{not: {agents_online: {at_most: 1}}}", figures, true},
		{"{agents_online: {at_least: 1, agents: [li@x]}}", figures, true},
		{"{agents_online: {at_least: 1, agents: [wang@x]}}", figures, false},
		{"{agents_online: {at_most: 0, agents: [wang@x]}}", figures, true},
		{"{queue: {at_least: 7}}", figures, true},
		{"{queue: {at_most: 6}}", figures, false},
		{"{queue: {at_least: 4, group: 2473}}", figures, true},
		{"{queue: {at_least: 5, group: 2473}}", figures, false},

		// Of two agents one is free and nobody knows the other: one or two are free.
		{"{agents_online: {at_least: 1, agents: [li@x, who@x]}}", figures, true},
		{"{agents_online: {at_least: 2, agents: [li@x, who@x]}}", figures, false},
		{"{not: {agents_online: {at_least: 2, agents: [li@x, who@x]}}}", figures, false},
		{"{not: {agents_online: {at_least: 3, agents: [li@x, who@x]}}}", figures, true},
		{"{agents_online: {at_most: 2, agents: [li@x, who@x]}}", figures, true},
		{"{agents_online: {at_most: 1, agents: [li@x, who@x]}}", figures, false},
		{"{agents_online: {at_most: 0, agents: [li@x, who@x], if_unknown: true}}", figures, false},

		// Unknown: neither the condition nor its not.
		{"{agents_online: {at_most: 0}}", nil, false},
		{"{not: {agents_online: {at_most: 0}}}", nil, false},
		{"{agents_online: {at_most: 0}}", &Reading{}, false},
		{"{not: {agents_online: {at_most: 0}}}", &Reading{Queue: new(1)}, false},
		{"{queue: {at_least: 1}}", &Reading{Free: new(1)}, false},
		{"{not: {queue: {at_least: 1}}}", &Reading{Free: new(1)}, false},
		{"{queue: {at_most: 9, group: 1}}", figures, false}, // Desk left the group out: that is not 0
		{"{not: {queue: {at_most: 9, group: 1}}}", figures, false},
		{"{agents_online: {at_most: 0, agents: [who@x]}}", figures, false},
		{"{any: [{agents_online: {at_most: 0}}, {says: [hello]}]}", nil, true},
		{"{all: [{agents_online: {at_most: 0}}, {says: [hello]}]}", nil, false},

		// if_unknown gives the condition that value, and not turns it as usual.
		{"{agents_online: {at_most: 0, if_unknown: true}}", nil, true},
		{"{not: {agents_online: {at_most: 0, if_unknown: true}}}", nil, false},
		{"{agents_online: {at_most: 0, if_unknown: false}}", nil, false},
		{"{not: {agents_online: {at_most: 0, if_unknown: false}}}", nil, true},
		{"{queue: {at_least: 5, group: 1, if_unknown: true}}", figures, true},
		{"{agents_online: {at_most: 0, if_unknown: true}}", figures, false},
	} {
		k := newTalk(t, deskRule(t, c.when))
		if c.desk != nil {
			c.desk.At = k.now
		}
		d := k.turn(Turn{Text: "hello", Desk: c.desk})
		if got := d.Outcome == OutcomeTransfer; got != c.want {
			t.Errorf("%s with %+v: %v, want %v", c.when, c.desk, got, c.want)
		}
	}
}

func TestFigures_aReadingCountsForAMinute(t *testing.T) {
	p := deskRule(t, "{agents_online: {at_most: 0}}")
	for age, want := range map[time.Duration]Outcome{0: OutcomeTransfer, time.Minute: OutcomeTransfer, time.Minute + time.Millisecond: OutcomeNone} {
		k := newTalk(t, p)
		if d := k.turn(Turn{Text: "hello", Desk: &Reading{At: k.now.Add(-age), Free: new(0)}}); d.Outcome != want {
			t.Errorf("a reading %s old: %s, want %s", age, d.Outcome, want)
		}
	}
}

func TestFigures_explainSaysWhatDeskTold(t *testing.T) {
	for _, c := range []struct {
		when string
		desk *Reading
		want string
	}{
		{"{agents_online: {at_least: 1}}", &Reading{At: start, Free: new(0)}, "agents_online: 0 free agents"},
		{"{queue: {at_least: 5, group: 7}}", &Reading{At: start, Groups: map[string]int{"7": 3}}, "queue: 3 customers waiting for group 7"},
		{"{agents_online: {at_least: 1}}", nil, "agents_online: Desk has not told the free agents within 1m: neither this nor its `not` holds"},
		{"{queue: {at_least: 1, if_unknown: false}}", nil, "if_unknown makes it not hold"},
		{"{queue: {at_least: 1, if_unknown: true}}", nil, "if_unknown makes it hold"},
		{"{agents_online: {at_least: 2, agents: [a@x, b@x]}}", &Reading{At: start, Agents: map[string]bool{"a@x": true}}, "1 to 2 free agents of a@x, b@x"},
	} {
		_, trace := deskRule(t, c.when).Explain(&Conversation{}, Turn{At: start, Text: "hello", Desk: c.desk})
		if why := trace.Rules[0].Why; !strings.Contains(why.String(), c.want) {
			t.Errorf("%s: %q, want %q", c.when, why, c.want)
		}
	}
}

func TestAsks_areThoseOfRulesThatAreOn_andOfRoutes(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		reading bool
		agents  string
	}{
		"nothing":       {"rules: [{id: r, when: {says: [hello]}, then: {transfer: default}}]", false, ""},
		"agents":        {"rules: [{id: r, when: {agents_online: {at_least: 1}}, then: {transfer: default}}]", true, ""},
		"some agents":   {"rules: [{id: r, when: {agents_online: {at_least: 1, agents: [b@x, a@x, b@x]}}, then: {transfer: default}}]", true, "a@x b@x"},
		"under not":     {"rules: [{id: r, when: {not: {queue: {at_least: 1}}}, then: {transfer: default}}]", true, ""},
		"only watched":  {"rules: [{id: r, mode: shadow, when: {queue: {at_least: 1}}, then: {transfer: default}}]", true, ""},
		"switched off":  {"rules: [{id: r, mode: off, when: {queue: {at_least: 1}}, then: {transfer: default}}]", false, ""},
		"for the queue": {"rules: [{id: r, when: {queued_for: 1m}, then: {keep: true}}]", false, ""},
		"a route": {"targets: {default: {}, b: {}}\nroutes: {desk: [{when: {queue: {at_least: 9}}, to: b}, {to: default}]}\n" +
			"rules: [{id: r, when: {says: [hello]}, then: {transfer: desk}}]", true, ""},
	} {
		asks := load(t, c.body).Asks()
		if asks.Reading != c.reading || strings.Join(asks.Agents, " ") != c.agents {
			t.Errorf("%s: %+v", name, asks)
		}
	}
}

func TestFigures_whatCanNeverHold_isAnError(t *testing.T) {
	for _, when := range []string{
		"{agents_online: {at_least: 3, at_most: 2}}",
		"{rating: {at_least: 3, at_most: 2}}",
		"{all: [{agents_online: {at_least: 3}}, {agents_online: {at_most: 2}}]}",
		"{all: [{queue: {at_least: 3, group: 1}}, {queue: {at_most: 2, group: 1}}]}",
		"{all: [{agents_online: {at_most: 0, agents: [a@x, b@x]}}, {agents_online: {at_least: 1, agents: [b@x, a@x]}}]}",
		"{all: [{queue: {at_least: 3}}, {not: {queue: {at_least: 2}}}]}",
		"{all: [{queued_for: 5m}, {bot_silent: 30s}]}",
		"{all: [{queued_for: 5m}, {says: [hello]}]}",
		"{all: [{rating: {at_most: 2}}, {queued_for: 5m}]}",
	} {
		src := "version: 1\ntargets: {default: {group: 1}}\nrules: [{id: r, when: " + when + ", then: {tag: [t]}}]\n"
		if _, r := Load([]byte(src), LoadOptions{}); r.OK() || !strings.Contains(r.Errors[0].Message.String(), "never hold") {
			t.Errorf("%s: %v", when, r.Errors)
		}
	}
	// What nobody knows both ways can hold, and so can two queues.
	for _, when := range []string{
		"{all: [{agents_online: {at_least: 3, if_unknown: true}}, {agents_online: {at_most: 2, if_unknown: true}}]}",
		"{all: [{queue: {at_least: 3, group: 1}}, {queue: {at_most: 2}}]}",
		"{any: [{rating: {at_most: 2}}, {queued_for: 5m}]}",
	} {
		load(t, "targets: {default: {group: 1}}\nrules: [{id: r, when: "+when+", then: {tag: [t]}}]\n")
	}
}
