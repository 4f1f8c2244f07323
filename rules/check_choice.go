package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// This file picks the form of a value that may have several.

// checkChoice picks the one form that the node's kind allows and checks against that.
func (k *checker) checkChoice(n *yaml.Node, s *shape, what lang.Text) {
	if form := s.choose(n); form != nil {
		k.check(n, form, what)
		return
	}
	if entry := listSign.FindString(n.Value); entry != "" && n.Style == 0 && s.yamlKindOf(yaml.SequenceNode) {
		k.failSign(n, 0, lang.Say("an entry of a list begins with a dash and a space, not with %s", strings.TrimSpace(entry)), "write - and a space")
		return
	}
	report := k.fail
	if at, _, sign := signIn(n.Value); at == 0 && strings.ContainsAny(sign.want, "[{") {
		report = k.failValue
	}
	report(n, bracketHint(n, s), "%s must be %s, not %s", what, either(formNames(s)), describe(n))
}

// choose finds the form of a choice that a node must obey, nil if no form fits its kind.
func (s *shape) choose(n *yaml.Node) *shape {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if t := s.telltale(n.Content[i].Value); t != nil && !weighs(n.Content[i+1]) {
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

// telltale finds the mapping form that has a key, or one that a key was most likely meant to be; nil if there is none.
func (s *shape) telltale(key string) *shape {
	if t := s.telltales[key]; t != nil {
		return t
	}
	if word := nearest(key, sortedKeys(s.telltales)); word != "" {
		return s.telltales[word]
	}
	for _, t := range s.telltales {
		if slices.ContainsFunc(t.fields, func(f field) bool { return slices.Contains(f.aka, strings.ToLower(key)) }) {
			return t
		}
	}
	return nil
}

// weighs reports whether a node is a number: `{add: 2}` are phrases with weights, `{add: owner}` is a change without its
// brackets.
func weighs(n *yaml.Node) bool {
	_, err := strconv.ParseFloat(n.Value, 64)
	return n.Kind == yaml.ScalarNode && err == nil
}

// listSign is what people begin the entries of a list with, who do not know YAML's.
var listSign = regexp.MustCompile(`^([-–—•·▪*]|[0-9]+[.)、])\s*`)

// yamlKindOf says that one of the forms of a choice is of a YAML kind.
func (s *shape) yamlKindOf(kind yaml.Kind) bool {
	return slices.ContainsFunc(s.forms, func(f *shape) bool { return f.yamlKind() == kind })
}

func formNames(s *shape) []lang.Text {
	var names []lang.Text
	for _, f := range s.forms {
		names = append(names, f.name)
	}
	return names
}
