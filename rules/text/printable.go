package text

import (
	"strconv"
	"strings"
	"unicode"
)

// Printable is s with everything that a terminal would obey, or not show, written
// as an escape: control characters, and those that turn the direction of the text.
// What customers write must not move the cursor of somebody who reads it.
func Printable(s string) string {
	if strings.IndexFunc(s, commands) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if commands(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// commands reports whether a terminal takes the character for a command. The
// joiners of emoji and of Indic scripts are no commands.
func commands(r rune) bool {
	switch r {
	case '\u200c', '\u200d', unicode.ReplacementChar:
		return false
	case '\u2028', '\u2029':
		return true
	}
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)
}
