package text

import (
	"cmp"
	"slices"
	"strings"
)

// reference is a slow and obvious matcher: it tries every phrase at every
// token by backtracking over the parsed phrase.
type reference struct {
	phrases []*phrase
	lex     *lexicon
	roles   Roles
	near    map[string]bool // words whose typing errors are forgiven
	exact   map[string]bool // all words
	prefix  map[string]bool
}

func newReference(b *Builder, roles Roles) *reference {
	r := &reference{b.phrases, b.lex, roles, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, ph := range b.phrases {
		if ph.re == nil {
			r.collect(&ph.seq, ph.options.forgives())
		}
	}
	return r
}

func (r *reference) collect(seq *sequence, typos bool) {
	for _, it := range seq.items {
		switch {
		case it.kind == itemGroup:
			for i := range it.group.alts {
				r.collect(&it.group.alts[i], typos)
			}
		case it.kind == itemToken && it.prefix:
			r.prefix[r.lex.entry(&it).key] = true
		case it.kind == itemToken:
			key := r.lex.entry(&it).key
			r.exact[key] = true
			if typos && forgivable(key) {
				r.near[key] = true
			}
		}
	}
}

// nearest returns the words that a typed word may stand for, and how many edits
// they are away.
func (r *reference) nearest(word string, isWord bool) (words map[string]bool, edits int) {
	if !isWord || r.exact[word] || english().has(hashOn(hashSeed, []byte(word))) || strings.Trim(word, "0123456789") == "" {
		return nil, 0
	}
	for p := range r.prefix {
		if strings.HasPrefix(word, p) {
			return nil, 0
		}
	}
	for _, c := range word {
		if c >= 0x80 {
			return nil, 0
		}
	}
	edits = 3
	for w := range r.near {
		d := slowDistance(w, word)
		switch {
		case d > typosIn(len(w)) || d > edits:
		case d < edits:
			edits, words = d, map[string]bool{w: true}
		default:
			words[w] = true
		}
	}
	return words, edits
}

// slowDistance is the optimal string alignment distance by its definition.
func slowDistance(a, b string) int {
	switch {
	case a == "":
		return len(b)
	case b == "":
		return len(a)
	}
	if max(len(a)-len(b), len(b)-len(a)) > 2 {
		return 3
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// A place is how far a try has come.
type place struct {
	at    int   // tokens read
	last  *item // the token item before, nil at the beginning
	brk   uint8 // the break written since
	gap   bool  // a gap was written since
	typos int
}

// try calls found with every place that the items can lead to.
func (r *reference) try(msg *Message, ph *phrase, items []item, tail uint8, p place, found func(place)) {
	if len(items) == 0 {
		p.brk = max(p.brk, tail)
		found(p)
		return
	}
	it, rest := &items[0], items[1:]
	next := func(p place) { r.try(msg, ph, rest, tail, p, found) }
	p.brk = max(p.brk, it.lead)
	switch it.kind {
	case itemGap:
		p.gap = true
		next(p)
	case itemGroup:
		if it.optional {
			next(p)
		}
		for i := range it.group.alts {
			r.try(msg, ph, it.group.alts[i].items, it.group.alts[i].tail, p, next)
		}
	case itemToken:
		r.token(msg, ph, it, p, next)
	}
}

func (r *reference) token(msg *Message, ph *phrase, it *item, p place, next func(place)) {
	ts := msg.tokens
	allowed := p.brk
	if p.last != nil && (p.last.flags&charToken == 0 || it.flags&charToken == 0) {
		allowed = max(allowed, breakSoft)
	}
	if ph.whole {
		allowed = breakSentence // punctuation does not count
	}
	cost := 0
	for at := p.at; at < len(ts); at++ {
		if p.last != nil && (p.gap && ts[at].brk == breakSentence || !p.gap && ts[at].brk > allowed) {
			return
		}
		if typos, ok := r.is(msg, at, it, ph.options.forgives()); ok {
			next(place{at: at + 1, last: it, typos: p.typos + typos})
		}
		if ts[at].IsWord() {
			cost += wordCost
		} else {
			cost += charCost
		}
		if !p.gap || cost > gapBudget {
			return
		}
	}
}

// is reports whether token at is the word of the item.
func (r *reference) is(msg *Message, at int, it *item, typos bool) (edits int, ok bool) {
	word, isWord, key := msg.Word(at), msg.tokens[at].IsWord(), r.lex.entry(it).key
	switch {
	case it.prefix:
		return 0, isWord && strings.HasPrefix(word, key)
	case word == key:
		return 0, true
	case !typos:
		return 0, false
	}
	words, edits := r.nearest(word, isWord)
	return edits, words[key]
}

// find is Matcher.Find without regular expressions.
func (r *reference) find(msg *Message) []Hit {
	var all []Hit
	for id, ph := range r.phrases {
		if ph.re != nil {
			continue
		}
		for first := range msg.tokens {
			r.try(msg, ph, ph.seq.items, 0, place{at: first}, func(p place) {
				all = append(all, Hit{PhraseID(id), int32(first), int32(p.at), uint8(p.typos)})
			})
		}
	}
	// A try may skip tokens only between words, never before the first one.
	covered := make([]bool, len(msg.tokens))
	for _, h := range all {
		for k := h.First; k < h.Last && r.roles.Polite.Has(h.Phrase); k++ {
			covered[k] = true
		}
	}
	var out []Hit
	for _, h := range all {
		if r.phrases[h.Phrase].whole && (slices.Contains(covered[:h.First], false) || slices.Contains(covered[h.Last:], false)) {
			continue
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Phrase, b.Phrase), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Typos, b.Typos))
	})
	out = slices.CompactFunc(out, func(a, b Hit) bool { return a.First == b.First && a.Phrase == b.Phrase })
	slices.SortFunc(out, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Phrase, b.Phrase))
	})
	return out
}
