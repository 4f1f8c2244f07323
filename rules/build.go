package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/packs"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// builtRule is a rule with the nodes that lints and late checks need.
type builtRule struct {
	*rule
	node, thenNode *yaml.Node
}

var (
	defaultsShape = &shape{name: "defaults", form: formRecord, fields: []field{
		{key: "cooldown", of: aDuration, standard: "10m", doc: "After a rule fired, it is silent in this conversation for this time."},
		{key: "session_ttl", of: aSpan, standard: "2h", doc: "A silent conversation with the bot is forgotten after this time.", aka: []string{"ttl", "session"}},
	}}
	limitsShape = &shape{name: "limits", form: formRecord, fields: []field{
		{key: "per_session", of: aRate, standard: "3/24h", doc: "Transfers of one conversation that Desk accepted; the count is at most 16."},
		{key: "global", of: aRate, standard: "50/s", doc: "How fast transfers are sent to Desk; more wait their turn, none is dropped."},
	}}
)

// fileShape is a whole rule file.
var fileShape = &shape{name: "a rule file", form: formRecord, doc: "Rules of Escalator: when a conversation with the bot goes to a person.", fields: []field{
	{key: "version", of: &shape{name: "1", form: formInteger, min: 1, max: 1}, required: true, doc: "The version of the language: 1."},
	{key: "mode", of: aMode, standard: "enforce", doc: "enforce: the rules act; shadow: they only say in the log what they would have done; off: they are not tried."},
	{key: "defaults", doc: "Defaults of the rules.", of: defaultsShape},
	{key: "limits", doc: "Limits.", of: limitsShape},
	{key: "test_policy", of: enumShape("a policy", []string{"block", "warn"}), standard: "block", doc: "Whether a changed file whose tests fail may be taken."},
	{key: "calendars", of: dictOf("a mapping of calendars by name", aName, calendarShape), doc: "Opening hours by name."},
	{key: "lists", of: dictOf("a mapping of phrases by name", aListKey, phraseBookShape), doc: "Lists of phrases by name, used as $name; a list named like a built-in pack changes the pack, ask_human.person and its like a role of it.", aka: []string{"words", "keywords", "phrases"}},
	{key: "signals", of: signalsShape, doc: "What counts as a signal."},
	{key: "events", of: dictOf("a mapping of kinds of event by name", aScalar, enumShape("a kind of event", mappedEvents, "human", "with_human", "agent", "agent_message", "user", "user_message", "bot", "bot_message", "close", "closed", "queued", "transferring", "queuing", "transferring", "assigned", "with_human")), doc: "What further events of Desk mean, by their names as seen in the log."},
	{key: "task_flow", doc: "Calls of a task flow's API.", of: &shape{name: "a task flow", form: formRecord, fields: []field{
		{key: "text", of: aName, required: true, doc: "The variable that holds the customer's words."},
	}}},
	{key: "include", of: listOf("a list of file names or patterns", &shape{name: "a file name or a pattern", examples: []string{"teams/*.yaml"}, doc: "A file that holds some of the lists, targets, calendars, rules and tests, or a pattern for several; relative to the folder of this file."}), doc: "Further files that hold lists, targets, calendars, rules and tests. Their rules follow those of this file, in the order given.", aka: []string{"includes", "import", "imports", "files"}},
	{key: "words_from", of: wordsFromShape, doc: "Where else than in texts the customer's words stand: paths of the texts of buttons, cards and menus.", aka: []string{"text_from", "texts_from"}},
	{key: "ai_provider", of: providersShape, doc: "Who answers what is not escalated, by consultation entry (CustomerServiceId): desk (Desk's robot), self (your own bot), omit (the answer does not say). default stands for the others. It overrides ESCALATOR_AI_PROVIDER.", aka: []string{"provider", "ai"}},
	{key: "panel", of: panelShape, doc: "What the agents' panel shows of the customer.", aka: []string{"agent_panel", "screen_pop"}},
	{key: "notify", of: dictOf("a mapping of teams by name", aName, teamShape), doc: "Teams of the staff that are told what happens, by name.", aka: []string{"teams", "notifications", "alerts"}},
	{key: "targets", of: exampleShape(dictOf("a mapping of targets by name", aName, targetShape), "{default: {}}"), required: true, doc: "Where transfers go, by name.", aka: []string{"target", "groups"}},
	{key: "routes", of: dictOf("a mapping of lists of lines of a route by name", aName, listOf("a list of lines of a route", routeLine)), doc: "Routes are used like targets: the first line that holds decides.", aka: []string{"route"}},
	{key: "rules", of: exampleShape(listOf("a list of rules", ruleShape), "[{id: ask-human, when: {says: [$ask_human]}, then: {transfer: default}}]"), required: true, doc: "The rules, top to bottom: the first that fires decides.", aka: []string{"rule"}},
	{key: "tests", of: &shape{name: "a list of tests", form: formList, elem: testShape, empty: true}, doc: "Tests of the rules, run by `escalator test`.", aka: []string{"test"}},
}}

