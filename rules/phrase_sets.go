package rules

import (
	"errors"

	"escalator/rules/text"
)

// setOf compiles entries into a set. list is the list that they are of, nil for those of a condition.
func (b *phraseBook) setOf(entries []wordEntry, list *wordList) *matchSet {
	set := &matchSet{}
	own := phraseGroup{weights: map[text.PhraseID]int{}}
	if list != nil {
		own.list = list.name
		own.masks, own.masked = b.maskSet(list.masks)
	}
	some := false
	for _, e := range entries {
		if b.bad[e.node] && e.node != nil {
			continue
		}
		if name, ok := b.wholeName(e); ok && b.isList(name, e) {
			set.include(b.listSet(name), e.weight)
			continue
		}
		if id, ok := b.add(e); ok {
			own.ids.Add(id)
			own.weights[id] = e.weight
			some = true
			if e.node != nil {
				b.written = append(b.written, writtenPhrase{entry: e, id: id, list: own.list, set: set, weighted: list != nil && list.weighted})
			}
		}
	}
	if some {
		set.groups = append(set.groups, own)
	}
	return set
}

// isList says that a name means a list here and not a private class of a pack file.
func (b *phraseBook) isList(name string, e wordEntry) bool {
	_, private := e.words[name]
	return !private
}

// counting is the set without the phrases whose weight is 0 or less: they calm, and are nothing to look for.
func (s *matchSet) counting() *matchSet {
	out := &matchSet{}
	for _, g := range s.groups {
		ids, weights := text.PhraseSet{}, map[text.PhraseID]int{}
		for id, weight := range g.weights {
			if weight > 0 {
				ids.Add(id)
				weights[id] = weight
			}
		}
		if len(weights) == len(g.weights) {
			out.groups = append(out.groups, g)
			continue
		}
		g.ids, g.weights = ids, weights
		out.groups = append(out.groups, g)
	}
	return out
}

// include adds the groups of another set; a weight other than 1 stands for those of the set.
func (s *matchSet) include(other *matchSet, weight int) {
	for _, g := range other.groups {
		if weight != 1 {
			weights := map[text.PhraseID]int{}
			for id := range g.weights {
				weights[id] = weight
			}
			g.weights = weights
		}
		s.groups = append(s.groups, g)
	}
}

// listSet compiles a list once.
func (b *phraseBook) listSet(name string) *matchSet {
	l := b.lists[name]
	l.used = true
	if l.set == nil {
		l.set = &matchSet{} // ends a cycle, which was reported
		*l.set = *b.setOf(l.entries, l)
	}
	return l.set
}

// maskSet compiles masking phrases; a whole $name stands for the phrases of that list.
func (b *phraseBook) maskSet(entries []wordEntry) (masks text.PhraseSet, some bool) {
	for _, e := range entries {
		if b.bad[e.node] && e.node != nil {
			continue
		}
		if name, ok := b.wholeName(e); ok && b.isList(name, e) {
			for _, g := range b.listSet(name).groups {
				for id := range g.weights {
					masks.Add(id)
					some = true
				}
			}
			continue
		}
		if id, ok := b.add(e); ok {
			masks.Add(id)
			some = true
		}
	}
	return masks, some
}

// add gives one phrase to the builder.
func (b *phraseBook) add(e wordEntry) (text.PhraseID, bool) {
	expanded, back, ok := b.expand(e)
	if !ok {
		return 0, false
	}
	id, err := b.builder.Add(expanded, text.Options{NoTypos: e.noTypos, Lang: e.lang})
	if err == nil {
		b.count++
		if expanded != e.text {
			b.originals[id] = e.text
		}
		return id, true
	}
	if syntax, ok := errors.AsType[*text.SyntaxError](err); ok {
		b.failInside(e, back.original(syntax.Offset), syntax.Hint, "%s", syntax.Message)
	} else {
		b.failInside(e, 0, "", "%s", err)
	}
	return 0, false
}
