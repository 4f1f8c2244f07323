package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"
)

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

// holdsBy says that a condition of this name is among the grounds.
func (k *cond) holdsBy(e *evaluation, name string) bool {
	some := false
	k.grounds(e, func(l *cond) { some = some || l.name == name })
	return some
}

// bySays says that the customer's own words of this turn, a `says`, are among the grounds.
func (k *cond) bySays(e *evaluation) bool { return k.holdsBy(e, saysCondition.key) }

// canHoldBy says that a condition of this name may be among the grounds on some turn.
func (k *cond) canHoldBy(name string) bool {
	if k == nil {
		return false
	}
	k = k.unwrap()
	return k.name == name || k.name != "not" && slices.ContainsFunc(k.kids, func(kid *cond) bool { return kid.canHoldBy(name) })
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
	Words     lang.Text
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
		words := g.Words.String()
		if g.Quotes {
			words = mask(words)
		}
		if words != "" {
			b.WriteString(": " + words)
		}
	}
	return b.String()
}

// Words joins the grounds for a reader who may see all of them.
func (w Why) Words() lang.Text {
	if len(w) == 0 {
		return ""
	}
	grounds := make([]lang.Text, len(w))
	for i, g := range w {
		grounds[i] = lang.Raw(g.Condition)
		if g.Words != "" {
			grounds[i] = lang.Say("%s: %s", g.Condition, g.Words)
		}
	}
	return lang.Join("; ", grounds...)
}

// why tells what makes a rule hold, if the caller wants to know.
func (e *evaluation) why(r *rule) (why Why) {
	if !e.t.WithWhy {
		return nil
	}
	r.when.grounds(e, func(k *cond) {
		_, quotes := k.leaf.(quoting)
		words := e.tried.told(k)
		if words == "" {
			words = k.leaf.explain(e, k.evalLeaf(e))
		}
		why = append(why, Ground{k.name, words, quotes})
	})
	if why == nil { // it holds because something is not so
		why = Why{{"not", lang.Raw(strings.TrimPrefix(r.when.trace(e).story().String(), "not ")), true}}
	}
	return why
}
