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
// A group that is written in several places is compiled once, like a phrase,
// and has symbols of its own: where it is written stands one position, which is
// taken when the group was found (see Matcher.complete).
//
// Where several positions end a group that is written once, they lead to one
// state without a word, a join, and what follows the group follows the join.
// Otherwise two groups of 100 words one after the other would have 10,000 edges.
type compiler struct {
	lex     *lexicon
	states  []protoState
	slots   []int32 // states by symbol and links, open addressing; 0 is free
	links   []link  // of all states
	accepts []pair  // states and the phrases, or ^symbols of groups, that end there
	behind  []pair  // states and the gaps and joins that they lead to without a word
	groups  map[groupKey][]groupEnd
	symbols []bool             // whether each symbol is of a group
	tells   []passSet          // of each phrase: where it means something by itself
	fills   []bool             // whether it does where it fills a message with others
	buckets []buckets          // of each phrase
	pairs   map[uint64]buckets // of words that are anchors
	marked  map[*group]buckets // with which the anchors of a group are noted
	chunk   []link
}

type protoState struct {
	hash   uint64
	symbol int32
	char   bool // its token is a character of a script without spaces
	links  span // in compiler.links
}

// A pair says that something belongs to a state.
type pair struct{ state, value int32 }

// A groupKey is a group and how its words may stand.
type groupKey struct {
	group *group
	how   manner
}

// A groupEnd is one of the ways in which a group can end, with its symbol.
type groupEnd struct {
	symbol int32
	char   bool  // its last token is a character of a script without spaces
	brk    uint8 // the break written behind that
}

// minShared is how many words a group must hold to be compiled once.
const minShared = 3

// maxInline is how many words a group that is written once may hold to be part
// of its phrase. A larger one is a list that a phrase names: most often its
// phrases are looked for by themselves too, and then its states are there.
const maxInline = 1000

// newCompiler makes room for the words that are written in so many phrases: most have one state and one link.
func newCompiler(lex *lexicon, phrases int) *compiler {
	for i := range lex.words {
		lex.words[i].exact, lex.words[i].near, lex.words[i].buckets = -1, -1, 0
	}
	for i := range lex.prefixes {
		lex.prefixes[i].exact, lex.prefixes[i].buckets = -1, 0
	}
	return &compiler{
		lex:     lex,
		states:  append(make([]protoState, 0, lex.tokens+1), protoState{symbol: rootSymbol}),
		slots:   make([]int32, 1<<bits.Len(uint(2*lex.tokens+16))),
		links:   make([]link, 0, lex.tokens),
		accepts: make([]pair, 0, phrases),
		tells:   make([]passSet, phrases),
		fills:   make([]bool, phrases),
		buckets: make([]buckets, phrases),
		pairs:   map[uint64]buckets{},
		marked:  map[*group]buckets{},
		groups:  map[groupKey][]groupEnd{},
	}
}

// phrase adds the states of a phrase.
func (c *compiler) phrase(id PhraseID, ph *phrase) {
	ends := c.sequence(&ph.seq, c.one(newLink(0, breakNone)), manner{ph.options.forgives(), ph.whole})
	for _, l := range ends {
		c.accepts = append(c.accepts, pair{l.state(), int32(id)})
	}
}

// one returns a list of one link. Most lists are, so they share memory.
func (c *compiler) one(l link) []link {
	if len(c.chunk) == cap(c.chunk) {
		c.chunk = make([]link, 0, 1024)
	}
	c.chunk = append(c.chunk, l)
	n := len(c.chunk)
	return c.chunk[n-1 : n : n]
}

// manner is how the words of a phrase may stand: with typing errors, and (those
// of a `=whole` phrase) with any punctuation between them.
type manner struct{ typos, loose bool }

// least is the strongest break that may stand before an item with a lead.
func (m manner) least(lead uint8) uint8 {
	if m.loose {
		return breakSentence
	}
	return lead
}

