package rules

import (
	"slices"
	"strings"
	"time"

	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// builtRule is a rule with the nodes that lints and late checks need.
type builtRule struct {
	*rule
	node, thenNode *yaml.Node
}

// build compiles a checked tree. It goes on after errors, so that all of them are found at once; its result is only
// used when there were none.
func (l *loader) build(root *yaml.Node) *Policy {
	l.policy = &Policy{targets: map[string]*Target{}, goals: map[string]*goal{}, events: map[string]EventKind{}}
	l.calendars, l.ruleNodes = map[string]*calendar{}, map[string]*yaml.Node{}
	l.ruleConds, l.ruleState = map[string]*cond{}, map[string]visit{}
	l.usedGoals, l.usedDays = map[string]bool{}, map[string]bool{}
	l.book = newPhraseBook(&l.checker, l.source)
	if root.Kind != yaml.MappingNode {
		return nil
	}
	l.settings(root)
	for _, pair := range l.declared(l.get(root, "calendars")) {
		l.calendar(pair[0], pair[1])
	}
	for _, pair := range l.declared(l.get(root, "lists")) {
		l.book.addList(pair[0], pair[1])
	}
	l.book.checkCycles()
	l.targets(l.get(root, "targets"))
	l.declareRoutes(l.get(root, "routes"))
	l.rules(l.get(root, "rules"))
	l.routes(l.get(root, "routes"))
	l.signals(l.get(root, "signals"))
	l.tests(l.get(root, "tests"))
	l.compile()
	l.summarize(root)
	for _, fault := range l.book.packFaults {
		l.warn(1, 1, "", "%s", fault)
	}
	if len(l.problems) == 0 {
		l.lint(root)
	}
	return l.policy
}

// settings reads the plain values of the file.
func (l *loader) settings(root *yaml.Node) {
	p := l.policy
	p.mode = Mode(textOr(l.get(root, "mode"), "enforce"))
	defaults, limits := l.get(root, "defaults"), l.get(root, "limits")
	p.cooldown = l.duration(l.get(defaults, "cooldown"), 10*time.Minute)
	p.sessionTTL = l.duration(l.get(defaults, "session_ttl"), 2*time.Hour)
	perSession := l.get(limits, "per_session")
	p.perSession = l.rate(perSession, Rate{3, 24 * time.Hour})
	if p.perSession.Count > maxCount {
		l.fail(perSession, "counts end at 16, so that a conversation needs little memory", "`per_session` allows at most 16 transfers, not %d", p.perSession.Count)
	}
	p.global = l.rate(l.get(limits, "global"), Rate{50, time.Second})
	p.testPolicy = textOr(l.get(root, "test_policy"), "block")
	p.taskFlow = textOf(l.get(l.get(root, "task_flow"), "text"))
	for _, pair := range l.pairs(l.get(root, "events")) {
		if k, ok := ParseEventKind(pair[1].Value); ok {
			p.events[textOf(pair[0])] = k
		}
	}
}

func textOr(n *yaml.Node, standard string) string {
	if n == nil {
		return standard
	}
	return textOf(n)
}

// calendar reads one calendar.
func (l *loader) calendar(key, n *yaml.Node) {
	k := &calendar{name: textOf(key), zone: time.UTC}
	if tz := l.get(n, "tz"); tz != nil {
		zone, err := time.LoadLocation(tz.Value)
		if err != nil || tz.Value == "Local" {
			l.fail(tz, zoneHint(tz.Value), "there is no time zone %q", tz.Value)
		} else {
			k.zone = zone
		}
	}
	for _, part := range []struct {
		key  string
		read func(string) (problem, hint string)
	}{{"open", k.addWeekly}, {"closed", k.addClosed}, {"extra", k.addExtra}} {
		for _, entry := range l.items(l.get(n, part.key)) {
			if problem, hint := part.read(entry.Value); problem != "" {
				l.fail(entry, hint, "%s", problem)
			}
		}
	}
	l.calendars[k.name] = k
}

// commonZones are the zones that a misspelt one is compared with, and what people write instead.
var commonZones = []string{
	"Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Tokyo", "Asia/Seoul", "Asia/Singapore", "Asia/Jakarta",
	"Asia/Bangkok", "Asia/Ho_Chi_Minh", "Asia/Kuala_Lumpur", "Asia/Manila", "Asia/Kolkata", "Asia/Dubai", "Asia/Riyadh",
	"Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Madrid", "Europe/Lisbon", "Europe/Moscow", "Europe/Istanbul",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "America/Mexico_City",
	"Australia/Sydney", "UTC",
}

func zoneHint(zone string) string {
	switch strings.ToLower(zone) {
	case "beijing", "asia/beijing", "china", "cst", "gmt+8", "utc+8", "+08:00", "北京":
		return "did you mean Asia/Shanghai?"
	}
	if hint := didYouMean(zone, commonZones); hint != "" {
		return hint
	}
	return "write a name such as Asia/Shanghai or Europe/Berlin"
}

// findCalendar finds a calendar by name, or complains.
func (l *loader) findCalendar(n *yaml.Node) *calendar {
	if n == nil {
		return nil
	}
	l.usedDays[n.Value] = true
	if k := l.calendars[n.Value]; k != nil {
		return k
	}
	l.failUnknown(n, "calendar", sortedKeys(l.calendars))
	return nil
}

// failUnknown complains about a name that nothing has.
func (l *loader) failUnknown(n *yaml.Node, what string, names []string) {
	hint := didYouMean(n.Value, names)
	switch {
	case hint != "":
	case len(names) == 0:
		hint = "the file has no " + what + " at all"
	case len(names) <= 12:
		hint = "known: " + strings.Join(names, ", ")
	}
	l.fail(n, hint, "there is no %s `%s`", what, shorten(n.Value))
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// signals reads what counts as a miss of the bot. The built-in words are only compiled when some rule counts misses.
func (l *loader) signals(n *yaml.Node) {
	missed := l.get(n, "bot_missed")
	l.policy.missMarks = []string{"fallback", "clarify"}
	var entries []wordEntry
	switch {
	case missed != nil:
		// What the file says replaces the default as a whole: a signal without says has none.
		l.policy.missMarks = textsOf(l.items(l.get(missed, "marks")))
		entries = l.book.entries(l.get(missed, "says"))
	case l.countsMisses:
		entries = []wordEntry{{text: "$bot_missed", weight: 1}}
	}
	if len(entries) > 0 {
		l.policy.missSays = &phraseTest{any: l.book.setOf(entries, nil), negation: negationIgnore}
	}
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
	p.negators, p.idioms, p.polite = role("negators"), role("negation_idioms"), role("polite")
	p.roles = text.Roles{Negators: p.negators.ids(), Idioms: p.idioms.ids(), Polite: p.polite.ids()}
	l.offerAnswers()
	if len(l.problems) > 0 {
		return
	}
	m, err := l.book.builder.Build()
	if err != nil {
		l.failAt(1, 1, "", "the phrases of the file are too much for the matcher: %s", err)
		return
	}
	m.SetRoles(p.roles)
	p.matcher = m
	p.written = l.book.originals
	l.collect()
}

// offerAnswers adds $yes and $no when some rule makes an offer.
func (l *loader) offerAnswers() {
	for _, r := range l.policy.rules {
		if r.offer == nil {
			continue
		}
		l.policy.yes, l.policy.no = l.answerSet("yes"), l.answerSet("no")
		return
	}
}

// answerSet compiles $yes or $no for isWholly: each phrase as the whole message, and as a part of it, so that
// "yes, connect me" is found too when it is made of two phrases. As parts, alternatives stand alone: the matcher
// reports the shortest hit of a phrase, and the longest one is wanted here.
func (l *loader) answerSet(name string) *matchSet {
	list := l.book.lists[name]
	list.used = true
	var entries []wordEntry
	for _, e := range list.entries {
		whole, part := e, e
		for _, text := range alternativesOf(strings.TrimPrefix(e.text, "=")) {
			part.text = text
			entries = append(entries, part)
		}
		if !isRegex(e.text) {
			whole.text = "=" + strings.TrimPrefix(e.text, "=")
			entries = append(entries, whole)
		}
	}
	return l.book.setOf(entries, list)
}

// ids gives all phrases of a set.
func (s *matchSet) ids() text.PhraseSet {
	var all text.PhraseSet
	for _, g := range s.groups {
		for id := range g.weights {
			all.Add(id)
		}
	}
	return all
}

// collect finds out what the conditions need counted.
func (l *loader) collect() {
	p := l.policy
	var visit func(k *cond)
	visit = func(k *cond) {
		switch leaf := k.leaf.(type) {
		case *ruleLeaf:
			leaf.when.walk(visit)
		case *saidLeaf:
			if !slices.Contains(p.said, leaf) {
				p.said = append(p.said, leaf)
			}
		case *moodLeaf:
			if !slices.ContainsFunc(p.moods, func(m *moodLeaf) bool { return m.key == leaf.key }) {
				p.moods = append(p.moods, leaf)
			}
		case *fieldLeaf:
			if !slices.Contains(p.paths, leaf.path) {
				p.paths = append(p.paths, leaf.path)
			}
		case *silentLeaf:
			p.silences = append(p.silences, leaf.after)
		case *rateLeaf:
			p.countsUsers = true
		case *repeatsLeaf:
			if !p.countsRepeats || leaf.minChars < p.minChars {
				p.minChars = leaf.minChars
			}
			p.countsRepeats = true
		}
	}
	for _, r := range p.rules {
		if r.mode != ModeOff {
			r.when.walk(visit)
		}
	}
	for _, name := range sortedKeys(p.goals) {
		for _, line := range p.goals[name].lines {
			line.when.walk(visit)
		}
	}
	slices.Sort(p.silences)
	p.silences = slices.Compact(p.silences)
}

// summarize counts what the file holds.
func (l *loader) summarize(root *yaml.Node) {
	p := l.policy
	s := Summary{
		Mode: p.mode, Rules: len(p.rules), Targets: len(p.targets), Calendars: len(l.calendars), Tests: len(p.tests),
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
			s.Packs = append(s.Packs, PackSummary{Name: w.name, Phrases: len(w.entries), Languages: w.langs, Used: w.used, Changed: w.changed})
		}
	}
	slices.SortFunc(s.Packs, func(a, b PackSummary) int { return strings.Compare(a.Name, b.Name) })
	p.summary = s
}
