package rules

import "go.yaml.in/yaml/v4"

var botSaysCondition = &condition{
	key: "bot_says", turns: onBot, value: phraseForms(negationIgnore),
	doc:     "The bot's message has one of these phrases.",
	example: "bot_says: [please hold]",
	aka:     []string{"bot", "reply"},
	build: func(l *loader, n *yaml.Node) leaf {
		return &saysLeaf{test: l.phraseTest(n, negationIgnore), by: onBot}
	},
}
