package rules

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

var turnsCondition = &condition{
	key: "turns", turns: onAll,
	doc:     "So many messages of the customer since the bot phase began.",
	example: "turns: {at_least: 6}",
	value: &shape{name: "a number of turns", ref: "turns", form: formRecord, fields: []field{
		{key: "at_least", of: aCount, required: true, doc: "So many messages of the customer since the bot phase began.", aka: []string{"times", "count", "messages"}},
	}, examples: []string{"{at_least: 6}"}},
	build: func(l *loader, n *yaml.Node) leaf { return &turnsLeaf{intOf(l.get(n, "at_least"))} },
}

// turnsLeaf is `turns`.
type turnsLeaf struct{ atLeast int }

func (l *turnsLeaf) holds(e *evaluation) verdict { return counter(int(e.c.turns), l.atLeast, false) }

func (l *turnsLeaf) explain(_ *evaluation, v verdict) string {
	return fmt.Sprintf("%d of %d", v.have, v.need)
}

func (l *turnsLeaf) late(*evaluation, verdict) bool { return true }

func (l *turnsLeaf) implies(other leaf) bool {
	b, ok := other.(*turnsLeaf)
	return ok && l.atLeast >= b.atLeast
}
