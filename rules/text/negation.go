package text

// PhraseSet is a set of phrases. The zero value is empty.
type PhraseSet struct{ bits []uint64 }

// Add puts a phrase into the set.
func (s *PhraseSet) Add(id PhraseID) {
	for int(id>>6) >= len(s.bits) {
		s.bits = append(s.bits, 0)
	}
	s.bits[id>>6] |= 1 << (id & 63)
}

// Has reports whether the phrase is in the set.
func (s *PhraseSet) Has(id PhraseID) bool {
	return int(id>>6) < len(s.bits) && s.bits[id>>6]>>(id&63)&1 != 0
}

// Roles are the phrases that change what other phrases mean.
type Roles struct {
	Negators PhraseSet // refusals: do not want, 不要
	Idioms   PhraseSet // what looks like a negation and asks: why can't I
	Polite   PhraseSet // what a message can hold besides its matter: please, 吧
}

// Negated reports whether hits[i] stands under a negator, and which hit that
// is. hits are hits of the last Find with the message. A negator N negates a hit H when
//
//   - both are in one clause,
//   - N is not inside H, unless it stands in a gap of H's phrase,
//   - no idiom shares a token with N,
//   - N begins before H, and no new sentence with its own subject begins between
//     them ("I don't want a bot I want a human", clauses.txt);
//     or N stands behind H and nothing but polite words follow in the clause.
func Negated(msg *Message, hits []Hit, i int, r *Roles) (by int, negated bool) {
	for j := range hits {
		if j != i && r.Negators.Has(hits[j].Phrase) && negates(msg, hits, j, i, r) {
			return j, true
		}
	}
	return -1, false
}

// negates reports whether the negator hits[j] negates hits[i].
func negates(msg *Message, hits []Hit, j, i int, r *Roles) bool {
	n, h := hits[j], hits[i]
	ts := msg.tokens
	if n.First >= n.Last || h.First >= h.Last || n.Last > int32(len(ts)) || h.Last > int32(len(ts)) {
		return false
	}
	switch {
	case n.First >= h.First && n.Last <= h.Last:
		if ts[n.Last-1].clause != ts[h.Last-1].clause || !inGap(msg, h, n) {
			return false
		}
	case n.First < h.First:
		if ts[n.Last-1].clause != ts[h.First].clause || restarts(ts, n.Last, h.First) {
			return false
		}
	case n.First >= h.Last:
		if ts[h.Last-1].clause != ts[n.First].clause || !endsClause(msg, hits, n, r) {
			return false
		}
	default:
		return false
	}
	for _, x := range hits {
		if r.Idioms.Has(x.Phrase) && Overlaps(x, n) {
			return false
		}
	}
	return true
}

// inGap reports whether n stands in a gap of the phrase of h.
func inGap(msg *Message, h, n Hit) bool {
	m := msg.search.matcher
	return m != nil && int(h.Phrase) < len(m.phrases) && m.phrases[h.Phrase].gap && m.skips(msg, h, n)
}

// restarts reports whether a new sentence begins between a negator that ends
// at from and a hit that begins at to, with a word between the negator and it.
func restarts(ts []Token, from, to int32) bool {
	for k := from + 1; k <= to; k++ {
		if ts[k].flags&softStart != 0 {
			return true
		}
	}
	return false
}

// endsClause reports whether nothing but polite words stands between the
// negator n and the end of its clause.
func endsClause(msg *Message, hits []Hit, n Hit, r *Roles) bool {
	ts := msg.tokens
	at := n.Last
	for int(at) < len(ts) && ts[at].clause == ts[n.Last-1].clause {
		next := at
		for _, h := range hits {
			if h.First <= at && h.Last > next && r.Polite.Has(h.Phrase) {
				next = h.Last
			}
		}
		if next == at {
			return false
		}
		at = next
	}
	return true
}
