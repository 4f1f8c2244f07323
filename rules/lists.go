package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/packs"

	"go.yaml.in/yaml/v4"
)

// Phrases and lists of phrases.
var (
	phraseList = &shape{
		name: "a list of phrases", ref: "phrases", form: formList, elem: aPhrase,
		doc: "Phrases in brackets, or one a line after a dash.", examples: []string{"[转人工, live agent, $ask_human]"},
	}
	weightedPhrases = &shape{
		name: "phrases with weights", ref: "weights", form: formDict, key: aPhrase, elem: aWeight,
		doc: "Phrases with weights, for mood; a negative weight calms.", examples: []string{"{骗子: 3, useless: 2, 谢谢: -2}"},
	}
	listOptions = &shape{name: "a list with options", ref: "listOptions", form: formRecord, oneOf: [][]string{{"phrases"}, {"file"}}, fields: []field{
		{key: "file", of: aFileName, doc: "A text or CSV file that holds the phrases: one a line, in the first column; a weight may stand in the second.", aka: []string{"csv", "path", "from"}},
		{key: "phrases", of: &shape{name: "phrases", form: formChoice, forms: []*shape{phraseList, weightedPhrases}}, doc: "The phrases, with or without weights."},
		{key: "typos", of: enumShape("on or off", []string{"on", "off"}, "no", "off", "false", "off", "0", "off", "never", "off", "否", "off", "关", "off", "yes", "on", "true", "on", "1", "on", "是", "on", "开", "on"), standard: "on", doc: "Whether typing errors are forgiven in these phrases."},
	}}
	packChange = &shape{
		name: "a change of a built-in pack", ref: "packChange", form: formRecord, atLeastOne: []string{"add", "without"},
		fields: []field{
			{key: "add", of: &shape{name: "phrases", form: formChoice, forms: []*shape{phraseList, weightedPhrases}}, doc: "Phrases that the pack lacks."},
			{key: "without", of: phraseList, doc: "Phrases whose hits must not count: a hit of the pack that overlaps one is masked.", aka: []string{"remove", "except"}},
		},
	}
	phraseBookShape = &shape{
		name: "phrases", ref: "list", form: formChoice, forms: []*shape{phraseList, weightedPhrases, listOptions, packChange},
		telltales: map[string]*shape{"phrases": listOptions, "file": listOptions, "add": packChange, "without": packChange},
		doc:       "A list of phrases: a sequence, phrases with weights, {phrases, typos}, {file} for a text or CSV file, or {add, without} for a list named like a built-in pack or like a role of $ask_human (ask_human.person: who may be asked for).",
	}
)

// addList declares one list of the file, or changes a pack.
func (b *phraseBook) addList(key, value *yaml.Node) {
	pack := b.lists[strings.TrimPrefix(b.renamed(key, "$"+key.Value), "$")]
	change := phraseBookForm(value) == packChange
	if role, ok := strings.CutPrefix(key.Value, packs.Framed+"."); ok {
		b.changeRole(key, value, role)
		return
	}
	switch {
	case strings.Contains(key.Value, "."):
		b.fail(key, lang.Say("a name holds letters, digits, - and _ only; %[1]s.person adds to a role of $%[1]s", packs.Framed), "`%s` is no list's name", shorten(key.Value))
	case value == nil:
		if pack == nil {
			b.lists[key.Value] = newWordList(key.Value, key)
			b.lists[key.Value].used = true
		}
	case pack != nil && !change:
		b.fail(key, "write {add: […], without: […]}, or take another name", "`%s` is a built-in pack; a list of this name can only change it", key.Value)
	case pack == nil && change:
		b.fail(key, packHint(key.Value), "there is no built-in pack `%s` to add to or take away from", key.Value)
	case pack != nil:
		pack.changed, pack.node, pack.used = true, key, true
		pack.entries = append(pack.entries, b.entries(b.get(value, "add"))...)
		pack.masks = append(pack.masks, b.entries(b.get(value, "without"))...)
		b.order = append(b.order, pack)
	default:
		l := newWordList(key.Value, key)
		l.entries, l.weighted = b.listEntries(value)
		b.lists[key.Value] = l
		b.order = append(b.order, l)
	}
}

// renamed replaces the name that the pack $asking_idioms had before, and notes where.
func (b *phraseBook) renamed(n *yaml.Node, phrase string) string {
	const former = "$negation_idioms"
	if !strings.Contains(phrase, former) || strings.HasPrefix(phrase, "/") {
		return phrase
	}
	if !slices.Contains(b.former, n) {
		b.former = append(b.former, n)
	}
	return strings.ReplaceAll(phrase, former, "$asking_idioms")
}

// phraseBookForm tells which form of a list a node has.
func phraseBookForm(n *yaml.Node) *shape {
	if n == nil {
		return nil
	}
	return phraseBookShape.choose(n)
}

func packHint(name string) lang.Text {
	if hint := DidYouMean(name, packs.Names); hint != "" {
		return hint
	}
	return lang.Say("for a list of your own write %s: […]", name)
}

// listEntries reads the forms of a list of one's own.
func (b *phraseBook) listEntries(n *yaml.Node) (entries []wordEntry, weighted bool) {
	noTypos := false
	var file *yaml.Node
	if phraseBookForm(n) == listOptions {
		typos := b.get(n, "typos")
		noTypos = typos != nil && typos.Value == "off"
		file, n = b.get(n, "file"), b.get(n, "phrases")
	}
	weighted = n != nil && n.Kind == yaml.MappingNode
	if entries = b.entries(n); file != nil {
		f := b.fromFile(file)
		entries, weighted = slices.Clone(f.entries), f.weighted
	}
	for i := range entries {
		entries[i].noTypos = noTypos
	}
	return entries, weighted
}

// entries reads a sequence of phrases, or a mapping of phrase to weight.
func (b *phraseBook) entries(n *yaml.Node) []wordEntry {
	var entries []wordEntry
	if n == nil {
		return nil
	}
	if n.Kind == yaml.SequenceNode {
		for _, e := range n.Content {
			if !b.bad[e] && e.Kind == yaml.ScalarNode {
				entries = append(entries, wordEntry{text: b.renamed(e, e.Value), weight: 1, node: e, names: b})
			}
		}
		return entries
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !b.bad[key] && !b.bad[value] && value.Kind == yaml.ScalarNode {
			entries = append(entries, wordEntry{text: b.renamed(key, key.Value), weight: atoi(value.Value), node: key, names: b})
		}
	}
	return entries
}
