package text

import (
	"cmp"
	"slices"
)

// An automaton is the compiled phrases, laid out flat. State 0 is the root.
type automaton struct {
	states  []state
	edges   []edgeTo
	slots   []edgeSlot // (state, symbol) → edges, open addressing
	shift   uint
	roots   []span // symbol → edges of the root
	accepts []PhraseID
	behind  []int32
}

// A span is a range of a flat array.
type span struct{ from, to int32 }

type state struct {
	accepts span
	behind  span // gaps and joins, which are entered with it
	isGap   bool
	live    bool // it has edges
}

// An edgeTo leads to a state if no stronger break than brk stands between.
type edgeTo struct {
	to  int32
	brk uint8
}

type edgeSlot struct {
	key   uint64 // state and symbol; 0, the root's, is never used
	edges span
}

func edgeKey(state, symbol int32) uint64 { return uint64(state)<<32 | uint64(uint32(symbol)) }

// automaton lays the states out.
func (c *compiler) automaton() *automaton {
	a := &automaton{states: make([]state, len(c.states)), roots: make([]span, c.symbols)}
	a.accepts = layOut[PhraseID](c.accepts, func(s int32) *span { return &a.states[s].accepts })
	a.behind = layOut[int32](c.behind, func(s int32) *span { return &a.states[s].behind })
	type edge struct {
		key uint64
		to  edgeTo
	}
	all := make([]edge, 0, len(c.links))
	for s := range c.states {
		from := &c.states[s]
		if from.symbol < 0 {
			a.states[s].isGap = from.symbol == gapSymbol
			continue
		}
		for _, l := range c.links[from.links.from:from.links.to] {
			all = append(all, edge{edgeKey(l.state(), from.symbol), edgeTo{int32(s), l.brk()}})
			a.states[l.state()].live = true
		}
	}
	slices.SortFunc(all, func(x, y edge) int {
		return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.to.to, y.to.to))
	})
	a.edges = make([]edgeTo, len(all))
	for i, e := range all {
		a.edges[i] = e.to
	}
	a.newSlots(len(all))
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].key == all[i].key {
			j++
		}
		a.insert(all[i].key, span{int32(i), int32(j)})
		i = j
	}
	return a
}

// layOut puts the values of each state side by side, in the order in which they
// came, and notes where.
func layOut[T ~int32](pairs []pair, at func(state int32) *span) []T {
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.state, b.state) })
	flat := make([]T, len(pairs))
	for i, p := range pairs {
		flat[i] = T(p.value)
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
}

func (a *automaton) insert(key uint64, edges span) {
	if key>>32 == 0 {
		a.roots[uint32(key)] = edges
		return
	}
	i := key * hashPrime >> a.shift
	for a.slots[i].key != 0 {
		i = (i + 1) & uint64(len(a.slots)-1)
	}
	a.slots[i] = edgeSlot{key, edges}
}

// follow returns the edges of a state that is not the root for a symbol.
func (a *automaton) follow(state, symbol int32) []edgeTo {
	key := edgeKey(state, symbol)
	for i := key * hashPrime >> a.shift; ; i = (i + 1) & uint64(len(a.slots)-1) {
		switch a.slots[i].key {
		case key:
			s := a.slots[i].edges
			return a.edges[s.from:s.to]
		case 0:
			return nil
		}
	}
}
