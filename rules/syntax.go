package rules

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// This file says why a text is no YAML, in words of somebody who types. YAML blames where it stumbles, which is often
// lines behind the mistake; so the slips of a keyboard are tried first: one that is mended and lets YAML read on is the
// mistake.

// secondDocumentError is the fault of a file that has more than one YAML document.
type secondDocumentError struct{ line, column int }

func (secondDocumentError) Error() string { return "a second document" }

// decode reads the one YAML document of a text.
func decode(src []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		return nil, err //nolint:wrapcheck // it is translated
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return &doc, nil
	case err != nil:
		return nil, err //nolint:wrapcheck // it is translated
	}
	return &doc, secondDocumentError{second.Line, second.Column}
}

// failSyntax reports why the text cannot be read, every mistake that it can find. Where mending slips was enough it
// gives the document, so that what else is wrong is told at once.
func (l *loader) failSyntax(err error) *yaml.Node {
	if l.failTabs() {
		return nil
	}
	m := mender{lines: l.source.files[0].text(), err: err}
	m.slips, _ = l.source.read()
	for m.err != nil && m.effort < maxEffort {
		if slips := m.mend(); len(slips) > 0 {
			l.mended = append(l.mended, slips...)
			for _, s := range slips {
				l.failAt(s.line, s.column, s.hint, "%s", s.message)
			}
			continue
		}
		problem := l.syntaxProblem(m.err)
		l.problems = append(l.problems, problem)
		if !m.passOver(problem.Line) {
			return nil
		}
	}
	if m.passed {
		return nil // what is left of the file says nothing about the rest
	}
	return m.doc
}

// mender tries what lets YAML read on.
type mender struct {
	lines  []string
	slips  []slip
	err    error
	doc    *yaml.Node // once it can be read
	effort int        // bytes that were read again
	passed bool       // a line was passed over
}

const (
	// maxEffort bounds the time that is spent on a long file with many mistakes.
	maxEffort = 8 << 20
	// maxLinesBehind is how far behind a mistake YAML may stumble.
	maxLinesBehind = 30
)

// mend takes the slips that keep YAML from reading on, nearest to the place where it stumbles: one alone, those of a
// line, those of some lines together. It gives none if they are not to blame.
func (m *mender) mend() []slip {
	at, _ := stumble(m.err)
	to := len(m.slips)
	for to > 0 && m.slips[to-1].line > at {
		to--
	}
	for end := to; end > 0 && m.slips[end-1].line >= at-maxLinesBehind && m.effort < maxEffort; {
		from := end - 1
		for from > 0 && m.slips[from-1].line == m.slips[end-1].line {
			from--
		}
		for i := from; i < end; i++ {
			if m.helps(i, i+1) {
				return m.take(i, i+1)
			}
		}
		if end-from > 1 && m.helps(from, end) {
			return m.take(from, end)
		}
		if end != to && m.helps(from, to) {
			return m.take(from, to)
		}
		end = from
	}
	return nil
}

// helps says that YAML reads on further once these slips are mended.
func (m *mender) helps(from, to int) bool {
	lines := slices.Clone(m.lines)
	for i := to - 1; i >= from; i-- {
		s := &m.slips[i]
		lines[s.line-1] = s.cure(lines[s.line-1])
	}
	return m.retry(lines)
}

// retry reads other lines, and keeps them if YAML comes further.
func (m *mender) retry(lines []string) bool {
	src := strings.Join(lines, "\n")
	m.effort += len(src)
	doc, err := decode([]byte(src))
	if err != nil {
		was, column := stumble(m.err)
		now, next := stumble(err)
		if was == now {
			next -= len(lines[now-1]) - len(m.lines[now-1]) // the line has grown
		}
		if now < was || now == was && next <= column {
			return false
		}
	}
	m.lines, m.doc, m.err = lines, doc, err
	return true
}

// take strikes slips off the list; those behind them in their line move.
func (m *mender) take(from, to int) []slip {
	taken := slices.Clone(m.slips[from:to])
	grown, last := 0, taken[len(taken)-1].line
	for _, s := range taken {
		if s.line == last {
			grown += len(s.want) - (s.to - s.from)
		}
	}
	for i := to; i < len(m.slips) && m.slips[i].line == last; i++ {
		m.slips[i].from += grown
		m.slips[i].to += grown
	}
	m.slips = slices.Delete(m.slips, from, to)
	return taken
}

// passOver reads on without a wrong entry of a list, so that all wrong phrases are told at once.
func (m *mender) passOver(line int) bool {
	if line < 1 || line > len(m.lines) {
		return false
	}
	text := m.lines[line-1]
	entry := strings.TrimLeft(text, " ")
	if !strings.HasPrefix(entry, "- ") || m.effort >= maxEffort {
		return false
	}
	word, _, _ := strings.Cut(strings.TrimLeft(entry[2:], " {"), ":")
	lines := slices.Clone(m.lines)
	lines[line-1] = text[:len(text)-len(entry)] + "- x"
	if knownKey(word) || lines[line-1] == text {
		return false
	}
	src := strings.Join(lines, "\n")
	m.effort += len(src)
	m.lines, m.passed = lines, true
	m.doc, m.err = decode([]byte(src))
	now, _ := stumble(m.err)
	return m.err == nil || now >= line
}

