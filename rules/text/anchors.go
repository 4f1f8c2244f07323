package text

import (
	_ "embed"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Most messages hold no phrase, and most words that phrases begin with are the commonest there are. So each phrase
// has anchors: words of which every hit of it holds at least one, chosen as rare as they come. A word alone is an
// anchor, or two that stand side by side, which are much rarer. While the tokens of a message are read its anchors
// are noted as a set of bits, and each state of the automaton knows the anchors of the phrases that it leads to: it
// is entered only if the message has one of them. A message without any touches no state at all. Several anchors
// share a bit, so the set may hold more than there is, which costs time and changes nothing.

//go:embed data/frequent.txt
var frequentData string

// frequent holds the lines of frequent.txt by the hash of the word.
var frequent = loadFrequent(frequentData)

func loadFrequent(data string) map[uint64]int32 {
	weights := map[uint64]int32{}
	for line := range strings.Lines(data) {
		number, words, _ := strings.Cut(strings.TrimSpace(line), " ")
		weight, err := strconv.ParseInt(number, 10, 32)
		if err != nil {
			continue // a comment
		}
		for word := range strings.FieldsSeq(words) {
			if h := hashOn(hashSeed, []byte(word)); weights[h] == 0 {
				weights[h] = int32(weight)
			}
		}
	}
	return weights
}

const (
	rareWord = 2  // of 10,000 messages
	rareChar = 30 // a character of a script without spaces

	// pairShare is how much rarer two words side by side are than the rarer of them.
	pairShare = 8
	// unfounded is the weight of what a message need not hold.
	unfounded = 1 << 40
)

// weigh says how many of 10,000 messages hold a word, roughly.
func weigh(key string, hash uint64) int32 {
	if w := frequent[hash]; w > 0 {
		return w
	}
	if r, size := utf8.DecodeRuneInString(key); size == len(key) && classOf(r) == classChar {
		return rareChar
	}
	return rareWord
}

// An anchor is a bit of a set of anchors.
type anchor uint8

const noAnchor anchor = 64

func (a anchor) bit() uint64 { return 1 << a }

// The anchors that many messages hold have bits of their own: else each of them would open the way to a part of
// everything.
const (
	frequentAnchor = 50 // weight
	frequentBits   = 24
)

func newAnchor(hash uint64, weight int64) anchor {
	high, _ := bits.Mul64(hash*hashPrime, frequentBits)
	if weight < frequentAnchor {
		high, _ = bits.Mul64(hash*hashPrime, 64-frequentBits)
		high += frequentBits
	}
	return anchor(high)
}

// anchors chooses the anchors of a sequence, notes them in the lexicon, and returns their set.
func (l *lexicon) anchors(seq *sequence) uint64 {
	weight, at, pair := l.rarest(seq)
	if weight >= unfounded {
		return everyAnchor
	}
	it := &seq.items[at]
	switch {
	case pair:
		h := pairHash64(l.entry(&seq.items[at-1]).hash, l.entry(it).hash)
		a := newAnchor(h, weight)
		l.pairs = append(l.pairs, newPairSlot(h, a))
		return a.bit()
	case it.kind == itemToken:
		e := l.entry(it)
		e.anchor = newAnchor(e.hash, weight)
		return e.anchor.bit()
	}
	g := it.group
	if g.anchors == 0 {
		for i := range g.alts {
			g.anchors |= l.anchors(&g.alts[i])
		}
	}
	return g.anchors
}

const everyAnchor = ^uint64(0)

// rarest returns the item of a sequence, or with pair the two items that end with it, that the fewest messages hold.
func (l *lexicon) rarest(seq *sequence) (weight int64, at int, pair bool) {
	weight = unfounded
	for i := range seq.items {
		it := &seq.items[i]
		if w := l.weight(it); w < weight {
			weight, at, pair = w, i, false
		}
		if i > 0 {
			if w := l.pairWeight(&seq.items[i-1], it); w < weight {
				weight, at, pair = w, i, true
			}
		}
	}
	return weight, at, pair
}

func (l *lexicon) weight(it *item) int64 {
	switch {
	case it.kind == itemToken:
		return int64(l.entry(it).weight)
	case it.kind == itemGroup && !it.optional:
		g := it.group
		if g.weight == 0 {
			for i := range g.alts {
				w, _, _ := l.rarest(&g.alts[i])
				g.weight = min(g.weight+w, unfounded)
			}
		}
		return g.weight
	}
	return unfounded
}

// pairWeight is the weight of two items side by side, if both are words that must be typed right: of a pair the
// message is asked by the hashes of its tokens.
func (l *lexicon) pairWeight(a, b *item) int64 {
	if a.kind != itemToken || b.kind != itemToken || a.prefix || b.prefix {
		return unfounded
	}
	x, y := l.entry(a), l.entry(b)
	if x.forgivable || y.forgivable {
		return unfounded
	}
	return int64(max(1, min(x.weight, y.weight)/pairShare))
}

func pairHash64(a, b uint64) uint64 { return (bits.RotateLeft64(a, 29) ^ b) * hashPrime }

// A pairSlot is the hash of a pair with the anchor in its last bits. 0 is free.
type pairSlot uint64

const pairMask = 1<<6 - 1

func newPairSlot(hash uint64, a anchor) pairSlot { return pairSlot(hash&^pairMask | uint64(a)) }

// A pairTable is a set of pairs with open addressing behind a filter.
type pairTable struct {
	slots  []pairSlot
	filter []uint64
	shift  uint
}

func newPairTable(pairs []pairSlot) (t pairTable) {
	slices.Sort(pairs)
	pairs = slices.Compact(pairs)
	bits := uint(6)
	for 3<<bits < 4*len(pairs) {
		bits++
	}
	t = pairTable{slots: make([]pairSlot, 1<<bits), filter: make([]uint64, 1<<bits>>3), shift: 64 - bits}
	for _, p := range pairs {
		at := uint64(p) >> t.shift
		for t.slots[at] != 0 {
			at = (at + 1) & uint64(len(t.slots)-1)
		}
		t.slots[at] = p
		bit := uint64(p) >> (t.shift - 3)
		t.filter[bit>>6] |= 1 << (bit & 63)
	}
	return t
}

// anchors is the set of the anchor that two tokens side by side are, empty if they are none.
func (t *pairTable) anchors(a, b uint64) uint64 {
	h := pairHash64(a, b)
	if bit := h >> (t.shift - 3); t.filter[bit>>6]>>(bit&63)&1 == 0 {
		return 0
	}
	for at := h >> t.shift; t.slots[at] != 0; at = (at + 1) & uint64(len(t.slots)-1) {
		if p := uint64(t.slots[at]); (p^h)&^pairMask == 0 {
			return anchor(p & pairMask).bit()
		}
	}
	return 0
}
