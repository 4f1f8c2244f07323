package rules

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

var action = &shape{
	name: "an action", ref: "then", form: formRecord, oneOf: [][]string{{"transfer", "tag", "notify"}, {"keep", "tag", "notify"}, {"take_message", "tag", "notify"}},
	needs: map[string]string{
		"offer": "transfer", "leave_queue": "transfer", "priority": "transfer", "agents": "transfer", "prefer_last_agent": "transfer",
	},
	fields: []field{
		{key: "transfer", of: aGoal, doc: "Take the conversation to this target or route.", aka: []string{"to", "target", "escalate", "human", "transfer_to"}},
		{key: "leave_queue", of: &shape{name: "true", form: formTrue, examples: []string{"true"}}, doc: "Take a customer who waits out of Desk's queue first, once per session. Only where the rule holds by queued_for."},
		{key: "say", of: aSentence, doc: "Say this first; it never delays a transfer by more than a second.", aka: []string{"message", "text", "reply"}},
		{key: "offer", of: aSentence, doc: "Ask this first; the transfer is made when the customer says yes.", aka: []string{"ask"}},
		{key: "keep", of: &shape{name: "true", form: formTrue, examples: []string{"true"}}, doc: "Stay with the bot: later rules are not tried.", aka: []string{"stay", "ignore"}},
		{key: "take_message", of: takeMessageShape, doc: "Ask the customer to leave words; the agents of the target `default` contact the customer.", aka: []string{"leave_message", "voicemail"}},
		{key: "tag", of: listOf(someNames, aName), doc: "Words for logs and decisions. Alone it keeps the conversation with the bot.", aka: []string{"tags", "label", "labels"}},
		{key: "notify", of: listOf("a list of teams", aTeam), doc: "Tell these teams of `notify`. Alone it keeps the conversation with the bot.", aka: []string{"tell", "alert", "notify_team"}},
		{key: "priority", of: aPriority, doc: "Place in the queue, 0 first, instead of that of the targets.", aka: []string{"prio"}},
		{key: "agents", of: listOf(someAgents, anAgent), doc: "The agents wanted, instead of the group and the agents of the target.", aka: []string{"agent", "agent_ids"}},
		{key: "prefer_last_agent", of: aSpan, doc: "Ask the agent first who had the customer last, if that is not longer ago; at most 30d.", aka: []string{"last_agent", "same_agent"}},
	},
	examples: []string{"{transfer: default}", "{offer: 需要为您转接人工客服吗？, transfer: default}", "{keep: true}", "{tag: [vip]}", "{notify: [support]}"},
}

var ruleShape = &shape{name: "a rule", ref: "rule", form: formRecord, fields: []field{
	{key: "id", of: aRuleID, required: true, doc: "The rule's name. Counters and cooldowns are kept by it: a new id starts anew.", aka: []string{"name", "rule"}},
	{key: "about", of: aWord, doc: "What the rule is for, in a sentence.", aka: []string{"description", "comment", "doc", "title"}},
	{key: "mode", of: aMode, doc: "enforce: acts; shadow: only says in the log what it would have done; off: is not tried. The more careful one of this and the file's mode counts.", aka: []string{"enabled", "state"}},
	{key: "owner", of: aWord, doc: "Who answers for the rule: a person or a team.", aka: []string{"author", "team", "contact"}},
	{key: "share", of: aShare, doc: "The rule is for this share of the customers only, for the others it is off.", aka: []string{"percent", "percentage", "rollout", "sample"}},
	{key: "from", of: aMoment, doc: "Before this the rule is off: a date in the zone of the file's calendars (else UTC), or a time.", aka: []string{"start", "begin", "since", "after"}},
	{key: "until", of: aMoment, doc: "After this the rule is off: a date, that day included, or a time.", aka: []string{"end", "to", "before", "expires"}},
	{key: "when", of: conditionShape, required: true, doc: "What must hold.", aka: []string{"if", "condition", "conditions", "match"}},
	{key: "then", of: action, required: true, doc: "What is done.", aka: []string{"do", "action", "actions"}},
	{key: "cooldown", of: cooldownShape, doc: "After it fired, the rule is silent for this time, in this conversation or for this customer; the file's defaults.cooldown if not given."},
}}

var (
	cooldownPerCustomer = &shape{name: "a cooldown of the customer", form: formRecord, examples: []string{"{for: 24h, per: customer}"}, fields: []field{
		{key: "for", of: aSpan, required: true, doc: "For this time, at most 30d; nothing else ends it.", aka: []string{"within", "time"}},
		{key: "per", of: enumShape("a word for whose it is", []string{"customer"}, "user", "customer", "client", "customer"), required: true, doc: "customer: in all sessions of the customer."},
	}}
	cooldownShape = &shape{
		name: "a cooldown", ref: "cooldown", form: formChoice, forms: []*shape{aDuration, cooldownPerCustomer},
		doc: "A length of time in the conversation, or {for: 24h, per: customer}.", examples: []string{"10m", "{for: 24h, per: customer}"},
	}
)