// unmend moves the problems that were found once slips were mended to where they stand in the file as it is.
func (l *loader) unmend(from int) {
	slices.SortFunc(l.mended, func(a, b slip) int { return a.column - b.column })
	for i := range l.problems[from:] {
		p := &l.problems[from+i]
		for _, s := range l.mended {
			if s.line == p.Line && s.column < p.Column {
				p.Column -= s.longer
			}
		}
	}
}

// stumble is where YAML gave up, far behind the end for a fault that is no place in the text.
func stumble(err error) (line, column int) {
	var e *yaml.LoadError
	var second secondDocumentError
	switch {
	case errors.As(err, &e) && strings.Contains(e.ContextMsg, "quoted scalar") && e.ContextMark.Line > 0:
		return e.ContextMark.Line, e.ContextMark.Column
	case errors.As(err, &e):
		return max(e.Mark.Line, 1), max(e.Mark.Column, 1)
	case errors.As(err, &second):
		return second.line, second.column
	}
	return 1, 1
}

// syntaxProblem translates the YAML parser's words into something that can be acted upon.
func (l *loader) syntaxProblem(err error) Problem {
	var e *yaml.LoadError
	var second secondDocumentError
	line, column := stumble(err)
	switch {
	case errors.Is(err, io.EOF):
		return emptyFile
	case errors.As(err, &second):
		return Problem{Line: line, Column: column, Message: "a second YAML document begins here; a rule file is one document", Hint: "remove the line of three dashes, or make two files"}
	case !errors.As(err, &e):
		return Problem{Line: 1, Column: 1, Message: lang.Say("the file cannot be read as YAML: %s", strings.TrimPrefix(err.Error(), "yaml: ")), Hint: "save it as plain UTF-8 text"}
	}
	message, hint := syntaxWords(e.Message, l.source.line(line), column)
	switch {
	case e.ContextMark.Line <= 0:
	case e.ContextMsg == "while scanning an alias", e.ContextMsg == "while scanning an anchor":
		line, column = e.ContextMark.Line, e.ContextMark.Column
		message, hint = "a text that begins with * or & is YAML's alias or anchor; rule files use none", "put the text in quotes"
	case strings.Contains(e.ContextMsg, "quoted scalar"):
		message, hint = "a quotation begins here and never ends", "close the quotes; inside double quotes write \\\" for a quotation mark"
	case strings.HasPrefix(e.ContextMsg, "while parsing a flow"):
		line, column = e.ContextMark.Line, e.ContextMark.Column
		message, hint = "a bracket opens here and is not closed in the right place", "check commas and brackets; texts with [ ] { } , or : need quotes"
	}
	return Problem{Line: line, Column: column, Message: message, Hint: hint}
}

// failTabs reports every line that is indented by a tab; YAML wants spaces.
func (l *loader) failTabs() bool {
	some := false
	for i, line := range l.source.files[0].text() {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 && strings.TrimSpace(line) != "" {
			l.failAt(i+1, at+1, "indent with spaces; most editors can turn tabs into spaces", "a tab indents this line")
			some = true
		}
	}
	return some
}

func syntaxWords(message, text string, column int) (words, hint lang.Text) {
	rest := skipRunes(text, column-1)
	switch {
	case strings.HasPrefix(message, "unknown anchor"):
		name := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(message, "unknown anchor "), " referenced"), "'")
		return lang.Say("*%s is a YAML alias; rule files use none", name), quoteHint("*" + name)
	case strings.HasPrefix(message, "found character that cannot start") && rest != "":
		return lang.Say("a text cannot begin with %s", string([]rune(rest)[:1])), "put the text in quotes"
	case strings.HasPrefix(message, "mapping values are not allowed"):
		return "a colon is out of place here", "put a text that holds a colon in quotes, or check the indentation"
	case strings.HasPrefix(message, "block sequence entries"):
		return "a dash is out of place here", "begin the list in a new line, or put the text in quotes"
	case strings.HasPrefix(message, "did not find expected key"), strings.HasPrefix(message, "could not find expected ':'"):
		return "this line does not fit in here: a key with a colon is due", "check the indentation and the line before"
	case strings.HasPrefix(message, "did not find expected '-'"):
		return "this line does not fit in here: an entry with a dash is due", "check the indentation and the line before"
	}
	return lang.Say("the file is not valid YAML: %s", message), "check the indentation, the colons and the quotes of this line and the one before"
}
