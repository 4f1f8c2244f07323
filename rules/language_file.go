package rules

// This file goes on with the declaration of the language: rules, targets, tests and the whole file.

var action = &shape{
	name: "an action", ref: "then", form: formRecord, exactlyOne: []string{"transfer", "keep"},
	needs: map[string]string{"offer": "transfer"},
	fields: []field{
		{key: "transfer", of: aGoal, doc: "Take the conversation to this target or route.", aka: []string{"to", "target", "escalate", "human", "transfer_to"}},
		{key: "say", of: aSpeech, doc: "Say this first; it never delays a transfer by more than a second.", aka: []string{"message", "text", "reply"}},
		{key: "offer", of: aSpeech, doc: "Ask this first; the transfer is made when the customer says yes.", aka: []string{"ask"}},
		{key: "keep", of: &shape{name: "true", form: formTrue, examples: []string{"true"}}, doc: "Stay with the bot: later rules are not tried.", aka: []string{"stay", "ignore"}},
		{key: "tag", of: listOf(aName), doc: "Words for logs and decisions.", aka: []string{"tags", "label", "labels"}},
	},
	examples: []string{"{transfer: default}", "{offer: 需要为您转接人工客服吗？, transfer: default}", "{keep: true}"},
}

var ruleShape = &shape{name: "a rule", ref: "rule", form: formRecord, fields: []field{
	{key: "id", of: aRuleID, required: true, doc: "The rule's name. Counters and cooldowns are kept by it: a new id starts anew.", aka: []string{"name", "rule"}},
	{key: "about", of: aWord, doc: "What the rule is for, in a sentence.", aka: []string{"description", "comment", "doc", "title"}},
	{key: "mode", of: aMode, doc: "enforce: acts; shadow: only says in the log what it would have done; off: is not tried. The more careful one of this and the file's mode counts.", aka: []string{"enabled", "state"}},
	{key: "when", of: condition, required: true, doc: "What must hold.", aka: []string{"if", "condition", "conditions", "match"}},
	{key: "then", of: action, required: true, doc: "What is done.", aka: []string{"do", "action", "actions"}},
	{key: "cooldown", of: aDuration, doc: "After it fired, the rule is silent in this conversation for this time; the file's defaults.cooldown if not given."},
}}

var targetShape = &shape{name: "a target", ref: "target", form: formRecord, fields: []field{
	{key: "group", of: &shape{name: "a group's number", form: formInteger, min: 0, max: 1 << 53}, doc: "AgentGroupId of Desk.", aka: []string{"group_id", "agent_group"}},
	{key: "agents", of: listOf(aWord), doc: "The agents wanted, by their address at Desk (AgentIdList).", aka: []string{"agent", "agent_ids"}},
	{key: "tip_if_no_agent", of: aBool, standard: "true", doc: "Desk tells the customer when nobody is online (SendTipIfNoAgentOnline)."},
	{key: "check_working_hours", of: aBool, doc: "Desk checks its own working hours (CheckIfDuringWorkingHours)."},
	{key: "prompt_outside_working_hours", of: aBool, doc: "Desk tells the customer outside its working hours (SendPromptNotDuringWorkingHours)."},
	{key: "end_session_if_no_agent", of: aBool, doc: "Desk ends the session when nobody is online (EndSessionWhenNoMemberOnline)."},
	{key: "disable_queuing", of: aBool, doc: "Do not queue when all agents are taken (DisableQueuing)."},
	{key: "allow_busy_agents", of: aBool, doc: "Agents marked busy may get it (AllowAssignBusyMember)."},
	{key: "priority", of: &shape{name: "a priority from 0 to 9", form: formInteger, min: 0, max: 9}, doc: "Place in the queue, 0 first (Priority)."},
	{key: "queue_timeout", of: aSpan, doc: "How long the customer may wait in the queue (QueueTimeout), whole seconds."},
	{key: "open", of: &shape{name: "a calendar", pattern: patternName}, doc: "Outside this calendar the target is skipped.", aka: []string{"hours", "calendar"}},
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
}, examples: []string{"{}", "{group: 2473, open: office, else: default}"}}

var routeLine = &shape{name: "a line of a route", ref: "routeLine", form: formRecord, fields: []field{
	{key: "when", of: condition, doc: "What must hold for this line; a line without it always holds.", aka: []string{"if", "condition"}},
	{key: "to", of: aGoal, required: true, doc: "A target, or another route.", aka: []string{"target", "transfer", "then"}},
}, examples: []string{"{when: {language: [en]}, to: english}"}}

