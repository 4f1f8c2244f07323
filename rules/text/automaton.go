package text

import (
	"cmp"
	"slices"
)

// An automaton is the compiled phrases, laid out flat. State 0 is the root.
//
// Most messages touch no state, for they have no anchor (anchors.go). The others
// ask for edges mostly in vain: a filter of some bits an edge stands before the
// table of the edges, which is too long for a near cache.
type automaton struct {
	gates   [2][]gate // of each state, with index alone for what began where nothing waits for it as a group
	states  []state
	edges   []edgeTo
	slots   []edgeSlot // (state, symbol) → edges, open addressing
	filter  []uint64   // one bit for each pair in slots
	shift   uint
	roots   []root  // by symbol
	accepts []int32 // phrases, or ^symbols of groups
	behind  []int32
}

// A span is a range of a flat array.
type span struct{ from, to int32 }

type state struct {
	accepts span
	behind  span // gaps and joins, which are entered with it
	flags   stateFlags
}

// A root is the edges of the root for one symbol, and the anchors of what they lead to.
type root struct {
	anchors [2]uint64 // as gates
	edges   span
}

type stateFlags uint8

const (
	isGap   stateFlags = 1 << iota
	live               // it has edges
	calls              // some of them are for groups
	accepts            // something ends there
	leadsOn            // there is something behind it
)

// An edgeTo leads to a state if no stronger break stands between than char
// allows before a character of a script without spaces, or word before a word:
// next to a word there is always room for a space or a hyphen.
type edgeTo struct {
	to    int32
	char  uint8
	word  uint8
	space bool // nothing but a space may stand between, and it must
}

func newEdge(to int32, brk uint8) edgeTo {
	if brk == justSpace {
		return edgeTo{to: to, space: true}
	}
	return edgeTo{to: to, char: brk, word: max(brk, breakSoft)}
}

// allows reports whether the break before a token lets the edge be taken.
func (e edgeTo) allows(t *Token, brk uint8) bool {
	switch {
	case e.space:
		return t.sep == ' ' && brk == breakSoft
	case t.IsWord():
		return brk <= e.word
	}
	return brk <= e.char
}

type edgeSlot struct {
	key   uint64 // state and symbol; 0, the root's, is never used
	edges span
}

func edgeKey(state, symbol int32) uint64 { return uint64(state)<<32 | uint64(uint32(symbol)) }

// automaton lays the states out.
func (c *compiler) automaton() *automaton {
	a := &automaton{states: make([]state, len(c.states)), roots: make([]root, len(c.symbols))}
	a.accepts = layOut(c.accepts, func(s int32) *span { a.states[s].flags |= accepts; return &a.states[s].accepts })
	a.behind = layOut(c.behind, func(s int32) *span { a.states[s].flags |= leadsOn; return &a.states[s].behind })
	a.gates = [2][]gate{c.gates(a, false), c.gates(a, true)}
	all, from := c.edgesBySource(a)
	a.edges = make([]edgeTo, len(all))
	a.newSlots(len(all))
	for s := range c.states {
		part := all[from[s]:from[s+1]]
		slices.SortFunc(part, func(x, y protoEdge) int {
			return cmp.Or(cmp.Compare(x.symbol, y.symbol), cmp.Compare(x.to.to, y.to.to))
		})
		for i := 0; i < len(part); {
			j := i
			for ; j < len(part) && part[j].symbol == part[i].symbol; j++ {
				a.edges[from[s]+int32(j)] = part[j].to
			}
			a.insert(edgeKey(int32(s), part[i].symbol), span{from[s] + int32(i), from[s] + int32(j)})
			i = j
		}
	}
	return a
}

type protoEdge struct {
	symbol int32
	to     edgeTo
}

// edgesBySource turns the links round: the edges of state s are
// all[from[s]:from[s+1]]. It notes in a which states are gaps and have edges.
func (c *compiler) edgesBySource(a *automaton) (all []protoEdge, from []int32) {
	from = make([]int32, len(c.states)+1)
	links := func(s int) []link {
		p := &c.states[s]
		if p.symbol == gapSymbol {
			a.states[s].flags |= isGap
		}
		if p.symbol < 0 {
			return nil // entered without a word
		}
		return c.links[p.links.from:p.links.to]
	}
	for s := range c.states {
		for _, l := range links(s) {
			a.states[l.state()].flags |= live
			if c.symbols[c.states[s].symbol] {
				a.states[l.state()].flags |= calls
			}
			from[l.state()+1]++
		}
	}
	for s := range c.states {
		from[s+1] += from[s]
	}
	all = make([]protoEdge, from[len(c.states)])
	next := slices.Clone(from)
	for s := range c.states {
		for _, l := range links(s) {
			at := &next[l.state()]
			all[*at] = protoEdge{c.states[s].symbol, newEdge(int32(s), l.brk())}
			*at++
		}
	}
	return all, from
}

// layOut puts the values of each state side by side, in the order in which they
// came, and notes where.
func layOut(pairs []pair, at func(state int32) *span) []int32 {
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.state, b.state) })
	flat := make([]int32, len(pairs))
	for i, p := range pairs {
		flat[i] = p.value
		s := at(p.state)
		if s.to == 0 {
			s.from = int32(i)
		}
		s.to = int32(i + 1)
	}
	return flat
}

func (a *automaton) newSlots(n int) {
	bits := uint(4)
	for 1<<bits < 2*n {
		bits++
	}
	a.slots, a.shift = make([]edgeSlot, 1<<bits), 64-bits
	a.filter = make([]uint64, 1<<(bits+filterBits)>>6)
}

// filterBits says how many more bits the filter has than the table has slots,
// as a power of two.
const filterBits = 2

// filterBit is the place of a hash in the filter.
func (a *automaton) filterBit(h uint64) (word int, bit uint64) {
	at := h >> (a.shift - filterBits)
	return int(at >> 6), 1 << (at & 63)
}

func (a *automaton) insert(key uint64, edges span) {
	if key>>32 == 0 {
		r := &a.roots[uint32(key)]
		r.edges = edges
		for _, e := range a.edges[edges.from:edges.to] {
			for k := range r.anchors {
				r.anchors[k] |= a.gates[k][e.to].anchors
			}
		}
		return
	}
	h := key * hashPrime
	word, bit := a.filterBit(h)
	a.filter[word] |= bit
	i := h >> a.shift
	for a.slots[i].key != 0 {
		i = (i + 1) & uint64(len(a.slots)-1)
	}
	a.slots[i] = edgeSlot{key, edges}
}

// may is false for most pairs of a state and a symbol that have no edge.
func (a *automaton) may(key uint64) bool {
	word, bit := a.filterBit(key * hashPrime)
	return a.filter[word]&bit != 0
}

// follow returns the edges of a state that is not the root for a symbol.
func (a *automaton) follow(state, symbol int32) []edgeTo {
	key := edgeKey(state, symbol)
	h := key * hashPrime
	if word, bit := a.filterBit(h); a.filter[word]&bit == 0 {
		return nil
	}
	for i := h >> a.shift; ; i = (i + 1) & uint64(len(a.slots)-1) {
		switch a.slots[i].key {
		case key:
			s := a.slots[i].edges
			return a.edges[s.from:s.to]
		case 0:
			return nil
		}
	}
}