// sequence adds the states of a sequence that follows from, and returns what
// follows the sequence.
func (c *compiler) sequence(seq *sequence, from []link, how manner) []link {
	for i := 0; i < len(seq.items); {
		end := i + 1
		for end < len(seq.items) && seq.items[end].spaced {
			end++
		}
		if how.loose || end == i+1 {
			for k := range seq.items[i:end] {
				it := &seq.items[i+k]
				from = c.item(it, raise(from, how.least(it.lead)), how)
			}
		} else {
			from = c.piece(seq.items[i:end], from, how)
		}
		i = end
	}
	return raise(from, seq.tail)
}

// item adds the states of one item that follows from.
func (c *compiler) item(it *item, from []link, how manner) []link {
	switch it.kind {
	case itemGap:
		return c.gap(from)
	case itemGroup:
		return c.group(it, from, how)
	case itemToken:
	}
	return c.one(newLink(c.position(c.symbol(it, how.typos), from, it.flags&charToken != 0), breakNone))
}

// group adds the states of a group that follows from.
func (c *compiler) group(it *item, from []link, how manner) []link {
	var ends []link
	sh := &it.group.shape
	if it.optional || sh.empty {
		ends = slices.Clone(from)
	}
	if (it.group.uses > 1 && it.group.size >= minShared || it.group.size > maxInline) && sh.first < 0 && sh.last < 0 {
		for _, e := range c.shared(it.group, how) {
			ends = append(ends, newLink(c.position(e.symbol, from, e.char), e.brk))
		}
	} else {
		for k := range it.group.alts {
			ends = append(ends, c.sequence(&it.group.alts[k], from, how)...)
		}
	}
	return c.join(ends)
}

// shared adds the states of a group by itself, once, and returns its ends.
func (c *compiler) shared(g *group, how manner) []groupEnd {
	key := groupKey{g, how}
	if ends, ok := c.groups[key]; ok {
		return ends
	}
	var links []link
	for k := range g.alts {
		links = append(links, c.sequence(&g.alts[k], c.one(newLink(0, breakNone)), how)...)
	}
	var ends []groupEnd
	for _, l := range normalLinks(links) {
		s := &c.states[l.state()]
		if s.symbol == rootSymbol {
			continue // an empty alternative: the caller knows
		}
		end := groupEnd{char: s.char, brk: l.brk()}
		k := slices.IndexFunc(ends, func(e groupEnd) bool { return e.char == end.char && e.brk == end.brk })
		if k < 0 {
			end.symbol, k = c.newSymbol(true), len(ends)
			ends = append(ends, end)
		}
		c.accepts = append(c.accepts, pair{l.state(), ^ends[k].symbol})
	}
	c.groups[key] = ends
	return ends
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
			c.behind = append(doubled(c.behind), pair{l.state(), s})
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

// position returns the state of a symbol that follows from. The break in its
// links is the one that is written; edges says what that means.
func (c *compiler) position(symbol int32, from []link, char bool) int32 {
	start := len(c.links)
	for _, l := range from {
		before, brk := &c.states[l.state()], l.brk()
		switch {
		case before.symbol == rootSymbol, before.symbol == gapSymbol: // anything may stand there
			brk = breakNone
		case !before.char:
			brk = max(brk, breakSoft)
		}
		c.links = append(c.links, newLink(l.state(), brk))
	}
	s := c.state(symbol, start)
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
	c.states = append(doubled(c.states), protoState{hash: h, symbol: symbol, links: span{int32(start), int32(len(c.links))}})
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
	e := c.lex.entry(it)
	if !it.prefix && typos && e.forgivable {
		return c.number(&e.near)
	}
	return c.number(&e.exact)
}

// number gives a symbol its number when it is first used.
func (c *compiler) number(symbol *int32) int32 {
	if *symbol < 0 {
		*symbol = c.newSymbol(false)
	}
	return *symbol
}

func (c *compiler) newSymbol(group bool) int32 {
	c.symbols = append(c.symbols, group)
	return int32(len(c.symbols) - 1)
}
