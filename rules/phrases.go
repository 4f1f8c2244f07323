package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/packs"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// phraseBook is all phrases of one file while it is being loaded: the file's lists, the built-in packs with the
// file's changes, and the builder of the one matcher that looks for all of them.
type phraseBook struct {
	*checker
	builder text.Builder
	// lists holds the file's lists and all built-in packs by name; order holds the file's own in order.
	lists map[string]*wordList
	order []*wordList
	// phrases remembers where a phrase of the file was written, for lints.
	written    []writtenPhrase
	behind     text.PhraseSet // negators that refuse only what stands before them
	count      int
	packFaults []lang.Text
	answered   bool         // some condition looks for $yes or $no
	former     []*yaml.Node // where a pack is called by the name that it had before
	scopes     []*packNames // of the pack files
	roles      []roleChange
	listFiles  map[string]*listFile // by name, those that were read
	fromFiles  int                  // their phrases
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

	weighted bool
	used     bool
	state    visit
	set      *matchSet
	class    *text.Class // what $name stands for inside a phrase
}

// visit is the state of a depth-first walk.
type visit uint8

const (
	unseen visit = iota
	visiting
	visited
)

// wordEntry is one phrase as it is written.
type wordEntry struct {
	text    string
	weight  int
	noTypos bool
	behind  bool // a negator that refuses only what stands before it
	lang    string
	names   text.Names
	node    *yaml.Node // nil in packs
	whole   bool       // it must be the whole message, whether or not a = says so
	apart   bool       // its alternatives are phrases of their own
}

func (e *wordEntry) options() text.Options {
	return text.Options{NoTypos: e.noTypos, Lang: e.lang, Names: e.names, Whole: e.whole}
}

// writtenPhrase is a phrase of the file with its place.
type writtenPhrase struct {
	entry wordEntry
	id    text.PhraseID
	list  string // the list that holds it, "" in a condition
	set   *matchSet
	// weighted phrases may be there for their weight.
	weighted bool
	cover    string // another phrase of the set that counts wherever this one does, once lints know
}

// matchSet is a compiled set of phrases: groups that share their masks, and the answers that count as a whole message.
type matchSet struct {
	groups  []phraseGroup
	text    []text.Group // those of groups
	answers answers
	fact    facts // that the message has a hit of one of them
	// covered are phrases of others that hold only where one of these does, for the lint on rules that are not reached.
	covered text.PhraseSet
}

// phraseGroup holds phrases with their masks, their weights and the list that they are of.
type phraseGroup struct {
	text.Group
	weights map[text.PhraseID]int
	list    string                   // whose phrases they are, "" for a condition's own
	langs   map[text.PhraseID]string // of the phrases of a pack
	frames  bool                     // they are frames
}

func (s *matchSet) put(g phraseGroup) {
	s.groups, s.text = append(s.groups, g), append(s.text, g.Group)
}

func newPhraseBook(k *checker) *phraseBook {
	b := &phraseBook{checker: k, lists: map[string]*wordList{}, listFiles: map[string]*listFile{}}
	files := packs.All()
	b.scopes = make([]*packNames, len(files))
	for i := range files {
		b.scopes[i] = &packNames{b, &files[i], map[string]*text.Class{}}
	}
	for _, name := range packs.Names {
		b.lists[name] = builtinList(name, b.scopes)
	}
	return b
}

func newWordList(name string, node *yaml.Node) *wordList {
	return &wordList{name: name, node: node, class: &text.Class{Name: name}}
}

// builtinList puts one pack together from the files of all languages.
func builtinList(name string, scopes []*packNames) *wordList {
	l := newWordList(name, nil)
	l.builtin, l.class.Lenient = true, true
	for _, scope := range scopes {
		f := scope.file
		p, ok := f.Packs[name]
		if ok || name == packs.Framed && len(f.Roles) > 0 {
			l.langs = append(l.langs, f.Lang)
		}
		for _, ph := range p.Phrases {
			l.entries = append(l.entries, wordEntry{text: ph.Text, weight: ph.Weight, noTypos: p.NoTypos, behind: ph.Behind, lang: f.Lang, names: scope})
			l.weighted = l.weighted || ph.Weight != 1
		}
		for _, m := range p.NotPartOf {
			l.masks = append(l.masks, wordEntry{text: m, noTypos: p.NoTypos, lang: f.Lang, names: scope})
		}
	}
	return l
}

// Class gives the phrases of a list or built-in pack, for $name inside a phrase of the file.
func (b *phraseBook) Class(name string) *text.Class {
	if l := b.lists[name]; l != nil {
		return l.class
	}
	if b.broken["lists"] { // the list may stand there, with whatever phrases
		l := newWordList(name, nil)
		l.class.Phrases = []text.Source{{Text: name, Names: b}}
		l.used, b.lists[name] = true, l
		return l.class
	}
	return nil
}

// Suggest is the hint for a name that no list has.
func (b *phraseBook) Suggest(name string) lang.Text {
	if hint := nearest(name, b.names()); hint != "" {
		return lang.Say("did you mean $%s?", hint)
	}
	return lang.Say("known: $%s", strings.Join(b.names(), ", $"))
}

// packNames are the names that the phrases of one pack file may use: its private word classes, and the packs.
type packNames struct {
	book    *phraseBook
	file    *packs.File
	classes map[string]*text.Class
}

