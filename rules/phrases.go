package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"escalator/rules/packs"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// phraseBook is all phrases of one file while it is being loaded: the file's lists, the built-in packs with the
// file's changes, and the builder of the one matcher that looks for all of them.
type phraseBook struct {
	*checker
	source  source
	builder text.Builder
	// lists holds the file's lists and all built-in packs by name; order holds the file's own in order.
	lists map[string]*wordList
	order []*wordList
	// phrases remembers where a phrase of the file was written, for lints.
	written    []writtenPhrase
	count      int
	packFaults []string
	// originals holds phrases as they were written, where $names were replaced in them.
	originals map[text.PhraseID]string
}

// wordList is one list: a file's own, or a built-in pack.
type wordList struct {
	name    string
	builtin bool
	changed bool
	node    *yaml.Node // nil for a pack that the file does not name
	entries []wordEntry
	masks   []wordEntry
	langs   []string

	weighted  bool
	used      bool
	state     visit
	set       *matchSet
	expansion string
}

// visit is the state of a depth-first walk.
type visit uint8

const (
	unseen visit = iota
	visiting
	visited
)

// wordEntry is one phrase before its $names are replaced.
type wordEntry struct {
	text    string
	weight  int
	noTypos bool
	lang    string
	words   map[string][]string // the private classes of a pack file
	pack    *packs.File
	node    *yaml.Node // nil in packs
}

// writtenPhrase is a phrase of the file with its place.
type writtenPhrase struct {
	entry wordEntry
	id    text.PhraseID
	list  string // the list that holds it, "" in a condition
	set   *matchSet
	// weighted phrases may be there for their weight.
	weighted bool
}

// matchSet is a compiled set of phrases: groups that share their masks.
type matchSet struct{ groups []phraseGroup }

// phraseGroup holds phrases, and masks: a hit that overlaps a masking hit does not count.
type phraseGroup struct {
	ids     text.PhraseSet
	masks   text.PhraseSet
	masked  bool
	weights map[text.PhraseID]int
	list    string
}

func newPhraseBook(k *checker, src source) *phraseBook {
	b := &phraseBook{checker: k, source: src, lists: map[string]*wordList{}, originals: map[text.PhraseID]string{}}
	files := packs.All()
	for _, name := range packs.Names {
		b.lists[name] = builtinList(name, files)
	}
	return b
}

// builtinList puts one pack together from the files of all languages.
func builtinList(name string, files []packs.File) *wordList {
	l := &wordList{name: name, builtin: true}
	for i := range files {
		f := &files[i]
		p, ok := f.Packs[name]
		if !ok {
			continue
		}
		l.langs = append(l.langs, f.Lang)
		for _, ph := range p.Phrases {
			l.entries = append(l.entries, wordEntry{text: ph.Text, weight: ph.Weight, noTypos: p.NoTypos, lang: f.Lang, words: f.Words, pack: f})
			l.weighted = l.weighted || ph.Weight != 1
		}
		for _, m := range p.NotPartOf {
			l.masks = append(l.masks, wordEntry{text: m, noTypos: p.NoTypos, lang: f.Lang, words: f.Words, pack: f})
		}
	}
	return l
}

// isRegex tells a /regex/ entry: in it a $ is an end, not a name.
func isRegex(s string) bool { return len(s) > 2 && s[0] == '/' && s[len(s)-1] == '/' }

// wholeName says that an entry is $name and nothing else.
func (b *phraseBook) wholeName(e wordEntry) (string, bool) {
	if !strings.HasPrefix(e.text, "$") {
		return "", false
	}
	name := strings.TrimSpace(e.text[1:])
	found := b.longestName(name, e)
	return name, found == name && name != ""
}

