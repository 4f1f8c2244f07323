package rules

import (
	"errors"
	"maps"
	"slices"

	"escalator/rules/packs"
	"escalator/rules/text"
)

// setOf compiles entries into a set. list is the list that they are of, nil for those of a condition.
func (b *phraseBook) setOf(entries []wordEntry, list *wordList) *matchSet {
	set := &matchSet{}
	own := phraseGroup{weights: make(map[text.PhraseID]int, len(entries)), langs: map[text.PhraseID]string{}}
	if list != nil {
		own.list = list.name
		own.Masks = b.maskSet(list.masks)
	}
	some := false
	b.written = slices.Grow(b.written, len(entries))
	for _, e := range entries {
		if b.bad[e.node] && e.node != nil {
			continue
		}
		if l := b.wholeList(e); l != nil {
			if a := l.answer(); a != noAnswerGiven {
				l.used, b.answered = true, true
				set.answers |= a.bit()
				continue
			}
			set.include(b.listSet(l.name), e.weight)
			continue
		}
		for _, id := range b.add(e) {
			own.Phrases.Add(id)
			own.weights[id] = e.weight
			if e.lang != "" {
				own.langs[id] = e.lang
			}
			if e.behind {
				b.behind.Add(id)
			}
			some = true
			if e.node != nil {
				b.written = append(b.written, writtenPhrase{entry: e, id: id, list: own.list, set: set, weighted: list != nil && list.weighted})
			}
		}
	}
	if some {
		set.put(own)
	}
	return set
}

// counting is the set without the phrases whose weight is 0 or less: they calm, and are nothing to look for.
func (s *matchSet) counting() *matchSet {
	out := &matchSet{answers: s.answers}
	for _, g := range s.groups {
		if g.calms() {
			weights := maps.Clone(g.weights)
			maps.DeleteFunc(weights, func(_ text.PhraseID, weight int) bool { return weight <= 0 })
			g.Phrases, g.weights = text.PhraseSet{}, weights
			for id := range weights {
				g.Phrases.Add(id)
			}
		}
		out.put(g)
	}
	return out
}

// calms says that some phrase has a weight of 0 or less.
func (g *phraseGroup) calms() bool {
	for _, weight := range g.weights {
		if weight <= 0 {
			return true
		}
	}
	return false
}

// include adds the groups of another set; a weight other than 1 stands for those of the set.
func (s *matchSet) include(other *matchSet, weight int) {
	s.answers |= other.answers
	for _, g := range other.groups {
		if weight != 1 {
			weights := map[text.PhraseID]int{}
			for id := range g.weights {
				weights[id] = weight
			}
			g.weights = weights
		}
		s.put(g)
	}
}

// listSet compiles a list once.
func (b *phraseBook) listSet(name string) *matchSet {
	l := b.lists[name]
	l.used = true
	if l.set == nil {
		l.set = &matchSet{} // ends a cycle, which was reported
		set := b.setOf(l.entries, l)
		if name == packs.Framed {
			set.put(b.frames(l))
		}
		*l.set = *set
	}
	return l.set
}

// maskSet compiles masking phrases; a whole $name stands for the phrases of that list.
func (b *phraseBook) maskSet(entries []wordEntry) (masks text.PhraseSet) {
	for _, e := range entries {
		if b.bad[e.node] && e.node != nil {
			continue
		}
		if l := b.wholeList(e); l != nil {
			for _, g := range b.listSet(l.name).groups {
				for id := range g.weights {
					masks.Add(id)
				}
			}
			continue
		}
		for _, id := range b.add(e) {
			masks.Add(id)
		}
	}
	return masks
}

// add gives one phrase to the builder, or each of its alternatives; nothing if it is wrong.
func (b *phraseBook) add(e wordEntry) []text.PhraseID {
	var ids []text.PhraseID
	var err error
	if e.apart {
		ids, err = b.builder.Alternatives(e.text, e.options())
	} else {
		var id text.PhraseID
		id, err = b.builder.Add(e.text, e.options())
		ids = append(ids, id)
	}
	if err != nil {
		b.failPhrase(e, err)
		return nil
	}
	b.useIn(e)
	b.count += len(ids)
	return ids
}

// failPhrase reports what is wrong with a phrase, at the very character.
func (b *phraseBook) failPhrase(e wordEntry, err error) {
	syntax, ok := errors.AsType[*text.SyntaxError](err)
	if !ok {
		b.failInside(e, 0, "", "%s", err)
		return
	}
	if c := syntax.Class; c != nil && e.node != nil && slices.Contains(b.order, b.listOf(c)) {
		b.markBad(e.node) // the list's own phrase is to blame, and is reported at its place
		return
	}
	b.failInside(e, syntax.Offset, syntax.Hint, "%s", syntax.Message)
}
