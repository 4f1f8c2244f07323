package rules

import "strings"

// grounds visits the leaves that make a condition true: those in branches that hold, also through `rule`, under no `not`.
func (k *cond) grounds(e *evaluation, visit func(*cond)) {
	if k = k.unwrap(); k.name == "not" || k.eval(e) != yes {
		return
	}
	if k.leaf != nil {
		visit(k)
	}
	for _, kid := range k.kids {
		kid.grounds(e, visit)
	}
}

// bySays says that the customer's own words of this turn, a `says`, are among the grounds.
func (k *cond) bySays(e *evaluation) bool {
	some := false
	k.grounds(e, func(l *cond) { some = some || l.name == saysCondition.key })
	return some
}

// matches gives the words of this turn that are grounds.
func (k *cond) matches(e *evaluation) (matches []Match) {
	k.grounds(e, func(l *cond) {
		if m, ok := l.leaf.(matching); ok {
			matches = m.appendMatches(e, matches)
		}
	})
	return matches
}

// Why is what made a rule hold.
type Why []Ground

// Ground is a condition that held, and the story of it in words. Quotes says that the words may quote the customer.
type Ground struct {
	Condition string
	Words     string
	Quotes    bool
}

// Text joins the grounds in one line. Words that may quote the customer are passed through mask; where it leaves nothing
// of them, the condition is named alone.
func (w Why) Text(mask func(string) string) string {
	var b strings.Builder
	for i, g := range w {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(g.Condition)
		words := g.Words
		if g.Quotes {
			words = mask(words)
		}
		if words != "" {
			b.WriteString(": " + words)
		}
	}
	return b.String()
}

// why tells what makes a rule hold, if the caller wants to know.
func (e *evaluation) why(r *rule) (why Why) {
	if !e.t.WithWhy {
		return nil
	}
	r.when.grounds(e, func(k *cond) {
		_, quotes := k.leaf.(quoting)
		why = append(why, Ground{k.name, k.leaf.explain(e, k.evalLeaf(e)), quotes})
	})
	if why == nil { // it holds because something is not so
		why = Why{{"not", strings.TrimPrefix(r.when.trace(e).story(), "not "), true}}
	}
	return why
}
