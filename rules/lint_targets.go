package rules

import (
	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

// lintTargets points at settings of a target that have no effect.
func (l *loader) lintTargets(n *yaml.Node) {
	for _, pair := range l.pairs(n) {
		t := l.policy.targets[pair[0].Value]
		if group, _ := l.pair(pair[1], "group"); group != nil && t.Agents != nil {
			l.warn(group.Line, group.Column, "take one of the two out", "Desk passes over `group` where there are `agents`, as far as is known")
		}
		l.idle(pair[1], "say_if_closed", t.calendar == nil, "a target without `open` is never closed", "give it a calendar with open, or take the text out")
		l.idle(pair[1], "say_if_queued", t.DisableQueuing != nil && *t.DisableQueuing, "nobody waits where `disable_queuing` is true", "take one of the two out")
		l.idle(pair[1], "queue_timeout", t.DisableQueuing != nil && *t.DisableQueuing, "nobody waits where `disable_queuing` is true", "take one of the two out")
		l.idle(pair[1], "prompt_outside_working_hours", boolOf(l.get(pair[1], "prompt_outside_working_hours")) && (t.CheckWorkingHours == nil || !*t.CheckWorkingHours), "Desk does not look at its working hours", "add check_working_hours: true")
		ends := t.EndSession != nil && *t.EndSession
		l.idle(pair[1], "else", ends, "`end_session_if_no_agent` ends the conversation first", "take one of the two out")
		l.idle(pair[1], "retry_if_no_agent", ends, "`end_session_if_no_agent` ends the conversation first", "take one of the two out")
		l.lintTakeMessage(pair[1], t)
		l.idle(pair[1], "retry_if_no_agent", l.usedGoals[t.ID] && !l.firstGoals[t.ID] && t.ID != anywhere.ID, lang.Say("only that of the first target of a chain counts, and `%s` is never first", t.ID), "move it to the target whose `else` leads here")
	}
}

// idle warns of a key that can have no effect.
func (l *loader) idle(n *yaml.Node, key string, idle bool, why, way lang.Text) {
	if at, _ := l.pair(n, key); at != nil && idle {
		l.warn(at.Line, at.Column, way, "`%s` never comes into play: %s", key, why)
	}
}
