package replay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/rules"
	"escalator/rules/replay"
)

const deskRules = `version: 1
targets: {default: {}, second: {group: 2}}
rules:
  - {id: nobody, when: {agents_online: {at_most: 0}, says: [abracadabra]}, then: {keep: true}, cooldown: 0s}
  - {id: late, when: {queued_for: 5m}, then: {transfer: second, leave_queue: true}}
  - {id: silent, when: {bot_silent: 30s, queue: {at_least: 9}}, then: {tag: [busy]}}
  - {id: named, when: {agents_online: {at_least: 1, agents: [li@x, wang@x]}}, then: {tag: [named]}}
`

// A recording has what the poll told; each turn is decided with what was known at its time.
func TestReplay_decidesWithWhatDeskToldAtThatTime(t *testing.T) {
	r := replay.New(load(t, deskRules))
	none, some, long := 0, 2, 9
	at := func(s int) time.Time { return replay.DefaultTime.Add(time.Duration(s) * time.Second) }
	say := func(s int, session, text string) {
		r.Add(replay.Event{Session: session, At: at(s), Turn: &rules.Turn{Text: text}})
	}
	say(0, "before any reading", "abracadabra")
	r.Told(at(10), rules.Reading{Free: &none, Queue: &long})
	say(20, "nobody free", "abracadabra")
	r.Told(at(30), rules.Reading{Free: &some})
	say(40, "somebody free", "abracadabra")
	r.Told(at(50), rules.Reading{})
	say(60, "figures left out", "abracadabra")
	r.Told(at(70), rules.Reading{Free: &none, Queue: &long})
	say(130, "a minute old", "abracadabra")
	say(131, "too old", "abracadabra")
	r.Finish(at(131))
	want := []string{
		"nobody free/1 keep nobody", "a minute old/1 keep nobody",
		// 30 s after their words, at 1:30 and 1:10, the last reading told of a long queue; the ones before did not.
		"figures left out/1 keep silent", "somebody free/1 keep silent",
	}
	if diff := cmp.Diff(want, story(r.Result())); diff != "" {
		t.Error(diff)
	}
}

// steps plays the steps of a test, and gives what each led to.
func steps(t *testing.T, p *rules.Policy, said ...replay.Said) (led []string) {
	t.Helper()
	list, err := replay.Steps(said, replay.DefaultTime)
	if err != nil {
		t.Fatal(err)
	}
	x, err := replay.Explain(t.Context(), p, list, replay.Setting{Begin: replay.DefaultTime})
	if err != nil {
		t.Fatal(err)
	}
	for _, turn := range x.Turns {
		led = append(led, strings.TrimSpace(turn.Role+" "+turn.Decision.Outcome.String()+" "+turn.Decision.Rule))
	}
	return led
}

func TestSteps_deskTells_untilItTellsOtherwise(t *testing.T) {
	p := load(t, deskRules)
	got := steps(t, p,
		replay.Said{Role: "user", Text: "abracadabra"},
		replay.Said{Role: "desk", Text: "{agents: 0, queue: 3, groups: {2: 1}}"},
		replay.Said{Role: "user", Text: "abracadabra"},
		replay.Said{Role: "bot", Text: "hi"},
		replay.Said{Role: "wait", Text: "20m"},
		replay.Said{Role: "user", Text: "abracadabra"},
		replay.Said{Role: "desk", Text: "unknown"},
		replay.Said{Role: "user", Text: "abracadabra"},
		replay.Said{Role: "desk", Text: "{agents: [li@x]}"},
		replay.Said{Role: "user", Text: "hello"},
		replay.Said{Role: "desk", Text: "{agents: []}"},
		replay.Said{Role: "user", Text: "abracadabra"})
	want := []string{
		"user none", "desk none", "user keep nobody", "bot none", "wait none", "user keep nobody", "desk none", "user none",
		"desk none", "user keep named", "desk none", "user keep nobody",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSteps_whatDeskCannotTell_isSaid(t *testing.T) {
	for text, want := range map[string]string{
		"{agent: 3}":        "agents",
		"{agents: many}":    "number",
		"{}":                "needs agents, queue or groups",
		"{agents: 3":        "neither a word nor",
		"[3]":               "must be",
		"":                  "neither a word nor",
		"{groups: {2: -1}}": "-1",
	} {
		if _, err := replay.Steps([]replay.Said{{Role: "desk", Text: text}}, replay.DefaultTime); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("desk: %s: %v, want %q", text, err, want)
		}
	}
}

func TestExplain_showsTheWayOutOfTheQueue(t *testing.T) {
	p := load(t, deskRules+"  - {id: ask, when: {says: [转人工]}, then: {transfer: default}}\n")
	list, err := replay.Steps([]replay.Said{
		{Role: "user", Text: "转人工"}, {Role: "desk", Text: "queued"}, {Role: "wait", Text: "5m"}, {Role: "desk", Text: "assigned"},
	}, replay.DefaultTime)
	if err != nil {
		t.Fatal(err)
	}
	x, err := replay.Explain(t.Context(), p, list, replay.Setting{Begin: replay.DefaultTime})
	if err != nil {
		t.Fatal(err)
	}
	timer := x.Turns[3]
	if timer.Summary.String() != "transfer to second by late, after taking the customer out of the queue" || timer.Phase != "queued" {
		t.Errorf("%+v", timer)
	}
	for _, r := range timer.Rules {
		if r.ID == "silent" && r.Why.String() != "not tried: only rules that ask about the time in the queue are" {
			t.Errorf("%s: %s", r.ID, r.Why)
		}
	}
	if last := x.Turns[4]; last.Summary.String() != "a person has the conversation" {
		t.Errorf("%+v", last)
	}
}
