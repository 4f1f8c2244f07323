package rules

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

// lintTests finds rules that no test shows, and tests whose result hangs on the hour.
func (l *loader) lintTests(root *yaml.Node) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, t := range l.policy.tests {
		for _, s := range t.Steps {
			l.noteExpectation(s, fires, silent)
		}
	}
	for _, r := range l.written {
		id := l.get(r.node, "id")
		var missing lang.Text
		switch {
		case r.mode == ModeOff || r.over(l.now):
		case !fires[r.id] && !silent[r.id]:
			missing = "no test in which it fires, and none in which it stays silent"
		case !fires[r.id]:
			missing = "no test in which it fires"
		case !silent[r.id]:
			missing = "no test in which it stays silent"
		}
		if missing != "" {
			l.warn(id.Line, id.Column, lang.Say("for example {name: …, say: …, expect: %s}, and one with expect: none", r.id), "rule `%s` has %s", r.id, missing)
		}
	}
	items := l.items(l.get(root, "tests"))
	for i, t := range l.policy.tests {
		if !t.AtSet && l.hangsOnTheHour(t) {
			l.warn(items[i].Line, items[i].Column, "add a time, such as at: 2026-01-05T10:00:00+08:00", "the test %q depends on the hour but gives no `at`", shorten(t.Name))
		}
	}
}

// noteExpectation notes which rules a step expects to fire, and which to stay silent.
func (l *loader) noteExpectation(s Step, fires, silent map[string]bool) {
	if s.Expect == nil {
		return
	}
	kind := map[string]kinds{"user": onUser, "bot": onBot, "wait": onTimer}[s.Kind]
	for _, r := range l.policy.rules {
		can, _ := r.when.canHold()
		switch {
		case s.Expect.names(r.id):
			fires[r.id] = true
		case s.Expect.Suppressed == "" && can&kind != 0:
			silent[r.id] = true
		}
	}
}

// names says that an expectation wants a rule to act, for good or as a shadow.
func (x *Expectation) names(id string) bool {
	return x.Rule == id && x.Suppressed == "" || slices.Contains(x.Shadow, id)
}

// hangsOnTheHour says that a test expects something of a rule that calendars decide.
func (l *loader) hangsOnTheHour(t Test) bool {
	for _, s := range t.Steps {
		if s.Expect == nil {
			continue
		}
		for _, r := range l.policy.rules {
			if !s.Expect.names(r.id) {
				continue
			}
			asksWhere := s.Expect.Target != "" || s.Expect.Outcome != ""
			if r.when.usesHours() || r.goal.usesHours(asksWhere, 0) {
				return true
			}
		}
	}
	return false
}

func (k *cond) usesHours() bool {
	return k.has(func(leaf *cond) bool { return leaf.name == hoursCondition.key })
}

// maxRouteDepth ends the walk along routes that go in a circle, which is an error.
const maxRouteDepth = 20

// usesHours says that a calendar decides where a transfer goes, or (unless where is asked) whether it is made at all.
func (g *goal) usesHours(where bool, depth int) bool {
	if g == nil || depth > maxRouteDepth {
		return false
	}
	if g.target != nil {
		some, all := false, true
		for t := g.target; t != nil; t = t.next {
			some, all = some || t.calendar != nil, all && t.calendar != nil
		}
		return all || where && some
	}
	for _, line := range g.lines {
		if where && line.when.usesHours() || line.to.usesHours(where, depth+1) {
			return true
		}
	}
	return false
}
