package text

import (
	"math/bits"
	"slices"
)

// Symbols of states that no token has.
const (
	gapSymbol  = -1
	rootSymbol = -2
	joinSymbol = -3
)

// A link is a state that a position can follow, and the strongest break that
// may stand between.
type link uint64

func newLink(state int32, brk uint8) link { return link(uint64(state)<<8 | uint64(brk)) }

func (l link) state() int32 { return int32(l >> 8) }
func (l link) brk() uint8   { return uint8(l) }

// A compiler makes one automaton of all phrases. Its states are the positions
// of Glushkov's construction, one for each word written. Two positions, also of
// different phrases, are the same state if they have the same symbol and follow
// the same states, for then the same messages lead to them. So phrases share
// whatever they begin with, as in a trie, groups and gaps included.
//
// Where several positions end a group they lead to one state without a word, a
// join, and what follows the group follows the join. Otherwise two groups of
// 100 words one after the other would have 10,000 edges.
type compiler struct {
	states  []protoState
	slots   []int32 // states by symbol and links, open addressing; 0 is free
	links   []link  // of all states
	accepts []pair  // states and the phrases that end there
	behind  []pair  // states and the gaps and joins that they lead to without a word
	words   []wordEntry
	wordIDs map[string]int32
	prefix  []wordEntry
	prefIDs map[string]int32
	symbols int32
}

type protoState struct {
	hash   uint64
	symbol int32
	char   bool // its token is a character of a script without spaces
	links  span // in compiler.links
}

// A pair says that something belongs to a state.
type pair struct{ state, value int32 }

func newCompiler(phrases int) *compiler {
	return &compiler{
		states:  []protoState{{symbol: rootSymbol}},
		slots:   make([]int32, 1<<bits.Len(uint(16*phrases+16))),
		wordIDs: make(map[string]int32, phrases),
		prefIDs: map[string]int32{},
	}
}

// phrase adds the states of a phrase.
func (c *compiler) phrase(id PhraseID, ph *phrase) {
	ends := c.sequence(&ph.seq, []link{newLink(0, breakSentence)}, ph.options.forgives())
	for _, l := range ends {
		c.accepts = append(c.accepts, pair{l.state(), int32(id)})
	}
}

// sequence adds the states of a sequence that follows from, and returns what
// follows the sequence.
func (c *compiler) sequence(seq *sequence, from []link, typos bool) []link {
	for i := range seq.items {
		it := &seq.items[i]
		from = raise(from, it.lead)
		switch it.kind {
		case itemToken:
			from = []link{newLink(c.token(it, from, typos), breakNone)}
		case itemGap:
			from = c.gap(from)
		case itemGroup:
			var ends []link
			if it.optional {
				ends = slices.Clone(from)
			}
			for k := range it.alts {
				ends = append(ends, c.sequence(&it.alts[k], from, typos)...)
			}
			from = c.join(ends)
		}
	}
	return raise(from, seq.tail)
}

// raise lets at least the break brk stand before what follows.
func raise(from []link, brk uint8) []link {
	if brk == breakNone {
		return from
	}
	out := make([]link, len(from))
	for i, l := range from {
		out[i] = newLink(l.state(), max(l.brk(), brk))
	}
	return out
}

// normalLinks sorts links and keeps one for each state, with its strongest break.
func normalLinks(links []link) []link {
	slices.Sort(links)
	out := links[:0]
	for i, l := range links {
		if i+1 < len(links) && links[i+1].state() == l.state() {
			continue
		}
		out = append(out, l)
	}
	return out
}

// join puts joins behind the links that agree in what may stand behind them.
func (c *compiler) join(links []link) []link {
	for i, l := range links {
		switch s := &c.states[l.state()]; {
		case s.symbol == rootSymbol, s.symbol == gapSymbol:
			links[i] = newLink(l.state(), breakNone)
		case !s.char:
			links[i] = newLink(l.state(), max(l.brk(), breakSoft))
		}
	}
	links = normalLinks(links)
	var out []link
	var classes [2][breakSentence + 1][]link
	for _, l := range links {
		s := &c.states[l.state()]
		if s.symbol == rootSymbol || s.symbol == gapSymbol {
			out = append(out, l)
			continue
		}
		char := 0
		if s.char {
			char = 1
		}
		classes[char][l.brk()] = append(classes[char][l.brk()], newLink(l.state(), breakNone))
	}
	for char := range classes {
		for brk, class := range classes[char] {
			switch {
			case len(class) == 1:
				out = append(out, newLink(class[0].state(), uint8(brk)))
			case len(class) > 1:
				out = append(out, newLink(c.silent(joinSymbol, class, char == 1), uint8(brk)))
			}
		}
	}
	slices.Sort(out)
	return out
}

