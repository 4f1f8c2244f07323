package rules

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

var languageCondition = &condition{
	key: "language", turns: onAll, value: listOf(aLang),
	doc:     "The language of the conversation is one of these; an unknown one matches nothing.",
	example: "language: [en, fr]",
	aka:     []string{"lang", "languages"},
	build:   func(l *loader, n *yaml.Node) leaf { return &languageLeaf{textsOf(l.items(n))} },
}

// languageLeaf is `language`.
type languageLeaf struct{ languages []string }

func (l *languageLeaf) holds(e *evaluation) verdict {
	lang := e.c.Language()
	return truth(lang != "" && slices.Contains(l.languages, lang))
}

func (l *languageLeaf) explain(e *evaluation, _ verdict) string {
	if lang := e.c.Language(); lang != "" {
		return "the language is " + lang
	}
	return "the language is not known yet"
}

func (l *languageLeaf) implies(other leaf) bool {
	b, ok := other.(*languageLeaf)
	return ok && !slices.ContainsFunc(l.languages, func(lang string) bool { return !slices.Contains(b.languages, lang) })
}

func (l *languageLeaf) excludes(other leaf) string {
	b, ok := other.(*languageLeaf)
	if !ok || slices.ContainsFunc(l.languages, func(lang string) bool { return slices.Contains(b.languages, lang) }) {
		return ""
	}
	return "a conversation has one language, and it cannot be both " + orList(l.languages) + " and " + orList(b.languages)
}
