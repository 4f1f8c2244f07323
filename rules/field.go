package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

var fieldCondition = &condition{
	key: "field", turns: onAll,
	doc:     "A field of the callback, or of the conversation's last user message or start, has such a value.",
	example: "field: {path: CloudCustomData.level, in: [gold]}",
	value: &shape{
		name: "a test of a field", ref: "field", form: formRecord,
		oneOf: [][]string{{"equals"}, {"in"}, {"matches"}, {"exists"}, {"at_least", "at_most"}},
		fields: []field{
			{key: "path", required: true, doc: "Where the value stands in the callback: a plain dotted path. Strings that hold JSON are entered.", of: &shape{
				name: "a dotted path", pattern: `^[\p{L}\p{N}_@-]+(\.[\p{L}\p{N}_@-]+)*$`, examples: []string{"CloudCustomData.level", "MsgBody.0.MsgContent.Data.x", "Body.x"},
			}, aka: []string{"name", "key"}},
			{key: "equals", of: &shape{name: "a value", form: formText, empty: true, way: "for several values write in: […]"}, doc: "The value is this; a number equals its text.", aka: []string{"is", "eq", "value"}},
			{key: "in", of: &shape{name: "a list of values", form: formList, elem: aScalar}, doc: "The value is one of these.", aka: []string{"one_of", "any"}},
			{key: "matches", of: &shape{name: "a regular expression", form: formText}, doc: "The value matches this regular expression (RE2).", aka: []string{"regex", "regexp"}},
			{key: "exists", of: aBool, doc: "The field is there (true), or is not (false)."},
			{key: "at_least", of: &shape{name: "a number", form: formNumber}, doc: "The value is a number, and not below this.", aka: []string{"min"}},
			{key: "at_most", of: &shape{name: "a number", form: formNumber}, doc: "The value is a number, and not above this.", aka: []string{"max"}},
		},
		examples: []string{"{path: CloudCustomData.level, in: [gold, black]}"},
	},
	build: buildField,
}

func buildField(l *loader, n *yaml.Node) leaf {
	f := &fieldLeaf{path: textOf(l.get(n, "path"))}
	switch {
	case l.get(n, "equals") != nil:
		f.test, f.values = "equals", []fieldScalar{scalarOf(l.get(n, "equals"))}
	case l.get(n, "in") != nil:
		f.test = "in"
		for _, item := range l.items(l.get(n, "in")) {
			f.values = append(f.values, scalarOf(item))
		}
	case l.get(n, "matches") != nil:
		f.test, f.re = "matches", l.regex(l.get(n, "matches"))
	case l.get(n, "exists") != nil:
		f.test, f.exists = "exists", boolOf(l.get(n, "exists"))
	default:
		f.test = "range"
		atLeast, atMost := l.get(n, "at_least"), l.get(n, "at_most")
		f.low, f.high = decimalOf(atLeast), decimalOf(atMost)
		if f.low != nil && f.high != nil && f.low.compare(*f.high) > 0 {
			l.fail(atMost, "swap the two", "this can never hold: at_least %s is above at_most %s", atLeast.Value, atMost.Value)
		}
	}
	return f
}

// decimalOf reads a number that was checked, nil if there is none.
func decimalOf(n *yaml.Node) *decimal {
	if n == nil {
		return nil
	}
	d, _ := parseDecimal(n.Value)
	return &d
}

func scalarOf(n *yaml.Node) fieldScalar {
	s := fieldScalar{text: textOf(n)}
	if n.Tag == "!!int" || n.Tag == "!!float" {
		s.number, s.isNum = parseDecimal(n.Value)
	}
	return s
}

