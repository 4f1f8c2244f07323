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
// has anchors: words of which every hit of it holds at least one, chosen as rare as they come. An anchor is a word, or
// two words that stand side by side, which are much rarer. While the tokens of a message are read its anchors are
// noted as a set of bits, and each state of the automaton knows the anchors of the phrases that it leads to: it is
// entered only if the message has one of them (gates.go). A message without any touches no state at all. Several
// anchors share a bit, and a set of pairs may take another pair for one of its own: then the set of a message holds
// more than there is, which costs time and changes nothing.

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

func newAnchor(hash uint64, weight int32) anchor {
	high, _ := bits.Mul64(hash*hashPrime, frequentBits)
	if weight < frequentAnchor {
		high, _ = bits.Mul64(hash*hashPrime, 64-frequentBits)
		high += frequentBits
	}
	return anchor(high)
}

// anchors chooses the anchors of a sequence, notes them in the lexicon, and returns their set.
func (l *lexicon) anchors(seq *sequence) (set uint64) {
	weight, at, pairs := l.rarest(seq)
	if weight >= unfounded {
		return everyAnchor
	}
	it := &seq.items[at]
	switch {
	case pairs:
		left, right := l.beside(seq, at)
		for _, a := range left {
			for _, b := range right {
				h := wordPair(l.words[a].hash, l.words[b].hash)
				l.pairs = append(l.pairs, h)
				set |= pairAnchor(h).bit()
			}
		}
		return set
	case it.kind == itemToken:
		e := l.entry(it)
		e.anchor = newAnchor(e.hash, e.weight)
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

// rarest returns the item of a sequence, or with pairs the one of which the last word and what stands behind it,
// that the fewest messages hold.
func (l *lexicon) rarest(seq *sequence) (weight int64, at int, pairs bool) {
	weight = unfounded
	for i := range seq.items {
		if w := l.weight(&seq.items[i]); w < weight {
			weight, at, pairs = w, i, false
		}
	}
	for i := 0; i+1 < len(seq.items); i++ {
		if w := l.pairWeight(seq, i, weight); w < weight {
			weight, at, pairs = w, i, true
		}
	}
	return weight, at, pairs
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

// pairWeight is the weight of the pairs of a last word of the item at and a word that can stand behind it: each hit
// holds one of them. The sum may end above most.
func (l *lexicon) pairWeight(seq *sequence, at int, most int64) (sum int64) {
	left, right := l.beside(seq, at)
	if n := len(left) * len(right); n == 0 || n > maxSidePairs {
		return unfounded
	}
	for _, a := range left {
		for _, b := range right {
			sum += int64(max(1, min(l.words[a].weight, l.words[b].weight)/pairShare))
		}
		if sum >= most {
			break
		}
	}
	return sum
}

// maxSidePairs bounds how many pairs stand for one phrase.
const maxSidePairs = 512

// beside gives the last words of the item at and the words that can stand behind it, none if they are not known.
func (l *lexicon) beside(seq *sequence, at int) (left, right []int32) {
	if it := &seq.items[at]; it.kind == itemGroup && it.optional {
		return nil, nil
	}
	if left = l.outer(seq.items[:at+1], false, l.left[:0]); left == nil {
		return nil, nil
	}
	l.left = left
	if right = l.outer(seq.items[at+1:], true, l.right[:0]); right != nil {
		l.right = right
	}
	return left, right
}

// outer appends the words with which items can begin, or end, to words. It is nil if that may be anything else but a
// word, or nothing.
func (l *lexicon) outer(items []item, first bool, words []int32) []int32 {
	for n := range items {
		it := &items[n]
		if !first {
			it = &items[len(items)-1-n]
		}
		switch {
		case it.kind == itemToken && !it.prefix:
			return append(words, it.word)
		case it.kind != itemGroup:
			return nil
		}
		of := l.outerOf(it.group, first)
		if len(of) == 0 || len(words)+len(of) > maxSidePairs {
			return nil
		}
		if words = append(words, of...); !it.optional {
			return words
		}
	}
	return nil
}

// outerOf is outer for the alternatives of a group.
func (l *lexicon) outerOf(g *group, first bool) []int32 {
	side := &g.lasts
	if first {
		side = &g.firsts
	}
	if *side == nil {
		*side = []int32{}
		var all []int32
		for i := range g.alts {
			if all = l.outer(g.alts[i].items, first, all); all == nil {
				return nil
			}
		}
		slices.Sort(all)
		*side = slices.Compact(all)
	}
	return *side
}

func wordPair(a, b uint64) uint64 { return (bits.RotateLeft64(a, 29) ^ b) * hashPrime }

func pairAnchor(hash uint64) anchor { return newAnchor(hash, 0) }

// A pairSet holds pairs as three bits of one word each (a blocked Bloom filter): it takes a pair in a hundred for one that it
// does not hold.
type pairSet struct {
	bits  []uint64
	shift uint
}

func newPairSet(pairs []uint64) pairSet {
	n := uint(1)
	for 4<<n < len(pairs) {
		n++
	}
	s := pairSet{make([]uint64, 1<<n), 64 - n}
	for _, h := range pairs {
		s.bits[h>>s.shift] |= pairBits(h)
	}
	return s
}

func pairBits(h uint64) uint64 { return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) }

// anchors is the set of the anchor that two words side by side are, empty if they are none.
func (s *pairSet) anchors(a, b uint64) uint64 {
	h := wordPair(a, b)
	if want := pairBits(h); s.bits[h>>s.shift]&want != want {
		return 0
	}
	return pairAnchor(h).bit()
}
