package text

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

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

// Merge adds the phrases of another set.
func (s *PhraseSet) Merge(other *PhraseSet) {
	for i, bits := range other.bits {
		if i == len(s.bits) {
			s.bits = append(s.bits, 0)
		}
		s.bits[i] |= bits
	}
}

// Empty reports whether no phrase was added.
func (s *PhraseSet) Empty() bool { return len(s.bits) == 0 }

// Group is phrases that share their masks: a hit of them that overlaps a hit of
// a mask does not count.
type Group struct{ Phrases, Masks PhraseSet }

// Roles are the phrases that change what other phrases mean.
type Roles struct {
	Negators []Group   // refusals: do not want, 不要
	Behind   PhraseSet // negators that refuse only what stands before them: 不用了, いりません
	Asking   []Group   // what looks like a negation and asks: why can't I, 能不能
	Polite   []Group   // what a message can hold besides its matter: please, 吧
}

// IsNegator reports whether hits[i] is a negator that no mask takes back.
func (r *Roles) IsNegator(hits []Hit, i int) bool {
	return has(r.Negators, hits[i].Phrase) && Masked(hits, i, r.Negators) < 0
}

// has reports whether a phrase is in one of the groups.
func has(groups []Group, id PhraseID) bool {
	for i := range groups {
		if groups[i].Phrases.Has(id) {
			return true
		}
	}
	return false
}

// Masked returns the hit that masks hits[i] in the groups, -1 if hits[i] counts
// or its phrase is in none of them. It counts if one group that holds its phrase
// has no mask over it.
func Masked(hits []Hit, i int, groups []Group) int {
	by := -1
	for g := range groups {
		if !groups[g].Phrases.Has(hits[i].Phrase) {
			continue
		}
		if by = Overlapping(hits, i, &groups[g].Masks); by < 0 {
			return -1
		}
	}
	return by
}

// Overlapping returns a hit of the given phrases that shares a token with
// hits[i], -1 if there is none.
func Overlapping(hits []Hit, i int, phrases *PhraseSet) int {
	if phrases.Empty() {
		return -1
	}
	for j := range hits {
		if Overlaps(hits[i], hits[j]) && phrases.Has(hits[j].Phrase) {
			return j
		}
	}
	return -1
}

// Negation tells which hits of one message are refused. The answers are kept:
// several rules ask about the same hits. The zero value must be Reset.
type Negation struct {
	msg   *Message
	hits  []Hit
	roles *Roles

	read                     bool // the fields below are those of this message
	negators, asking, polite []int32
	reach                    []int32 // for each negator: the token before which what it refuses must begin; 0 if it refuses nothing that stands behind
	answers                  []int32 // for each hit: who refuses it, nobody or unknown
}

const (
	nobody  = -1
	unknown = -2
)

// Reset prepares for the hits of the last Find with msg.
func (n *Negation) Reset(msg *Message, hits []Hit, roles *Roles) {
	n.msg, n.hits, n.roles, n.read = msg, hits, roles, false
}

// Of returns the hit that refuses hits[i], -1 if none does. A negator N refuses
// a hit H when both are in one clause, no asking idiom shares a token with N, and
//
//   - H stands within N ("no refund needed", 不用转人工了); a frame also where N begins with it ("verbinden Sie mich nicht");
//   - or N begins before H, and no new sentence with its own subject or command
//     begins between them ("I don't want a bot I want a human", clauses.txt).
//     The beginning of H itself never refuses it: 我不想 does not refuse 不想要了;
//   - or N stands in a gap of H's phrase, but not elsewhere inside H;
//   - or N stands behind H, and is one of Roles.Behind or is followed by nothing
//     but polite words in the clause.
//
// Of several negators the shortest is named, which says best why: 别 rather than 先别.
func (n *Negation) Of(i int) int {
	if !n.read {
		n.readRoles()
	}
	if len(n.negators) == 0 {
		return nobody
	}
	if n.answers[i] == unknown {
		n.answers[i] = n.find(i)
	}
	return int(n.answers[i])
}

func (n *Negation) readRoles() {
	n.read = true
	n.negators, n.asking, n.polite, n.answers = n.negators[:0], n.asking[:0], n.polite[:0], n.answers[:0]
	for i := range n.hits {
		n.answers = append(n.answers, unknown)
		switch id := n.hits[i].Phrase; {
		case has(n.roles.Negators, id):
			n.negators = n.add(n.negators, i, n.roles.Negators)
		case has(n.roles.Asking, id):
			n.asking = n.add(n.asking, i, n.roles.Asking)
		case has(n.roles.Polite, id):
			n.polite = n.add(n.polite, i, n.roles.Polite)
		}
	}
	n.reach = n.reach[:0]
	for _, j := range n.negators {
		n.reach = append(n.reach, n.reachOf(n.hits[j]))
	}
}