// regex compiles a regular expression of a field test.
func (l *loader) regex(n *yaml.Node) *regexp.Regexp {
	re, err := regexp.Compile(n.Value)
	if err != nil {
		l.fail(n, "the syntax is RE2; \\ before . ( ) [ ] * + ? makes them plain", "the regular expression is wrong: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return regexp.MustCompile("")
	}
	return re
}

// fieldLeaf is `field`.
type fieldLeaf struct {
	path   string
	test   string // equals, in, matches, exists, range
	values []fieldScalar
	re     *regexp.Regexp
	exists bool
	low    *decimal
	high   *decimal
}

// fieldScalar is a value of the file: a number also equals other spellings of the same number.
type fieldScalar struct {
	text   string
	number decimal
	isNum  bool
}

func (s fieldScalar) equals(value string) bool {
	if s.text == value {
		return true
	}
	if !s.isNum || leadingZero(value) {
		return false
	}
	d, ok := parseDecimal(value)
	return ok && d == s.number
}

// leadingZero tells a value such as 007, which is an id and not the number 7.
func leadingZero(s string) bool {
	return len(s) > 1 && s[0] == '0' && '0' <= s[1] && s[1] <= '9'
}

func (l *fieldLeaf) holds(e *evaluation) verdict {
	value, ok := e.field(l.path)
	switch {
	case l.test == "exists":
		return truth(ok == l.exists)
	case !ok:
		return truth(false)
	case l.test == "matches":
		return truth(l.re.MatchString(value))
	case l.test == "range":
		return truth(l.inRange(value))
	}
	for _, v := range l.values {
		if v.equals(value) {
			return truth(true)
		}
	}
	return truth(false)
}

func (l *fieldLeaf) inRange(value string) bool {
	d, ok := parseDecimal(value)
	return ok && (l.low == nil || d.compare(*l.low) >= 0) && (l.high == nil || d.compare(*l.high) <= 0)
}

func (l *fieldLeaf) quotes() {}

func (l *fieldLeaf) explain(e *evaluation, _ verdict) string {
	value, ok := e.field(l.path)
	if !ok {
		return l.path + " is not there"
	}
	return l.path + " is " + strconv.Quote(shorten(value))
}

// field reads a value of this callback, else of the conversation's last user message, else of its start.
func (e *evaluation) field(path string) (string, bool) {
	if e.t.Fields != nil {
		if v, ok := e.t.Fields.Field(path); ok {
			return v, true
		}
	}
	m := e.c.recall()
	for _, fields := range [][]fieldValue{m.userFields, m.startFields} {
		for i := range fields {
			if fields[i].path == path {
				return fields[i].value, true
			}
		}
	}
	return "", false
}

// implies knows only values: each of a's is one of b's.
func (l *fieldLeaf) implies(other leaf) bool {
	b, ok := other.(*fieldLeaf)
	return ok && l.path == b.path && len(l.values) > 0 && len(b.values) > 0 &&
		!slices.ContainsFunc(l.values, func(v fieldScalar) bool { return !slices.Contains(b.values, v) })
}

func (l *fieldLeaf) need(p *Policy) { p.record(&fieldRecorder{[]string{l.path}}) }

// fieldRecorder keeps the values of the paths that rules ask for: of the start, and of the last user message.
type fieldRecorder struct{ paths []string }

// maxFieldLength bounds a value that is kept.
const maxFieldLength = 256

func (r *fieldRecorder) record(e *evaluation) {
	if e.t.Fields == nil || e.kind != onUser && e.t.Kind != StartTurn {
		return
	}
	m := e.c.own()
	fields := &m.userFields
	if e.t.Kind == StartTurn {
		fields = &m.startFields
	}
	*fields = (*fields)[:0]
	for _, path := range r.paths {
		if v, ok := e.t.Fields.Field(path); ok {
			*fields = append(*fields, fieldValue{path, strings.Clone(v[:min(len(v), maxFieldLength)])})
		}
	}
}

func (r *fieldRecorder) absorb(other recorder) bool {
	o, ok := other.(*fieldRecorder)
	for i := 0; ok && i < len(o.paths); i++ {
		if !slices.Contains(r.paths, o.paths[i]) {
			r.paths = append(r.paths, o.paths[i])
		}
	}
	return ok
}

// excludes: no value of the field can pass both tests.
func (l *fieldLeaf) excludes(other leaf) string {
	b, ok := other.(*fieldLeaf)
	if !ok || l.path != b.path || !l.disjoint(b) {
		return ""
	}
	return "no value of " + l.path + " passes both tests"
}

// disjoint compares one way round; the caller also asks the other way.
func (l *fieldLeaf) disjoint(b *fieldLeaf) bool {
	switch {
	case l.test == "exists":
		return !l.exists && (b.test != "exists" || b.exists)
	case l.test == "range" && b.test == "range":
		return l.low != nil && b.high != nil && l.low.compare(*b.high) > 0
	case len(l.values) == 0:
		return false
	}
	return !slices.ContainsFunc(l.values, func(v fieldScalar) bool { return b.mayPass(v) })
}

// mayPass says that a value, or another spelling of the same number, may pass the test.
func (l *fieldLeaf) mayPass(v fieldScalar) bool {
	switch l.test {
	case "equals", "in":
		return slices.ContainsFunc(l.values, func(own fieldScalar) bool { return own.equals(v.text) || v.equals(own.text) })
	case "matches":
		return v.isNum || l.re.MatchString(v.text)
	case "range":
		return l.inRange(v.text)
	}
	return true
}
