package rules

import (
	"time"

	"go.yaml.in/yaml/v4"
)

// Tests.
var (
	aMessage = &shape{
		name: "a message", ref: "message", form: formChoice, doc: "A text, or {text, marks, sends, fields}.",
		forms: []*shape{aWord, {
			name: "a message", form: formRecord, examples: []string{"{text: 抱歉, marks: fallback}"}, atLeastOne: []string{"text", "marks", "sends", "fields"}, fields: []field{
				{key: "text", of: aText, doc: "The words."},
				{key: "marks", of: &shape{name: "a mark", form: formChoice, forms: []*shape{aName, listOf(someNames, aName)}}, doc: "messageType of the message.", aka: []string{"mark", "type"}},
				{key: "sends", of: listOf(someSends, aSend), doc: "Elements other than text."},
				{key: "fields", of: &shape{name: "fields", form: formDict, key: aScalar, elem: aScalar}, doc: "Values by dotted path, for `field`.", aka: []string{"field"}},
			},
		}},
	}
	expectation = &shape{
		name: "an expectation", ref: "expect", form: formChoice, doc: "none, a rule's id, or {rule, target, outcome, …}.",
		forms: []*shape{aRuleID, {
			name: "an expectation", form: formRecord, examples: []string{"{rule: ask-human, target: default}"}, atLeastOne: []string{"rule", "target", "outcome", "suppressed", "reason", "shadow", "tag", "say"}, fields: []field{
				{key: "rule", of: aRuleID, doc: "The rule that decides."},
				{key: "target", of: aName, doc: "The first target of the transfer."},
				{key: "outcome", of: enumShape("an outcome", namesOf(outcomeNames[:]...)), doc: "What the turn leads to."},
				{key: "suppressed", of: enumShape("a reason", suppressions), doc: "The rule was stopped, for this reason."},
				{key: "reason", of: enumShape("a reason", reasons), doc: "The decision's reason, or that of a near miss."},
				{key: "shadow", of: maybeNone(listOf("a list of rule's ids", aRuleID)), doc: "The shadow rules that would have fired."},
				{key: "tag", of: maybeNone(listOf(someNames, aName)), doc: "The decision's tags.", aka: []string{"tags"}},
				{key: "say", of: aWord, doc: "What the customer is told or offered, in the language of the conversation."},
			},
		}},
	}
	stepShape = &shape{
		name: "a step", ref: "step", form: formRecord, examples: []string{"{user: 转人工, expect: ask-human}"},
		// What Desk answered may stand beside what led to the question, or alone.
		oneOf: [][]string{{"user", "desk"}, {"bot", "desk"}, {"wait", "desk"}, {"agent"}, {"event"}},
		fields: []field{
			{key: "user", of: aMessage, doc: "The customer says this.", aka: []string{"say", "customer"}},
			{key: "bot", of: aMessage, doc: "The bot says this."},
			{key: "agent", of: aMessage, doc: "A person says this.", aka: []string{"human"}},
			{key: "event", of: enumShape("an event", eventNames[:]), doc: "Desk reports this."},
			{key: "wait", of: aSpan, doc: "So much time passes.", aka: []string{"sleep", "after"}},
			{key: "desk", of: aDeskStep, doc: "How the transfer ended, or what Desk tells of agents and queue from now on."},
			{key: "expect", of: expectation, doc: "What must be decided here; without it anything but a transfer is right."},
		},
	}
	testShape = &shape{
		name: "a test", ref: "test", form: formRecord, oneOf: [][]string{{"say"}, {"steps"}},
		needs: map[string]string{"say": "expect", "expect": "say"},
		fields: []field{
			{key: "name", of: aWord, required: true, doc: "What the test shows.", aka: []string{"id", "title"}},
			{key: "at", doc: "When the test begins.", standard: DefaultTestTime.Format(time.RFC3339), of: &shape{
				name: "a time", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$`,
				meant: meantMoment, doc: "A time with its zone.", examples: []string{"2026-12-01T10:00:00+08:00"},
			}, aka: []string{"time", "when"}},
			{key: "say", of: aWord, doc: "One message of the customer.", aka: []string{"user", "text", "message"}},
			{key: "expect", of: expectation, doc: "What must be decided.", aka: []string{"then"}},
			{key: "steps", of: listOf("a list of steps", stepShape), doc: "A whole conversation."},
			{key: "todo", of: aBool, doc: "A known gap: it may fail, and passing is reported."},
		},
		examples: []string{"{name: plain ask, say: 我要转人工, expect: ask-human}"},
	}
)

// Test is one test of the file, for ruletest to run.
type Test struct {
	Name  string
	File  string // the include that holds it, "" the rule file itself
	Line  int
	At    time.Time
	AtSet bool // the file gives the time
	Todo  bool
	Steps []Step
}

// Step is one step of a test. A test with `say` has one.
type Step struct {
	Line int
	// Kind is user, bot, agent, event, wait, or desk for a step that only tells how the transfer ended.
	Kind    string
	Message TestMessage
	Event   EventKind
	Wait    time.Duration
	// Desk tells how the transfer of this step, or the one under way, ended: no_agent, assigned, queued, failed or "".
	Desk string
	// Reading is what Desk tells of agents and queue from now on, an empty one that it tells nothing; nil: nothing new.
	Reading *Reading
	Expect  *Expectation
}

// TestMessage is a message of a test.
type TestMessage struct {
	Text   string
	Mark   string
	Sends  Sends
	Fields TestFields
}

// TestFields are the fields of a test's message by their paths.
type TestFields map[string]string

// Field gives a value.
func (f TestFields) Field(path string) (string, bool) {
	v, ok := f[path]
	return v, ok
}

// Expectation is what a step must lead to. Empty members are not asked for; Rule "none" asks for no rule.
type Expectation struct {
	Rule       string
	Target     string
	Outcome    string
	Suppressed string
	Reason     string
	// Shadow and Tags are nil when they are not asked for, empty when there must be none.
	Shadow []string
	Tags   []string
	Say    string
}

// DefaultTestTime is when a test without `at` begins: a Monday, ten o'clock in China.
var DefaultTestTime = time.Date(2026, 1, 5, 10, 0, 0, 0, time.FixedZone("", 8*3600))

// tests reads the tests.
func (l *loader) tests(n *yaml.Node) {
	names := map[string]*yaml.Node{}
	for _, item := range l.items(n) {
		t := Test{Name: textOf(l.get(item, "name")), At: DefaultTestTime, Todo: boolOf(l.get(item, "todo"))}
		t.File, t.Line = l.source.place(item.Line)
		if name := l.get(item, "name"); name != nil {
			if first := names[name.Value]; first != nil {
				l.fail(name, "give the tests different names", "a second test %q; the first is in %s", shorten(t.Name), l.source.where(first.Line, name.Line))
			}
			names[name.Value] = name
		}
		if at := l.get(item, "at"); at != nil {
			parsed, err := time.Parse(time.RFC3339, at.Value)
			if err != nil {
				l.fail(at, "for example 2026-12-01T10:00:00+08:00", "there is no such date or time as %s", at.Value)
			}
			t.At, t.AtSet = parsed, true
		}
		if say := l.get(item, "say"); say != nil {
			t.Steps = []Step{{Line: t.Line, Kind: "user", Message: TestMessage{Text: textOf(say)}, Expect: l.expectation(l.get(item, "expect"))}}
		}
		for _, step := range l.items(l.get(item, "steps")) {
			t.Steps = append(t.Steps, l.step(step))
		}
		l.policy.tests = append(l.policy.tests, t)
	}
}

func (l *loader) step(n *yaml.Node) Step {
	_, line := l.source.place(n.Line)
	s := Step{Line: line, Kind: "desk", Expect: l.expectation(l.get(n, "expect"))}
	s.Desk, s.Reading = deskStep(l.get(n, "desk"), &l.checker)
	for _, kind := range []string{"user", "bot", "agent"} {
		if m := l.get(n, kind); m != nil {
			s.Kind, s.Message = kind, l.message(m)
		}
	}
	if event := l.get(n, "event"); event != nil {
		s.Kind = "event"
		s.Event, _ = ParseEventKind(event.Value)
	}
	if wait := l.get(n, "wait"); wait != nil {
		s.Kind, s.Wait = "wait", l.duration(wait)
	}
	return s
}

func (l *loader) message(n *yaml.Node) TestMessage {
	if n.Kind == yaml.ScalarNode {
		return TestMessage{Text: textOf(n)}
	}
	m := TestMessage{Text: textOf(l.get(n, "text"))}
	if marks := l.get(n, "marks"); marks != nil {
		m.Mark = textOf(marks)
		if items := l.items(marks); len(items) > 0 {
			m.Mark = textOf(items[0])
			if len(items) > 1 {
				l.fail(items[1], "keep one of them", "a message has one mark only")
			}
		}
	}
	for _, item := range l.items(l.get(n, "sends")) {
		bit, _ := ParseSends(item.Value)
		m.Sends |= bit
	}
	for _, pair := range l.pairs(l.get(n, "fields")) {
		if m.Fields == nil {
			m.Fields = TestFields{}
		}
		m.Fields[textOf(pair[0])] = textOf(pair[1])
	}
	return m
}

// expectation reads what a step must lead to, and makes sure that the rules and targets exist.
func (l *loader) expectation(n *yaml.Node) *Expectation {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		l.knownRule(n)
		return &Expectation{Rule: textOf(n)}
	}
	x := &Expectation{
		Outcome: textOf(l.get(n, "outcome")), Suppressed: textOf(l.get(n, "suppressed")), Reason: textOf(l.get(n, "reason")),
		Shadow: l.listOf(l.get(n, "shadow")), Tags: l.listOf(l.get(n, "tag")), Say: textOf(l.get(n, "say")),
	}
	if r := l.get(n, "rule"); r != nil {
		l.knownRule(r)
		x.Rule = textOf(r)
	}
	if t := l.get(n, "target"); t != nil {
		if l.policy.targets[t.Value] == nil && t.Value != anywhere.ID {
			l.failUnknown(t, "target", sortedKeys(l.policy.targets))
		}
		x.Target = textOf(t)
	}
	for _, item := range l.items(l.get(n, "shadow")) {
		l.knownRule(item)
	}
	return x
}

// listOf reads a list that may be empty; nil means that the file has none.
func (l *loader) listOf(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	return append([]string{}, textsOf(l.items(n))...)
}

func (l *loader) knownRule(n *yaml.Node) {
	if n.Value != "none" && l.ruleNodes[n.Value] == nil {
		l.failUnknown(n, "rule", append(sortedKeys(l.ruleNodes), "none"))
	}
}
