package rules

import (
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

var targetShape = &shape{name: "a target", ref: "target", form: formRecord, fields: []field{
	{key: "group", of: aGroup, doc: "AgentGroupId of Desk.", aka: []string{"group_id", "agent_group"}},
	{key: "agents", of: listOf(someAgents, anAgent), doc: "The agents wanted, by their address at Desk (AgentIdList).", aka: []string{"agent", "agent_ids"}},
	{key: "tip_if_no_agent", of: aBool, standard: "true", doc: "Desk tells the customer when nobody is online (SendTipIfNoAgentOnline)."},
	{key: "check_working_hours", of: aBool, doc: "Desk checks its own working hours (CheckIfDuringWorkingHours)."},
	{key: "prompt_outside_working_hours", of: aBool, doc: "Desk tells the customer outside its working hours (SendPromptNotDuringWorkingHours)."},
	{key: "end_session_if_no_agent", of: aBool, doc: "Desk ends the session when nobody is online (EndSessionWhenNoMemberOnline)."},
	{key: "disable_queuing", of: aBool, doc: "Do not queue when all agents are taken (DisableQueuing)."},
	{key: "allow_busy_agents", of: aBool, doc: "Agents marked busy may get it (AllowAssignBusyMember)."},
	{key: "priority", of: aPriority, doc: "Place in the queue, 0 first (Priority)."},
	{key: "queue_timeout", of: aSpan, doc: "How long the customer may wait in the queue (QueueTimeout), whole seconds."},
	{key: "open", of: aCalendarName, doc: "Outside this calendar the target is skipped.", aka: []string{"hours", "calendar"}},
	{key: "else", of: &shape{name: "a target", pattern: patternName}, doc: "The next target when nobody there is online, or it is closed.", aka: []string{"fallback", "next", "or"}},
	{key: "say_if_queued", of: aSpeech, doc: "Said when the customer waits in the queue."},
	{key: "say_if_closed", of: aSpeech, doc: "Said when every target of the chain is closed."},
	{key: "say_if_no_agent", of: aSpeech, doc: "Said when nobody is online; then Desk's own tip is not asked for."},
	{key: "say_if_failed", of: aSpeech, doc: "Said when the transfer failed for good; a built-in sentence if not given, \"\" for none."},
	{key: "retry_if_no_agent", doc: "Tries the chain again, silently, until the time is over.", of: &shape{
		name: "every and for", form: formRecord, examples: []string{"{every: 1m, for: 20m}"}, fields: []field{
			{key: "every", of: aSpan, required: true, doc: "How often."},
			{key: "for", of: aSpan, required: true, doc: "For how long.", aka: []string{"within", "until"}},
		},
	}},
	{key: "take_message", of: takeMessageShape, doc: "When nobody is online in the whole chain, or all of it is closed: asks the customer to leave words, instead of say_if_no_agent and say_if_closed.", aka: []string{"leave_message", "message", "voicemail"}},
}, examples: []string{"{}", "{group: 2473, open: office, else: default}"}}

// targets reads the targets, then ties their chains. There is always one named default.
func (l *loader) targets(n *yaml.Node) {
	for _, pair := range l.declared(n) {
		t := l.target(pair[0], pair[1])
		l.policy.targets[t.ID] = t
		l.policy.goals[t.ID] = &goal{name: t.ID, target: t}
	}
	if l.policy.targets[anywhere.ID] == nil {
		l.policy.targets[anywhere.ID] = anywhere
		l.policy.goals[anywhere.ID] = &goal{name: anywhere.ID, target: anywhere}
	}
	for _, pair := range l.declared(n) {
		next := l.get(pair[1], "else")
		if next == nil {
			continue
		}
		if t := l.policy.targets[next.Value]; t != nil {
			l.usedGoals[next.Value] = true
			l.policy.targets[pair[0].Value].next = t
		} else {
			l.failUnknown(next, "target", sortedKeys(l.policy.targets))
		}
	}
	l.checkChains(n)
}

// checkChains complains about else chains that go round, once for each circle.
func (l *loader) checkChains(n *yaml.Node) {
	done := map[*Target]bool{}
	for _, pair := range l.declared(n) {
		var path []string
		onPath := map[*Target]bool{}
		for t := l.policy.targets[pair[0].Value]; t != nil && !done[t]; t = t.next {
			if onPath[t] {
				at := l.get(l.get(n, t.ID), "else")
				l.fail(at, "let the last target have no else", "the else chain goes in a circle: %s", strings.Join(cycle(path, t.ID), " → "))
				break
			}
			onPath[t] = true
			path = append(path, t.ID)
		}
		for t := range onPath {
			done[t] = true
		}
	}
}

func (l *loader) target(key, n *yaml.Node) *Target {
	t := &Target{
		ID:                textOf(key),
		Agents:            textsOf(l.items(l.get(n, "agents"))),
		TipIfNoAgent:      boolOf(l.value(n, targetShape, "tip_if_no_agent")),
		CheckWorkingHours: boolPointer(l.get(n, "check_working_hours")),
		PromptOutside:     boolPointer(l.get(n, "prompt_outside_working_hours")),
		EndSession:        boolPointer(l.get(n, "end_session_if_no_agent")),
		DisableQueuing:    boolPointer(l.get(n, "disable_queuing")),
		AllowBusy:         boolPointer(l.get(n, "allow_busy_agents")),
		QueueTimeout:      l.duration(l.get(n, "queue_timeout")),
		SayIfQueued:       l.speech(l.get(n, "say_if_queued")),
		SayIfClosed:       l.speech(l.get(n, "say_if_closed")),
		SayIfNoAgent:      l.speech(l.get(n, "say_if_no_agent")),
		SayIfFailed:       l.speech(l.get(n, "say_if_failed")),
		Priority:          intPointer(l.get(n, "priority")),
		calendar:          l.findCalendar(l.get(n, "open")),
	}
	if g := l.get(n, "group"); g != nil {
		group := int64(intOf(g))
		t.Group = &group
	}
	if t.QueueTimeout%time.Second != 0 {
		l.fail(l.get(n, "queue_timeout"), "for example 90s or 10m", "`queue_timeout` is sent in whole seconds")
	}
	t.TakeMessage = l.takeMessage(l.get(n, "take_message"), t.ID)
	if t.SayIfNoAgent != nil || t.TakeMessage != nil {
		t.TipIfNoAgent = false // our own words stand in for Desk's tip
	}
	if t.SayIfFailed == nil {
		t.SayIfFailed = builtinFailure
	}
	t.Retry = l.retry(l.get(n, "retry_if_no_agent"))
	return t
}

func (l *loader) retry(n *yaml.Node) *Retry {
	every, long := l.get(n, "every"), l.get(n, "for")
	if every == nil || long == nil {
		return nil
	}
	r := &Retry{Every: l.duration(every), For: l.duration(long)}
	if r.Every > r.For {
		l.fail(n, "for example {every: 1m, for: 20m}", "`every` is longer than `for`, so it would never be tried again")
	}
	if r.Every < time.Second {
		l.fail(n, "for example {every: 1m, for: 20m}", "`every` must be at least 1s")
	}
	return r
}

// findGoal finds a target or route by name, or complains.
func (l *loader) findGoal(n *yaml.Node) *goal {
	l.usedGoals[n.Value], l.firstGoals[n.Value] = true, true
	if g := l.policy.goals[n.Value]; g != nil {
		return g
	}
	if n.Tag == "!!int" {
		l.fail(n, lang.Say("give the group a target and name that: targets: {sales: {group: %s}}", n.Value), "there is no target or route `%s`", n.Value)
		return nil
	}
	l.failUnknown(n, "target or route", sortedKeys(l.policy.goals))
	return nil
}

// speech reads a text to the customer, nil if there is none.
func (l *loader) speech(n *yaml.Node) *Speech {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return &Speech{Texts: []SpeechText{{Text: textOf(n)}}}
	}
	s := &Speech{}
	for _, pair := range l.pairs(n) {
		s.Texts = append(s.Texts, SpeechText{Lang: textOf(pair[0]), Text: textOf(pair[1])})
	}
	return s
}
