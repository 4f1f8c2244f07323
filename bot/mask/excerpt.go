package mask

import (
	"strings"
	"unicode/utf8"
)

const (
	// maxExcerpt is how many characters of a text are kept.
	maxExcerpt = 500
	// maxCopied is how many bytes of a text are copied for that, at most: masking makes
	// texts shorter.
	maxCopied = 4 << 10
	// cutMargin is how many characters before the place where a text was cut are not
	// shown: they may begin a number, or an address, that is hidden when it is seen whole.
	cutMargin = 100
)

// Head returns as much of a text as Excerpt needs, and whether that is not all of it.
func Head(text string) (head string, cut bool) {
	if len(text) <= maxCopied {
		return text, false
	}
	end := maxCopied
	for end > maxCopied-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], true
}

// Excerpt returns as much of a text as is kept for people to read, masked; its Head is
// enough.
func (m Mode) Excerpt(head string, cut bool) string {
	text := m.Text(strings.ToValidUTF8(head, string(utf8.RuneError)))
	most := maxExcerpt
	if cut {
		most = min(most, max(0, utf8.RuneCountInString(text)-cutMargin))
	}
	return First(text, most)
}

// First shortens a text to so many characters.
func First(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