// build compiles a checked tree. It goes on after errors, so that all of them are found at once; its result is only
// used when there were none.
func (l *loader) build(root *yaml.Node) *Policy {
	l.policy = &Policy{targets: map[string]*Target{}, goals: map[string]*goal{}, events: map[string]EventKind{}}
	l.calendars, l.ruleNodes = map[string]*calendar{}, map[string]*yaml.Node{}
	l.ruleConds, l.ruleState = map[string]*cond{}, map[string]visit{}
	l.usedGoals, l.firstGoals, l.usedDays, l.usedTeams = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	l.required = map[*yaml.Node]bool{}
	l.book = newPhraseBook(&l.checker)
	if root.Kind != yaml.MappingNode {
		return nil
	}
	l.broken = map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		l.broken[root.Content[i].Value] = l.bad[root.Content[i]] || l.bad[root.Content[i+1]]
	}
	l.settings(root)
	l.providers(l.get(root, "ai_provider"))
	for _, pair := range l.declared(l.get(root, "calendars")) {
		l.calendar(pair[0], pair[1])
	}
	l.policy.zone = onlyZone(l.calendars)
	for _, pair := range l.declared(l.get(root, "lists")) {
		l.book.addList(pair[0], pair[1])
	}
	l.book.tie()
	l.book.expect()
	l.book.checkAnswers()
	l.panel(l.get(root, "panel"))
	l.teams(l.get(root, "notify"))
	l.targets(l.get(root, "targets"))
	l.declareRoutes(l.get(root, "routes"))
	l.rules(l.get(root, "rules"))
	l.routes(l.get(root, "routes"))
	l.signals(l.get(root, "signals"))
	l.tests(l.get(root, "tests"))
	l.book.checkRest()
	l.compile()
	l.checkPossible()
	l.summarize(root)
	l.policy.parts = l.partsOf(root)
	for _, n := range l.book.former {
		l.warn(n.Line, n.Column, "write asking_idioms", "the pack `negation_idioms` is called `asking_idioms` now: it holds what asks, never what is refused")
	}
	for _, fault := range l.book.packFaults {
		l.warn(1, 1, "", "%s", fault)
	}
	if len(l.problems) == 0 {
		l.sources(root)
		l.lint(root)
	}
	return l.policy
}

// settings reads the plain values of the file.
func (l *loader) settings(root *yaml.Node) {
	p := l.policy
	p.mode = Mode(textOf(l.value(root, fileShape, "mode")))
	defaults, limits := l.get(root, "defaults"), l.get(root, "limits")
	p.cooldown = l.duration(l.value(defaults, defaultsShape, "cooldown"))
	p.sessionTTL = l.duration(l.value(defaults, defaultsShape, "session_ttl"))
	perSession := l.value(limits, limitsShape, "per_session")
	p.perSession = l.rate(perSession)
	if p.perSession.Count > maxCount {
		l.fail(perSession, "counts end at 16, so that a conversation needs little memory", "`per_session` allows at most 16 transfers, not %d", p.perSession.Count)
	}
	p.global = l.rate(l.value(limits, limitsShape, "global"))
	p.testPolicy = textOf(l.value(root, fileShape, "test_policy"))
	p.taskFlow = textOf(l.get(l.get(root, "task_flow"), "text"))
	p.wordsFrom = textsOf(l.items(l.get(root, "words_from")))
	for _, pair := range l.pairs(l.get(root, "events")) {
		if k, ok := ParseEventKind(pair[1].Value); ok {
			p.events[textOf(pair[0])] = k
		}
	}
}

// sectionsOf are the sections of the file that declare names of a kind.
var sectionsOf = map[lang.Text][]string{
	"calendar": {"calendars"}, "list": {"lists"}, "rule": {"rules"}, "target": {"targets"}, "target or route": {"targets", "routes"}, "team": {"notify"},
}

