package rules

import (
	"slices"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// figure is a number that Desk told. It lies between two bounds where a part of it is not known; the zero figure is one
// of which nothing is known.
type figure struct {
	low, high int
	known     bool
}

// exactly is a figure that is known, nil one that is not.
func exactly(n *int) figure {
	if n == nil {
		return figure{}
	}
	return figure{*n, *n, true}
}

// figureLeaf is a condition on a figure of the last reading: `agents_online` and `queue`.
type figureLeaf struct {
	what        lang.Text // the figure in words, which tells it from others
	of          func(*Reading) figure
	least, most *int
	ifUnknown   state // what the condition is where nobody knows the figure
}

// figureFields are the keys that conditions on a figure share.
func figureFields(what string) []field {
	return []field{
		{key: "at_least", of: aFigure, doc: "So many " + what + ", or more.", aka: []string{"min", "more_than", "over"}},
		{key: "at_most", of: aFigure, doc: "So many " + what + ", or fewer.", aka: []string{"max", "less_than", "under"}},
		{key: "if_unknown", of: aBool, doc: "What this condition is while Desk has not told the figure within a minute. Without it neither the condition nor its `not` holds then.", aka: []string{"unknown", "else", "default"}},
	}
}

var aFigure = &shape{name: "a whole number from 0 to 1000000", form: formInteger, min: 0, max: 1_000_000, examples: []string{"1"}}

// figure compiles what conditions on a figure share.
func (l *loader) figure(n *yaml.Node, what lang.Text, of func(*Reading) figure) *figureLeaf {
	f := &figureLeaf{what: what, of: of, ifUnknown: unfit}
	f.least, f.most = intPointer(l.get(n, "at_least")), intPointer(l.get(n, "at_most"))
	if known := l.get(n, "if_unknown"); known != nil {
		f.ifUnknown = truth(boolOf(known)).state
	}
	if f.least != nil && f.most != nil && *f.least > *f.most {
		l.fail(l.get(n, "at_most"), "swap the two", "this can never hold: at_least %d is above at_most %d", *f.least, *f.most)
	}
	return f
}

// judge says whether a figure lies within the bounds, unfit where that cannot be told.
func (l *figureLeaf) judge(f figure) state {
	switch {
	case !f.known:
		return unfit
	case l.least != nil && f.high < *l.least, l.most != nil && f.low > *l.most:
		return no
	case l.least != nil && f.low < *l.least, l.most != nil && f.high > *l.most:
		return unfit
	}
	return yes
}

// now is the figure as the last reading has it, if that still counts.
func (l *figureLeaf) now(e *evaluation) figure {
	if r := e.t.Desk.Fresh(e.t.At); r != nil {
		return l.of(r)
	}
	return figure{}
}

func (l *figureLeaf) holds(e *evaluation) verdict {
	s := l.judge(l.now(e))
	if s == unfit {
		s = l.ifUnknown
	}
	return verdict{state: s}
}

func (l *figureLeaf) explain(e *evaluation, _ verdict) lang.Text {
	f := l.now(e)
	told := lang.Say("%d %s", f.low, l.what)
	switch {
	case !f.known:
		told = lang.Say("Desk has not told the %s within %s", l.what, formatDuration(ReadingFor))
	case f.low != f.high:
		told = lang.Say("%d to %d %s", f.low, f.high, l.what)
	}
	if l.judge(f) != unfit {
		return told
	}
	switch l.ifUnknown {
	case yes:
		return lang.Say("%s: if_unknown makes it hold", told)
	case no:
		return lang.Say("%s: if_unknown makes it not hold", told)
	default:
		return lang.Say("%s: neither this nor its `not` holds", told)
	}
}

func (l *figureLeaf) implies(other leaf) bool {
	b, ok := other.(*figureLeaf)
	return ok && l.what == b.what && (l.ifUnknown != yes || b.ifUnknown == yes) &&
		(b.least == nil || l.least != nil && *l.least >= *b.least) && (b.most == nil || l.most != nil && *l.most <= *b.most)
}

func (l *figureLeaf) excludes(other leaf) lang.Text {
	b, ok := other.(*figureLeaf)
	if !ok || l.what != b.what || l.ifUnknown == yes && b.ifUnknown == yes || l.least == nil || b.most == nil || *l.least <= *b.most {
		return ""
	}
	return lang.Say("%d or more %s and %d or fewer at the same time", *l.least, l.what, *b.most)
}

func (l *figureLeaf) need(p *Policy) { p.asks.Reading = true }

// Asks says what the rules of a policy want to know of Desk: only that is read.
type Asks struct {
	// Reading says that some rule asks for agents or queue.
	Reading bool
	// Agents are those that rules name, in order.
	Agents []string
}

// Asks says what the rules want to know of Desk. It must not be changed.
func (p *Policy) Asks() Asks { return p.asks }

// askFor notes agents that a rule names.
func (a *Asks) askFor(agents []string) {
	a.Agents = append(a.Agents, agents...)
	slices.Sort(a.Agents)
	a.Agents = slices.Compact(a.Agents)
}
