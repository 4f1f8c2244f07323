package rules

import (
	"bytes"
	"cmp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"escalator/rules/lang"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// MaxSize is the largest rule file that is read.
const MaxSize = 1 << 20

// LoadOptions are the circumstances of a load.
type LoadOptions struct {
	// Name is the file's own, without its folder: it belongs to the version. "" stands for rules.yaml.
	Name string
	// Now is used by the lint on calendars in the past; zero switches it off.
	Now time.Time
}

// Load is Set.Load for a rule file that takes in no others.
func Load(src []byte, o LoadOptions) (*Policy, Report) {
	name := cmp.Or(o.Name, "rules.yaml")
	return Set{Main: name, Files: Files{name: src}}.Load(o.Now)
}

// Load reads, checks and compiles a rule file with what it takes in; now is as in LoadOptions. The policy is nil if and only if
// the report has errors. It never panics.
func (s Set) Load(now time.Time) (p *Policy, r Report) {
	defer func() {
		// A reload must never end the service, whatever a file holds that nobody thought of.
		if x := recover(); x != nil {
			p, r = nil, Report{Errors: []Problem{{
				Line: 1, Column: 1, Message: lang.Say("internal fault while reading the file: %v", x),
				Hint: "please report this with the file; the rules that run stay in force",
			}}}
		}
	}()
	src := s.Files[s.Main]
	l := &loader{checker: checker{source: newSource(s.Main, src), set: s}, now: now, conditions: conditions}
	defer l.beside.Wait()
	ahead(&l.beside, readAhead)
	root := l.parse(src)
	if root != nil {
		l.takeIncludes(root)
		asWritten := len(l.problems)
		l.check(root, fileShape, "the file")
		p = l.build(root)
		l.unmend(asWritten)
	}
	if len(l.problems) > 0 {
		return nil, Report{Errors: l.source.placed(l.problems)}
	}
	p.version = s.Version()
	return p, Report{Warnings: l.source.placed(l.withoutSilenced(l.warnings))}
}

// readAhead reads what is read once: the first customer, or the rest of the load, would wait for it.
func readAhead() (*text.Lexicon, error) {
	text.ReadWords()
	return packLexicon(), nil
}

// loader is one load under way.
type loader struct {
	checker
	now      time.Time
	msg      text.Message // to read phrases with
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
	firstGoals map[string]bool // those that rules and routes name
	excepted   []excepted
	usedDays   map[string]bool
	usedTeams  map[string]bool
	written    []*builtRule

	queuedFor   []*yaml.Node // the times of queued_for
	queueGroups []*yaml.Node // the groups of queue

	chatter      func() *smallTalk // once it was asked for
	countsMisses bool
	path         []string // of the rules being built, for circles
}

func (l *loader) warn(line, column int, hint, format lang.Text, args ...any) {
	l.warnings = append(l.warnings, Problem{Line: line, Column: column, Message: lang.Say(format, args...), Hint: hint})
}

// parse turns the bytes into one YAML tree, or reports why that is not possible.
func (l *loader) parse(src []byte) *yaml.Node {
	switch {
	case len(src) > MaxSize:
		l.failAt(1, 1, "put long lists of examples elsewhere; phrases like (a|b) say much in few words", "the file is larger than 1 MiB: at most %d bytes are read", MaxSize)
		return nil
	case !utf8.Valid(src):
		l.failEncoding(src)
		return nil
	}
	if at := controlAt(src); at >= 0 {
		line, column := placeOf(src, at)
		l.failAt(line, column, "save the file as plain text", "the file holds a control character")
		return nil
	}
	doc, err := decode(src)
	if err != nil {
		if doc = l.failSyntax(err); doc == nil {
			return nil
		}
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || isNull(doc.Content[0]) && doc.Content[0].Value == "" {
		l.problems = append(l.problems, emptyFile)
		return nil
	}
	return doc.Content[0]
}

// emptyFile is what is said of a file without content.
var emptyFile = Problem{Line: 1, Column: 1, Message: "the file is empty", Hint: "a rule file needs version, targets and rules; `escalator schema` describes it"}

func (l *loader) failEncoding(src []byte) {
	line, column := placeOf(src, invalidAt(src))
	l.failAt(line, column, "save the file as UTF-8 in your editor", "the file is not UTF-8 text")
}

// placeOf is the line and column of the byte src[at].
func placeOf(src []byte, at int) (line, column int) {
	return 1 + bytes.Count(src[:at], []byte("\n")), 1 + utf8.RuneCount(src[bytes.LastIndexByte(src[:at], '\n')+1:at])
}

// controlAt is where the first character stands that YAML takes for no text; -1: there
// is none. YAML itself does not say where.
func controlAt(src []byte) int {
	return bytes.IndexFunc(src, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r) })
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
