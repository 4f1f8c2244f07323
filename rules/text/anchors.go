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
// two words that stand side by side, which are much rarer. Each phrase is in one of 64 buckets (buckets.go), and each
// anchor is known by the buckets of its phrases. While the tokens of a message are read the buckets of its anchors are
// noted as a set of bits, and each state of the automaton knows the buckets of the phrases that it leads to: it is
// entered only if the message has one of them (gates.go). A message without any touches no state at all. Several
// phrases share a bucket: then more states are entered than need be, which costs time and changes nothing.

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

// anchored says where the anchors of a sequence are: at an item, or with pairs where that item and the next one meet.
type anchored struct {
	weight int64 // how many of 10,000 messages hold one
	at     int32
	pairs  bool
	known  bool
}

// rarest chooses the anchors of a sequence that the fewest messages hold.
func (l *lexicon) rarest(seq *sequence) *anchored {
	a := &seq.anchored
	if a.known {
		return a
	}
	*a = anchored{weight: unfounded, known: true}
	for i := range seq.items {
		if w := l.weight(&seq.items[i]); w < a.weight {
			a.weight, a.at, a.pairs = w, int32(i), false
		}
	}
	for i := 0; i+1 < len(seq.items); i++ {
		if w := l.pairWeight(seq, i, a.weight); w < a.weight {
			a.weight, a.at, a.pairs = w, int32(i), true
		}
	}
	return a
}

func (l *lexicon) weight(it *item) int64 {
	switch {
	case it.kind == itemToken:
		return int64(l.entry(it).weight)
	case it.kind == itemGroup && !it.optional:
		g := it.group
		if g.weight == 0 {
			for i := range g.alts {
				g.weight = min(g.weight+l.rarest(&g.alts[i]).weight, unfounded)
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

// pairTable holds the pairs that are anchors with the buckets of their phrases. Most pairs of a message are none: three
// bits of one word of a filter say so (a blocked Bloom filter).
type pairTable struct {
	filter      []uint64
	filterShift uint
	slots       []pairSlot // open addressing
	shift       uint
}

// A pairSlot is free if it is of no bucket.
type pairSlot struct {
	hash    uint64
	buckets buckets
}

func newPairTable(pairs map[uint64]buckets) pairTable {
	n := uint(2)
	for 1<<n < 2*len(pairs) {
		n++
	}
	t := pairTable{filter: make([]uint64, 1<<(n-2)), filterShift: 64 - (n - 2), slots: make([]pairSlot, 1<<n), shift: 64 - n}
	for h, set := range pairs {
		t.filter[h>>t.filterShift] |= pairBits(h)
		at := h >> t.shift
		for t.slots[at].buckets != 0 {
			at = (at + 1) & uint64(len(t.slots)-1)
		}
		t.slots[at] = pairSlot{h, set}
	}
	return t
}

func pairBits(h uint64) uint64 { return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) }

// buckets are those of the anchor that two words side by side are, none if they are no anchor.
func (t *pairTable) buckets(a, b uint64) buckets {
	h := wordPair(a, b)
	if want := pairBits(h); t.filter[h>>t.filterShift]&want != want {
		return 0
	}
	at := h >> t.shift
	for t.slots[at].buckets != 0 && t.slots[at].hash != h {
		at = (at + 1) & uint64(len(t.slots)-1)
	}
	return t.slots[at].buckets
}
