package rules

import (
	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

var botSaysCondition = &condition{
	key: "bot_says", turns: onBot, value: phraseForms(negationIgnore),
	doc:     "The bot's message has one of these phrases.",
	example: "bot_says: [please hold]",
	aka:     []string{"bot", "reply"},
	build: func(l *loader, n *yaml.Node) leaf {
		return &saysLeaf{test: l.botTest(n, "bot_says"), by: onBot}
	},
}

// botTest compiles the phrases of a condition on the bot's words.
func (l *loader) botTest(n *yaml.Node, condition string) phraseTest {
	for _, entries := range []*yaml.Node{l.get(n, "any"), l.get(n, "all"), n} {
		if entries != nil && entries.Kind == yaml.SequenceNode {
			l.book.refuseAnswers(l.book.entries(entries), lang.Raw(condition))
		}
	}
	return l.phraseTest(n, negationIgnore)
}