// failUnknown complains about a name that nothing has.
func (l *loader) failUnknown(n *yaml.Node, what lang.Text, names []string) {
	if slices.ContainsFunc(sectionsOf[what], func(section string) bool { return l.broken[section] }) {
		l.markBad(n)
		return
	}
	hint := DidYouMean(n.Value, names)
	switch {
	case hint != "":
	case len(names) == 0:
		hint = lang.Say("the file has no %s at all", what)
	case len(names) <= 12:
		hint = lang.Say("known: %s", strings.Join(names, ", "))
	}
	l.failValue(n, hint, "there is no %s `%s`", what, shorten(n.Value))
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// compile builds the matcher and everything that is collected from all conditions.
func (l *loader) compile() {
	p := l.policy
	role := func(name string) *matchSet {
		used := l.book.lists[name].used
		set := l.book.listSet(name)
		l.book.lists[name].used = used
		return set
	}
	p.polite = role("polite")
	p.roles = text.Roles{Negators: role("negators").text, Behind: l.book.behind, Asking: role("asking_idioms").text, Polite: p.polite.text}
	l.answerSets()
	if len(l.problems) > 0 {
		return
	}
	l.book.builder.SetMeaning(l.meaning())
	m, err := l.book.builder.Build()
	if err != nil {
		l.failAt(1, 1, "", "the phrases of the file are too much for the matcher: %s", err)
		return
	}
	p.matcher = m
	l.checkRequired()
	l.collect()
}

// meaning says which phrases conditions look for. All others only change what those mean, or make up an answer with others.
func (l *loader) meaning() text.Meaning {
	p := l.policy
	m := text.Meaning{Polite: p.polite.ids()}
	for _, w := range l.wanted() {
		if w.in == onUser {
			ids := w.set.counting().ids() // what calms matters only where there is a mood, see begin
			m.OfCustomer.Merge(&ids)
		} else {
			ids := w.set.ids()
			m.OfBot.Merge(&ids)
		}
	}
	for _, s := range []*matchSet{p.yes, p.no} {
		if s != nil {
			ids := s.ids()
			m.Answers.Merge(&ids)
		}
	}
	return m
}

// wanted is a set of phrases that a condition looks for, and in which messages.
type wanted struct {
	set *matchSet
	in  kinds
}

// wanted are the sets of phrases that conditions look for.
func (l *loader) wanted() (all []wanted) {
	for _, at := range l.places {
		at.when.walk(func(k *cond) {
			if f, ok := k.leaf.(phrased); ok {
				for _, s := range f.sets() {
					all = append(all, wanted{s, f.in()})
				}
			}
		})
	}
	if says := l.policy.missSays; says != nil {
		all = append(all, wanted{says.any, onBot})
	}
	return all
}

// collect finds out what the conditions need counted.
func (l *loader) collect() {
	p := l.policy
	for _, r := range p.rules {
		if r.mode != ModeOff {
			r.when.walk(p.serve)
			p.users = p.users || r.perCustomer || r.lastAgent > 0
		}
	}
	for _, name := range sortedKeys(p.goals) {
		for _, line := range p.goals[name].lines {
			line.when.walk(p.serve)
		}
	}
	l.findFacts()
	p.missesOf = missesWanted(p.rules)
	slices.Sort(p.silences)
	p.silences = slices.Compact(p.silences)
}

// serve sees to it that what a condition needs is there.
func (p *Policy) serve(k *cond) {
	if n, ok := k.leaf.(needy); ok {
		n.need(p)
	}
}

// summarize counts what the file holds.
func (l *loader) summarize(root *yaml.Node) {
	p := l.policy
	s := Summary{
		Mode: p.mode, Files: len(l.source.files), Rules: len(p.rules), Targets: len(l.pairs(l.get(root, "targets"))), Calendars: len(l.calendars), Tests: len(p.tests),
		Routes: len(l.pairs(l.get(root, "routes"))), Lists: len(l.pairs(l.get(root, "lists"))), Phrases: l.book.count,
	}
	for _, r := range p.rules {
		switch r.mode {
		case ModeEnforce:
			s.Enforcing++
		case ModeShadow:
			s.Shadow++
		default:
			s.Off++
		}
	}
	for _, w := range l.book.lists {
		if w.builtin {
			pack := PackSummary{Name: w.name, Phrases: len(w.entries), Languages: w.langs, Used: w.used, Changed: w.changed}
			if w.name == packs.Framed {
				words, changed := l.book.roleWords()
				pack.Phrases, pack.Changed = pack.Phrases+words, pack.Changed || changed
			}
			s.Packs = append(s.Packs, pack)
		}
	}
	slices.SortFunc(s.Packs, func(a, b PackSummary) int { return strings.Compare(a.Name, b.Name) })
	p.summary = s
}
