package text

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxSegment is how many characters of one combining sequence are kept. No
// language comes near it; it bounds what marks heaped on one letter can cost.
const maxSegment = 32

// scan takes src[i:hi] into the normal form and the tokens, in one pass.
// Plain characters that are followed by plain ones go straight; the rest goes
// through segment.
func (m *Message) scan(i, hi int) {
	for i < hi {
		var next int
		switch c := m.src[i]; {
		case c < utf8.RuneSelf:
			next = m.ascii(i, hi)
		case c >= hanFirst && c <= hanLast:
			next = m.han(i, hi)
		default:
			next = m.other(i, hi)
		}
		if next == i {
			next = m.segment(i, hi)
		}
		i = next
	}
}

// joins reports whether the character at byte i may combine with the one before
// it, or hide one that does.
func (m *Message) joins(i, hi int) bool {
	return i != hi && byteClass[m.src[i]] == classDrop && m.joinsIndeed(i, hi)
}

// joinsIndeed is joins for a character that a byte does not tell of.
func (m *Message) joinsIndeed(i, hi int) bool {
	switch c := m.src[i]; c {
	case 0xd0, 0xd1: // Cyrillic letters; one that is cut off combines with nothing either
		return false
	default:
		if c < utf8.RuneSelf {
			return true
		}
	}
	r, size := utf8.DecodeRuneInString(m.src[i:hi])
	return !plain(r) && !(thaiMark(r) && m.plainAt(i+size, hi))
}

// plainAt reports whether a plain character stands at byte i, or nothing.
func (m *Message) plainAt(i, hi int) bool {
	if i == hi {
		return true
	}
	if c := m.src[i]; c < utf8.RuneSelf {
		return byteClass[c] != classDrop
	}
	r, _ := utf8.DecodeRuneInString(m.src[i:hi])
	return plain(r)
}

// ascii takes a run of ASCII letters and digits, or one other ASCII character,
// and returns its end. It leaves the last one if what follows may combine with
// it.
func (m *Message) ascii(i, hi int) int {
	s := m.src[:hi]
	switch c := s[i]; {
	case byteClass[c] == classLetter:
		end := i + 1
		for end < len(s) && byteClass[s[end]] == classLetter {
			end++
		}
		if m.joins(end, hi) {
			end--
		}
		if end > i {
			m.asciiWord(i, end)
		}
		return end
	case byteClass[c] == classDrop || m.joins(i+1, hi):
		return i
	case byteClass[c] == classSpace:
		m.space(rune(c))
	default:
		r, _ := foldRune(rune(c))
		m.mark(r)
	}
	return i + 1
}

// asciiWord takes a run of ASCII letters and digits.
func (m *Message) asciiWord(i, end int) {
	if !m.open {
		m.begin(0, i, rune(m.src[i]))
	}
	t := &m.tokens[len(m.tokens)-1]
	n, digits := len(m.buf), 0
	var last byte // of the word
	if n > int(t.key) {
		last = m.buf[n-1]
	}
	h, buf := t.hash, append(m.buf, m.src[i:end]...)
	for _, c := range buf[n:] {
		if c <= '9' {
			digits++
		} else {
			c |= 'a' - 'A'
		}
		if c == last && c > '9' && n >= int(t.key)+2 && buf[n-2] == c { // drawn out
			m.notePair(t, n-1)
			continue
		}
		buf[n] = c
		n++
		h = (h ^ uint64(c)) * hashPrime
		last = c
	}
	m.scripts[Latin] += int32(end - i - digits)
	t.letters = uint8(min(255, int(t.letters)+end-i))
	t.hash, m.buf = h, buf[:n]
	t.End, t.NormEnd, t.keyEnd = int32(end), int32(n), int32(n)
}

// The first bytes of the common Han characters in UTF-8.
const (
	hanFirst = 0xe4
	hanLast  = 0xe9
)

// han takes a run of common Han characters and returns its end. It leaves the
// last one if what follows may combine with it.
func (m *Message) han(i, hi int) int {
	s, start := m.src, i
	for i+3 <= hi && s[i] >= hanFirst && s[i] <= hanLast {
		r := rune(s[i]&0xf)<<12 | rune(s[i+1]&0x3f)<<6 | rune(s[i+2]&0x3f)
		if r < 0x4e00 || s[i+1]&0xc0 != 0x80 || s[i+2]&0xc0 != 0x80 {
			break
		}
		next := i + 3
		if next < hi && (s[next] < hanFirst || s[next] > hanLast) && m.joins(next, hi) {
			break
		}
		if v := simplified[r-firstVariant]; v != 0 {
			r = rune(v)
		}
		m.hanToken(i, r, i > start)
		i = next
	}
	m.scripts[Han] += int32(i-start) / 3
	return i
}

