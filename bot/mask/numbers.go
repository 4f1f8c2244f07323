package mask

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hideNumbers hides every number that is long enough, by the rule of the package.
func hideNumbers(s string) string {
	h := hider{s: s}
	for i := 0; i < len(s); {
		if n := digitInHTML(s[i:]); n > 0 {
			for j := i; j < i+n; j++ {
				if asciiKinds[s[j]] == digit {
					h.digit(i, i+n)
				}
			}
			i += n
			continue
		}
		if s[i] < utf8.RuneSelf {
			h.add(asciiKinds[s[i]], i, i+1)
			i++
			continue
		}
		normal, size := form(s[i:])
		for _, r := range normal {
			h.add(kindOf(r), i, i+size)
		}
		i += size
	}
	h.end()
	if h.kept == 0 {
		return s
	}
	h.out.WriteString(s[h.kept:])
	return h.out.String()
}

// digitInHTML returns the length of a digit as HTML writes it, &#49; or &#x31;, that s
// begins with. It counts as its own two digits: so none of those shows either.
func digitInHTML(s string) int {
	if s[0] != '&' {
		return 0
	}
	end := strings.IndexByte(s[:min(len(s), maxInHTML)], ';') + 1
	if text := html.UnescapeString(s[:end]); len(text) == 1 && text[0] >= '0' && text[0] <= '9' {
		return end
	}
	return 0
}

// maxInHTML is the length of a digit in HTML with some zeros before it.
const maxInHTML = 10

// hider walks over the digits of a text.
type hider struct {
	s    string
	out  strings.Builder
	kept int // up to here s is written, hidden or not

	// The number that is being read.
	from, to int // where it stands in s, by whole characters
	digits   int // all of them
	together int // those at its end that follow one another
	longest  int // the most that follow one another
	gap      int // separators since its last digit
}

// add takes what the normal form of the character s[from:to] holds.
func (h *hider) add(k kind, from, to int) {
	switch {
	case k == digit:
		h.digit(from, to)
	case h.digits == 0 || k == unseen:
	case k == separator && h.gap < maxGap:
		h.gap++
	default:
		h.end()
	}
}

// digit adds the digit of the character s[from:to] to the number.
func (h *hider) digit(from, to int) {
	if h.digits == 0 {
		h.from = from
	}
	if h.gap > 0 {
		h.together = 0
	}
	h.to, h.gap = to, 0
	h.digits++
	h.together++
	h.longest = max(h.longest, h.together)
}

// end ends the number, and hides it if it is long enough.
func (h *hider) end() {
	if h.longest >= maxTogether || h.digits >= maxDigits {
		h.out.WriteString(h.s[h.kept:max(h.kept, h.from)])
		h.out.WriteString(hidden)
		h.kept = h.to
	}
	h.digits, h.together, h.longest, h.gap = 0, 0, 0, 0
}

// kind is what a character of a normal form is to a number.
type kind uint8

const (
	ending kind = iota // letters, colon, money
	separator
	unseen // shows nothing of its own: zero-width, control, or drawn upon what stands before
	digit  // of any script, and the numbers in circles that have no normal form
)

func kindOf(r rune) kind {
	if r < utf8.RuneSelf {
		return asciiKinds[r]
	}
	if ideograph(r) {
		return ending
	}
	return slowKindOf(r)
}

var asciiKinds = func() (kinds [utf8.RuneSelf]kind) {
	for r := range kinds {
		kinds[r] = slowKindOf(rune(r))
	}
	return kinds
}()

func slowKindOf(r rune) kind {
	switch {
	case unicode.In(r, unicode.Nd, unicode.No):
		return digit
	case unicode.IsSpace(r):
		return separator
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Me):
		return unseen
	case r == ':', unicode.In(r, unicode.L, unicode.Nl, unicode.Sc):
		return ending
	default:
		return separator
	}
}

// ideograph tells the most of Chinese at once: letters that are their own normal
// form.
func ideograph(r rune) bool { return '一' <= r && r <= '\u9fff' }
