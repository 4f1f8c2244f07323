package text

import (
	_ "embed"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The range of the characters that the table of variants covers.
const (
	firstVariant = 0x3400
	lastVariant  = 0x9fff
)

//go:embed data/t2s.txt
var variantData string

// simplified maps a Traditional character, less firstVariant, to the
// Simplified one; 0 means that the character stays.
var simplified = loadVariants(variantData)

// loadVariants reads pairs of characters, Traditional then Simplified. No
// character is the second of one pair and the first of another, so that one
// step is enough (a test says so).
func loadVariants(data string) *[lastVariant - firstVariant + 1]uint16 {
	var table [lastVariant - firstVariant + 1]uint16
	var from rune
	for _, r := range data {
		switch {
		case r <= ' ':
			from = 0
		case from == 0:
			from = r
		default:
			table[from-firstVariant] = uint16(r) //nolint:gosec // the data is embedded and within the range
			from = 0
		}
	}
	return &table
}

// simplify maps a Traditional character to its Simplified form.
func simplify(r rune) rune {
	if r < firstVariant || r > lastVariant {
		return r
	}
	if s := simplified[r-firstVariant]; s != 0 {
		return rune(s)
	}
	return r
}

// foldRune gives the folded form of a character that is in NFKC. One letter
// has a fold of two (ß, ss), for which the second is not 0. The dotted and the
// dotless i of Turkish fold to i: a customer who types capitals on another
// keyboard means the same word.
func foldRune(r rune) (first, second rune) {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A', 0
		}
		if r == '`' {
			return '\'', 0
		}
		return r, 0
	case r >= firstVariant && r <= lastVariant:
		return simplify(r), 0
	case r >= 0x430 && r <= 0x44f, caseless(r):
		return r, 0
	case r >= 0x410 && r <= 0x42f:
		return r + 0x20, 0
	}
	switch r {
	case 'ß', 'ẞ':
		return 's', 's'
	case 'İ', 'ı':
		return 'i', 0
	case 'ς':
		return 'σ', 0
	case '\u0345': // the iota below a Greek letter, a combining mark
		return r, 0
	case '’', '‘', 'ʼ', 'ʻ', '′', '‛':
		return '\'', 0
	}
	return unicode.ToLower(r), 0
}

// caseless reports whether a character is of a usual script without capitals.
func caseless(r rune) bool {
	return r >= 0x5d0 && r < 0x1000 || r >= 0x3000 && r < firstVariant || r >= 0xac00 && r <= 0xd7a3
}

// ignorable reports whether the normal form leaves a character out: control
// characters that are no white space, format characters, zero-width
// characters, variation selectors and fillers.
func ignorable(r rune) bool {
	switch {
	case r < 0x20:
		return r < '\t' || r > '\r'
	case r < 0x7f:
		return false
	case r < 0xa0:
		return r != 0x85
	case r < 0x300:
		return r == 0xad
	case r < 0x2000:
		return ignorableLow(r)
	case r < 0x3000:
		return r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x206f
	case r < 0xfe00:
		return r == 0x3164
	case r < 0x10000:
		return r <= 0xfe0f || r == 0xfeff || r == 0xffa0 || r >= 0xfff0 && r <= 0xfffb
	case r >= 0xe0000:
		return r <= 0xe0fff
	}
	return r == 0x110bd || r == 0x110cd || r >= 0x13430 && r <= 0x1343f ||
		r >= 0x1bca0 && r <= 0x1bca3 || r >= 0x1d173 && r <= 0x1d17a
}

func ignorableLow(r rune) bool {
	switch r {
	case 0x34f, 0x61c, 0x6dd, 0x70f, 0x890, 0x891, 0x8e2, 0x115f, 0x1160, 0x17b4, 0x17b5:
		return true
	}
	return r >= 0x600 && r <= 0x605 || r >= 0x180b && r <= 0x180f || arabicSign(r)
}

