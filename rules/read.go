package rules

import (
	"slices"

	"escalator/rules/lang"
)

// To returns the finding for a reader of a language.
func (p Problem) To(l lang.Language) Problem {
	p.Message, p.Hint = p.Message.To(l), p.Hint.To(l)
	return p
}

// ProblemsTo returns findings for a reader of a language.
func ProblemsTo(ps []Problem, l lang.Language) []Problem {
	ps = slices.Clone(ps)
	for i := range ps {
		ps[i] = ps[i].To(l)
	}
	return ps
}

// To returns the story for a reader of a language. Its words only: results, phases and whether a part holds are names.
func (t Trace) To(l lang.Language) Trace {
	t.Summary, t.Rules = t.Summary.To(l), slices.Clone(t.Rules)
	for i := range t.Rules {
		r := &t.Rules[i]
		r.Why, r.Chain = r.Why.To(l), StopsTo(r.Chain, l)
		if r.Condition != nil {
			part := r.Condition.to(l)
			r.Condition = &part
		}
	}
	return t
}

// StopsTo returns a chain for a reader of a language.
func StopsTo(stops []Stop, l lang.Language) []Stop {
	stops = slices.Clone(stops)
	for i := range stops {
		stops[i].Closed = stops[i].Closed.To(l)
	}
	return stops
}

func (p PartTrace) to(l lang.Language) PartTrace {
	p.Why, p.Parts = p.Why.To(l), slices.Clone(p.Parts)
	for i := range p.Parts {
		p.Parts[i] = p.Parts[i].to(l)
	}
	return p
}
