package rules

import (
	"slices"
	"unicode"

	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// lint looks for what is not wrong but most likely not meant. It runs on files without errors only.
func (l *loader) lint(root *yaml.Node) {
	l.lintReach()
	l.lintModes(root)
	l.lintTyped(root)
	l.lintPhrases()
	l.lintUnused(root)
	l.lintCalendars(root)
	l.lintTests(root)
}

// lintReach finds rules that an earlier one always forestalls.
func (l *loader) lintReach() {
	for i, later := range l.written {
		for _, earlier := range l.written[:i] {
			if earlier.mode != ModeEnforce || later.mode != ModeEnforce || !earlier.forestalls(later.rule) {
				continue
			}
			id := l.get(later.node, "id")
			l.warn(id.Line, id.Column, "move it before "+earlier.id+", or take it out", "rule `%s` is never reached: whenever it holds, `%s` (line %d) holds before it", later.id, earlier.id, earlier.line)
			break
		}
	}
}

// forestalls says that wherever the later rule holds, this one holds too and ends the search. While a rule is at rest
// those below it that hold by the customer's own words are tried all the same, and the misses on which it has fired are
// spent for it alone.
func (r *rule) forestalls(later *rule) bool {
	rests := r.offer != nil || r.cooldown > 0
	if rests && later.when.has(func(k *cond) bool { return k.name == saysCondition.key }) {
		return false
	}
	counts := r.when.has(func(k *cond) bool { return k.name == botMissedCondition.key })
	return r.offer == nil && !counts && later.when.implies(r.when)
}

// lintModes points at words of a mode that have no effect.
func (l *loader) lintModes(root *yaml.Node) {
	for _, r := range l.written {
		mode := l.get(r.node, "mode")
		if mode != nil && Mode(mode.Value) != r.mode {
			l.warn(mode.Line, mode.Column, "change the file's mode, or take this line out", "rule `%s` stays in mode %s, because the whole file is in mode %s", r.id, r.mode, l.policy.mode)
		}
	}
	for _, pair := range l.pairs(l.get(root, "targets")) {
		if tip := l.get(pair[1], "tip_if_no_agent"); boolOf(tip) && l.get(pair[1], "say_if_no_agent") != nil {
			l.warn(tip.Line, tip.Column, "take one of the two out", "Desk's tip is not asked for, because `say_if_no_agent` stands in for it")
		}
	}
}

// lintPhrases looks at each phrase that the file itself holds.
func (l *loader) lintPhrases() {
	var msg text.Message
	var hits []text.Hit
	for _, w := range l.book.written {
		line, column := w.entry.node.Line, w.entry.node.Column
		if short(w.entry.text) {
			l.warn(line, column, "write =… if it must be the whole message, or more words", "the phrase %s is very short and will be found where nobody means it", w.entry.text)
		}
		if w.weighted || !l.policy.matcher.Plain(w.id) {
			continue
		}
		msg.Reset(w.entry.text)
		hits = l.policy.matcher.Find(&msg, hits[:0])
		if other := l.coveredBy(w, hits); other != "" {
			l.warn(line, column, "take it out, or leave it if it is there for the reader", "the phrase %s is covered by %s: it changes nothing", w.entry.text, other)
		}
	}
}

// coveredBy finds another phrase of the same set that hits wherever this one does.
func (l *loader) coveredBy(w writtenPhrase, hits []text.Hit) string {
	for _, h := range hits {
		if h.Phrase == w.id || h.Typos > 0 || !w.set.has(h.Phrase) {
			continue
		}
		for _, g := range w.set.groups {
			if _, in := g.weights[h.Phrase]; !in || l.maskedIn(g, h, hits) {
				continue
			}
			if name := g.list; name != "" && name != w.list {
				return "$" + name
			}
			return l.policy.phrase(h.Phrase)
		}
	}
	return ""
}

func (l *loader) maskedIn(g phraseGroup, h text.Hit, hits []text.Hit) bool {
	for _, m := range hits {
		if g.Masks.Has(m.Phrase) && text.Overlaps(m, h) {
			return true
		}
	}
	return false
}

// short says that a phrase is fewer than three Latin letters that may stand anywhere.
func short(s string) bool {
	letters := 0
	for _, r := range s {
		if !unicode.Is(unicode.Latin, r) {
			return false
		}
		letters++
	}
	return letters < 3
}

// lintUnused finds names that nothing refers to.
func (l *loader) lintUnused(root *yaml.Node) {
	for _, w := range l.book.order {
		if !w.used {
			l.warn(w.node.Line, w.node.Column, "use it as $"+w.name+", or take it out", "the list `%s` is never used", w.name)
		}
	}
	for _, section := range []struct {
		key, what string
		used      map[string]bool
	}{{"targets", "target", l.usedGoals}, {"routes", "route", l.usedGoals}, {"calendars", "calendar", l.usedDays}} {
		for _, pair := range l.pairs(l.get(root, section.key)) {
			if !section.used[pair[0].Value] {
				l.warn(pair[0].Line, pair[0].Column, "use it, or take it out", "the %s `%s` is never used", section.what, pair[0].Value)
			}
		}
	}
}

// lintCalendars finds calendars whose special days are all over.
func (l *loader) lintCalendars(root *yaml.Node) {
	if l.options.Now.IsZero() {
		return
	}
	for _, pair := range l.pairs(l.get(root, "calendars")) {
		k := l.calendars[pair[0].Value]
		last := k.lastDay()
		if last != 0 && last < dayOf(l.options.Now.In(k.zone)) {
			l.warn(pair[0].Line, pair[0].Column, "add the holidays to come", "the calendar `%s` is in the past: the last day that it names is %s", k.name, last)
		}
	}
}

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
		missing := ""
		switch {
		case r.mode == ModeOff:
		case !fires[r.id] && !silent[r.id]:
			missing = "no test in which it fires, and none in which it stays silent"
		case !fires[r.id]:
			missing = "no test in which it fires"
		case !silent[r.id]:
			missing = "no test in which it stays silent"
		}
		if missing != "" {
			l.warn(id.Line, id.Column, "for example {name: …, say: …, expect: "+r.id+"}, and one with expect: none", "rule `%s` has %s", r.id, missing)
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
