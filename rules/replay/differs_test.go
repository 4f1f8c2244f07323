package replay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/rules"
	"escalator/rules/replay"
)

func explainedBy(t *testing.T, file string, said ...replay.Said) replay.Explanation {
	t.Helper()
	p, r := rules.Load([]byte(file), rules.LoadOptions{})
	if p == nil {
		t.Fatalf("%+v", r.Errors)
	}
	steps, err := replay.Steps(said, replay.DefaultTime)
	if err != nil {
		t.Fatal(err)
	}
	x, err := replay.Explain(t.Context(), p, steps, replay.Setting{Begin: replay.DefaultTime})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestDiffer_namesTheTurns_alsoWhereTimersComeAtOtherTimes(t *testing.T) {
	const (
		ask    = "version: 1\ntargets: {default: {}, sales: {}}\nrules:\n  - {id: ask, when: {says: [human]}, then: {transfer: default}}\n"
		silent = ask + "  - {id: silent, when: {bot_silent: 30s}, then: {keep: true}}\n"
		later  = ask + "  - {id: silent, when: {bot_silent: 40s}, then: {keep: true}}\n"
	)
	said := []replay.Said{{Role: "user", Text: "hello"}, {Role: "wait", Text: "1m"}, {Role: "user", Text: "human"}}
	for _, c := range []struct {
		name, a, b string
		want       []int
	}{
		{"the same", ask, ask, []int{}},
		{"another target", ask, strings.Replace(ask, "transfer: default", "transfer: sales", 1), []int{2}},
		{"a timer that only one has", silent, ask, []int{2}}, // hello, wait, timer, human
		{"a timer that only the other has", ask, silent, []int{2}},
		{"a timer that comes later", silent, later, []int{2, 3}},
	} {
		if d := cmp.Diff(c.want, replay.Differ(explainedBy(t, c.a, said...), explainedBy(t, c.b, said...))); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	whole := explainedBy(t, ask, said...)
	if d := cmp.Diff([]int{1, 2}, replay.Differ(whole, replay.Explanation{Turns: whole.Turns[:1]})); d != "" {
		t.Errorf("one that did not come to the end: %s", d)
	}
	if d := cmp.Diff([]int{}, replay.Differ(replay.Explanation{}, whole)); d != "" {
		t.Errorf("of nothing: %s", d)
	}
}

// A few kilobytes of rules let thousands of timers come due, each of which is told under every rule.
func TestExplain_aStoryWithoutEnd_isCutShort(t *testing.T) {
	var file strings.Builder
	file.WriteString("version: 1\ntargets: {default: {}}\nrules:\n")
	for i := range 1500 {
		wait := time.Duration(i+1) * time.Second
		file.WriteString("  - {id: r" + wait.String() + ", mode: shadow, when: {bot_silent: " + wait.String() + "}, then: {keep: true}}\n")
	}
	p, r := rules.Load([]byte(file.String()), rules.LoadOptions{})
	if p == nil {
		t.Fatalf("%+v", r.Errors[0])
	}
	steps, err := replay.Steps([]replay.Said{{Role: "user", Text: "hello"}, {Role: "wait", Text: "1h"}}, replay.DefaultTime)
	if err != nil {
		t.Fatal(err)
	}
	x, err := replay.Explain(t.Context(), p, steps, replay.Setting{Begin: replay.DefaultTime})
	if err == nil || !strings.Contains(err.Error(), "too long") || len(x.Turns) != 1 {
		t.Errorf("%d turns, %v", len(x.Turns), err)
	}
}

func TestSteps_aTurnMayBringItsWaitAndDesksAnswer(t *testing.T) {
	steps, err := replay.Steps([]replay.Said{{Role: "user", Text: "a"}, {Role: "user", Text: "b", Wait: "5m", Desk: "queued"}}, replay.DefaultTime)
	if err != nil || len(steps) != 3 || steps[1].Kind != "wait" || steps[1].Wait != 5*time.Minute || steps[2].Desk != "queued" {
		t.Errorf("%+v, %v", steps, err)
	}
	for _, bad := range []replay.Said{{Role: "user", Text: "a", Wait: "soon"}, {Role: "user", Text: "a", Desk: "soon"}} {
		if _, err := replay.Steps([]replay.Said{bad}, replay.DefaultTime); err == nil || !strings.Contains(err.Error(), "turn 1: ") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