// reachOf is how far a negator refuses what begins behind its own beginning: to the end of its clause, or to where a new
// sentence begins. Directly behind it, and behind words that only say how or to whom, it is carried on: 不用一直给我转.
func (n *Negation) reachOf(by Hit) int32 {
	ts := n.msg.tokens
	if by.First >= by.Last || n.roles.Behind.Has(by.Phrase) || n.looksBack(by) {
		return 0
	}
	carried := true
	for k := by.Last - 1; int(k) < len(ts)-1; k++ {
		carried = carried && (k == by.Last-1 || ts[k].flags&carrier != 0)
		if ts[k].ends() || !carried && ts[k+1].begins() || ts[k+1].clause != ts[k].clause {
			return k + 1
		}
	}
	return int32(len(ts))
}

func (n *Negation) add(to []int32, i int, groups []Group) []int32 {
	if Masked(n.hits, i, groups) >= 0 {
		return to
	}
	return append(to, int32(i))
}

func (n *Negation) find(i int) int32 {
	by := int32(nobody)
	for k, j := range n.negators {
		if int(j) != i && n.refuses(k, n.hits[i]) && (by < 0 || n.hits[j].len() < n.hits[by].len()) {
			by = j
		}
	}
	return by
}

// refuses reports whether a negator refuses h.
func (n *Negation) refuses(negator int, h Hit) bool {
	by, ts := n.hits[n.negators[negator]], n.msg.tokens
	if by.First >= by.Last || h.First >= h.Last || ts[by.First].clause != ts[by.Last-1].clause {
		return false
	}
	behind := n.roles.Behind.Has(by.Phrase)
	switch {
	case by.Last >= h.Last && (by.First < h.First || by.First == h.First && by.Last > h.Last && n.framed(h)):
		if n.within(by, h) || restarts(ts, by.First, h.First) {
			return false
		}
	case by.First >= h.Last:
		if ts[h.Last-1].clause != ts[by.First].clause || !behind && !n.endsClause(by) {
			return false
		}
	case by.First >= h.First && by.Last <= h.Last:
		if ts[by.Last-1].clause != ts[h.Last-1].clause || !n.inGap(by, h) {
			return false
		}
	case by.First >= h.First:
		frame := n.framed(h) // "einen Berater brauche ich nicht": the verb is a part, the refusal stands behind it
		if by.First == h.First || n.within(by, h) || !behind && !(frame && n.endsClause(by)) {
			return false
		}
	case n.reach[negator] <= h.First:
		return false
	case by.Last > h.First && (n.within(by, h) || n.beginsRefusing(h)):
		return false
	}
	return !n.asked(by)
}

// framed reports whether h is a hit of a frame.
func (n *Negation) framed(h Hit) bool {
	_, ok := n.msg.Framed(h)
	return ok
}

// inGap reports whether by stands in a gap of the phrase of h.
func (n *Negation) inGap(by, h Hit) bool {
	m := n.msg.search.matcher
	return m != nil && int(h.Phrase) < len(m.phrases) && (m.phrases[h.Phrase].gap || m.phrases[h.Phrase].frame) && m.skips(n.msg, h, by)
}

// within reports whether what negates in by is a part of h: h holds a negator of
// its own where by overlaps it.
func (n *Negation) within(by, h Hit) bool {
	from, _ := slices.BinarySearchFunc(n.negators, h.First, func(j, first int32) int { return cmp.Compare(n.hits[j].First, first) })
	for _, j := range n.negators[from:] {
		own := n.hits[j]
		if own.First >= by.Last {
			return false
		}
		if own.Last <= h.Last && Overlaps(own, by) {
			return true
		}
	}
	return false
}

// beginsRefusing reports whether h itself begins with a Chinese word of refusal:
// then 我不买 does not refuse 不买了, though 不买 alone is no negator.
func (n *Negation) beginsRefusing(h Hit) bool {
	r, _ := utf8.DecodeRune(n.msg.word(int(h.First)))
	return strings.ContainsRune("不别甭没未勿莫", r)
}

// looksBack reports whether by is a part of a longer negator that refuses only
// what stands before it: 不要 in は不要です.
func (n *Negation) looksBack(by Hit) bool {
	if n.roles.Behind.Empty() {
		return false
	}
	for _, j := range n.negators {
		if back := n.hits[j]; n.roles.Behind.Has(back.Phrase) && back.First <= by.First && back.Last >= by.Last {
			return true
		}
	}
	return false
}

// asked reports whether an asking idiom shares a token with by.
func (n *Negation) asked(by Hit) bool {
	for _, j := range n.asking {
		if Overlaps(n.hits[j], by) {
			return true
		}
	}
	return false
}

// restarts reports whether a new sentence begins between the token at from, of a negator, and a hit that begins at to.
func restarts(ts []Token, from, to int32) bool {
	for k := from; k < to; k++ {
		if ts[k].ends() || ts[k+1].begins() {
			return true
		}
	}
	return false
}

// endsClause reports whether nothing but polite words stands between the
// negator by and the end of its clause.
func (n *Negation) endsClause(by Hit) bool {
	ts := n.msg.tokens
	at := by.Last
	for int(at) < len(ts) && ts[at].clause == ts[by.Last-1].clause && !ts[at-1].ends() {
		next := at
		for _, j := range n.polite {
			if h := n.hits[j]; h.First <= at && h.Last > next {
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