// Class gives a private word class or a pack.
func (n *packNames) Class(name string) *text.Class {
	if c := n.classes[name]; c != nil {
		return c
	}
	words, private := n.words(name)
	if !private {
		if l := n.book.lists[name]; l != nil && l.builtin {
			return l.class
		}
		return nil
	}
	c := &text.Class{Name: name}
	for _, w := range words {
		c.Phrases = append(c.Phrases, text.Source{Text: w, Names: n})
	}
	n.classes[name] = c
	return c
}

// words gives the words of a private class, or of a role.
func (n *packNames) words(name string) (words []string, ok bool) {
	if words, ok = n.file.Words[name]; ok {
		return words, true
	}
	for _, r := range n.file.Roles {
		if r.Role == name {
			for _, ph := range r.Phrases {
				words = append(words, ph.Text)
			}
		}
	}
	return words, words != nil
}

// Suggest has no hint: packs are mended by whoever maintains them.
func (n *packNames) Suggest(string) lang.Text { return "" }

func (e *wordEntry) source() text.Source { return text.Source{Text: e.text, Names: e.names} }

// wholeList gives the list for which an entry stands that is $name and nothing else.
func (b *phraseBook) wholeList(e wordEntry) *wordList {
	if uses := e.source().Uses(); len(uses) == 1 && uses[0].Whole {
		return b.listOf(uses[0].Class)
	}
	return nil
}

// listOf gives the list of a class, nil if it is a private one of a pack file.
func (b *phraseBook) listOf(c *text.Class) *wordList {
	if l := b.lists[c.Name]; l != nil && l.class == c {
		return l
	}
	return nil
}

// use notes that a list is named inside a phrase, and with it the lists that it names.
func (b *phraseBook) use(l *wordList) {
	if l.used {
		return
	}
	l.used = true
	for _, e := range l.entries {
		b.useIn(e)
	}
}

func (b *phraseBook) useIn(e wordEntry) {
	for _, use := range e.source().Uses() {
		if l := b.listOf(use.Class); l != nil {
			b.use(l)
		}
	}
}

// nodes gives the places of the phrases that YAML holds, each once.
func (b *phraseBook) nodes() []*yaml.Node {
	var nodes []*yaml.Node
	seen := map[*yaml.Node]bool{}
	note := func(n *yaml.Node) {
		if n != nil && !seen[n] && !b.source.fileOf(n.Line).list {
			seen[n] = true
			nodes = append(nodes, n)
		}
	}
	for _, w := range b.written {
		note(w.entry.node)
	}
	for _, list := range b.order {
		for _, e := range append(list.entries, list.masks...) {
			note(e.node)
		}
	}
	return nodes
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
func (b *phraseBook) failInside(e wordEntry, offset int, hint, format lang.Text, args ...any) {
	if e.node == nil {
		b.packFaults = append(b.packFaults, lang.Raw(lang.Say("built-in pack (%s): phrase %q is left out: %s", e.lang, shorten(e.text), lang.Say(format, args...)).String()))
		return
	}
	line, column := b.source.inside(e.node, offset)
	b.fail(e.node, hint, format, args...)
	p := &b.problems[len(b.problems)-1]
	p.Line, p.Column = line, column
}

// tie reports lists that contain themselves, and gives the others their phrases; it must run before anything is
// compiled.
func (b *phraseBook) tie() {
	for _, l := range b.order {
		b.visit(l, nil)
	}
	for _, l := range b.lists {
		if l.builtin && l.name == packs.Framed {
			continue // frames stand in no phrase
		}
		l.class.Phrases = slices.Grow(l.class.Phrases, len(l.entries))
		for _, e := range l.entries {
			if e.node == nil || !b.bad[e.node] {
				l.class.Phrases = append(l.class.Phrases, e.source())
			}
		}
	}
}

// expect makes room for the phrases of the lists, which are most of those of a large file.
func (b *phraseBook) expect() {
	n := 0
	for _, l := range b.order {
		n += len(l.entries) + len(l.masks)
	}
	b.builder.Expect(n)
}

func (b *phraseBook) visit(l *wordList, path []string) {
	l.state = visiting
	path = append(path, "$"+l.name)
	for _, entries := range [][]wordEntry{l.entries, l.masks} {
		for _, e := range entries {
			for _, use := range e.source().Uses() {
				next := b.listOf(use.Class)
				switch {
				case next == nil || next.state == visited:
				case next.state == visiting:
					b.failInside(e, use.Offset, "take one of the names out", "the list contains itself: %s", strings.Join(cycle(path, "$"+next.name), " → "))
				default:
					b.visit(next, path)
				}
			}
		}
	}
	l.state = visited
}

// checkRest reads the phrases of lists that no condition looks for: they may be wrong all the same.
func (b *phraseBook) checkRest() {
	var rest text.Builder
	for _, l := range b.order {
		if l.set != nil {
			continue
		}
		for _, entries := range [][]wordEntry{l.entries, l.masks} {
			for _, e := range entries {
				if e.node != nil && b.bad[e.node] || b.wholeList(e) != nil {
					continue
				}
				if _, err := rest.Add(e.text, e.options()); err != nil {
					b.failPhrase(e, err)
				}
			}
		}
	}
}

// cycle cuts a path to the part that goes round.
func cycle(path []string, again string) []string {
	from := max(0, slices.Index(path, again))
	return append(slices.Clone(path[from:]), again)
}
