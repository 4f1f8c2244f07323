package rules

import (
	"strconv"
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
		skip = quotedRunes(text, offset, escaped)
	case n.Style&yaml.SingleQuotedStyle != 0:
		skip = quotedRunes(text, offset, doubled)
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
// the line ends before. next gives how many bytes the next character takes in the source and in the value.
func quotedRunes(text string, offset int, next func(string) (written, meant int)) int {
	count, value := 1, 0
	for rest := text[min(1, len(text)):]; value < offset; {
		if rest == "" {
			return -1
		}
		written, meant := next(rest)
		written = min(written, len(rest))
		count += utf8.RuneCountInString(rest[:written])
		rest, value = rest[written:], value+meant
	}
	return count
}

// doubled reads a character in single quotes, where a quote is written twice.
func doubled(t string) (written, meant int) {
	if strings.HasPrefix(t, "''") {
		return 2, 1
	}
	_, size := utf8.DecodeRuneInString(t)
	return size, size
}

// escaped reads a character in double quotes, where a backslash begins an escape.
func escaped(t string) (written, meant int) {
	if len(t) < 2 || t[0] != '\\' {
		_, size := utf8.DecodeRuneInString(t)
		return size, size
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[t[1]]
	if digits == 0 || len(t) < 2+digits {
		return 2, 1
	}
	r, err := strconv.ParseUint(t[2:2+digits], 16, 32)
	if err != nil {
		return 2, 1
	}
	return 2 + digits, len(string(rune(r)))
}
