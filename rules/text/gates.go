package text

// Groups are looked for wherever they can begin, and phrases mostly begin with the commonest words. A gate keeps the
// search out of the states of both unless they can come to something in this message.

// A gate says which messages a state is entered for: those with an anchor of one of its buckets.
type gate struct {
	buckets buckets // of all phrases that it leads to
	here    buckets // of those for which it matters that it was entered, whatever the next token is
}

// alone is the index of the gates for what began at a token where no phrase waits for a group: there a group can only
// begin one.
const alone = 1

// gates are those of a state: for what began where phrases wait for it as a group, and alone.
type gates [2]gate

// gates tells each state its gates, and returns them. Most states share theirs with others.
func (c *compiler) gates(a *automaton) (all []gates) {
	waited, lone := c.gatesFor(a, false), c.gatesFor(a, true)
	places := map[gates]int32{}
	for s := range c.states {
		g := gates{waited[s], lone[s]}
		place, known := places[g]
		if !known {
			place = int32(len(all))
			places[g], all = place, append(all, g)
		}
		a.states[s].gates = place
	}
	return all
}

// gatesFor finds for each state the buckets of the phrases that it leads to. What a state leads to was made after it,
// the places where a group is written after the group. With atRoot a group leads only to what begins with it.
func (c *compiler) gatesFor(a *automaton, atRoot bool) []gate {
	gates := make([]gate, len(c.states))
	groups := make([]buckets, len(c.symbols)) // of what follows each
	for s := len(c.states) - 1; s > 0; s-- {
		p, g := &c.states[s], &gates[s]
		for _, id := range a.acceptsOf(int32(s)) {
			if id < 0 {
				g.here |= groups[^id]
			} else {
				g.here |= c.buckets[id]
			}
		}
		if p.symbol == gapSymbol {
			g.here |= g.buckets // it stays
		}
		g.buckets |= g.here
		ofGroup := p.symbol >= 0 && c.symbols[p.symbol]
		for _, l := range c.links[p.links.from:p.links.to] {
			before := &gates[l.state()]
			before.buckets |= g.buckets
			switch {
			case p.symbol == joinSymbol: // opens looks at what is behind a state
				before.here |= g.here
			case p.symbol == gapSymbol, ofGroup: // the state before leads into the gap, or waits for the group
				before.here |= g.buckets
			}
			if ofGroup && (l.state() == 0 || !atRoot) {
				groups[p.symbol] |= g.buckets
			}
		}
	}
	return gates
}

// filling says of each symbol whether it is a word of a phrase that can fill a message with others.
func (c *compiler) filling(a *automaton) []bool {
	leads, symbols := make([]bool, len(c.states)), make([]bool, len(c.symbols))
	for s := len(c.states) - 1; s > 0; s-- {
		for _, id := range a.acceptsOf(int32(s)) {
			leads[s] = leads[s] || id < 0 && symbols[^id] || id >= 0 && c.fills[id]
		}
		if !leads[s] {
			continue
		}
		p := &c.states[s]
		if p.symbol >= 0 {
			symbols[p.symbol] = true
		}
		for _, l := range c.links[p.links.from:p.links.to] {
			leads[l.state()] = true
		}
	}
	return symbols
}

// gatesOf says which gates are for what began at a token.
func (s *search) gatesOf(first int32) int {
	if w := s.waits[first]; w.from == w.to {
		return alone
	}
	return 0
}

// begins reports whether something can begin with a token that is read in some ways.
func (m *Matcher) begins(s *search, readings []reading) bool {
	s.steps = maxSteps
	for _, r := range readings {
		root := &m.roots[r.symbol]
		if root.buckets[alone]&s.buckets == 0 {
			continue
		}
		for _, e := range m.edges[root.edges.from:root.edges.to] {
			if m.opens(s, alone, e.to) {
				return true
			}
		}
	}
	return false
}

// opens reports whether a state is worth entering: a phrase that it leads to has an anchor in the message, and
// something ends there or may go on with the next token. When the work on the token has been enough it reports true.
func (m *Matcher) opens(s *search, gates int, state int32) bool {
	g := &m.gatesOf(state)[gates]
	if g.buckets&s.buckets == 0 {
		return false
	}
	if s.steps--; s.steps < 0 || s.blind || g.here&s.buckets != 0 {
		return true
	}
	for _, r := range s.ahead {
		if m.may(edgeKey(state, r.symbol)) {
			return true
		}
	}
	if m.states[state].flags&leadsOn != 0 {
		for _, q := range m.behindOf(state) {
			if m.opens(s, gates, q) {
				return true
			}
		}
	}
	return false
}