var calendarShape = &shape{name: "a calendar", ref: "calendar", form: formRecord, fields: []field{
	{key: "tz", of: &shape{name: "a time zone", form: formText, examples: []string{"Asia/Shanghai"}}, required: true, doc: "The time zone, such as Asia/Shanghai.", aka: []string{"timezone", "time_zone", "zone"}},
	{key: "open", of: listOf(&shape{
		name: "opening hours", pattern: `^[a-z]{3}(-[a-z]{3})? [0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}$`,
		examples: []string{"mon-fri 09:00-21:00", "sun 22:00-06:00"},
		doc:      "Days and hours; hours over midnight belong to the day on which they start.",
	}), required: true, doc: "When it is open, week by week.", aka: []string{"hours", "week"}},
	{key: "closed", of: listOf(&shape{
		name: "a day or days", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}(\.\.[0-9]{4}-[0-9]{2}-[0-9]{2})?$`,
		examples: []string{"2027-02-06", "2027-02-06..2027-02-12"}, doc: "A date, or the first and the last of several.",
	}), doc: "Days on which it is closed all the same.", aka: []string{"holidays", "except"}},
	{key: "extra", of: listOf(&shape{
		name: "a day with hours", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}$`,
		examples: []string{"2027-02-14 09:00-18:00"}, doc: "A date with hours.",
	}), doc: "Working days all the same: these hours count even on a closed day."},
}, examples: []string{"{tz: Asia/Shanghai, open: [mon-fri 09:00-21:00]}"}}

var signalsShape = &shape{name: "signals", form: formRecord, fields: []field{
	{key: "bot_missed", doc: "What counts as a failure of the bot.", of: &shape{name: "a signal", form: formRecord, examples: []string{"{marks: [fallback], says: [$bot_missed]}"}, atLeastOne: []string{"marks", "says"}, fields: []field{
		{key: "marks", of: listOf(aName), doc: "Values of messageType in CloudCustomData of the bot's message.", standard: "[fallback, clarify]"},
		{key: "says", of: phraseList, doc: "What the bot said.", standard: "[$bot_missed]"},
	}}},
}}

