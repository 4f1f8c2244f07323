package text

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// reference is a slow and obvious matcher: it tries every phrase at every
// token by backtracking over the parsed phrase.
type reference struct {
	phrases []*phrase
	lex     *lexicon
	polite  PhraseSet
	near    map[string]bool // words whose typing errors are forgiven
	exact   map[string]bool // all words
	prefix  map[string]bool
}

func newReference(b *Builder, polite PhraseSet) *reference {
	r := &reference{b.phrases, b.lex, polite, map[string]bool{}, map[string]bool{}, map[string]bool{}}
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

// spellings are the words that token i may be: as it stands, and with any of the
// pairs of letters that were drawn out as one letter.
func (r *reference) spellings(msg *Message, i int) []string {
	t := msg.tokens[i]
	all := []string{""}
	pairs := 0
	for at := t.key; at < t.keyEnd; {
		_, size := utf8.DecodeRune(msg.buf[at:])
		letter := string(msg.buf[at : at+int32(size)])
		drawn := t.flags&drawnToken != 0 && at > t.key && slices.Contains(msg.drawn, at)
		var longer []string
		for _, s := range all {
			if drawn {
				longer = append(longer, s)
			}
			if !drawn || pairs < maxPairs {
				longer = append(longer, s+letter)
			}
		}
		if drawn {
			pairs++
		}
		all = longer
		at += int32(size)
	}
	return all
}

// nearest returns the words that a token may stand for although none of its
// spellings is one, and how many edits they are away.
func (r *reference) nearest(spellings []string) (words map[string]bool, edits int) {
	if slices.ContainsFunc(spellings, r.known) {
		return nil, 0
	}
	edits = 3
	for _, word := range spellings {
		for w := range r.near {
			d := slowDistance([]rune(w), []rune(word))
			switch {
			case strings.Trim(word, "0123456789") == "" || strings.ContainsFunc(word, func(c rune) bool { return !forgiven(c) && !('0' <= c && c <= '9') }):
			case d > typosIn(utf8.RuneCountInString(w)) || d > edits:
			case d < edits:
				edits, words = d, map[string]bool{w: true}
			default:
				words[w] = true
			}
		}
	}
	return words, edits
}

// known reports whether nobody would take a word for a typing error.
func (r *reference) known(word string) bool {
	if r.exact[word] || commonWords().has(hashOn(hashSeed, []byte(word))) {
		return true
	}
	for p := range r.prefix {
		if strings.HasPrefix(word, p) {
			return true
		}
	}
	return false
}

// slowDistance is the optimal string alignment distance by its definition.
func slowDistance(a, b []rune) int {
	switch {
	case len(a) == 0:
		return len(b)
	case len(b) == 0:
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
	space bool  // a space must stand here although none is written
	typos int
}

// try calls found with every place that the items can lead to. split says that
// a space was skipped in the piece of Han that the first item goes on.
func (r *reference) try(msg *Message, ph *phrase, items []item, tail uint8, split bool, p place, found func(place)) {
	if len(items) == 0 {
		p.brk = max(p.brk, tail)
		found(p)
		return
	}
	it := &items[0]
	split = split && it.spaced
	p.brk = max(p.brk, it.lead)
	r.item(msg, ph, it, p, func(p place) { r.try(msg, ph, items[1:], tail, split, p, found) })
	if it.spaced && !split && !ph.whole {
		p.space = true
		r.item(msg, ph, it, p, func(p place) { r.try(msg, ph, items[1:], tail, true, p, found) })
	}
}

func (r *reference) item(msg *Message, ph *phrase, it *item, p place, next func(place)) {
	switch it.kind {
	case itemGap:
		p.gap = true
		next(p)
	case itemGroup:
		if it.optional {
			next(p)
		}
		for i := range it.group.alts {
			r.try(msg, ph, it.group.alts[i].items, it.group.alts[i].tail, false, p, next)
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
		if p.space {
			if ts[at].sep != ' ' || ts[at].brk != breakSoft {
				return
			}
			allowed = breakSoft
		}
		if p.last != nil && (p.gap && ts[at].brk >= breakSentence || !p.gap && ts[at].brk > allowed) {
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
	spellings, isWord, key := r.spellings(msg, at), msg.tokens[at].IsWord(), r.lex.entry(it).key
	switch {
	case it.prefix:
		return 0, isWord && slices.ContainsFunc(spellings, func(w string) bool { return strings.HasPrefix(w, key) })
	case slices.Contains(spellings, key):
		return 0, true
	case !typos || !isWord:
		return 0, false
	}
	words, edits := r.nearest(spellings)
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
			r.try(msg, ph, ph.seq.items, 0, false, place{at: first}, func(p place) {
				all = append(all, Hit{PhraseID(id), int32(first), int32(p.at), uint8(p.typos)})
			})
		}
	}
	// A try may skip tokens only between words, never before the first one.
	covered := make([]bool, len(msg.tokens))
	for _, h := range all {
		for k := h.First; k < h.Last && r.polite.Has(h.Phrase); k++ {
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
