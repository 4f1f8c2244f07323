package rules

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// fingerprint stands for one message of the customer: the smallest hashes of its pairs of characters, in order. A
// message of up to maxHashes different pairs is compared exactly; of a longer one the smallest hashes are a fair sample.
// The upper 16 bits of a hash are enough: what two different pairs share by chance is below what the sampling costs, and
// fingerprints are most of what a conversation takes.
//
// It is bytes, little-endian, so that all those of a conversation are one piece of memory: when the message came (8),
// how many different pairs it has (2), how many of their hashes are kept (1), its letters and digits, at most 255 (1), and
// the hashes (2 each).
type fingerprint []byte

const (
	printHead = 8 + 2 + 1 + 1
	maxHashes = 48
)

func (p fingerprint) at() int64      { return int64(binary.LittleEndian.Uint64(p)) }
func (p fingerprint) setAt(at int64) { binary.LittleEndian.PutUint64(p, uint64(at)) }
func (p fingerprint) pairs() int     { return int(binary.LittleEndian.Uint16(p[8:])) }
func (p fingerprint) kept() int      { return int(p[10]) }
func (p fingerprint) chars() int     { return int(p[11]) }
func (p fingerprint) hashes() []byte { return p[printHead:] }

// fingerprints are those of the last messages, at most maxStamps, the oldest first.
type fingerprints []byte

// first is the oldest one; there must be one.
func (f fingerprints) first() fingerprint { return fingerprint(f[:printHead+2*int(f[10])]) }

// all visits each with its place.
func (f fingerprints) all(visit func(i int, p fingerprint) bool) {
	for i := 0; len(f) > 0; i++ {
		p := f.first()
		if !visit(i, p) {
			return
		}
		f = f[len(p):]
	}
}

func (f fingerprints) count() (n int) {
	for range f.all {
		n++
	}
	return n
}

// since forgets what is older: no window reaches so far.
func (f fingerprints) since(at int64) fingerprints {
	left := f
	for len(left) > 0 && left.first().at() < at {
		left = left[len(left.first()):]
	}
	return append(f[:0], left...)
}

// add appends the fingerprint of a message.
func (f fingerprints) add(at int64, pairs *pairSet, chars int) fingerprints {
	if f.count() >= maxStamps {
		f = append(f[:0], f[len(f.first()):]...)
	}
	kept := min(pairs.count, maxHashes)
	if f == nil {
		f = make(fingerprints, 0, printHead+2*kept)
	}
	f = binary.LittleEndian.AppendUint64(f, uint64(at))
	f = binary.LittleEndian.AppendUint16(f, uint16(min(pairs.count, 1<<16-1)))
	f = append(f, uint8(kept), uint8(min(chars, 255)))
	return pairs.appendSmallest(f, kept)
}

// alike counts the messages of the last time that say about the same as the last one, itself included.
func (f fingerprints) alike(now, within int64, similarity float64, minChars int) (n int) {
	var newest fingerprint
	for _, p := range f.all {
		newest = p
	}
	if newest == nil || newest.chars() < minChars {
		return 0
	}
	for _, p := range f.all {
		if now-p.at() <= within && p.chars() >= minChars && p.alike(newest, similarity) {
			n++
		}
	}
	return n
}

// alike says that the Dice coefficient of two messages' pairs reaches the similarity; it is 1 for equal ones.
func (p fingerprint) alike(o fingerprint, similarity float64) bool {
	fewer, more := float64(min(p.pairs(), o.pairs())), float64(max(p.pairs(), o.pairs()))
	if 2*fewer < similarity*(fewer+more) {
		return false // even if all pairs of the shorter one were shared
	}
	if p.pairs() == o.pairs() && bytes.Equal(p.hashes(), o.hashes()) { // the very same words, as mostly when somebody asks again
		return true
	}
	if p.pairs() == p.kept() && o.pairs() == o.kept() {
		shared, _ := merge(p.hashes(), o.hashes(), p.kept()+o.kept())
		return 2*float64(shared) >= similarity*float64(p.kept()+o.kept())
	}
	shared, seen := merge(p.hashes(), o.hashes(), maxHashes)
	jaccard := float64(shared) / float64(seen)
	return 2*jaccard >= similarity*(1+jaccard)
}

// merge walks the smallest hashes of both and counts those that both have.
func merge(a, b []byte, most int) (shared, seen int) {
	for seen < most && len(a) > 0 && len(b) > 0 {
		x, y := binary.LittleEndian.Uint16(a), binary.LittleEndian.Uint16(b)
		if x == y {
			shared++
		}
		if x <= y {
			a = a[2:]
		}
		if y <= x {
			b = b[2:]
		}
		seen++
	}
	return shared, max(1, min(most, seen+(len(a)+len(b))/2))
}

// pairSet is the different hashes of one message, in order. Those of a usual message are entered into a table whose
// places are in the order of the hashes: one that finds its place taken moves on, and larger ones move on before it.
type pairSet struct {
	count  int
	sorted []uint32 // of a long message
	taken  [(pairSlots + maxTabled) / 64]uint64
	slots  [pairSlots + maxTabled]uint32
}

const (
	pairSlots = 256
	maxTabled = 192 // more would fill the table
)

// of makes it the set of some hashes, which may be sorted by it.
func (s *pairSet) of(hashes []uint32) *pairSet {
	if len(hashes) > maxTabled {
		slices.Sort(hashes)
		s.sorted = slices.Compact(hashes)
		s.count = len(s.sorted)
		return s
	}
	s.count, s.sorted, s.taken = 0, nil, [len(s.taken)]uint64{}
	for _, h := range hashes {
		s.enter(h)
	}
	return s
}

func (s *pairSet) enter(h uint32) {
	i := h / (1 << 32 / pairSlots)
	for ; s.has(i); i++ {
		switch other := s.slots[i]; {
		case other == h:
			return
		case other > h:
			s.slots[i], h = h, other
		}
	}
	s.slots[i] = h
	s.taken[i/64] |= 1 << (i % 64)
	s.count++
}

func (s *pairSet) has(i uint32) bool { return s.taken[i/64]>>(i%64)&1 != 0 }

// appendSmallest appends the upper halves of the n smallest hashes.
func (s *pairSet) appendSmallest(b []byte, n int) []byte {
	for _, h := range s.sorted[:min(n, len(s.sorted))] {
		b = binary.LittleEndian.AppendUint16(b, uint16(h>>16))
	}
	if s.sorted != nil {
		return b
	}
	for w := 0; n > 0; w++ {
		for taken := s.taken[w]; taken != 0 && n > 0; taken &= taken - 1 {
			h := s.slots[w*64+bits.TrailingZeros64(taken)]
			b = binary.LittleEndian.AppendUint16(b, uint16(h>>16))
			n--
		}
	}
	return b
}
