package text

import (
	"cmp"
	"slices"
)

// settle decides the `=whole` phrases among hits[known:], joins words to frames, puts the hits in
// order and keeps the shortest of each phrase and first token.
func (m *Matcher) settle(msg *Message, hits []Hit, known int) []Hit {
	found := hits[known:]
	if m.keepAll {
		found = m.settleWhole(msg, found)
	}
	if m.frames != nil {
		found = m.frameHits(msg, found)
	}
	if len(found) > 1 {
		slices.SortFunc(found, func(a, b Hit) int {
			return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Phrase, b.Phrase),
				cmp.Compare(a.Last, b.Last), cmp.Compare(a.Typos, b.Typos))
		})
		found = slices.CompactFunc(found, func(a, b Hit) bool {
			return a.First == b.First && a.Phrase == b.Phrase
		})
		slices.SortFunc(found, func(a, b Hit) int {
			return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Phrase, b.Phrase))
		})
	}
	return append(hits[:known], found...)
}

// settleWhole keeps of the `=whole` phrases the hits that leave nothing of the
// message but polite words.
func (m *Matcher) settleWhole(msg *Message, found []Hit) []Hit {
	head, tail := m.politeEnds(msg, found)
	n := int32(len(msg.tokens))
	out := found[:0]
	for _, h := range found {
		if !m.phrases[h.Phrase].whole || h.First <= head && h.Last >= n-tail {
			out = append(out, h)
		}
	}
	return out
}

// politeEnds returns how many tokens at the beginning and at the end of the
// message are covered by hits of polite phrases.
func (m *Matcher) politeEnds(msg *Message, found []Hit) (head, tail int32) {
	n := int32(len(msg.tokens))
	for grown := true; grown; {
		grown = false
		for _, h := range found {
			if !m.polite.Has(h.Phrase) {
				continue
			}
			if h.First <= head && h.Last > head {
				head, grown = h.Last, true
			}
			if h.Last >= n-tail && h.First < n-tail {
				tail, grown = n-h.First, true
			}
		}
	}
	return head, tail
}
