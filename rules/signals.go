package rules

import "go.yaml.in/yaml/v4"

var signalsShape = &shape{name: "signals", form: formRecord, fields: []field{
	{key: "bot_missed", doc: "What counts as a failure of the bot.", of: missedSignal},
}}

// missedSignal: a key that is left out keeps its default, [] empties it.
var missedSignal = &shape{
	name: "a signal", form: formRecord, examples: []string{"{marks: [fallback], says: [$bot_missed]}"}, atLeastOne: []string{"marks", "says"},
	fields: []field{
		{key: "marks", of: maybeNone(listOf(someNames, aName)), doc: "Values of messageType in CloudCustomData of the bot's message; [] for none.", standard: "[fallback, clarify]"},
		{key: "says", of: maybeNone(listOf("a list of phrases", aPhrase)), doc: "What the bot said; [] for nothing.", standard: "[$bot_missed]"},
	},
}

// signals reads what counts as a miss of the bot. The built-in words are only compiled when some rule counts misses.
func (l *loader) signals(n *yaml.Node) {
	missed := l.get(n, "bot_missed")
	l.policy.missMarks = textsOf(l.items(l.value(missed, missedSignal, "marks")))
	says := l.get(missed, "says")
	entries := l.book.entries(says)
	l.book.refuseAnswers(entries, "signals")
	if says == nil && l.countsMisses {
		entries = l.book.entries(l.value(missed, missedSignal, "says"))
		for i := range entries {
			entries[i].node = nil // it is not the file's
		}
	}
	if len(entries) > 0 {
		l.policy.missSays = &phraseTest{any: l.book.setOf(entries, nil), negation: negationIgnore}
	}
}
