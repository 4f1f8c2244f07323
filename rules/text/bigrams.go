package text

import "unicode/utf8"

// Bigrams writes the hashed pairs of neighbouring characters of the words,
// without spaces and punctuation, into buf as they come, and counts the
// characters.
func (m *Message) Bigrams(buf []uint32) (pairs []uint32, chars int) {
	if cap(buf) < len(m.buf) {
		buf = make([]uint32, len(m.buf))
	}
	buf = buf[:cap(buf)]
	var last uint64
	for i := range m.tokens {
		word := m.word(i)
		for k := 0; k < len(word); {
			r, size := rune(word[k]), 1
			switch {
			case r < utf8.RuneSelf:
			case r>>4 == 0xe: // as Han is; the normal form is valid
				r, size = r&0xf<<12|rune(word[k+1]&0x3f)<<6|rune(word[k+2]&0x3f), 3
			default:
				r, size = utf8.DecodeRune(word[k:])
			}
			k += size
			if chars > 0 {
				buf[chars-1] = uint32((last<<21 | uint64(r)) * hashPrime >> 32)
			}
			last = uint64(r)
			chars++
		}
	}
	return buf[:max(0, chars-1)], chars
}