// arabicSign reports whether r only lengthens an Arabic word or says how it is
// read: the tatweel, vowel signs, signs of the Koran. The signs that make
// another letter (hamza and madda above or below) are none of them.
func arabicSign(r rune) bool {
	return r == 0x640 || r >= 0x610 && r <= 0x61a || r >= 0x64b && r <= 0x652 || r >= 0x656 && r <= 0x65f || r == 0x670 ||
		r >= 0x6d6 && r <= 0x6ed && r != 0x6e5 && r != 0x6e6 && r != 0x6e9 || r >= 0x8d3 && r <= 0x8ff && r != 0x8e2
}

// stretches reports whether r is a letter that people draw out: a Latin,
// Cyrillic or Greek one.
func stretches(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return 'a' <= r && r <= 'z'
	case r < 0x250:
		return r >= 0xc0 && r != '×' && r != '÷'
	case r >= 0x370 && r <= 0x52f:
		return r < 0x482 || r >= 0x48a
	}
	return r >= 0x250 && r <= 0x2af || r >= 0x1e00 && r <= 0x1fff
}

// plain reports whether a character is known to be in NFKC by itself and not
// to combine with what stands before it. Characters of the usual scripts are
// decided by range, because the property tables of the library cost 20 ns a
// character. A plain character followed by a plain one needs no further
// normalising; anything else takes the slow path.
func plain(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return true
	case r < 0x3000:
		return plainLow(r)
	case r <= 0x30ff: // CJK punctuation and kana; the voicing marks combine
		return r <= 0x3029 || r >= 0x3041 && r <= 0x3096 || r >= 0x30a0 && r <= 0x30fe
	case r < 0x3400:
		return false
	case r <= 0x9fff:
		return r <= 0x4dbf || r >= 0x4e00
	case r < 0xac00:
		return false
	case r <= 0xd7a3:
		return true
	}
	return r >= 0xff01 && r <= 0xff5e
}

func plainLow(r rune) bool {
	switch {
	case r < 0xc0:
		return r == '·' || r == '¡' || r == '¿' || r == '«' || r == '»'
	case r <= 0x131:
		return true
	case r < 0x400:
		return false
	case r <= 0x481: // Cyrillic
		return true
	case r < 0x900:
		return r >= 0x621 && r <= 0x63f || r >= 0x641 && r <= 0x64a || r == 0x60c || r == 0x61b || r == 0x61f
	case r < 0xe00: // Devanagari letters and vowel signs
		return r >= 0x904 && r <= 0x939 || r >= 0x93e && r <= 0x94c
	case r <= 0xe37: // Thai but for the vowel that NFKC takes apart and the marks that have an order
		return r >= 0xe01 && r != 0xe33
	case r < 0x1ea0:
		return r >= 0xe40 && r <= 0xe47
	case r <= 0x1ef9: // Vietnamese
		return true
	}
	return r >= 0x2018 && r <= 0x201d || r == 0x2014 || r == 0x2013
}

// thaiMark reports whether r is a mark of Thai that NFKC puts in order with
// other marks. One such mark alone is plain.
func thaiMark(r rune) bool {
	return r >= 0xe38 && r <= 0xe3a || r >= 0xe48 && r <= 0xe4b
}

// starts reports whether no character can combine with what stands before r.
func starts(r rune) bool {
	if plain(r) {
		return true
	}
	if r >= 0x3131 && r <= 0x318e || r >= 0xffa1 && r <= 0xffdc {
		return false // Korean letters typed alone: the library forgets that NFKC makes them combine
	}
	var b [utf8.UTFMax]byte
	return norm.NFKC.Properties(b[:utf8.EncodeRune(b[:], r)]).BoundaryBefore()
}

// unwide maps a plain character to its NFKC form: the full-width forms of
// ASCII are the only plain characters that change.
func unwide(r rune) rune {
	if r >= 0xff01 && r <= 0xff5e {
		return r - 0xfee0
	}
	if r == 0x3000 {
		return ' '
	}
	return r
}
