package rules

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// condition compiles a `when`. A mapping with several keys means all of them. place names the condition in keys that
// must stay the same over reloads: the rule's id and the way down to the part.
func (l *loader) condition(n *yaml.Node, place string) *cond {
	var kids []*cond
	for _, pair := range l.pairs(n) {
		if kid := l.part(pair[0].Value, pair[1], place+"/"+pair[0].Value); kid != nil {
			kids = append(kids, kid)
		}
	}
	if len(kids) == 1 {
		return kids[0]
	}
	return &cond{name: "all", kids: kids}
}

// part compiles one key of a condition; nil if it was complained about.
func (l *loader) part(key string, n *yaml.Node, place string) *cond {
	switch key {
	case "all", "any":
		k := &cond{name: key}
		for i, item := range l.items(n) {
			k.kids = append(k.kids, l.condition(item, place+"["+strconv.Itoa(i)+"]"))
		}
		return k
	case "not":
		return &cond{name: key, kids: []*cond{l.condition(n, place)}}
	case "says", "bot_says":
		applies, standard := onUser, negationRespect
		if key == "bot_says" {
			applies, standard = onBot, negationIgnore
		}
		return &cond{name: key, leaf: &saysLeaf{l.phraseTest(n, standard)}, applies: applies}
	case "said":
		return &cond{name: key, applies: onAll, leaf: &saidLeaf{
			test: l.phraseTest(n, negationRespect), key: stableKey("said", place), within: l.within(n),
		}}
	case "rule":
		return l.ruleCondition(n)
	}
	leaf, applies := l.plainLeaf(key, n)
	if leaf == nil {
		return nil
	}
	return &cond{name: key, leaf: leaf, applies: applies}
}

// plainLeaf compiles the conditions that need nothing but their own values.
func (l *loader) plainLeaf(key string, n *yaml.Node) (leaf, kinds) {
	switch key {
	case "bot_missed":
		l.countsMisses = true
		return &missedLeaf{intOf(l.get(n, "times"), 1), l.within(n), boolOf(l.get(n, "consecutive"), true)}, onAll
	case "repeats":
		return &repeatsLeaf{
			times: intOf(l.get(n, "times"), 2), within: l.within(n),
			similarity: floatOf(l.get(n, "similarity"), 0.85), minChars: intOf(l.get(n, "min_chars"), 4),
		}, onUser
	case "mood":
		return l.moodCondition(n)
	case "rate":
		return &rateLeaf{intOf(l.get(n, "messages"), 1), l.within(n)}, onUser
	case "turns":
		return &turnsLeaf{intOf(l.get(n, "at_least"), 1)}, onAll
	case "bot_silent":
		return &silentLeaf{l.window(n)}, onTimer
	case "sends":
		var s Sends
		for _, item := range l.items(n) {
			bit, _ := ParseSends(item.Value)
			s |= bit
		}
		return &sendsLeaf{s}, onUser
	case "language":
		return &languageLeaf{textsOf(l.items(n))}, onAll
	case "field":
		return l.fieldCondition(n)
	case "hours":
		if k := l.findCalendar(n); k != nil {
			return &hoursLeaf{k}, onAll
		}
	}
	return nil, 0
}

// within reads the window of a condition.
func (l *loader) within(n *yaml.Node) time.Duration { return l.window(l.get(n, "within")) }

// window reads a time that must not be longer than a conversation is remembered.
func (l *loader) window(n *yaml.Node) time.Duration {
	d := l.duration(n, time.Minute)
	if n != nil && d > l.policy.sessionTTL && !l.bad[n] {
		l.fail(n, "shorten it, or raise defaults.session_ttl", "%s is longer than a conversation is remembered (session_ttl %s)", n.Value, formatDuration(l.policy.sessionTTL))
	}
	return d
}

// phraseTest compiles the phrases of says, said and bot_says.
func (l *loader) phraseTest(n *yaml.Node, standard negation) phraseTest {
	t := phraseTest{negation: standard}
	if n.Kind == yaml.SequenceNode {
		t.any = l.book.setOf(l.book.entries(n), nil)
		return t
	}
	if one := l.get(n, "any"); one != nil {
		t.any = l.book.setOf(l.book.entries(one), nil)
	}
	for _, e := range l.book.entries(l.get(n, "all")) {
		t.all = append(t.all, l.book.setOf([]wordEntry{e}, nil))
	}
	if except := l.get(n, "not_part_of"); except != nil {
		t.mask, t.masking = l.book.maskSet(l.book.entries(except))
	}
	switch textOf(l.get(n, "negation")) {
	case "respect":
		t.negation = negationRespect
	case "ignore":
		t.negation = negationIgnore
	case "require":
		t.negation = negationRequire
	}
	return t
}

