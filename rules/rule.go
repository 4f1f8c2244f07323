package rules

import (
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var ruleCondition = &condition{
	key: "rule", turns: asThere, value: aRuleID,
	doc:     "That rule's `when` holds now.",
	example: "rule: bot-stuck",
	build: func(l *loader, n *yaml.Node) leaf {
		id := n.Value
		switch {
		case l.ruleNodes[id] == nil:
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
		return &ruleLeaf{textOf(n), when}
	},
}

// ruleLeaf is `rule`: the other rule's `when`.
type ruleLeaf struct {
	id   string
	when *cond
}

func (l *ruleLeaf) wrapped() *cond { return l.when }

func (l *ruleLeaf) holds(e *evaluation) verdict { return verdict{state: l.when.eval(e)} }

func (l *ruleLeaf) explain(_ *evaluation, v verdict) lang.Text {
	if v.state == yes {
		return lang.Say("the condition of %s holds", l.id)
	}
	return lang.Say("the condition of %s does not hold", l.id)
}

// implies is never asked: what the rule stands for is.
func (l *ruleLeaf) implies(leaf) bool { return false }

// need passes on the needs of the other rule, which may itself be off.
func (l *ruleLeaf) need(p *Policy) { l.when.walk(p.serve) }
