package rules

import (
	"slices"

	"escalator/rules/text"
)

// implies says that wherever a holds, b holds too. It is sure when it says yes; a no may be a "cannot tell".
func implies(a, b *cond) bool {
	switch {
	case b.name == "all":
		return !slices.ContainsFunc(b.kids, func(k *cond) bool { return !implies(a, k) })
	case a.name == "any":
		return !slices.ContainsFunc(a.kids, func(k *cond) bool { return !implies(k, b) })
	case b.name == "any":
		return slices.ContainsFunc(b.kids, func(k *cond) bool { return implies(a, k) })
	case a.name == "all":
		return slices.ContainsFunc(a.kids, func(k *cond) bool { return implies(k, b) })
	case a.name == "not" && b.name == "not":
		return implies(b.kids[0], a.kids[0])
	case a.name == "not" || b.name == "not":
		return false
	}
	return leafImplies(a, b)
}

// leafImplies compares two plain conditions of the same kind: a asks for at least what b asks for.
func leafImplies(a, b *cond) bool {
	switch b := b.leaf.(type) {
	case *saysLeaf:
		a, ok := a.leaf.(*saysLeaf)
		return ok && phrasesImply(&a.test, &b.test)
	case *saidLeaf:
		switch a := a.leaf.(type) {
		case *saidLeaf:
			return a.within <= b.within && phrasesImply(&a.test, &b.test)
		case *saysLeaf: // the current message is one of those of the last time
			return phrasesImply(&a.test, &b.test)
		}
	case *missedLeaf:
		a, ok := a.leaf.(*missedLeaf)
		return ok && a.times >= b.times && a.within <= b.within && (a.inARow || !b.inARow)
	case *repeatsLeaf:
		a, ok := a.leaf.(*repeatsLeaf)
		return ok && a.times >= b.times && a.within <= b.within && a.similarity >= b.similarity && a.minChars >= b.minChars
	case *moodLeaf:
		a, ok := a.leaf.(*moodLeaf)
		return ok && a.key == b.key && a.atLeast >= b.atLeast && a.within == b.within
	case *rateLeaf:
		a, ok := a.leaf.(*rateLeaf)
		return ok && a.messages >= b.messages && a.within <= b.within
	case *turnsLeaf:
		a, ok := a.leaf.(*turnsLeaf)
		return ok && a.atLeast >= b.atLeast
	case *silentLeaf:
		a, ok := a.leaf.(*silentLeaf)
		return ok && a.after >= b.after
	case *sendsLeaf:
		a, ok := a.leaf.(*sendsLeaf)
		return ok && a.kinds&^b.kinds == 0
	case *languageLeaf:
		a, ok := a.leaf.(*languageLeaf)
		return ok && !slices.ContainsFunc(a.languages, func(l string) bool { return !slices.Contains(b.languages, l) })
	case *ruleLeaf:
		return implies(a, b.when)
	case *hoursLeaf:
		a, ok := a.leaf.(*hoursLeaf)
		return ok && a.calendar == b.calendar
	case *fieldLeaf:
		a, ok := a.leaf.(*fieldLeaf)
		return ok && a.path == b.path && (a.test == "equals" || a.test == "in") && (b.test == "equals" || b.test == "in") &&
			!slices.ContainsFunc(a.values, func(v fieldScalar) bool { return !slices.Contains(b.values, v) })
	}
	return false
}

// phrasesImply says that a message with the phrases of a has those of b: both look for one of several phrases, treat
// negation alike, nothing is excepted in b that a would count, and b has all phrases of a.
func phrasesImply(a, b *phraseTest) bool {
	if a.any == nil || b.any == nil || len(b.all) > 0 || a.negation != b.negation || b.masking {
		return false
	}
	for _, g := range a.any.groups {
		for id := range g.weights {
			if !b.any.hasPlain(id, g) {
				return false
			}
		}
	}
	return true
}

// hasPlain says that a set counts a phrase at least wherever the group g does: without masks, or with the same ones.
func (s *matchSet) hasPlain(id text.PhraseID, g phraseGroup) bool {
	for i := range s.groups {
		other := &s.groups[i]
		if other.ids.Has(id) && (!other.masked || other.list != "" && other.list == g.list) {
			return true
		}
	}
	return false
}
