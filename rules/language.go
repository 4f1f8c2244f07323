package rules

import (
	"slices"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var languageCondition = &condition{
	key: "language", turns: onAll, value: listOf("a list of languages", aLang),
	doc:     "The language of the conversation is one of these; an unknown one matches nothing.",
	example: "language: [en, fr]",
	aka:     []string{"lang", "languages"},
	build:   func(l *loader, n *yaml.Node) leaf { return &languageLeaf{textsOf(l.items(n))} },
}

// languageLeaf is `language`.
type languageLeaf struct{ languages []string }

func (l *languageLeaf) holds(e *evaluation) verdict {
	known := e.c.Language()
	return truth(known != "" && slices.Contains(l.languages, known))
}

func (l *languageLeaf) explain(e *evaluation, _ verdict) lang.Text {
	if known := e.c.Language(); known != "" {
		return lang.Say("the language is %s", known)
	}
	return "the language is not known yet"
}

func (l *languageLeaf) implies(other leaf) bool {
	b, ok := other.(*languageLeaf)
	return ok && !slices.ContainsFunc(l.languages, func(name string) bool { return !slices.Contains(b.languages, name) })
}

func (l *languageLeaf) excludes(other leaf) lang.Text {
	b, ok := other.(*languageLeaf)
	if !ok || slices.ContainsFunc(l.languages, func(name string) bool { return slices.Contains(b.languages, name) }) {
		return ""
	}
	return lang.Say("a conversation has one language, and it cannot be both %s and %s", orList(l.languages), orList(b.languages))
}
