// Package mask hides what a customer's words may give away before they reach a
// log, the API or a recording: e-mail addresses, telephone, card and identity
// numbers, and every other long number.
//
// The rule for numbers. What counts is the normal form (NFKC) of each character:
// ３, ③ and ٣ are digits as 3 is. Digits belong to one number while no more than
// two separators stand between them: spaces, line breaks, punctuation and signs.
// A letter, a colon and a sign of money end a number; what shows nothing, like a
// zero-width space, is passed over. A number is hidden as a whole when
//
//   - four of its digits follow one another: three are a quantity, four may end
//     a card; or
//   - it has seven digits or more, as the shortest telephone numbers do.
//
// So "3", "12.50", "1,299.00", "24/7", "5-3", "18:30" and "1 2 3" stay; "2026",
// "138 1234", "06 12 34 56 78" and a date with its year do not: a date of birth
// says who somebody is. What is not hidden stays byte for byte.
//
// In HTML's spelling, &#49;, a digit is one too.
//
// The rule for e-mail addresses. What stands on both sides of an @ is hidden with
// it, as far as one word goes: also of an @ with a space beside it or as links and
// HTML write it (%40, &#64;), and what follows an @ that only a name in Chinese, say,
// stands before, where a domain follows.
//
// It errs on the side of hiding: an order number is hidden too.
package mask

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Mode says how much of a customer's words may be written.
type Mode string

// The modes of ESCALATOR_LOG_TEXT.
const (
	Masked Mode = "masked" // numbers and e-mail addresses hidden
	Full   Mode = "full"   // as they are
	None   Mode = "none"   // nothing of them
)

const (
	// maxTogether and maxDigits are the digits of the first number that is hidden:
	// those that follow one another, and all of them.
	maxTogether, maxDigits = 4, 7
	// maxGap is how many separators may stand between two digits of one number.
	maxGap = 2
	// hidden stands where something was hidden; it holds no digit and is longer than
	// a gap, so that masking twice changes nothing.
	hidden = "***"
)

// Text returns s as the mode allows. It takes time in proportion to the length
// of s.
func (m Mode) Text(s string) string {
	switch m {
	case Full:
		return s
	case None:
		return ""
	default:
		if plain(s) {
			return s
		}
		return hideNumbers(hideMail(s))
	}
}

// plain reports whether there is nothing in s that a number or an address begins with: that
// is so of most of what customers say, and quickly seen.
func plain(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			if asciiKinds[s[i]] == digit || inSign(rune(s[i])) {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !harmless(r) {
			normal, _ := form(s[i:])
			for _, r := range normal {
				if kindOf(r) == digit || inSign(r) {
					return false
				}
			}
		}
		i += size
	}
	return true
}

// harmless tells at once nearly all that Chinese and Japanese are written with.
func harmless(r rune) bool {
	return ideograph(r) || '\u3000' <= r && r < '\u3100' || r == '！' || '＇' <= r && r <= '／' || '：' <= r && r <= '？'
}

// inSign reports whether a spelling of @ begins with r, or r is a digit's in HTML.
func inSign(r rune) bool { return r == '@' || r == '%' || r == '&' }

// maxMark bounds what counts as the name of a kind, in bytes.
const maxMark = 64

// Mark returns a name that says what a message is, or what a value is called. It
// is no word, so every mode shows it, but masked; and a client can write anything
// there, so what does not look like a name is shown as words are.
func (m Mode) Mark(s string) string {
	if len(s) <= maxMark && strings.IndexFunc(s, notInName) < 0 {
		return Masked.Text(s)
	}
	return m.Text(s)
}

func notInName(r rune) bool {
	return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-'
}

// form returns the normal form of the character that s begins with, and the
// length of the character.
func form(s string) (normal string, size int) {
	if s[0] < utf8.RuneSelf {
		return s[:1], 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if ideograph(r) {
		return s[:size], size
	}
	if d := norm.NFKC.PropertiesString(s).Decomposition(); d != nil {
		return string(d), size
	}
	return s[:size], size
}
