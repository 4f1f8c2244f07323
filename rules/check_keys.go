package rules

import (
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// This file checks the keys of mappings: whether they are known, and which stand together.

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
			k.fail(key, "keep one of them", "`%s` stands here a second time; the first is in %s", shorten(key.Value), k.source.where(first.Line, key.Line))
		default:
			keys[key.Value] = key
		}
	}
	return keys
}

func (k *checker) failUnknownKey(key *yaml.Node, s *shape, what lang.Text) {
	if word, _, _ := strings.Cut(strings.ReplaceAll(key.Value, "：", ":"), ":"); s.field(word) != nil && k.swallowed(key) {
		return
	}
	var words []string
	for _, f := range s.fields {
		words = append(words, f.key)
		for _, other := range f.aka {
			if fold(other) == fold(key.Value) {
				k.fail(key, lang.Say("did you mean %s?", f.key), "unknown key `%s` in %s", key.Value, what)
				return
			}
		}
	}
	hint := DidYouMean(key.Value, words)
	if hint == "" {
		hint = lang.Say("valid here: %s", strings.Join(words, ", "))
	}
	k.failValue(key, hint, "unknown key `%s` in %s", shorten(key.Value), what)
}

// checkPresence checks which keys stand together. Unknown keys were reported already, so a record that has one is
// only blamed for keys that exclude each other: the missing one is most likely the misspelt one.
func (k *checker) checkPresence(n *yaml.Node, s *shape, what lang.Text, keys map[string]*yaml.Node) {
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
	lacking := false
	for _, f := range s.fields {
		if other := s.needs[f.key]; other != "" && keys[f.key] != nil && keys[other] == nil {
			k.fail(keys[f.key], exampleHint(other, s.field(other).of), "`%s` needs `%s` beside it", f.key, other)
			lacking = true
		}
	}
	if lacking { // what is needed is most likely the one that is missing
		return
	}
	k.checkOneOf(n, s, s.groupKeys(), what, keys)
	k.checkOneOf(n, s, s.atLeastOne, what, keys)
}

func (k *checker) checkOneOf(n *yaml.Node, s *shape, words []string, what lang.Text, keys map[string]*yaml.Node) {
	for _, w := range words {
		if keys[w] != nil {
			return
		}
	}
	if len(words) > 0 {
		k.failAt(n.Line, n.Column, exampleOf(s), "%s needs %s", what, orList(words))
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
	k.failSign(key, len(word)+1, lang.Say("a space is missing after `%s:`", shorten(word)), lang.Say("write %s: and a space", shorten(word)))
	return true
}
