package text

import (
	"slices"
	"unicode/utf8"
)

// Bigrams writes the sorted, distinct, hashed pairs of neighbouring characters
// of the normal form, without spaces and punctuation, into buf.
func (m *Message) Bigrams(buf []uint32) []uint32 {
	buf = buf[:0]
	var last rune
	for i := range m.tokens {
		for word := m.word(i); len(word) > 0; {
			r, size := utf8.DecodeRune(word)
			word = word[size:]
			if last != 0 {
				buf = append(buf, uint32((uint64(last)<<21|uint64(r))*hashPrime>>32))
			}
			last = r
		}
	}
	slices.Sort(buf)
	return slices.Compact(buf)
}

// Similarity is Dice's coefficient of two sets of bigrams: 1 if they are equal,
// 0 if they share nothing or one is empty.
func Similarity(a, b []uint32) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	shared := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			shared, i, j = shared+1, i+1, j+1
		}
	}
	return 2 * float64(shared) / float64(len(a)+len(b))
}