// Tests.
var (
	aMessage = &shape{
		name: "a message", ref: "message", form: formChoice, doc: "A text, or {text, marks, sends, fields}.",
		forms: []*shape{aWord, {
			name: "a message", form: formRecord, examples: []string{"{text: 抱歉, marks: fallback}"}, atLeastOne: []string{"text", "marks", "sends", "fields"}, fields: []field{
				{key: "text", of: aText, doc: "The words."},
				{key: "marks", of: &shape{name: "a mark", form: formChoice, forms: []*shape{aName, listOf(aName)}}, doc: "messageType of the message.", aka: []string{"mark", "type"}},
				{key: "sends", of: listOf(aSend), doc: "Elements other than text."},
				{key: "fields", of: &shape{name: "fields", form: formDict, key: aScalar, elem: aScalar}, doc: "Values by dotted path, for `field`.", aka: []string{"field"}},
			},
		}},
	}
	expectation = &shape{
		name: "an expectation", ref: "expect", form: formChoice, doc: "none, a rule's id, or {rule, target, outcome, …}.",
		forms: []*shape{aRuleID, {
			name: "an expectation", form: formRecord, examples: []string{"{rule: ask-human, target: default}"}, atLeastOne: []string{"rule", "target", "outcome", "suppressed", "reason", "shadow", "tag"}, fields: []field{
				{key: "rule", of: aRuleID, doc: "The rule that decides."},
				{key: "target", of: aName, doc: "The first target of the transfer."},
				{key: "outcome", of: enumShape("an outcome", outcomeNames[:]), doc: "What the turn leads to."},
				{key: "suppressed", of: enumShape("a reason", suppressions), doc: "The rule was stopped, for this reason."},
				{key: "reason", of: enumShape("a reason", reasons), doc: "The decision's reason, or that of a near miss."},
				{key: "shadow", of: maybeNone(listOf(aRuleID)), doc: "The shadow rules that would have fired."},
				{key: "tag", of: maybeNone(listOf(aName)), doc: "The decision's tags.", aka: []string{"tags"}},
			},
		}},
	}
	stepShape = &shape{
		name: "a step", ref: "step", form: formRecord, examples: []string{"{user: 转人工, expect: ask-human}"},
		atLeastOne: []string{"user", "bot", "agent", "event", "wait", "desk"},
		apart: [][2]string{
			{"user", "bot"},
			{"user", "agent"},
			{"user", "event"},
			{"user", "wait"},
			{"bot", "agent"},
			{"bot", "event"},
			{"bot", "wait"},
			{"agent", "event"},
			{"agent", "wait"},
			{"agent", "desk"},
			{"event", "wait"},
			{"event", "desk"},
		},
		fields: []field{
			{key: "user", of: aMessage, doc: "The customer says this.", aka: []string{"say", "customer"}},
			{key: "bot", of: aMessage, doc: "The bot says this."},
			{key: "agent", of: aMessage, doc: "A person says this.", aka: []string{"human"}},
			{key: "event", of: enumShape("an event", eventNames[:]), doc: "Desk reports this."},
			{key: "wait", of: aSpan, doc: "So much time passes.", aka: []string{"sleep", "after"}},
			{key: "desk", of: enumShape("an answer of Desk", deskResults), doc: "How the transfer ended."},
			{key: "expect", of: expectation, doc: "What must be decided here; without it anything but a transfer is right."},
		},
	}
	testShape = &shape{
		name: "a test", ref: "test", form: formRecord, exactlyOne: []string{"say", "steps"},
		needs: map[string]string{"say": "expect", "expect": "say"},
		fields: []field{
			{key: "name", of: aWord, required: true, doc: "What the test shows.", aka: []string{"id", "title"}},
			{key: "at", doc: "When the test begins.", standard: "2026-01-05T10:00:00+08:00", of: &shape{
				name: "a time", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$`,
				doc: "A time with its zone.", examples: []string{"2026-12-01T10:00:00+08:00"},
			}, aka: []string{"time", "when"}},
			{key: "say", of: aWord, doc: "One message of the customer.", aka: []string{"user", "text", "message"}},
			{key: "expect", of: expectation, doc: "What must be decided.", aka: []string{"then"}},
			{key: "steps", of: listOf(stepShape), doc: "A whole conversation."},
			{key: "todo", of: aBool, doc: "A known gap: it may fail, and passing is reported."},
		},
		examples: []string{"{name: plain ask, say: 我要转人工, expect: ask-human}"},
	}
)

// fileShape is a whole rule file.
var fileShape = &shape{name: "a rule file", form: formRecord, doc: "Rules of Escalator: when a conversation with the bot goes to a person.", fields: []field{
	{key: "version", of: &shape{name: "1", form: formInteger, min: 1, max: 1}, required: true, doc: "The version of the language: 1."},
	{key: "mode", of: aMode, standard: "enforce", doc: "enforce: the rules act; shadow: they only say in the log what they would have done; off: they are not tried."},
	{key: "defaults", doc: "Defaults of the rules.", of: &shape{name: "defaults", form: formRecord, fields: []field{
		{key: "cooldown", of: aDuration, standard: "10m", doc: "After a rule fired, it is silent in this conversation for this time."},
		{key: "session_ttl", of: aSpan, standard: "2h", doc: "A silent conversation with the bot is forgotten after this time.", aka: []string{"ttl", "session"}},
	}}},
	{key: "limits", doc: "Limits.", of: &shape{name: "limits", form: formRecord, fields: []field{
		{key: "per_session", of: aRate, standard: "3/24h", doc: "Transfers of one conversation that Desk accepted; the count is at most 16."},
		{key: "global", of: aRate, standard: "50/s", doc: "How fast transfers are sent to Desk; more wait their turn, none is dropped."},
	}}},
	{key: "test_policy", of: enumShape("a policy", policies), standard: "block", doc: "Whether a changed file whose tests fail may be taken."},
	{key: "calendars", of: dictOf(aName, calendarShape), doc: "Opening hours by name."},
	{key: "lists", of: dictOf(aListKey, phraseBookShape), doc: "Lists of phrases by name, used as $name; a list named like a built-in pack changes the pack.", aka: []string{"words", "keywords", "phrases"}},
	{key: "signals", of: signalsShape, doc: "What counts as a signal."},
	{key: "events", of: dictOf(aScalar, enumShape("a kind of event", mappedEvents, "human", "with_human", "agent", "agent_message", "user", "user_message", "bot", "bot_message", "close", "closed", "queued", "transferring", "queuing", "transferring", "assigned", "with_human")), doc: "What further events of Desk mean, by their names as seen in the log."},
	{key: "task_flow", doc: "Calls of a task flow's API.", of: &shape{name: "a task flow", form: formRecord, fields: []field{
		{key: "text", of: aName, required: true, doc: "The variable that holds the customer's words."},
	}}},
	{key: "targets", of: exampleShape(dictOf(aName, targetShape), "{default: {}}"), required: true, doc: "Where transfers go, by name.", aka: []string{"target", "groups"}},
	{key: "routes", of: dictOf(aName, listOf(routeLine)), doc: "Routes are used like targets: the first line that holds decides.", aka: []string{"route"}},
	{key: "rules", of: exampleShape(listOf(ruleShape), "[{id: ask-human, when: {says: [$ask_human]}, then: {transfer: default}}]"), required: true, doc: "The rules, top to bottom: the first that fires decides.", aka: []string{"rule"}},
	{key: "tests", of: &shape{name: "a list of tests", form: formList, elem: testShape, empty: true}, doc: "Tests of the rules, run by `escalator test`.", aka: []string{"test"}},
}}

func exampleShape(s *shape, example string) *shape {
	s.examples = []string{example}
	return s
}

// maybeNone lets a list be empty.
func maybeNone(s *shape) *shape {
	s.empty = true
	return s
}

func dictOf(key, elem *shape) *shape {
	return &shape{name: "a mapping of " + plural(elem.name) + " by name", form: formDict, key: key, elem: elem, empty: true}
}