// longestName finds the longest known name at the beginning of s. A name may be followed by characters of a script
// without spaces, as in $person的, but not by letters of its own: $nowhere is not $no with something behind it.
func (b *phraseBook) longestName(s string, e wordEntry) string {
	for end := nameEnd(s); end > 0; {
		if b.known(s[:end], e) {
			return s[:end]
		}
		last, size := utf8.DecodeLastRuneInString(s[:end])
		if !unicode.In(last, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) {
			return ""
		}
		end -= size
	}
	return ""
}

// nameEnd is where the letters of a name end.
func nameEnd(s string) int {
	for i, r := range s {
		if !(unicode.IsLetter(r) || r == '_' || i > 0 && (unicode.IsDigit(r) || r == '-')) {
			return i
		}
	}
	return len(s)
}

func (b *phraseBook) known(name string, e wordEntry) bool {
	if _, ok := e.words[name]; ok {
		return true
	}
	l := b.lists[name]
	return l != nil && (e.pack == nil || l.builtin)
}

// namesIn lists the $names of an entry with their offsets; unknown ones are reported.
func (b *phraseBook) namesIn(e wordEntry) (names []string, offsets []int) {
	if isRegex(e.text) {
		return nil, nil
	}
	for i := 0; i < len(e.text); i++ {
		if e.text[i] != '$' || nameEnd(e.text[i+1:]) == 0 {
			continue
		}
		if name := b.longestName(e.text[i+1:], e); name != "" {
			names, offsets = append(names, name), append(offsets, i)
			i += len(name)
		} else {
			b.failInside(e, i, b.unknownListHint(e.text[i+1:][:nameEnd(e.text[i+1:])]), "there is no list $%s", e.text[i+1:][:nameEnd(e.text[i+1:])])
		}
	}
	return names, offsets
}

func (b *phraseBook) unknownListHint(name string) string {
	if hint := nearest(name, b.names()); hint != "" {
		return "did you mean $" + hint + "?"
	}
	return "known: $" + strings.Join(b.names(), ", $")
}

// names lists the names that may stand after a $: the file's own first.
func (b *phraseBook) names() []string {
	var names []string
	for _, l := range b.order {
		if !l.builtin {
			names = append(names, l.name)
		}
	}
	return append(names, packs.Names...)
}

// failInside reports a problem inside a phrase. A pack's own phrases are right, a test says so; if one is wrong all the
// same it is left out with a warning, because that is no reason to refuse a file which cannot mend it.
func (b *phraseBook) failInside(e wordEntry, offset int, hint, format string, args ...any) {
	if e.node == nil {
		b.packFaults = append(b.packFaults, fmt.Sprintf("built-in pack (%s): phrase %q is left out: %s", e.lang, shorten(e.text), fmt.Sprintf(format, args...)))
		return
	}
	line, column := b.source.inside(e.node, offset)
	b.fail(e.node, hint, format, args...)
	p := &b.problems[len(b.problems)-1]
	p.Line, p.Column = line, column
}

// checkCycles reports lists that contain themselves; it must run before anything is compiled.
func (b *phraseBook) checkCycles() {
	for _, l := range b.order {
		b.visit(l, nil)
	}
}

func (b *phraseBook) visit(l *wordList, path []string) {
	l.state = visiting
	path = append(path, "$"+l.name)
	for _, entries := range [][]wordEntry{l.entries, l.masks} {
		for i := range entries {
			names, offsets := b.namesIn(entries[i])
			for j, name := range names {
				next := b.lists[name]
				if _, private := entries[i].words[name]; private || next == nil {
					continue
				}
				switch next.state {
				case visiting:
					b.failInside(entries[i], offsets[j], "take one of the names out", "the list contains itself: %s", strings.Join(cycle(path, "$"+name), " → "))
				case unseen:
					b.visit(next, path)
				case visited:
				}
			}
		}
	}
	l.state = visited
}

// cycle cuts a path to the part that goes round.
func cycle(path []string, again string) []string {
	from := max(0, slices.Index(path, again))
	return append(slices.Clone(path[from:]), again)
}