// rules compiles the rules. Their ids are declared first, because conditions may refer to any of them.
func (l *loader) rules(n *yaml.Node) {
	items := l.items(n)
	for _, item := range items {
		id := l.get(item, "id")
		if id == nil {
			continue
		}
		switch first := l.ruleNodes[id.Value]; {
		case id.Value == "none":
			l.fail(id, "take another id", "`none` stands for no rule in tests")
		case first != nil:
			l.fail(id, "ids must differ: counters and cooldowns are kept by them", "a second rule `%s`; the first is in %s", id.Value, l.source.where(first.Line, id.Line))
		default:
			l.ruleNodes[id.Value] = item
		}
	}
	for _, item := range items {
		if id := l.get(item, "id"); id != nil {
			l.rule(id, item)
		}
	}
}

func (l *loader) rule(id, n *yaml.Node) {
	r := &rule{id: textOf(id), about: textOf(l.get(n, "about")), mode: l.policy.mode}
	r.file, r.line = l.source.place(n.Line)
	if mode := l.get(n, "mode"); mode != nil {
		r.mode = careful(r.mode, Mode(mode.Value))
	}
	l.limit(r, n)
	if l.ruleNodes[r.id] == n {
		r.when = l.ruleCondOf(r.id)
	}
	if key, when := l.pair(n, "when"); when != nil {
		l.places = append(l.places, place{key, r.when})
	}
	l.cooldown(r, l.get(n, "cooldown"))
	then := l.get(n, "then")
	if to := l.get(then, "transfer"); to != nil {
		r.goal = l.findGoal(to)
	}
	r.take = l.takeMessage(l.get(then, "take_message"), anywhere.ID)
	r.say, r.offer = l.speech(l.get(then, "say")), l.speech(l.get(then, "offer"))
	switch say := r.say != nil && r.goal == nil && l.get(then, "transfer") == nil && !hasKey(then, "keep"); {
	case say && !slices.ContainsFunc(action.groupKeys(), func(key string) bool { return hasKey(then, key) }): // the shape says so
	case say && hasKey(then, "take_message"):
		l.fail(l.get(then, "say"), "for example take_message: {say: …}", "`take_message` has a `say` of its own")
	case say:
		l.fail(l.get(then, "say"), "for example {keep: true, say: …}", "`say` needs `keep` or `transfer` beside it")
	}
	r.tags, r.notify = textsOf(l.items(l.get(then, "tag"))), l.findTeams(l.get(then, "notify"))
	r.priority, r.agents = intPointer(l.get(then, "priority")), textsOf(l.items(l.get(then, "agents")))
	r.lastAgent = l.userTime(l.get(then, "prefer_last_agent"))
	r.leaveQueue = boolOf(l.get(then, "leave_queue"))
	r.queues, r.rates = r.when.canHoldBy(queuedForCondition.key), r.when.canHoldBy(ratingCondition.key)
	l.checkQueueAction(r, then)
	l.checkRatingAction(r, then)
	l.policy.rules = append(l.policy.rules, r)
	l.written = append(l.written, &builtRule{r, n, then})
}

// cooldown reads the cooldown of a rule.
func (l *loader) cooldown(r *rule, n *yaml.Node) {
	r.cooldown = l.policy.cooldown
	switch long := l.get(n, "for"); {
	case n == nil:
	case n.Kind != yaml.MappingNode:
		r.cooldown = l.duration(n)
	default:
		r.cooldown, r.perCustomer, r.userKey = l.userTime(long), true, r.keyOf()
		if r.mode == ModeOff {
			return
		}
		if l.policy.userKeys = append(l.policy.userKeys, r.userKey); len(l.policy.userKeys) > maxUserCooldowns {
			l.fail(n, "give it a cooldown of the conversation, such as 10m", "at most %d rules may have a cooldown per customer, so that little is kept of each", maxUserCooldowns)
		}
	}
}

// ruleCondOf compiles a rule's condition once.
func (l *loader) ruleCondOf(id string) *cond {
	if l.ruleState[id] == visited {
		return l.ruleConds[id]
	}
	l.ruleState[id] = visiting
	l.path = append(l.path, id)
	l.ruleConds[id] = l.condition(l.get(l.ruleNodes[id], "when"))
	l.path = l.path[:len(l.path)-1]
	l.ruleState[id] = visited
	return l.ruleConds[id]
}
