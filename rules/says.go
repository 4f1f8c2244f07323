package rules

import (
	"escalator/rules/text"
)

// negation says what a negator does to a hit.
type negation uint8

const (
	negationRespect negation = iota
	negationIgnore
	negationRequire
)

// phraseTest is the condition on the words of one message, shared by says, said and bot_says.
type phraseTest struct {
	any      *matchSet   // nil: not asked for
	all      []*matchSet // each must be found
	mask     text.PhraseSet
	masking  bool
	negation negation
}

// finding is what a phrase test found: the hit that counts, or the one that would have counted but for why.
type finding struct {
	ok  bool
	hit int32 // -1: nothing at all
	why Reason
	by  int32 // the hit that negates or masks
}

// find tests the current message.
func (s *phraseTest) find(e *evaluation) finding {
	if len(e.hits) == 0 {
		return finding{hit: -1}
	}
	first := finding{hit: -1}
	if s.any != nil {
		if first = s.findIn(e, s.any); !first.ok {
			return first
		}
	}
	for _, set := range s.all {
		f := s.findIn(e, set)
		if !f.ok {
			return f
		}
		if first.hit < 0 {
			first = f
		}
	}
	return first
}

// findIn looks for the longest hit of a set that counts; failing that, for one that almost did.
func (s *phraseTest) findIn(e *evaluation, set *matchSet) finding {
	best, near := finding{hit: -1}, finding{hit: -1}
	for i := range e.hits {
		if !set.has(e.hits[i].Phrase) {
			continue
		}
		f := s.judge(e, set, i)
		switch {
		case !f.ok && near.hit < 0:
			near = f
		case f.ok && (best.hit < 0 || longer(e.hits[i], e.hits[best.hit])):
			best = f
		}
	}
	if best.ok {
		return best
	}
	return near
}

func longer(a, b text.Hit) bool { return a.Last-a.First > b.Last-b.First }

// judge says whether one hit of a set counts.
func (s *phraseTest) judge(e *evaluation, set *matchSet, i int) finding {
	if by := e.masked(set, i); by >= 0 {
		return finding{hit: int32(i), why: ReasonMasked, by: by}
	}
	if s.masking {
		if by := e.overlapping(&s.mask, i); by >= 0 {
			return finding{hit: int32(i), why: ReasonMasked, by: by}
		}
	}
	if s.negation != negationIgnore {
		by := e.negation(i)
		if by >= 0 && s.negation == negationRespect {
			return finding{hit: int32(i), why: ReasonNegated, by: by}
		}
		if by < 0 && s.negation == negationRequire {
			return finding{hit: int32(i), by: -1}
		}
	}
	return finding{ok: true, hit: int32(i)}
}

// appendMatches adds the hits that make the test hold, one for each phrase that is asked for.
func (s *phraseTest) appendMatches(e *evaluation, matches []Match) []Match {
	if s.any != nil {
		if f := s.findIn(e, s.any); f.ok {
			matches = append(matches, e.match(f.hit))
		}
	}
	for _, set := range s.all {
		if f := s.findIn(e, set); f.ok {
			matches = append(matches, e.match(f.hit))
		}
	}
	return matches
}

// explain says in words what was found.
func (s *phraseTest) explain(e *evaluation, f finding) string {
	switch {
	case f.hit < 0:
		return "none of its phrases is there"
	case f.ok:
		m := e.match(f.hit)
		if m.Text == m.Phrase {
			return "found " + m.Text
		}
		return "found " + m.Text + " (" + shorten(m.Phrase) + ")"
	case f.why == ReasonNegated:
		return e.words(f.hit) + " is negated by " + e.words(f.by)
	case f.why == ReasonMasked:
		return e.words(f.hit) + " is masked by " + e.words(f.by)
	}
	return e.words(f.hit) + " is not negated"
}
