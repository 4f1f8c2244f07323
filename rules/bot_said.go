package rules

import "go.yaml.in/yaml/v4"

var botSaidCondition = &condition{
	key: "bot_said", turns: onAll,
	doc:     "A message of the bot in the last time, or its last one, had one of these phrases.",
	example: "bot_said: {any: [$bot_offers], within: 10m, last: true}",
	value:   botSaidShape,
	build: func(l *loader, n *yaml.Node) leaf {
		last := boolOf(l.value(n, botSaidShape, "last"))
		return &saidLeaf{
			test: l.botTest(n, "bot_said"), by: onBot, last: last, within: l.within(n),
			key: stableKey(append(phraseKey(l, n, "bot_said", botSaidShape), "last", textOf(l.value(n, botSaidShape, "last")))...),
		}
	},
}

var botSaidShape = &shape{
	name: "phrases of the bot with a time", ref: "botSaid", form: formRecord, atLeastOne: []string{"any", "all"},
	fields: append(phraseFields(negationIgnore), within, field{
		key: "last", of: aBool, standard: "false",
		doc: "Only the bot's last message with text counts: when the customer writes, the one before.",
	}),
	examples: []string{"{any: [$bot_offers], within: 10m, last: true}"},
}
