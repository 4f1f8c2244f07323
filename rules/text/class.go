package text

import (
	"unicode"
	"unicode/utf8"
)

// A class says what a character of the normal form is to the tokens.
type class uint8

const (
	classMark   class = iota // punctuation and symbols: between tokens
	classSpace               // white space
	classLetter              // part of a word
	classChar                // a token by itself
	classExtend              // a combining mark: part of the token before it
	classDrop                // of ASCII: a control character, which the normal form leaves out
)

// byteClass is classOf for ASCII. The bytes of other characters have classDrop:
// more than the byte must be looked at.
var byteClass = func() (t [256]class) {
	for r := range rune(utf8.RuneSelf) {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			t[r] = classLetter
		case r == ' ', r >= '\t' && r <= '\r':
			t[r] = classSpace
		case ignorable(r):
			t[r] = classDrop
		}
	}
	for c := utf8.RuneSelf; c < len(t); c++ {
		t[c] = classDrop
	}
	return t
}()

// classOf returns the class of a character.
func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		return byteClass[r]
	case r >= 0x4e00 && r <= 0x9fff, r >= 0x3400 && r <= 0x4dbf:
		return classChar
	case r >= 0xc0 && r <= 0x24f:
		if r == '×' || r == '÷' {
			return classMark
		}
		return classLetter
	case r >= 0x400 && r <= 0x481, r >= 0xac00 && r <= 0xd7a3, r >= 0x1e00 && r <= 0x1eff:
		return classLetter
	case r >= 0x3041 && r <= 0x3096, r >= 0x30a1 && r <= 0x30fa, r >= 0x30fc && r <= 0x30fe:
		return classChar
	case r >= 0xe01 && r <= 0xe4e:
		return classOfThai(r)
	case r >= 0x620 && r <= 0x64a, r >= 0x904 && r <= 0x939:
		return classLetter
	case r >= 0x93e && r <= 0x94d:
		return classExtend
	case r >= 0x2010 && r <= 0x2027, r >= 0x3001 && r <= 0x3004, r >= 0x3008 && r <= 0x3020:
		return classMark
	}
	return classByTable(r)
}

func classOfThai(r rune) class {
	switch {
	case r == 0xe31, r >= 0xe34 && r <= 0xe3a, r >= 0xe47:
		return classExtend
	case r > 0xe3a && r < 0xe40: // the sign of the Baht and gaps
		return classMark
	}
	return classChar
}

func classByTable(r rune) class {
	switch {
	case unicode.IsMark(r):
		return classExtend
	case unicode.IsSpace(r):
		return classSpace
	case r == '・': // the Japanese middle dot, though it stands among the kana
		return classMark
	case unicode.IsLetter(r), unicode.IsNumber(r):
		if spaceless(r) {
			return classChar
		}
		return classLetter
	}
	return classMark
}

// spaceless reports whether a letter or digit belongs to a script that is
// written without spaces between words.
func spaceless(r rune) bool {
	switch {
	case r < 0xe00:
		return false
	case r <= 0xfff: // Thai, Lao, Tibetan; their digits make words
		return !unicode.IsDigit(r)
	case r <= 0x109f, r >= 0x1780 && r <= 0x17ff, r >= 0x1950 && r <= 0x19df, r >= 0x1a20 && r <= 0x1aaf,
		r >= 0xa9e0 && r <= 0xa9ff, r >= 0xaa60 && r <= 0xaadf:
		return !unicode.IsDigit(r) // Myanmar, Khmer and their neighbours
	case r >= 0x3005 && r <= 0x3007, r >= 0x3021 && r <= 0x312f, r >= 0x31a0 && r <= 0x31ff,
		r >= 0x3400 && r <= 0xa4cf, r >= 0xf900 && r <= 0xfaff, r >= 0x1b000 && r <= 0x1b16f, r >= 0x20000 && r <= 0x3ffff:
		return true // Han, kana, bopomofo, Yi
	}
	return false
}

// Script is a writing system that Message counts the letters of.
type Script uint8

// The scripts that are told apart.
const (
	OtherScript Script = iota
	Han
	Kana
	Hangul
	Latin
	Cyrillic
	Arabic
	Thai
	Devanagari
	Greek
	Hebrew
	NumScripts // how many there are
)

// Scripts counts letters by script, as in counts[text.Han].
type Scripts [NumScripts]int32

// scriptRanges is searched in order for letters beyond ASCII and Han.
var scriptRanges = [...]struct {
	first, last rune
	script      Script
}{
	{0x400, 0x52f, Cyrillic},
	{0xc0, 0x24f, Latin},
	{0xe00, 0xe7f, Thai},
	{0x3041, 0x30ff, Kana},
	{0xac00, 0xd7a3, Hangul},
	{0x1e00, 0x1eff, Latin},
	{0x600, 0x6ff, Arabic},
	{0x750, 0x77f, Arabic},
	{0x900, 0x97f, Devanagari},
	{0x370, 0x3ff, Greek},
	{0x590, 0x5ff, Hebrew},
	{0x1100, 0x11ff, Hangul},
	{0x250, 0x2af, Latin},
	{0x3005, 0x3007, Han},
	{0x31f0, 0x31ff, Kana},
	{0xf900, 0xfaff, Han},
	{0x20000, 0x3ffff, Han},
}

func scriptOf(r rune) Script {
	if r >= 0x3400 && r <= 0x9fff {
		return Han
	}
	for _, s := range scriptRanges {
		if r >= s.first && r <= s.last {
			return s.script
		}
	}
	return OtherScript
}
