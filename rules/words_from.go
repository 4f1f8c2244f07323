package rules

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxWordPaths = 16 // of words_from
	maxWordTexts = 32 // that one message adds by them
)

// aWordsPath is where texts stand that count as the customer's words.
var aWordsPath = &shape{
	name: "a dotted path", pattern: `^[\p{L}\p{N}_@-]+(\.([\p{L}\p{N}_@-]+|\*))*$`,
	doc:      "A dotted path as for `field`; * stands for every place of a list.",
	examples: []string{"MsgBody.*.MsgContent.Data.content"},
}

var wordsFromShape = &shape{name: "a list of dotted paths", form: formList, elem: aWordsPath, most: maxWordPaths}

// Words gives the words of a customer's message: its text, and what the file's `words_from` finds in the callback (texts of
// buttons, cards and menus), joined as text elements are. What is there already is not added again. fields may be nil.
func (p *Policy) Words(text string, fields Fields) string {
	if len(p.wordsFrom) == 0 || fields == nil {
		return text
	}
	var texts []string
	if strings.TrimSpace(text) != "" {
		texts = append(texts, text)
	}
	added := 0
	for _, path := range p.wordsFrom {
		fields.Texts(path, func(s string) bool {
			if strings.TrimSpace(s) != "" && !slices.Contains(texts, s) {
				texts = append(texts, s)
				added++
			}
			return added < maxWordTexts
		})
		if added == maxWordTexts {
			break
		}
	}
	if added == 0 {
		return text
	}
	return strings.Join(texts, "\n")
}

// Texts visits the values whose paths are as asked, in the order of their places.
func (f TestFields) Texts(path string, visit func(string) bool) {
	names := strings.Split(path, ".")
	for _, key := range slices.SortedFunc(maps.Keys(f), comparePlaces) {
		given := strings.Split(key, ".")
		if slices.EqualFunc(names, given, func(want, got string) bool { return want == got || want == "*" && isPlace(got) }) && !visit(f[key]) {
			return
		}
	}
}

// comparePlaces orders paths so that place 10 comes behind place 9.
func comparePlaces(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		if isPlace(x) && isPlace(y) && len(x) != len(y) {
			return len(x) - len(y)
		}
		return strings.Compare(x, y)
	})
}

// lintWordsFrom finds paths that add nothing.
func (l *loader) lintWordsFrom(root *yaml.Node) {
	for _, path := range l.items(l.get(root, "words_from")) {
		if names := strings.Split(path.Value, "."); common(names, strings.Split("MsgBody.0.MsgContent.Text", ".")) == 4 && len(names) == 4 {
			l.warn(path.Line, path.Column, "take it out", "the texts of a message are its words anyway")
		}
	}
}
