package rules

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/text"
)

// Problem is one finding in a rule file. Line and Column are 1-based; Column counts characters.
type Problem struct {
	// File is the include or list file, relative to the rule file's folder; "" is the rule file itself.
	File    string    `json:"file,omitempty"`
	Line    int       `json:"line"`
	Column  int       `json:"column"`
	Message lang.Text `json:"message"`
	Hint    lang.Text `json:"hint,omitempty"`
}

// Report holds everything that is to be said about a rule file, in the order of the file.
type Report struct {
	Errors   []Problem `json:"errors"`
	Warnings []Problem `json:"warnings"`
}

// OK says that the file may be used.
func (r Report) OK() bool { return len(r.Errors) == 0 }

// Write prints the report: each problem as FILE:LINE:COL: message, the source line, a caret and the hint; errors first.
// path is that of the rule file, l the language of the reader.
func (r Report) Write(w io.Writer, l lang.Language, path string, files Files) {
	lines := map[string][]string{}
	for _, p := range r.Errors {
		p.write(w, l, path, "%s:%d:%d: %s", p.lines(path, files, lines))
	}
	for _, p := range r.Warnings {
		p.write(w, l, path, "%s:%d:%d: warning: %s", p.lines(path, files, lines))
	}
}

// In is the path of the file that the problem is in, next to that of the rule file.
func (p Problem) In(path string) string { return Beside(path, p.File) }

// Beside is the path of a file that the rule file of that path takes in; "" is the rule file itself.
func Beside(path, name string) string {
	if name == "" {
		return path
	}
	return filepath.Join(filepath.Dir(path), filepath.FromSlash(name))
}

// lines gives the file of the problem line by line; known holds those of the files before.
func (p Problem) lines(path string, files Files, known map[string][]string) []string {
	name := cmp.Or(p.File, filepath.Base(path))
	if _, ok := known[name]; !ok {
		known[name] = strings.Split(string(files[name]), "\n")
	}
	return known[name]
}

func (p Problem) write(w io.Writer, l lang.Language, path string, format lang.Text, lines []string) {
	fmt.Fprintln(w, text.Printable(lang.Say(format, p.In(path), p.Line, p.Column, p.Message).In(l)))
	if p.Line >= 1 && p.Line <= len(lines) {
		line, column := excerpt(strings.TrimSuffix(lines[p.Line-1], "\r"), p.Column)
		if strings.TrimSpace(line) != "" {
			fmt.Fprintf(w, "    %s\n    %s^\n", line, pad(line, column))
		}
	}
	if p.Hint != "" {
		fmt.Fprintln(w, text.Printable(lang.Say("    hint: %s", p.Hint).In(l)))
	}
}

// maxExcerpt keeps a very long source line readable: so many characters of it are shown, around the column.
const maxExcerpt = 120

// excerpt cuts a source line to its part around the column, and gives the column in that part.
func excerpt(line string, column int) (string, int) {
	runes := []rune(strings.ToValidUTF8(line, "\uFFFD"))
	for i, r := range runes {
		if r != '\t' && text.Printable(string(r)) != string(r) {
			runes[i] = '\uFFFD'
		}
	}
	column = max(1, min(column, len(runes)+1))
	from, before, after := 0, "", ""
	if len(runes) > maxExcerpt {
		from = max(0, min(column-1-maxExcerpt/2, len(runes)-maxExcerpt))
		if from+maxExcerpt < len(runes) {
			after = "…"
		}
		runes = runes[from:min(len(runes), from+maxExcerpt)]
		if from > 0 {
			before = "…"
		}
	}
	return before + string(runes) + after, column - from + len([]rune(before))
}

// pad is the blank that brings a caret under the column: characters of double width need a blank of double width.
func pad(line string, column int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= column-1 {
			break
		}
		switch {
		case r == '\t':
			b.WriteByte('\t')
		case text.Columns(r) == 2:
			b.WriteRune('\u3000')
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// sortProblems puts problems into the order of the file and drops repetitions.
func sortProblems(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(ps)
}
