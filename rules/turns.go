package rules

import (
	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

var turnsCondition = &condition{
	key: "turns", turns: onAll,
	doc:     "So many messages of the customer since the bot phase began.",
	example: "turns: {at_least: 6}",
	value: &shape{name: "a range of turns", ref: "turns", form: formRecord, atLeastOne: []string{"at_least", "at_most"}, fields: []field{
		{key: "at_least", of: aCount, doc: "So many messages of the customer since the bot phase began, or more.", aka: []string{"times", "count", "messages", "min"}},
		{key: "at_most", of: aCount, doc: "So many messages of the customer since the bot phase began, or fewer.", aka: []string{"max"}},
	}, examples: []string{"{at_least: 6}", "{at_most: 2}"}},
	build: func(l *loader, n *yaml.Node) leaf {
		return &turnsLeaf{l.span(n, func(n *yaml.Node) int64 { return int64(intOf(n)) }, showCount)}
	},
}

// turnsLeaf is `turns`.
type turnsLeaf struct{ span span }

func (l *turnsLeaf) holds(e *evaluation) verdict { return l.span.holds(int64(e.c.turns)) }

func (l *turnsLeaf) explain(_ *evaluation, v verdict) lang.Text {
	turns := showCount(int64(v.have))
	if l.span.high == unbounded {
		return lang.Say("%s of %s", turns, showCount(l.span.low))
	}
	return lang.Say("%s (%s)", turns, l.span.words())
}

func (l *turnsLeaf) late(*evaluation, verdict) bool { return true }

func (l *turnsLeaf) implies(other leaf) bool {
	b, ok := other.(*turnsLeaf)
	return ok && l.span.within(b.span)
}

func (l *turnsLeaf) excludes(other leaf) lang.Text {
	if b, ok := other.(*turnsLeaf); ok {
		return l.span.apart(b.span)
	}
	return ""
}
