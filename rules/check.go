package rules

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// checker walks a YAML tree along the declared shapes and collects every problem.
type checker struct {
	source   source
	problems []Problem
	texts    []*yaml.Node // what may be any text: phrases, sentences, names of tests
	// bad holds the nodes that must not be read further: they have been complained about.
	bad map[*yaml.Node]bool
}

// fail reports a problem at a node and keeps later passes away from it.
func (k *checker) fail(n *yaml.Node, hint, format string, args ...any) {
	k.markBad(n)
	k.failAt(n.Line, n.Column, hint, format, args...)
}

// failValue reports a value that is none of those that may stand there. If a foreign sign stands in it, that is to blame.
func (k *checker) failValue(n *yaml.Node, hint, format string, args ...any) {
	at, r, sign := signIn(n.Value)
	if n.Kind != yaml.ScalarNode || at < 0 {
		k.fail(n, hint, format, args...)
		return
	}
	k.failSign(n, at, "this holds "+sign.says(r), sign.hintIn(n.Value, at))
}

// failSign blames one character of a scalar.
func (k *checker) failSign(n *yaml.Node, at int, message, hint string) {
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

func (k *checker) failAt(line, column int, hint, format string, args ...any) {
	k.problems = append(k.problems, Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// check compares a node with the shape of its place. what names the place in messages, such as `within`.
func (k *checker) check(n *yaml.Node, s *shape, what string) {
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
func (k *checker) plainYAML(n *yaml.Node, s *shape, what string) bool {
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

func (k *checker) failNull(n *yaml.Node, s *shape, what string) {
	if n.Value != "" {
		k.fail(n, quoteHint(n.Value), "%s is YAML's word for nothing, and %s is due here", n.Value, s.name)
		return
	}
	hint := ""
	switch {
	case s == targetShape:
		hint = "write {} for a target without settings"
	case len(s.examples) > 0:
		hint = "for example " + s.examples[0]
	default:
		hint = "give it a value, or take the key out"
	}
	k.fail(n, hint, "%s is empty; it must be %s", what, s.name)
}

func quoteHint(text string) string { return `if you mean this text, put it in quotes: "` + text + `"` }

// checkChoice picks the one form that the node's kind allows and checks against that.
func (k *checker) checkChoice(n *yaml.Node, s *shape, what string) {
	if form := s.choose(n); form != nil {
		k.check(n, form, what)
		return
	}
	report := k.fail
	if at, _, sign := signIn(n.Value); at == 0 && strings.ContainsAny(sign.want, "[{") {
		report = k.failValue
	}
	report(n, bracketHint(n, s), "%s must be %s, not %s", what, orList(formNames(s)), describe(n))
}

// choose finds the form of a choice that a node must obey, nil if no form fits its kind.
func (s *shape) choose(n *yaml.Node) *shape {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if t := s.telltales[n.Content[i].Value]; t != nil && n.Content[i+1].Kind != yaml.ScalarNode {
				return t
			}
		}
	}
	for _, f := range s.forms {
		if f.yamlKind() == n.Kind {
			return f
		}
	}
	return nil
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

func formNames(s *shape) []string {
	var names []string
	for _, f := range s.forms {
		names = append(names, f.name)
	}
	return names
}

func (k *checker) checkRecord(n *yaml.Node, s *shape, what string) {
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
		k.check(value, f.of, "`"+f.key+"`")
	}
	k.checkPresence(n, s, what, keys)
}

// uniqueKeys reports keys that are no plain words or stand twice, and gives the others.
func (k *checker) uniqueKeys(n *yaml.Node) map[string]*yaml.Node {
	keys := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch first := keys[key.Value]; {
		case key.Kind == yaml.AliasNode || key.Anchor != "":
			k.fail(key, quoteHint("*"+key.Value), "YAML aliases and anchors are not used in rule files")
		case key.Kind != yaml.ScalarNode:
			k.fail(key, "write key: value; a text that begins with ? or [ needs quotes", "a key must be a word, not %s", describe(key))
		case key.Tag == "!!merge":
			k.fail(key, "write the keys out, or use a list, a route or `rule: ID` to share them", "<< is YAML's merge; rule files use none")
		case isNull(key):
			k.fail(key, quoteHint(key.Value), "a key must not be empty")
		case first != nil:
			k.fail(key, "keep one of them", "`%s` stands here a second time; the first is in line %d", shorten(key.Value), first.Line)
		default:
			keys[key.Value] = key
		}
	}
	return keys
}

func (k *checker) failUnknownKey(key *yaml.Node, s *shape, what string) {
	if word, _, _ := strings.Cut(strings.ReplaceAll(key.Value, "：", ":"), ":"); s.field(word) != nil && k.swallowed(key) {
		return
	}
	var words []string
	for _, f := range s.fields {
		words = append(words, f.key)
		for _, other := range f.aka {
			if fold(other) == fold(key.Value) {
				k.fail(key, "did you mean "+f.key+"?", "unknown key `%s` in %s", key.Value, what)
				return
			}
		}
	}
	hint := DidYouMean(key.Value, words)
	if hint == "" {
		hint = "valid here: " + strings.Join(words, ", ")
	}
	k.failValue(key, hint, "unknown key `%s` in %s", shorten(key.Value), what)
}

// checkPresence checks which keys stand together. Unknown keys were reported already, so a record that has one is
// only blamed for keys that exclude each other: the missing one is most likely the misspelt one.
func (k *checker) checkPresence(n *yaml.Node, s *shape, what string, keys map[string]*yaml.Node) {
	unknown := false
	for key := range keys {
		unknown = unknown || s.field(key) == nil
	}
	for _, pair := range s.apart() {
		if a, b := keys[pair[0]], keys[pair[1]]; a != nil && b != nil {
			k.fail(b, "keep one of them", "`%s` and `%s` exclude each other in %s", pair[0], pair[1], what)
		}
	}
	if unknown {
		return
	}
	for _, f := range s.fields {
		if f.required && keys[f.key] == nil {
			// The node itself can be read on: its name, say, is known, and nothing that refers to it need be blamed.
			k.failAt(n.Line, n.Column, exampleHint(f.key, f.of), "%s lacks `%s`", what, f.key)
		}
	}
	k.checkOneOf(n, s, s.groupKeys(), what, keys)
	k.checkOneOf(n, s, s.atLeastOne, what, keys)
	for _, f := range s.fields {
		if other := s.needs[f.key]; other != "" && keys[f.key] != nil && keys[other] == nil {
			k.fail(keys[f.key], exampleHint(other, s.field(other).of), "`%s` needs `%s` beside it", f.key, other)
		}
	}
}

func (k *checker) checkOneOf(n *yaml.Node, s *shape, words []string, what string, keys map[string]*yaml.Node) {
	for _, w := range words {
		if keys[w] != nil {
			return
		}
	}
	if len(words) > 0 {
		k.failAt(n.Line, n.Column, exampleOf(s), "%s needs %s", what, orList(words))
	}
}

// exampleHint shows how a key that is missing may be written.
func exampleHint(key string, s *shape) string {
	if example := s.example(); example != "" {
		return "for example " + key + ": " + example
	}
	return "add a line " + key + ": …"
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

func (k *checker) checkDict(n *yaml.Node, s *shape, what string) {
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
		k.checkScalar(key, s.key, "a key of "+what)
		k.check(value, s.elem, "`"+shorten(key.Value)+"`")
	}
}

// swallowed reports a key that has taken its value in, because the colon is not YAML's or lacks its space.
func (k *checker) swallowed(key *yaml.Node) bool {
	if at := strings.IndexRune(key.Value, '：'); at > 0 {
		k.failSign(key, at, "this is a full-width colon (：), not YAML's own", "write : and a space")
		return true
	}
	word, rest, found := strings.Cut(key.Value, ":")
	if !found || rest == "" {
		return false
	}
	k.failSign(key, len(word)+1, "a space is missing after `"+shorten(word)+":`", "write "+shorten(word)+": and a space")
	return true
}

func (k *checker) checkList(n *yaml.Node, s *shape, what string) {
	if n.Kind != yaml.SequenceNode {
		k.failKind(n, s, what)
		return
	}
	if len(n.Content) == 0 && !s.empty {
		k.fail(n, exampleOf(s), "%s is empty; it would never hold anything", what)
	}
	for _, e := range n.Content {
		k.check(e, s.elem, s.elem.name)
	}
}

func exampleOf(s *shape) string {
	if example := s.example(); example != "" {
		return "for example " + example
	}
	return ""
}

// failKind says that the node's form is wrong: a list where a text is due and the like.
func (k *checker) failKind(n *yaml.Node, s *shape, what string) {
	hint := bracketHint(n, s)
	if hint == "" {
		hint = s.advice()
	}
	if s == fileShape {
		k.fail(n, "begin the file with version: 1", "a rule file is a mapping with the keys version, targets, rules and others, not %s", describe(n))
		return
	}
	if n.Kind == yaml.MappingNode && s.yamlKind() == yaml.ScalarNode {
		hint = `if the colon belongs to the text, put the text in quotes`
	}
	if what == s.name {
		k.failValue(n, hint, "%s is due here, not %s", s.name, describe(n))
		return
	}
	k.failValue(n, hint, "%s must be %s, not %s", what, s.name, describe(n))
}

// advice is the way out for a value that is none of the shape's.
func (s *shape) advice() string {
	if s.way != "" {
		return s.way
	}
	return exampleOf(s)
}

// bracketHint shows a lone value as the list that is due.
func bracketHint(n *yaml.Node, s *shape) string {
	list := s.form == formList
	for _, f := range s.forms {
		list = list || f.form == formList
	}
	if list && n.Kind == yaml.ScalarNode {
		return "write a list: [" + strings.Join(parts(n.Value), ", ") + "]"
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
func describe(n *yaml.Node) string {
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
		return "the number " + n.Value
	case "!!bool":
		return n.Value
	case "!!null":
		return "nothing"
	}
	return "the text " + strconv.Quote(shorten(n.Value))
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