func (l *loader) moodCondition(n *yaml.Node) (leaf, kinds) {
	listNode := l.get(n, "list")
	if listNode == nil {
		return nil, 0
	}
	name := strings.TrimPrefix(listNode.Value, "$")
	if l.book.lists[name] == nil {
		l.failUnknown(listNode, "list", l.book.names())
		return nil, 0
	}
	atLeast := l.get(n, "at_least")
	return &moodLeaf{
		list: strings.Clone(name), key: stableKey("mood", name), set: l.book.listSet(name),
		atLeast: intOf(atLeast, 1), within: l.within(n),
	}, onUser
}

func (l *loader) fieldCondition(n *yaml.Node) (leaf, kinds) {
	f := &fieldLeaf{path: textOf(l.get(n, "path"))}
	switch {
	case l.get(n, "equals") != nil:
		f.test, f.values = "equals", []fieldScalar{scalarOf(l.get(n, "equals"))}
	case l.get(n, "in") != nil:
		f.test = "in"
		for _, item := range l.items(l.get(n, "in")) {
			f.values = append(f.values, scalarOf(item))
		}
	case l.get(n, "matches") != nil:
		f.test, f.re = "matches", l.regex(l.get(n, "matches"))
	case l.get(n, "exists") != nil:
		f.test, f.exists = "exists", boolOf(l.get(n, "exists"), true)
	default:
		f.test = "range"
		atLeast, atMost := l.get(n, "at_least"), l.get(n, "at_most")
		f.low, f.high = decimalOf(atLeast), decimalOf(atMost)
		if f.low != nil && f.high != nil && f.low.compare(*f.high) > 0 {
			l.fail(atMost, "swap the two", "this can never hold: at_least %s is above at_most %s", atLeast.Value, atMost.Value)
		}
	}
	return f, onAll
}

// decimalOf reads a number that was checked, nil if there is none.
func decimalOf(n *yaml.Node) *decimal {
	if n == nil {
		return nil
	}
	d, _ := parseDecimal(n.Value)
	return &d
}

func scalarOf(n *yaml.Node) fieldScalar {
	s := fieldScalar{text: textOf(n)}
	if n.Tag == "!!int" || n.Tag == "!!float" {
		s.number, s.isNum = parseDecimal(n.Value)
	}
	return s
}

// regex compiles a regular expression of a field test.
func (l *loader) regex(n *yaml.Node) *regexp.Regexp {
	re, err := regexp.Compile(n.Value)
	if err != nil {
		l.fail(n, "the syntax is RE2; \\ before . ( ) [ ] * + ? makes them plain", "the regular expression is wrong: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return regexp.MustCompile("")
	}
	return re
}

// ruleCondition compiles `rule: ID` by compiling that rule's condition first.
func (l *loader) ruleCondition(n *yaml.Node) *cond {
	id := n.Value
	node := l.ruleNodes[id]
	switch {
	case node == nil:
		l.failUnknown(n, "rule", sortedKeys(l.ruleNodes))
		return nil
	case l.ruleState[id] == visiting:
		l.fail(n, "take one of the `rule:` conditions out", "the rules refer to each other in a circle: %s", strings.Join(cycle(l.path, id), " → "))
		return nil
	}
	when := l.ruleCondOf(id)
	if when == nil {
		return nil
	}
	return &cond{name: "rule", leaf: &ruleLeaf{textOf(n), when}, applies: onAll, inner: when}
}

// ruleCondOf compiles a rule's condition once.
func (l *loader) ruleCondOf(id string) *cond {
	if l.ruleState[id] == visited {
		return l.ruleConds[id]
	}
	l.ruleState[id] = visiting
	l.path = append(l.path, id)
	l.ruleConds[id] = l.condition(l.get(l.ruleNodes[id], "when"), id)
	l.path = l.path[:len(l.path)-1]
	l.ruleState[id] = visited
	return l.ruleConds[id]
}
