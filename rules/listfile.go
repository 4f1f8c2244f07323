package rules

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// listFile is a file of phrases while it is being read: one phrase a line, in the first column; a weight may stand in
// the second; what stands behind is for people. In a file whose name ends in .csv the columns are those of CSV, in any
// other a tab separates them and quotation marks are part of the phrase. Lines that begin with # are comments.
type listFile struct {
	*phraseBook
	at       *yaml.Node // where the rule file names it
	file     *sourceFile
	entries  []wordEntry
	weighted bool
	nodes    []yaml.Node // those of the phrases, made many at a time
}

// fromFile reads the phrases of a file that the rule file names.
func (b *phraseBook) fromFile(at *yaml.Node) *listFile {
	name := textOf(at)
	if f := b.listFiles[name]; f != nil {
		return f
	}
	f := &listFile{phraseBook: b, at: at}
	b.listFiles[name] = f
	if why := checkName(name); why != "" || isPattern(name) {
		if why == "" {
			why = "is a pattern, and one file is due"
		}
		b.fail(at, "for example refund.csv", "`%s` %s", shorten(name), why)
		return f
	}
	src, ok := b.fileFor(at, name)
	if !ok {
		return f
	}
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	f.file = b.source.add(name, src, true)
	switch {
	case !f.isText(src):
	case path.Ext(name) == ".csv":
		f.readCSV(src)
	default:
		f.readText(src)
	}
	f.full() // the last line may hold the one too many
	if len(f.entries) == 0 && !b.bad[at] && !f.faulty() {
		b.fail(at, "write one phrase a line", "`%s` holds no phrase", shorten(name))
	}
	return f
}

// faulty says that some line of the file was complained about.
func (f *listFile) faulty() bool {
	n := len(f.problems)
	return n > 0 && f.problems[n-1].Line > f.file.above
}

// isText says that the file is UTF-8 text, or blames the line that names it.
func (f *listFile) isText(src []byte) bool {
	const hint = "save it as UTF-8: in a spreadsheet, as “CSV UTF-8”"
	if !utf8.Valid(src) {
		line, _ := placeOf(src, invalidAt(src))
		f.fail(f.at, hint, "`%s` is not UTF-8 text: see its line %d", shorten(f.at.Value), line)
		return false
	}
	if at := controlAt(src); at >= 0 {
		line, _ := placeOf(src, at)
		f.fail(f.at, hint, "`%s` holds a control character: see its line %d", shorten(f.at.Value), line)
		return false
	}
	return true
}

func (f *listFile) readCSV(src []byte) {
	r := csv.NewReader(bytes.NewReader(src))
	r.Comment, r.FieldsPerRecord, r.ReuseRecord = '#', -1, true
	for !f.full() {
		columns, err := r.Read()
		var fault *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &fault) && errors.Is(fault, csv.ErrQuote):
			f.failLine(fault.StartLine, 1, "close the quotation; inside it write \"\" for a quotation mark", "a quotation in this line is not closed, or more stands behind it")
		case errors.As(err, &fault):
			f.failLine(fault.Line, fault.Column, "put the whole column in quotation marks, and write \"\" for one inside", "a quotation mark is out of place")
		case err != nil:
			f.fail(f.at, "save it as CSV anew", "`%s` cannot be read: %s", shorten(f.at.Value), err)
			return
		default:
			line, column := r.FieldPos(0)
			second := column
			if len(columns) > 1 {
				_, second = r.FieldPos(1)
			}
			f.row(columns, line, column, second)
		}
	}
}

func (f *listFile) readText(src []byte) {
	line := 0
	for row := range strings.Lines(string(src)) {
		line++
		if f.full() {
			return
		}
		if row = strings.TrimRight(row, "\r\n"); !strings.HasPrefix(row, "#") {
			columns := strings.Split(row, "\t")
			f.row(columns, line, 1, len(columns[0])+2)
		}
	}
}

// row takes one line: the columns, its number, and the bytes at which the first two columns begin, from 1.
func (f *listFile) row(columns []string, line, first, second int) {
	phrase := strings.TrimSpace(columns[0])
	weight := 1
	if len(columns) > 1 && strings.TrimSpace(columns[1]) != "" {
		var err error
		if weight, err = strconv.Atoi(strings.TrimSpace(columns[1])); err != nil || float64(weight) < aWeight.min || float64(weight) > aWeight.max {
			f.failLine(line, second, "the second column holds weights; begin a line of headings with #", "%s is not %s", strconv.Quote(shorten(columns[1])), aWeight.name)
			return
		}
		f.weighted = true
	}
	switch {
	case phrase == "" && f.isBlank(columns):
	case phrase == "":
		f.failLine(line, first, "the phrase stands in the first column", "this line has no phrase")
	case strings.ContainsAny(phrase, "\r\n"):
		f.failLine(line, first, "close the quotation in the line in which it begins", "a phrase does not go over several lines")
	default:
		first += len(columns[0]) - len(strings.TrimLeft(columns[0], " \t"))
		f.take(strings.Clone(phrase), weight, line, first)
	}
}

func (f *listFile) isBlank(columns []string) bool {
	return strings.TrimSpace(strings.Join(columns, "")) == ""
}

func (f *listFile) take(phrase string, weight, line, column int) {
	if len(f.nodes) == 0 {
		f.nodes = make([]yaml.Node, 1024)
	}
	n := &f.nodes[0]
	f.nodes = f.nodes[1:]
	n.Kind, n.Tag, n.Style, n.Value, n.Line, n.Column = yaml.ScalarNode, "!!str", yaml.DoubleQuotedStyle, phrase, f.file.above+line, column
	f.entries = append(f.entries, wordEntry{text: f.renamed(n, phrase), weight: weight, node: n, names: f.phraseBook})
	f.fromFiles++
}

// full says that there are too many phrases, and blames the file that has one too many.
func (f *listFile) full() bool {
	if f.fromFiles <= maxListPhrases {
		return false
	}
	if f.entries = nil; !f.bad[f.at] {
		f.fail(f.at, "a phrase like (a|b) says much in one line", "`%s` has too many phrases: the files of a rule file hold at most %d in all", shorten(f.at.Value), maxListPhrases)
	}
	return true
}

// failLine reports a problem at a line of the file, and at a byte of it.
func (f *listFile) failLine(line, at int, hint, format lang.Text, args ...any) {
	text := f.source.line(f.file.above + line)
	f.failAt(f.file.above+line, 1+utf8.RuneCountInString(text[:min(max(at-1, 0), len(text))]), hint, format, args...)
}
