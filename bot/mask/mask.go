// Package mask hides what a customer's words may give away before they reach a
// log or a recording: e-mail addresses, telephone, card and identity numbers,
// and every other run of digits.
//
// It errs on the side of hiding: an order number is hidden too.
package mask

import (
	"strings"
	"unicode"
	"unicode/utf8"
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
	// minDigits is the shortest run of digits that is hidden: three digits are
	// a quantity, four may end a card.
	minDigits = 4
	// hidden stands where something was hidden; it holds no digit, so that
	// masking twice changes nothing.
	hidden = "***"
)

// Text returns s as the mode allows. The result holds no run of minDigits or
// more digits, also when they are set apart by single spaces, dashes, dots or
// brackets as in a telephone number, and no e-mail address.
func (m Mode) Text(s string) string {
	switch m {
	case Full:
		return s
	case None:
		return ""
	default:
		return maskNumbers(maskMail(s))
	}
}

// maskMail hides every word around an @ that has something on both sides.
func maskMail(s string) string {
	at := strings.IndexByte(s, '@')
	if at < 0 {
		return s
	}
	var b strings.Builder
	for at >= 0 {
		start, end := at, at+1
		for start > 0 {
			r, n := utf8.DecodeLastRuneInString(s[:start])
			if !mailRune(r) {
				break
			}
			start -= n
		}
		for end < len(s) {
			r, n := utf8.DecodeRuneInString(s[end:])
			if !mailRune(r) && r != '@' {
				break
			}
			end += n
		}
		if start < at && end > at+1 {
			b.WriteString(s[:start])
			b.WriteString(hidden)
		} else {
			b.WriteString(s[:end])
		}
		s = s[end:]
		at = strings.IndexByte(s, '@')
	}
	b.WriteString(s)
	return b.String()
}

// mailRune reports whether r may stand in an e-mail address. Letters beyond
// ASCII are left out, because Chinese has no spaces around an address.
func mailRune(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._%+-", r))
}

// maskNumbers hides every run of digits that is long enough.
func maskNumbers(s string) string {
	if strings.IndexFunc(s, unicode.IsDigit) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsDigit(r) {
			b.WriteString(s[i : i+n])
			i += n
			continue
		}
		end, digits := number(s, i)
		if digits >= minDigits {
			b.WriteString(hidden)
		} else {
			b.WriteString(s[i:end])
		}
		i = end
	}
	return b.String()
}

// number returns the end of the number that begins at i and how many digits it
// has. Between two digits one or two separators may stand, as in "(86) 138-1".
func number(s string, i int) (end, digits int) {
	end = i
	separators := 0
	for j := i; j < len(s); {
		r, n := utf8.DecodeRuneInString(s[j:])
		switch {
		case unicode.IsDigit(r):
			digits++
			separators = 0
			end = j + n
		case separators < 2 && strings.ContainsRune(" -.()/+–—\u00a0\u3000", r):
			separators++
		default:
			return end, digits
		}
		j += n
	}
	return end, digits
}
