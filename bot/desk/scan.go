package desk

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// scanner reads JSON from front to back, once, and checks it on the way: it takes what
// gjson.Valid takes. That is cheaper than a pass to validate and one more to read. Where
// the text is no JSON it becomes bad, and what it read last is a piece of anything: look at
// bad before that is used.
//
// It recurses once per level, so call tooDeep first.
type scanner struct {
	b   []byte
	at  int
	bad bool
}

// value is a value as it is written, spaces around it left out; nothing where raw is empty.
type value struct {
	raw   string
	plain bool // a string of ASCII, without escapes
}

func (s *scanner) fail() { s.bad, s.at = true, len(s.b) }

// token skips spaces and returns the byte that follows, 0 at the end.
func (s *scanner) token() byte {
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// more goes on to the next part of an object or array, or behind its end: then it is false.
func (s *scanner) more(end byte, first bool) bool {
	switch c := s.token(); {
	case c == end && s.at < len(s.b):
		s.at++
		return false
	case first:
		return !s.bad
	case c == ',':
		s.at++
		return true
	}
	s.fail()
	return false
}

// key reads the name of a member and the colon behind it.
func (s *scanner) key() string {
	if s.token() != '"' {
		s.fail()
		return ""
	}
	name := s.quoted()
	if s.token() != ':' {
		s.fail()
		return ""
	}
	s.at++
	return name.unquote()
}

// value reads a value of any kind.
func (s *scanner) value() value {
	c, from := s.token(), s.at
	switch c {
	case '"':
		return s.quoted()
	case '{':
		s.at++
		for first := true; s.more('}', first); first = false {
			s.key()
			s.value()
		}
	case '[':
		s.at++
		for first := true; s.more(']', first); first = false {
			s.value()
		}
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		s.number()
	}
	return value{raw: view(s.b[from:s.at])}
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// quoted reads a string, eight bytes at a time: words are most of a callback.
func (s *scanner) quoted() value {
	from, plain := s.at, true
	i := from + 1
	for i < len(s.b) {
		if i+8 <= len(s.b) {
			w := binary.LittleEndian.Uint64(s.b[i:])
			quotes, slashes := w^('"'*ones), w^('\\'*ones)
			// The lowest bit that is set is right; one above it may not be.
			stops := ((w-' '*ones)&^w | (quotes-ones)&^quotes | (slashes-ones)&^slashes) & highs
			if stops == 0 {
				plain = plain && w&highs == 0
				i += 8
				continue
			}
			n := bits.TrailingZeros64(stops) &^ 7 // what is below it is words
			plain = plain && w&highs&(1<<n-1) == 0
			i += n / 8
		}
		switch c := s.b[i]; {
		case c == '"':
			s.at = i + 1
			return value{raw: view(s.b[from:s.at]), plain: plain}
		case c == '\\':
			plain = false
			if i = s.escape(i + 1); i == 0 {
				return value{}
			}
		case c < ' ':
			s.fail()
			return value{}
		default:
			plain = plain && c < utf8.RuneSelf
			i++
		}
	}
	s.fail()
	return value{}
}

// escape returns where the text goes on behind an escape, 0 where it is none.
func (s *scanner) escape(i int) int {
	if i < len(s.b) {
		switch s.b[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			return i + 1
		case 'u':
			if i+5 <= len(s.b) && isHex(s.b[i+1]) && isHex(s.b[i+2]) && isHex(s.b[i+3]) && isHex(s.b[i+4]) {
				return i + 5
			}
		}
	}
	s.fail()
	return 0
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func (s *scanner) word(w string) {
	if len(s.b)-s.at < len(w) || view(s.b[s.at:s.at+len(w)]) != w {
		s.fail()
		return
	}
	s.at += len(w)
}

func (s *scanner) number() {
	if s.is('-') {
		s.at++
	}
	if s.is('0') {
		s.at++
	} else {
		s.digits()
	}
	if s.is('.') {
		s.at++
		s.digits()
	}
	if s.is('e') || s.is('E') {
		s.at++
		if s.is('+') || s.is('-') {
			s.at++
		}
		s.digits()
	}
}

func (s *scanner) is(c byte) bool { return s.at < len(s.b) && s.b[s.at] == c }

// digits reads one at least.
func (s *scanner) digits() {
	from := s.at
	for s.at < len(s.b) && '0' <= s.b[s.at] && s.b[s.at] <= '9' {
		s.at++
	}
	if s.at == from {
		s.fail()
	}
}

// ended reports whether nothing but spaces follows, and all before it is JSON.
func (s *scanner) ended() bool { return s.token() == 0 && s.at == len(s.b) && !s.bad }

// result is the value as gjson has it: for what is rare.
func (v value) result() gjson.Result { return gjson.Parse(v.raw) }

// unquote returns what a string says; it may be no UTF-8.
func (v value) unquote() string {
	if v.raw == "" {
		return ""
	}
	if inner := v.raw[1 : len(v.raw)-1]; v.plain {
		return inner
	}
	return v.result().Str
}

// text is text for a value.
func (v value) text() string {
	switch {
	case v.plain:
		return v.unquote()
	case v.raw == "":
		return ""
	}
	switch v.raw[0] {
	case '"':
		return valid(v.unquote())
	case '{', '[', 'n':
		return ""
	default:
		return v.raw
	}
}

// member is member for an object that has been scanned.
func (v value) member(name string) (found value) {
	if v.raw == "" || v.raw[0] != '{' {
		return found
	}
	s := scanner{b: bytesOf(v.raw), at: 1}
	for first := true; s.more('}', first); first = false {
		if s.key() == name {
			return s.value()
		}
		s.value()
	}
	return found
}
