package rules

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// source is the text of a rule file and of the files that it takes in, one behind the other: a line's number tells also
// which file it is of. So a place in any of them is a line and a column, as in one file.
type source struct{ files []*sourceFile }

// sourceFile is one of the files, with the lines that stand above it.
type sourceFile struct {
	name  string // relative to the rule file's folder
	list  bool   // it holds phrases and no YAML
	above int
	src   []byte
	lines []string // of src, once they were asked for
}

func newSource(name string, src []byte) source {
	return source{[]*sourceFile{{name: name, src: src}}}
}

// yamlBreak is what begins a line for a parser of YAML.
var yamlBreak = regexp.MustCompile(`\r\n|[\n\r\x{85}\x{2028}\x{2029}]`)

// add appends a file, after as many lines as a parser may see in the one before and one
// more: a mistake at its very end must not be told of the next file.
func (s *source) add(name string, src []byte, list bool) *sourceFile {
	last := s.files[len(s.files)-1]
	f := &sourceFile{name: name, src: src, list: list, above: last.above + len(yamlBreak.FindAllIndex(last.src, -1)) + 2}
	s.files = append(s.files, f)
	return f
}

// text is the file line by line.
func (f *sourceFile) text() []string {
	if f.lines == nil {
		f.lines = strings.Split(string(f.src), "\n")
	}
	return f.lines
}

// fileOf gives the file of a line.
func (s source) fileOf(line int) *sourceFile {
	i, _ := slices.BinarySearchFunc(s.files, line, func(f *sourceFile, line int) int { return cmp.Compare(f.above, line) })
	return s.files[max(0, i-1)]
}

// line is the text of a line, "" for one that no file has.
func (s source) line(n int) string {
	f := s.fileOf(n)
	if lines := f.text(); n > f.above && n-f.above <= len(lines) {
		return lines[n-f.above-1]
	}
	return ""
}

// place gives the file of a line, "" for the rule file itself, and the number that the line has there.
func (s source) place(n int) (file string, line int) {
	f := s.fileOf(n)
	if f == s.files[0] {
		return "", n
	}
	return f.name, n - f.above
}

// where says in words which line it is, for a reader who is at another.
func (s source) where(n, reader int) lang.Text {
	f := s.fileOf(n)
	if f == s.fileOf(reader) {
		return lang.Say("line %s", itoa(n-f.above))
	}
	return lang.Say("line %s of %s", itoa(n-f.above), f.name)
}

// placed gives problems the file that each is in, and the line there: of a list of phrases only so many that a reader
// still finds the others.
func (s source) placed(ps []Problem) []Problem {
	var out []Problem
	of := map[string]int{}
	for _, p := range sortProblems(ps) {
		f := s.fileOf(p.Line)
		p.File, p.Line = s.place(p.Line)
		if of[f.name]++; !f.list || of[f.name] <= maxOfList {
			out = append(out, p)
		}
	}
	for i, p := range out {
		if n := of[p.File] - maxOfList; p.File != "" && n > 0 && s.isList(p.File) && (i+1 == len(out) || out[i+1].File != p.File) {
			out[i].Message = lang.Say("%s (and %d more in this file)", out[i].Message, n)
		}
	}
	return out
}

// maxOfList is how many problems of one list of phrases are told.
const maxOfList = 50

func (s source) isList(name string) bool {
	return slices.ContainsFunc(s.files, func(f *sourceFile) bool { return f.list && f.name == name })
}

// inside gives the position of a byte of a scalar's value. Where the value stands on several lines, or cannot be
// followed, it is the position of the scalar.
func (s source) inside(n *yaml.Node, offset int) (line, column int) {
	if n.Line < 1 {
		return n.Line, n.Column
	}
	if s.fileOf(n.Line).list {
		return n.Line, n.Column + utf8.RuneCountInString(n.Value[:min(offset, len(n.Value))])
	}
	text := skipRunes(s.line(n.Line), n.Column-1)
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
