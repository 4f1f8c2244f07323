package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxSize is the largest rule file that is read.
const MaxSize = 1 << 20

// LoadOptions are the circumstances of a load.
type LoadOptions struct {
	// Now is used by the lint on calendars in the past; zero switches it off.
	Now time.Time
}

// Load reads, checks and compiles a rule file. The policy is nil if and only if the report has errors. It never panics.
func Load(src []byte, o LoadOptions) (p *Policy, r Report) {
	defer func() {
		// A reload must never end the service, whatever a file holds that nobody thought of.
		if x := recover(); x != nil {
			p, r = nil, Report{Errors: []Problem{{
				Line: 1, Column: 1, Message: fmt.Sprintf("internal fault while reading the file: %v", x),
				Hint: "please report this with the file; the rules that run stay in force",
			}}}
		}
	}()
	l := &loader{options: o, source: newSource(src), conditions: conditions}
	root := l.parse(src)
	if root != nil {
		l.check(root, fileShape, "the file")
		p = l.build(root)
	}
	if len(l.problems) > 0 {
		return nil, Report{Errors: sortProblems(l.problems)}
	}
	sum := sha256.Sum256(src)
	p.version = hex.EncodeToString(sum[:6])
	return p, Report{Warnings: sortProblems(l.warnings)}
}

// loader is one load under way.
type loader struct {
	checker
	options  LoadOptions
	source   source
	warnings []Problem
	book     *phraseBook

	// conditions is the list of them: through a field, because conditions that hold conditions need it to be built.
	conditions []*condition
	policy     *Policy
	calendars  map[string]*calendar
	ruleNodes  map[string]*yaml.Node // rule id → the node of the rule
	ruleConds  map[string]*cond
	ruleState  map[string]visit
	places     []place             // the file's conditions
	required   map[*yaml.Node]bool // the phrases under `negation: require`
	usedGoals  map[string]bool
	usedDays   map[string]bool
	written    []*builtRule

	chatter      *smallTalk // once it was asked for
	countsMisses bool
	path         []string // of the rules being built, for circles
}

func (l *loader) warn(line, column int, hint, format string, args ...any) {
	l.warnings = append(l.warnings, Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// parse turns the bytes into one YAML tree, or reports why that is not possible.
func (l *loader) parse(src []byte) *yaml.Node {
	switch {
	case len(src) > MaxSize:
		l.failAt(1, 1, "put long lists of examples elsewhere; phrases like (a|b) say much in few words", "the file has %d bytes; at most %d (1 MiB) are read", len(src), MaxSize)
		return nil
	case !utf8.Valid(src):
		l.failEncoding(src)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		l.failSyntax(err)
		return nil
	}
	l.refuseSecond(decoder)
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || isNull(doc.Content[0]) && doc.Content[0].Value == "" {
		l.failEmpty()
		return nil
	}
	return doc.Content[0]
}

func (l *loader) failEmpty() {
	l.failAt(1, 1, "a rule file needs version, targets and rules; `escalator schema` describes it", "the file is empty")
}

// refuseSecond makes sure that nothing stands after the first document: it would silently be ignored.
func (l *loader) refuseSecond(decoder *yaml.Decoder) {
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		l.failSyntax(err)
	default:
		l.failAt(second.Line, second.Column, "remove the line of three dashes, or make two files", "a second YAML document begins here; a rule file is one document")
	}
}

func (l *loader) failEncoding(src []byte) {
	line := 1 + bytes.Count(src[:invalidAt(src)], []byte("\n"))
	column := 1 + utf8.RuneCount(src[bytes.LastIndexByte(src[:invalidAt(src)], '\n')+1:invalidAt(src)])
	l.failAt(line, column, "save the file as UTF-8 in your editor", "the file is not UTF-8 text")
}

func invalidAt(src []byte) int {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(src)
}

// failSyntax translates the YAML parser's words into something that can be acted upon.
func (l *loader) failSyntax(err error) {
	if errors.Is(err, io.EOF) {
		l.failEmpty()
		return
	}
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		l.failAt(1, 1, "save it as plain UTF-8 text", "the file cannot be read as YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	line, column := max(e.Mark.Line, 1), max(e.Mark.Column, 1)
	text := ""
	if line <= len(l.source.lines) {
		text = l.source.lines[line-1]
	}
	if l.failTabs() {
		return
	}
	message, hint := syntaxWords(e.Message, text, column)
	if e.ContextMsg == "while scanning an alias" || e.ContextMsg == "while scanning an anchor" {
		line, column = e.ContextMark.Line, e.ContextMark.Column
		message, hint = "a text that begins with * or & is YAML's alias or anchor; rule files use none", "put the text in quotes"
	}
	if strings.Contains(e.ContextMsg, "quoted scalar") && e.ContextMark.Line > 0 {
		line, column = e.ContextMark.Line, e.ContextMark.Column
		message, hint = "a quotation begins here and never ends", "close the quotes; inside double quotes write \\\" for a quotation mark"
	} else if strings.HasPrefix(e.ContextMsg, "while parsing a flow") && e.ContextMark.Line > 0 {
		line, column = e.ContextMark.Line, e.ContextMark.Column
		message, hint = "a bracket opens here and is not closed in the right place", "check commas and brackets; texts with [ ] { } , or : need quotes"
	}
	l.failAt(line, column, hint, "%s", message)
}

// failTabs reports every line that is indented by a tab; YAML wants spaces.
func (l *loader) failTabs() bool {
	some := false
	for i, line := range l.source.lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 && strings.TrimSpace(line) != "" {
			l.failAt(i+1, at+1, "indent with spaces; most editors can turn tabs into spaces", "a tab indents this line")
			some = true
		}
	}
	return some
}

func syntaxWords(message, text string, column int) (words, hint string) {
	rest := skipRunes(text, column-1)
	switch {
	case strings.HasPrefix(message, "unknown anchor"):
		name := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(message, "unknown anchor "), " referenced"), "'")
		return "*" + name + " is a YAML alias; rule files use none", quoteHint("*" + name)
	case strings.HasPrefix(message, "found character that cannot start") && rest != "":
		return "a text cannot begin with " + string([]rune(rest)[:1]), "put the text in quotes"
	case strings.HasPrefix(message, "mapping values are not allowed"):
		return "a colon is out of place here", "put a text that holds a colon in quotes, or check the indentation"
	case strings.HasPrefix(message, "block sequence entries"):
		return "a dash is out of place here", "begin the list in a new line, or put the text in quotes"
	case strings.HasPrefix(message, "did not find expected key"), strings.HasPrefix(message, "could not find expected ':'"):
		return "this line does not fit in here: a key with a colon is due", "check the indentation and the line before"
	case strings.HasPrefix(message, "did not find expected '-'"):
		return "this line does not fit in here: an entry with a dash is due", "check the indentation and the line before"
	case strings.HasPrefix(message, "control characters"):
		return "the file holds control characters", "save the file as plain text"
	}
	return "the file is not valid YAML: " + message, "check the indentation, the colons and the quotes of this line and the one before"
}
