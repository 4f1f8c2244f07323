package text

import (
	"cmp"
	"slices"
)

// An automaton is the compiled phrases, laid out flat. State 0 is the root.
//
// Most messages touch no state, for they have no anchor (anchors.go). The others
// ask for edges mostly in vain: a filter of some bits an edge stands before the
// edges, which are too many for a near cache.
type automaton struct {
	gates   []gates  // those that states have, each once
	states  []state  // and one behind the last, where its values end
	edges   []edgeTo // of each state, by symbol
	filter  []uint64
	shift   uint
	roots   []root  // by symbol
	accepts []int32 // phrases, or ^symbols of groups
	behind  []int32 // gaps and joins, which are entered with the state
}

// A span is a range of a flat array.
type span struct{ from, to int32 }

// A state has the values from its own places in the flat arrays up to those of the next state.
type state struct {
	accepts, behind, edges int32
	gates                  int32
	flags                  stateFlags
}

func (a *automaton) acceptsOf(state int32) []int32 {
	return a.accepts[a.states[state].accepts:a.states[state+1].accepts]
}

func (a *automaton) behindOf(state int32) []int32 {
	return a.behind[a.states[state].behind:a.states[state+1].behind]
}

func (a *automaton) edgesOf(state int32) []edgeTo {
	return a.edges[a.states[state].edges:a.states[state+1].edges]
}

func (a *automaton) gatesOf(state int32) *gates { return &a.gates[a.states[state].gates] }

// A root is the edges of the root for one symbol, and the buckets of what they lead to.
type root struct {
	buckets [2]buckets // as gates
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
	symbol int32
	to     int32
	char   uint8
	word   uint8
	space  bool // nothing but a space may stand between, and it must
}

func newEdge(symbol, to int32, brk uint8) edgeTo {
	if brk == justSpace {
		return edgeTo{symbol: symbol, to: to, space: true}
	}
	return edgeTo{symbol: symbol, to: to, char: brk, word: max(brk, breakSoft)}
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

// edgeKey is a state and a symbol.
func edgeKey(state, symbol int32) uint64 { return uint64(state)<<32 | uint64(uint32(symbol)) }

// automaton lays the states out.
func (c *compiler) automaton() *automaton {
	a := &automaton{states: make([]state, len(c.states)+1), roots: make([]root, len(c.symbols))}
	a.accepts = a.layOut(c.accepts, accepts, func(s *state) *int32 { return &s.accepts })
	a.behind = a.layOut(c.behind, leadsOn, func(s *state) *int32 { return &s.behind })
	a.gates = c.gates(a)
	a.layOutEdges(c)
	a.newFilter()
	for from, all := int32(0), a.edgesOf(0); int(from) < len(all); {
		to, r := from, &a.roots[all[from].symbol]
		for ; int(to) < len(all) && all[to].symbol == all[from].symbol; to++ {
			for k := range r.buckets {
				r.buckets[k] |= a.gatesOf(all[to].to)[k].buckets
			}
		}
		r.edges, from = span{from, to}, to
	}
	return a
}

// layOut puts the values of each state side by side, in the order in which they
// came, notes where, and flags the states that have any.
func (a *automaton) layOut(pairs []pair, flag stateFlags, start func(*state) *int32) []int32 {
	for _, p := range pairs {
		s := &a.states[p.state]
		s.flags |= flag
		*start(s)++
	}
	a.sum(start)
	flat := make([]int32, len(pairs))
	for _, p := range slices.Backward(pairs) {
		at := start(&a.states[p.state])
		*at--
		flat[*at] = p.value
	}
	return flat
}

// sum makes how many values each state has into where they end. Who fills them
// in from behind then leaves there where they start.
func (a *automaton) sum(start func(*state) *int32) {
	for s := 1; s < len(a.states); s++ {
		*start(&a.states[s]) += *start(&a.states[s-1])
	}
}

// layOutEdges turns the links round, and flags the states that are gaps and those
// that have edges.
func (a *automaton) layOutEdges(c *compiler) {
	links := func(s int) []link {
		if p := &c.states[s]; p.symbol >= 0 {
			return c.links[p.links.from:p.links.to]
		}
		return nil // entered without a word
	}
	for s := range c.states {
		if c.states[s].symbol == gapSymbol {
			a.states[s].flags |= isGap
		}
		for _, l := range links(s) {
			before := &a.states[l.state()]
			before.edges++
			before.flags |= live
			if c.symbols[c.states[s].symbol] {
				before.flags |= calls
			}
		}
	}
	a.sum(func(s *state) *int32 { return &s.edges })
	a.edges = make([]edgeTo, a.states[len(c.states)].edges)
	for s := range c.states {
		for _, l := range links(s) {
			at := &a.states[l.state()].edges
			*at--
			a.edges[*at] = newEdge(c.states[s].symbol, int32(s), l.brk())
		}
	}
	for s := range c.states {
		slices.SortFunc(a.edgesOf(int32(s)), func(x, y edgeTo) int {
			return cmp.Or(cmp.Compare(x.symbol, y.symbol), cmp.Compare(x.to, y.to))
		})
	}
}

// newFilter makes the filter, of at least 8 bits an edge. The edges of the root are looked up by symbol.
func (a *automaton) newFilter() {
	bits := 6
	for 1<<bits < 8*len(a.edges) {
		bits++
	}
	a.filter, a.shift = make([]uint64, 1<<bits>>6), uint(64-bits)
	for s := range len(a.states) - 1 {
		for _, e := range a.edgesOf(int32(s)) {
			if s != 0 {
				word, bit := a.filterBit(edgeKey(int32(s), e.symbol))
				a.filter[word] |= bit
			}
		}
	}
}

// filterBit is the place of a key in the filter.
func (a *automaton) filterBit(key uint64) (word int, bit uint64) {
	at := key * hashPrime >> a.shift
	return int(at >> 6), 1 << (at & 63)
}

// may is false for most pairs of a state and a symbol that have no edge.
func (a *automaton) may(key uint64) bool {
	word, bit := a.filterBit(key)
	return a.filter[word]&bit != 0
}

// follow returns the edges of a state that is not the root for a symbol.
func (a *automaton) follow(state, symbol int32) []edgeTo {
	if !a.may(edgeKey(state, symbol)) {
		return nil
	}
	all := a.edgesOf(state)
	from, to := 0, len(all)
	for from < to {
		if mid := (from + to) / 2; all[mid].symbol < symbol {
			from = mid + 1
		} else {
			to = mid
		}
	}
	for to < len(all) && all[to].symbol == symbol {
		to++
	}
	return all[from:to]
}
