package mask

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sign is an @ of any width, or as links and HTML write it.
var sign = regexp.MustCompile(`^(?:[@＠﹫]|(?i:%40|&#0?64;|&#x0?40;|&commat;))`)

// maxSign and maxDomain bound, in bytes, where the end of each is looked for, so that
// the time stays in proportion to the text.
const maxSign, maxDomain = 8, 256

// unspaced are the scripts that set no words apart: what stands before an address
// is not told from it.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// hideMail hides e-mail addresses, by the rule of the package.
func hideMail(s string) string {
	at, after := nextSign(s)
	if at < 0 {
		return s
	}
	var b strings.Builder
	for at >= 0 {
		if from, to := address(s, at, after); from < to {
			b.WriteString(s[:from])
			b.WriteString(hidden)
			s = s[to:]
		} else { // what follows may be the name before another @
			b.WriteString(s[:after])
			s = s[after:]
		}
		at, after = nextSign(s)
	}
	b.WriteString(s)
	return b.String()
}

// nextSign finds the first @; -1: there is none.
func nextSign(s string) (at, after int) {
	for from := 0; ; from++ {
		i := strings.IndexAny(s[from:], "@＠﹫%&")
		if i < 0 {
			return -1, -1
		}
		from += i
		if found := sign.FindStringIndex(s[from:min(len(s), from+maxSign)]); found != nil {
			return from, from + found[1]
		}
	}
}

// address returns where the address around the @ in s[at:after] begins and ends; the
// same place twice: there is none.
func address(s string, at, after int) (from, to int) {
	from, to = nameBefore(s, at), after
	if spelled := s[at] == '%' || s[at] == '&'; from < at && !spelled {
		for to < len(s) && inMail(s[to:], true) {
			_, n := utf8.DecodeRuneInString(s[to:])
			to += n
		}
		if to > after {
			return from, to
		}
	}
	if space := spacesBefore(s, at); from == at && space > 0 {
		if from = nameBefore(s, at-space); from == at-space {
			from = at
		}
	}
	to = after + spacesBehind(s[after:])
	length := domain(s[to:min(len(s), to+maxDomain)], false)
	if length == 0 {
		length = domain(s[to:min(len(s), to+maxDomain)], true)
	}
	if length == 0 {
		return at, at
	}
	return from, to + length
}

// domain is the length of the domain that s begins with, up to its last letter; 0: there
// is none, which has a dot and an ending of two letters.
func domain(s string, alsoUnspaced bool) (length int) {
	dots, inLabel, letters := 0, 0, 0
	for i, r := range s {
		switch {
		case (r == '.' || r == '．') && inLabel > 0:
			dots, inLabel, letters = dots+1, 0, 0
		case unicode.IsLetter(r) && (alsoUnspaced || !unicode.In(r, unspaced...)):
			inLabel, letters = inLabel+1, letters+1
			if dots > 0 && letters >= 2 {
				length = i + utf8.RuneLen(r)
			}
		case r == '-', r == '_', unicode.IsNumber(r):
			inLabel++
		case unicode.IsMark(r), kindOf(r) == unseen:
		default:
			return length
		}
	}
	return length
}

// nameBefore returns where the word begins that ends at s[end].
func nameBefore(s string, end int) int {
	for end > 0 {
		_, n := utf8.DecodeLastRuneInString(s[:end])
		if !inMail(s[end-n:], false) {
			break
		}
		end -= n
	}
	return end
}

// spacesBefore and spacesBehind are the lengths of up to two spaces there.
func spacesBefore(s string, end int) (length int) {
	for range maxGap {
		if r, n := utf8.DecodeLastRuneInString(s[:end-length]); unicode.IsSpace(r) {
			length += n
		}
	}
	return length
}

func spacesBehind(s string) (length int) {
	for range maxGap {
		if r, n := utf8.DecodeRuneInString(s[length:]); unicode.IsSpace(r) {
			length += n
		}
	}
	return length
}

// inMail reports whether the first character of s may stand in an e-mail address.
func inMail(s string, at bool) bool {
	normal, _ := form(s)
	for _, r := range normal {
		switch {
		case unicode.IsLetter(r) && !unicode.In(r, unspaced...), kindOf(r) == digit, strings.ContainsRune("._%+-'", r):
		case kindOf(r) == unseen:
		case at && r == '@':
		default:
			return false
		}
	}
	return true
}
