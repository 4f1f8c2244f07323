package rules

import (
	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

// lint looks for what is not wrong but most likely not meant. It runs on files without errors only.
func (l *loader) lint(root *yaml.Node) {
	l.noteCovers()
	l.lintReach()
	l.lintModes(root)
	l.lintTyped(root)
	l.lintPhrases()
	l.lintUnused(root)
	l.lintTeams(l.get(root, "notify"))
	l.lintTargets(l.get(root, "targets"))
	l.lintQueuedFor()
	l.lintQueueGroups()
	l.lintCooldowns(root)
	l.lintFields(root)
	l.lintWordsFrom(root)
	l.lintPanel(l.get(root, "panel"))
	l.lintCalendars(root)
	l.lintEnds()
	l.lintTests(root)
}

// lintReach finds rules that an earlier one forestalls.
func (l *loader) lintReach() {
	for i, later := range l.written {
		for _, earlier := range l.written[:i] {
			if earlier.mode != ModeEnforce || later.mode != ModeEnforce || !earlier.forestalls(later.rule) {
				continue
			}
			unless := lang.Text("")
			if earlier.yields(later.rule) {
				if earlier.when.implies(later.when) {
					continue // what is to be done while the first is at rest, most likely
				}
				unless = lang.Say(" unless `%s` is at rest", earlier.id)
			}
			id := l.get(later.node, "id")
			l.warn(id.Line, id.Column, lang.Say("move it before %s, or take it out", earlier.id), "rule `%s` is never reached%s: whenever it holds, `%s` (%s) holds before it", later.id, unless, earlier.id, l.source.where(earlier.node.Line, id.Line))
			break
		}
	}
}

// forestalls says that wherever the later rule holds, this one holds too. The misses on which it has fired are spent for
// it alone, so that it counts others.
func (r *rule) forestalls(later *rule) bool {
	counts := r.when.has(func(k *cond) bool { return k.name == botMissedCondition.key })
	return r.offer == nil && !r.partial() && !counts && later.when.implies(r.when)
}

// yields says that the later rule is tried while this one is at rest, because it holds by the customer's own words.
func (r *rule) yields(later *rule) bool {
	return r.cooldown > 0 && later.when.has(func(k *cond) bool { return k.name == saysCondition.key })
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
		tip := l.get(pair[1], "tip_if_no_agent")
		for _, key := range []string{"take_message", "say_if_no_agent"} {
			if boolOf(tip) && l.get(pair[1], key) != nil {
				l.warn(tip.Line, tip.Column, "take one of the two out", "Desk's tip is not asked for, because `%s` stands in for it", key)
				break
			}
		}
	}
}

// lintUnused finds names that nothing refers to.
func (l *loader) lintUnused(root *yaml.Node) {
	for _, w := range l.book.order {
		if !w.used {
			l.warn(w.node.Line, w.node.Column, lang.Say("use it as $%s, or take it out", w.name), "the list `%s` is never used", w.name)
		}
	}
	for _, section := range []struct {
		key  string
		what lang.Text
		used map[string]bool
	}{{"targets", "target", l.usedGoals}, {"routes", "route", l.usedGoals}, {"calendars", "calendar", l.usedDays}} {
		for _, pair := range l.pairs(l.get(root, section.key)) {
			if !section.used[pair[0].Value] && pair[0].Value != anywhere.ID {
				l.warn(pair[0].Line, pair[0].Column, "use it, or take it out", "the %s `%s` is never used", section.what, pair[0].Value)
			}
		}
	}
}

// lintCooldowns finds cooldowns that are longer than a conversation is remembered.
func (l *loader) lintCooldowns(root *yaml.Node) {
	check := func(n *yaml.Node, way lang.Text) {
		if n != nil && n.Kind == yaml.ScalarNode && l.duration(n) > l.policy.sessionTTL {
			l.warn(n.Line, n.Column, way, "the cooldown ends before its time: a conversation is forgotten after %s of silence (session_ttl)", formatDuration(l.policy.sessionTTL))
		}
	}
	check(l.get(l.get(root, "defaults"), "cooldown"), "shorten it, or raise defaults.session_ttl")
	for _, r := range l.written {
		if n := l.get(r.node, "cooldown"); n != nil {
			check(n, lang.Say("write {for: %s, per: customer}, shorten it, or raise defaults.session_ttl", n.Value))
		}
	}
}

// lintCalendars finds calendars whose special days are all over.
func (l *loader) lintCalendars(root *yaml.Node) {
	if l.now.IsZero() {
		return
	}
	for _, pair := range l.pairs(l.get(root, "calendars")) {
		k := l.calendars[pair[0].Value]
		last := k.lastDay()
		if last != 0 && last < dayOf(l.now.In(k.zone)) {
			l.warn(pair[0].Line, pair[0].Column, "add the holidays to come", "the calendar `%s` is in the past: the last day that it names is %s", k.name, last)
		}
	}
}
