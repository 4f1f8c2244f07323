package rules

import (
	"strconv"
	"strings"
	"sync"
	"unicode"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// checker walks a YAML tree along the declared shapes and collects every problem.
type checker struct {
	source   source
	set      Set
	mended   []slip // what was mended so that the file could be read
	problems []Problem
	texts    []*yaml.Node // what may be any text: phrases, sentences, names of tests
	// bad holds the nodes that must not be read further: they have been complained about.
	bad map[*yaml.Node]bool
	// broken are the sections of the file that cannot be read: what names something in them is not blamed.
	broken map[string]bool
	// beside is what runs on other processors; no load ends before it.
	beside sync.WaitGroup
}

// fail reports a problem at a node and keeps later passes away from it.
func (k *checker) fail(n *yaml.Node, hint, format lang.Text, args ...any) {
	k.markBad(n)
	k.failAt(n.Line, n.Column, hint, format, args...)
}

// failValue reports a value that is none of those that may stand there. If a foreign sign stands in it, that is to blame.
func (k *checker) failValue(n *yaml.Node, hint, format lang.Text, args ...any) {
	at, r, sign := signIn(n.Value)
	if n.Kind != yaml.ScalarNode || at < 0 {
		k.fail(n, hint, format, args...)
		return
	}
	k.failSign(n, at, lang.Say("this holds %s", sign.says(r)), sign.hintIn(n.Value, at))
}

// failSign blames one character of a scalar.
func (k *checker) failSign(n *yaml.Node, at int, message, hint lang.Text) {
	k.markBad(n)
	line, column := k.source.inside(n, at)
	k.failAt(line, column, hint, "%s", message)
}

func (k *checker) markBad(n *yaml.Node) {
	if k.bad == nil {
		k.bad = map[*yaml.Node]bool{}
	}
	k.bad[n] = true
}

func (k *checker) failAt(line, column int, hint, format lang.Text, args ...any) {
	k.problems = append(k.problems, Problem{Line: line, Column: column, Message: lang.Say(format, args...), Hint: hint})
}

// check compares a node with the shape of its place. what names the place in messages, such as `within`.
func (k *checker) check(n *yaml.Node, s *shape, what lang.Text) {
	if !k.plainYAML(n, s, what) {
		return
	}
	switch s.form {
	case formChoice:
		k.checkChoice(n, s, what)
	case formRecord:
		k.checkRecord(n, s, what)
	case formDict:
		k.checkDict(n, s, what)
	case formList:
		k.checkList(n, s, what)
	default:
		k.checkScalar(n, s, what)
	}
}

// plainYAML refuses what YAML offers and rule files do not use.
func (k *checker) plainYAML(n *yaml.Node, s *shape, what lang.Text) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		k.fail(n, quoteHint("*"+n.Value), "*%s is a YAML alias; rule files use none", n.Value)
	case n.Anchor != "":
		k.fail(n, quoteHint("&"+n.Anchor), "&%s is a YAML anchor; rule files use none", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		k.fail(n, quoteHint(n.Tag), "%s is a YAML tag; rule files use none", n.Tag)
	case isNull(n):
		k.failNull(n, s, what)
	default:
		return true
	}
	return false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (k *checker) failNull(n *yaml.Node, s *shape, what lang.Text) {
	if n.Value != "" {
		k.fail(n, quoteHint(n.Value), "%s is YAML's word for nothing, and %s is due here", n.Value, s.name)
		return
	}
	var hint lang.Text
	switch {
	case s == targetShape:
		hint = "write {} for a target without settings"
	case len(s.examples) > 0:
		hint = lang.Say("for example %s", s.examples[0])
	default:
		hint = "give it a value, or take the key out"
	}
	k.fail(n, hint, "%s is empty; it must be %s", what, s.name)
}

func quoteHint(text string) lang.Text {
	return lang.Say(`if you mean this text, put it in quotes: "%s"`, text)
}

func (s *shape) yamlKind() yaml.Kind {
	switch s.form {
	case formRecord, formDict:
		return yaml.MappingNode
	case formList:
		return yaml.SequenceNode
	}
	return yaml.ScalarNode
}

func (k *checker) checkRecord(n *yaml.Node, s *shape, what lang.Text) {
	if n.Kind != yaml.MappingNode {
		k.failKind(n, s, what)
		return
	}
	keys := k.uniqueKeys(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if k.bad[key] {
			continue
		}
		f := s.field(key.Value)
		if f == nil {
			k.failUnknownKey(key, s, what)
			continue
		}
		k.check(value, f.of, lang.Say("`%s`", f.key))
	}
	k.checkPresence(n, s, what, keys)
}

// exampleHint shows how a key that is missing may be written.
func exampleHint(key string, s *shape) lang.Text {
	if example := s.example(); example != "" {
		return lang.Say("for example %s: %s", key, example)
	}
	return lang.Say("add a line %s: …", key)
}

// example is a value as it may be written, "" if the declaration has none.
func (s *shape) example() string {
	switch {
	case len(s.examples) > 0:
		return s.examples[0]
	case len(s.enum) > 0:
		return s.enum[0]
	case len(s.forms) > 0:
		return s.forms[0].example()
	case s.form == formList && s.elem.example() != "":
		return "[" + s.elem.example() + "]"
	case s.form == formInteger:
		return itoa(int(s.min))
	}
	return ""
}

func (k *checker) checkDict(n *yaml.Node, s *shape, what lang.Text) {
	if n.Kind != yaml.MappingNode {
		k.failKind(n, s, what)
		return
	}
	if len(n.Content) == 0 && !s.empty {
		k.fail(n, exampleOf(s), "%s is empty", what)
	}
	k.uniqueKeys(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if k.bad[key] {
			continue
		}
		if isNull(value) && value.Value == "" && k.swallowed(key) {
			continue
		}
		k.checkScalar(key, s.key, lang.Say("a key of %s", what))
		k.check(value, s.elem, lang.Say("`%s`", shorten(key.Value)))
	}
}

func (k *checker) checkList(n *yaml.Node, s *shape, what lang.Text) {
	if n.Kind != yaml.SequenceNode {
		k.failKind(n, s, what)
		return
	}
	if len(n.Content) == 0 && !s.empty {
		k.fail(n, exampleOf(s), "%s is empty; it would never hold anything", what)
	}
	if s.most > 0 && len(n.Content) > s.most {
		k.fail(n.Content[s.most], "take some out", "%s has at most %d entries", what, s.most)
	}
	for _, e := range n.Content {
		k.check(e, s.elem, s.elem.name)
	}
}

func exampleOf(s *shape) lang.Text {
	if example := s.example(); example != "" {
		return lang.Say("for example %s", example)
	}
	return ""
}

// failKind says that the node's form is wrong: a list where a text is due and the like.
func (k *checker) failKind(n *yaml.Node, s *shape, what lang.Text) {
	hint := bracketHint(n, s)
	if hint == "" {
		hint = s.advice()
	}
	if s == fileShape {
		k.fail(n, "begin the file with version: 1", "a rule file is a mapping with the keys version, targets, rules and others, not %s", describe(n))
		return
	}
	switch {
	case n.Kind == yaml.MappingNode && s.isFreeText():
		hint = `if the colon belongs to the text, put the text in quotes`
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && s.yamlKind() == yaml.ScalarNode && s.allows(n.Content[1]):
		hint = lang.Say("write it alone: %s", n.Content[1].Value)
	case n.Kind == yaml.ScalarNode && s.wraps(n) != "":
		hint = lang.Say("did you mean %s?", s.wraps(n))
	}
	if what == s.name {
		k.failValue(n, hint, "%s is due here, not %s", s.name, describe(n))
		return
	}
	k.failValue(n, hint, "%s must be %s, not %s", what, s.name, describe(n))
}

// isFreeText says that any text may stand here.
func (s *shape) isFreeText() bool { return s.form == formText && s.enum == nil && s.pattern == "" }

// allows says that a value may stand here, as far as its form goes.
func (s *shape) allows(n *yaml.Node) bool {
	one := checker{source: newSource("", nil)}
	one.check(n, s, s.name)
	return len(one.problems) == 0
}

// wraps gives a lone value as the record that is due, where only one of its keys must be there and can have that value; ""
// if that is not so.
func (s *shape) wraps(n *yaml.Node) string {
	var only *field
	for i := range s.fields {
		if f := &s.fields[i]; f.required && only != nil {
			return ""
		} else if f.required {
			only = f
		}
	}
	if only == nil || !only.of.allows(n) {
		return ""
	}
	return "{" + only.key + ": " + shorten(n.Value) + "}"
}

// advice is the way out for a value that is none of the shape's.
func (s *shape) advice() lang.Text {
	if s.way != "" {
		return s.way
	}
	return exampleOf(s)
}

// bracketHint shows a lone value as the list that is due.
func bracketHint(n *yaml.Node, s *shape) lang.Text {
	list := s.form == formList
	for _, f := range s.forms {
		list = list || f.form == formList
	}
	if list && n.Kind == yaml.ScalarNode {
		return lang.Say("write a list: [%s]", strings.Join(parts(n.Value), ", "))
	}
	return ""
}

// parts cuts a text at what stands between phrases when somebody did not write a YAML list.
func parts(s string) []string {
	cut := func(r rune) bool { return strings.ContainsRune(",;，、；\n\t", r) }
	if !strings.ContainsFunc(s, cut) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x80 && r != ' ' }) {
		cut = unicode.IsSpace // Chinese words have no blanks inside
	}
	var list []string
	for part := range strings.FieldsFuncSeq(s, cut) {
		if part = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(part), "- ")); part != "" {
			list = append(list, shorten(part))
		}
	}
	if len(list) > 8 {
		list = append(list[:8], "…")
	}
	return list
}

// describe says in words what a node is.
func describe(n *yaml.Node) lang.Text {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return lang.Say("the number %s", n.Value)
	case "!!bool":
		return lang.Raw(n.Value)
	case "!!null":
		return "nothing"
	}
	return lang.Say("the text %s", strconv.Quote(shorten(n.Value)))
}

// shorten keeps quotations from the file short.
func shorten(s string) string { return shortenTo(s, 40) }

func shortenTo(s string, most int) string {
	if len(s) <= most {
		return s
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
