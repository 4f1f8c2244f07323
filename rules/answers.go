package rules

import (
	"escalator/rules/text"
)

// offerAnswers adds $yes and $no when some rule makes an offer.
func (l *loader) offerAnswers() {
	for _, r := range l.policy.rules {
		if r.offer == nil {
			continue
		}
		l.policy.yes, l.policy.no = l.answerSet("yes"), l.answerSet("no")
		return
	}
}

// answerSet compiles a pack of whose phrases a whole message may be made: each phrase as the whole message, and as a
// part of it, so that "yes, connect me" is found too when it is made of two phrases. As parts, alternatives stand alone:
// the matcher reports the shortest hit of a phrase, and the longest one is wanted here.
func (l *loader) answerSet(name string) *matchSet {
	list := l.book.lists[name]
	list.used = true
	var entries []wordEntry
	for _, e := range list.entries {
		whole, part := e, e
		whole.whole, part.apart = true, true
		entries = append(entries, part, whole)
	}
	return l.book.setOf(entries, list)
}

// ids gives all phrases of a set.
func (s *matchSet) ids() text.PhraseSet {
	var all text.PhraseSet
	for _, g := range s.groups {
		for id := range g.weights {
			all.Add(id)
		}
	}
	return all
}
