package text

import (
	"slices"
	"unicode/utf8"
)

// Bigrams writes the sorted, distinct, hashed pairs of neighbouring characters
// of the words, without spaces and punctuation, into buf, and counts the
// characters.
func (m *Message) Bigrams(buf []uint32) (pairs []uint32, chars int) {
	buf = buf[:0]
	var last rune
	for i := range m.tokens {
		word := m.word(i)
		for k := 0; k < len(word); {
			r, size := rune(word[k]), 1
			if r >= utf8.RuneSelf {
				r, size = utf8.DecodeRune(word[k:])
			}
			k += size
			chars++
			if chars > 1 {
				buf = append(buf, uint32((uint64(last)<<21|uint64(r))*hashPrime>>32))
			}
			last = r
		}
	}
	return sortHashes(buf), chars
}

const (
	hashBuckets = 64
	maxBucketed = 1024 // more would make the buckets long: a bucket is sorted by insertion
)

// sortHashes sorts hashes and leaves out the double ones. They are spread
// evenly, so one pass by their first bits nearly sorts those of a usual
// message. Behind them in the memory of hashes it works.
func sortHashes(hashes []uint32) []uint32 {
	if len(hashes) > maxBucketed {
		slices.Sort(hashes)
		return slices.Compact(hashes)
	}
	var ends [hashBuckets]uint16
	for _, h := range hashes {
		ends[h/(1<<32/hashBuckets)]++
	}
	end := uint16(0)
	for i, n := range ends {
		end += n
		ends[i] = end
	}
	n := len(hashes)
	hashes = slices.Grow(hashes, n)
	nearly := hashes[n : 2*n]
	for _, h := range hashes {
		b := h / (1 << 32 / hashBuckets)
		ends[b]--
		nearly[ends[b]] = h
	}
	sorted := hashes[:0]
	for _, h := range nearly {
		at := len(sorted)
		for at > 0 && sorted[at-1] > h {
			at--
		}
		if at > 0 && sorted[at-1] == h {
			continue
		}
		sorted = append(sorted, h)
		for k := len(sorted) - 1; k > at; k-- {
			sorted[k] = sorted[k-1]
		}
		sorted[at] = h
	}
	return sorted
}