// silent returns the state without a word that follows the links.
func (c *compiler) silent(symbol int32, from []link, char bool) int32 {
	known, start := len(c.states), len(c.links)
	c.links = append(c.links, from...)
	s := c.state(symbol, start)
	if int(s) == known {
		c.states[s].char = char
		for _, l := range from {
			c.behind = append(c.behind, pair{l.state(), s})
		}
	}
	return s
}

// gap adds a gap that may follow from. A gap that follows another directly is
// the same gap.
func (c *compiler) gap(from []link) []link {
	var out, enter []link
	for _, l := range from {
		plain := newLink(l.state(), breakNone)
		if c.states[l.state()].symbol == gapSymbol {
			out = append(out, plain)
		} else {
			enter = append(enter, plain)
		}
	}
	if len(enter) > 0 {
		out = append(out, newLink(c.silent(gapSymbol, normalLinks(enter), false), breakNone))
	}
	return normalLinks(out)
}

// token returns the state of a word or character that follows from. Between
// two characters of scripts without spaces nothing may stand unless it is
// written; next to a word there is always room for a space or a hyphen.
func (c *compiler) token(it *item, from []link, typos bool) int32 {
	char := it.flags&charToken != 0
	start := len(c.links)
	for _, l := range from {
		before := &c.states[l.state()]
		brk := l.brk()
		switch {
		case before.symbol == rootSymbol, before.symbol == gapSymbol: // anything may stand there
			brk = breakNone
		case !char || !before.char:
			brk = max(brk, breakSoft)
		}
		c.links = append(c.links, newLink(l.state(), brk))
	}
	s := c.state(c.symbol(it, typos), start)
	c.states[s].char = char
	return s
}

// state returns the state with a symbol that follows links[start:], which are
// in order.
func (c *compiler) state(symbol int32, start int) int32 {
	from := c.links[start:]
	h := uint64(uint32(symbol))*hashPrime + hashSeed
	for _, l := range from {
		h = (h ^ h>>29 ^ uint64(l)) * hashPrime
	}
	mask := uint64(len(c.slots) - 1)
	i := h >> 20 & mask
	for ; c.slots[i] != 0; i = (i + 1) & mask {
		s := &c.states[c.slots[i]]
		if s.hash == h && s.symbol == symbol && slices.Equal(c.links[s.links.from:s.links.to], from) {
			c.links = c.links[:start]
			return c.slots[i]
		}
	}
	s := int32(len(c.states))
	c.states = append(c.states, protoState{hash: h, symbol: symbol, links: span{int32(start), int32(len(c.links))}})
	c.slots[i] = s
	if 2*len(c.states) > len(c.slots) {
		c.grow()
	}
	return s
}

// grow doubles the table of states.
func (c *compiler) grow() {
	c.slots = make([]int32, 2*len(c.slots))
	mask := uint64(len(c.slots) - 1)
	for s := 1; s < len(c.states); s++ {
		i := c.states[s].hash >> 20 & mask
		for c.slots[i] != 0 {
			i = (i + 1) & mask
		}
		c.slots[i] = int32(s)
	}
}

// symbol returns the symbol of a word.
func (c *compiler) symbol(it *item, typos bool) int32 {
	if it.prefix {
		e := entryOf(&c.prefix, c.prefIDs, it)
		return c.number(&e.exact)
	}
	e := entryOf(&c.words, c.wordIDs, it)
	if typos && forgivable(it.key) {
		return c.number(&e.near)
	}
	return c.number(&e.exact)
}

// entryOf returns the entry of a word, made if need be.
func entryOf(entries *[]wordEntry, ids map[string]int32, it *item) *wordEntry {
	id, ok := ids[it.key]
	if !ok {
		id = int32(len(*entries))
		ids[it.key] = id
		*entries = append(*entries, wordEntry{hash: it.hash, key: it.key, exact: -1, near: -1})
	}
	return &(*entries)[id]
}

// number gives a symbol its number when it is first used.
func (c *compiler) number(symbol *int32) int32 {
	if *symbol < 0 {
		*symbol = c.symbols
		c.symbols++
	}
	return *symbol
}

// forgivable reports whether typing errors in a word may be forgiven: it is of
// ASCII letters and long enough.
func forgivable(word string) bool {
	for i := range len(word) {
		if word[i] < 'a' || word[i] > 'z' {
			return false
		}
	}
	return typosIn(len(word)) > 0
}

// vocabulary makes the vocabulary of all phrases.
func (c *compiler) vocabulary() *vocabulary {
	v := &vocabulary{words: newTable(c.words), prefixes: newTable(c.prefix)}
	var near []nearWord
	for _, e := range c.words {
		if e.near >= 0 {
			near = append(near, nearWord{e.key, e.near})
		}
	}
	for _, e := range c.prefix {
		v.lengths |= 1 << min(len(e.key), 63)
	}
	if len(near) > 0 {
		v.near, v.common = newTypoIndex(near), english()
	}
	return v
}
