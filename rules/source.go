package rules

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// source is a rule file's text, for positions inside its scalars.
type source struct{ lines []string }

func newSource(src []byte) source { return source{strings.Split(string(src), "\n")} }

// inside gives the position of a byte of a scalar's value. Where the value stands on several lines, or cannot be
// followed, it is the position of the scalar.
func (s source) inside(n *yaml.Node, offset int) (line, column int) {
	if n.Line < 1 || n.Line > len(s.lines) {
		return n.Line, n.Column
	}
	text := skipRunes(s.lines[n.Line-1], n.Column-1)
	skip := 0
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return n.Line, n.Column
	case n.Style&yaml.DoubleQuotedStyle != 0:
		skip = quotedRunes(text, offset, escapedLength)
	case n.Style&yaml.SingleQuotedStyle != 0:
		skip = quotedRunes(text, offset, func(t string) int {
			if strings.HasPrefix(t, "''") {
				return 2
			}
			return 1
		})
	case offset <= len(n.Value) && strings.HasPrefix(text, n.Value[:offset]):
		skip = utf8.RuneCountInString(n.Value[:offset])
	}
	if skip < 0 {
		skip = 0
	}
	return n.Line, n.Column + skip
}

// skipRunes drops the first n characters.
func skipRunes(s string, n int) string {
	for ; n > 0 && s != ""; n-- {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s
}

// quotedRunes counts the characters of a quoted scalar up to a byte of its value, the opening quote included; -1 if
// the line ends before. written gives how many bytes of the source the next character of the value takes.
func quotedRunes(text string, offset int, written func(string) int) int {
	count, value := 1, 0
	for rest := text[min(1, len(text)):]; ; {
		if value >= offset {
			return count
		}
		if rest == "" {
			return -1
		}
		n := written(rest)
		if n == 1 {
			r, size := utf8.DecodeRuneInString(rest)
			n, value = size, value+utf8.RuneLen(max(r, 0))
		} else {
			n = min(n, len(rest))
			value++
		}
		count += utf8.RuneCountInString(rest[:n])
		rest = rest[n:]
	}
}

// escapedLength is the length of an escape in double quotes, 1 for anything else.
func escapedLength(t string) int {
	if len(t) < 2 || t[0] != '\\' {
		return 1
	}
	switch t[1] {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}