// hanToken adds a common Han character. In a run it stands next to the one
// before it.
func (m *Message) hanToken(i int, r rune, run bool) {
	if run {
		m.tokens = append(m.tokens, Token{flags: charToken | hanToken})
	} else {
		m.begin(charToken|hanToken, i, r)
	}
	t, at := &m.tokens[len(m.tokens)-1], int32(len(m.buf))
	a, b, c := 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f
	m.buf = append(m.buf, a, b, c)
	t.hash = (((hashSeed^uint64(a))*hashPrime^uint64(b))*hashPrime ^ uint64(c)) * hashPrime
	t.Start, t.End = int32(i), int32(i+3)
	t.NormStart, t.NormEnd, t.key, t.keyEnd = at, at+3, at, at+3
	t.letters = 1
}

// other takes one plain character of another script, or leaves it.
func (m *Message) other(i, hi int) int {
	r, size := utf8.DecodeRuneInString(m.src[i:hi])
	next := i + size
	switch {
	case plain(r):
		if m.joins(next, hi) {
			return i
		}
	case !thaiMark(r) || !m.plainAt(next, hi):
		return i
	}
	first, second := foldRune(unwide(r))
	m.emit(first, i, next)
	if second != 0 {
		m.emit(second, i, next)
	}
	return next
}

// emit takes one character of the normal form that stands for src[from:to].
func (m *Message) emit(r rune, from, to int) {
	switch classOf(r) {
	case classSpace:
		m.space(r)
	case classLetter:
		if !m.open {
			m.begin(0, from, r)
		}
		m.extend(r, to)
		m.addLetter(r)
	case classChar:
		m.begin(charToken, from, r)
		m.extend(r, to)
		m.addLetter(r)
	case classExtend:
		if len(m.tokens) == 0 || m.sep != (separator{}) {
			m.mark(r)
			return
		}
		m.extend(r, to)
		if scriptOf(r) == Devanagari {
			t := &m.tokens[len(m.tokens)-1]
			t.letters = max(t.letters, 2) // को दे दो are words of a syllable each, no letters set apart
		}
	default:
		m.mark(r)
	}
}

// segment takes one segment of combining characters that begins at byte i, and
// returns its end. Characters that the normal form leaves out are dropped
// before anything else, so that they hide no combination.
func (m *Message) segment(i, hi int) int {
	m.seg = m.seg[:0]
	from, to, n := -1, i, 0
	for i < hi {
		r, size := utf8.DecodeRuneInString(m.src[i:hi])
		if !ignorable(r) {
			if n > 0 && starts(r) {
				break
			}
			if n == 0 {
				from = i
			}
			if n < maxSegment {
				m.seg = utf8.AppendRune(m.seg, r)
			}
			n++
			to = i + size
		}
		i += size
	}
	m.fold()
	for b := m.nfkc; len(b) > 0; {
		r, size := utf8.DecodeRune(b)
		m.emit(r, from, to)
		b = b[size:]
	}
	return i
}

// fold brings m.seg into normal form, in m.nfkc. Folding can make a character
// that combines anew, so it is repeated until nothing changes.
func (m *Message) fold() {
	m.nfkc = norm.NFKC.Append(m.nfkc[:0], m.seg...)
	for range 4 {
		m.seg = foldBytes(m.seg[:0], m.nfkc)
		if bytes.Equal(m.seg, m.nfkc) {
			return
		}
		m.nfkc = norm.NFKC.Append(m.nfkc[:0], m.seg...)
	}
}

// foldBytes appends the folded form of src, which is in NFKC, to dst.
func foldBytes(dst, src []byte) []byte {
	var last rune
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		src = src[size:]
		if ignorable(r) || r == '\u0307' && last == 'i' {
			continue
		}
		first, second := foldRune(r)
		dst = utf8.AppendRune(dst, first)
		if second != 0 {
			dst = utf8.AppendRune(dst, second)
		}
		last = first
	}
	return dst
}
