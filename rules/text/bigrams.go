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

// Chars returns how many characters the words have.
func (m *Message) Chars() int {
	n := 0
	for i := range m.tokens {
		n += utf8.RuneCount(m.word(i))
	}
	return n
}
