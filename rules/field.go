package rules

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// aFieldPath is where a value stands in a callback.
var aFieldPath = &shape{
	name: "a dotted path", pattern: `^[\p{L}\p{N}_@-]+(\.[\p{L}\p{N}_@-]+)*$`, examples: []string{"CloudCustomData.level", "MsgBody.0.MsgContent.Data.x", "Body.x"},
}

var fieldCondition = &condition{
	key: "field", turns: onAll,
	doc:     "A field of the callback, or of the conversation's last user message or start, has such a value. Where it is absent no comparison holds.",
	example: "field: {path: CloudCustomData.level, in: [gold]}",
	value: &shape{
		name: "a test of a field", ref: "field", form: formRecord,
		oneOf: [][]string{{"equals"}, {"not_equals"}, {"in"}, {"not_in"}, {"matches"}, {"exists"}, {"at_least", "at_most"}},
		fields: []field{
			{key: "path", required: true, doc: "Where the value stands in the callback: a plain dotted path. Strings that hold JSON are entered.", of: aFieldPath, aka: []string{"name", "key"}},
			{key: "equals", of: aFieldValue("in"), doc: "The value is this; a number equals its text.", aka: []string{"is", "eq", "value"}},
			{key: "not_equals", of: aFieldValue("not_in"), doc: "The field is there, and its value is not this.", aka: []string{"is_not", "ne", "not", "unequal"}},
			{key: "in", of: fieldValues, doc: "The value is one of these.", aka: []string{"one_of", "any"}},
			{key: "not_in", of: fieldValues, doc: "The field is there, and its value is none of these.", aka: []string{"none_of"}},
			{key: "matches", of: &shape{name: "a regular expression", form: formText}, doc: "The value matches this regular expression (RE2).", aka: []string{"regex", "regexp"}},
			{key: "exists", of: aBool, doc: "The field is there (true), or is not (false)."},
			{key: "at_least", of: &shape{name: "a number", form: formNumber}, doc: "The value is a number or an amount of money, and not below this.", aka: []string{"min"}},
			{key: "at_most", of: &shape{name: "a number", form: formNumber}, doc: "The value is a number or an amount of money, and not above this.", aka: []string{"max"}},
			{key: "ignore_case", of: aBool, standard: "false", doc: "Capital and small letters are the same.", aka: []string{"case_insensitive", "nocase"}},
		},
		examples: []string{"{path: CloudCustomData.level, in: [gold, black]}"},
	},
	build: buildField,
}

// fieldValues are the values of in and not_in.
var fieldValues = &shape{name: "a list of values", form: formList, elem: aScalar}

// aFieldValue is a value to compare with; several is the key that takes a list of them.
func aFieldValue(several string) *shape {
	return &shape{name: "a value", form: formText, empty: true, way: lang.Say("for several values write %s: […]", several)}
}

// comparisons are the keys of the tests that have values; not says that the value must be none of them.
var comparisons = []struct {
	key string
	not bool
}{{"equals", false}, {"in", false}, {"not_equals", true}, {"not_in", true}}

func buildField(l *loader, n *yaml.Node) leaf {
	f := &fieldLeaf{path: textOf(l.get(n, "path")), fold: boolOf(l.get(n, "ignore_case"))}
	for _, c := range comparisons {
		if values := l.get(n, c.key); values != nil {
			f.test, f.not = fieldIn, c.not
			for _, item := range append(l.items(values), values) {
				if item.Kind == yaml.ScalarNode {
					f.values = append(f.values, scalarOf(item, f.fold))
				}
			}
			return f
		}
	}
	switch atLeast, atMost := l.get(n, "at_least"), l.get(n, "at_most"); {
	case l.get(n, "matches") != nil:
		f.test, f.re = fieldMatches, l.regex(l.get(n, "matches"), f.fold)
	case l.get(n, "exists") != nil:
		f.test, f.not = fieldExists, !boolOf(l.get(n, "exists"))
	default:
		f.test, f.low, f.high = fieldRange, decimalOf(atLeast), decimalOf(atMost)
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

func scalarOf(n *yaml.Node, fold bool) fieldScalar {
	s := fieldScalar{text: textOf(n), fold: fold}
	if n.Tag == "!!int" || n.Tag == "!!float" {
		s.number, s.isNum = parseDecimal(n.Value)
	}
	return s
}

// regex compiles a regular expression of a field test.
func (l *loader) regex(n *yaml.Node, fold bool) *regexp.Regexp {
	flags := ""
	if fold {
		flags = "(?i)"
	}
	re, err := regexp.Compile(flags + n.Value)
	if err != nil {
		l.fail(n, "the syntax is RE2; \\ before . ( ) [ ] * + ? makes them plain", "the regular expression is wrong: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return regexp.MustCompile("")
	}
	return re
}

// fieldTest is what a `field` asks of the value.
type fieldTest uint8

const (
	fieldIn fieldTest = iota // it is one of the values
	fieldMatches
	fieldExists
	fieldRange
)

// fieldLeaf is `field`.
type fieldLeaf struct {
	path   string
	test   fieldTest
	not    bool // of fieldIn and fieldExists: the value is none of these, the field is not there
	fold   bool // capital and small letters are the same
	values []fieldScalar
	re     *regexp.Regexp
	low    *decimal
	high   *decimal
}

// fieldScalar is a value of the file: a number also equals other spellings of the same number.
type fieldScalar struct {
	text   string
	fold   bool
	number decimal
	isNum  bool
}

func (s fieldScalar) equals(value string) bool {
	if s.text == value || s.fold && strings.EqualFold(s.text, value) {
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
	if l.test == fieldExists {
		return truth(ok != l.not)
	}
	return truth(ok && l.passes(value))
}

// passes says that a value, which is there, is as asked.
func (l *fieldLeaf) passes(value string) bool {
	switch l.test {
	case fieldIn:
		return slices.ContainsFunc(l.values, func(v fieldScalar) bool { return v.equals(value) }) != l.not
	case fieldMatches:
		return l.re.MatchString(value)
	case fieldExists:
		return !l.not
	case fieldRange:
		d, ok := parseAmount(value)
		return ok && (l.low == nil || d.compare(*l.low) >= 0) && (l.high == nil || d.compare(*l.high) <= 0)
	}
	return false
}

func (l *fieldLeaf) quotes() {}

func (l *fieldLeaf) explain(e *evaluation, _ verdict) lang.Text {
	value, ok := e.field(l.path)
	if !ok {
		return lang.Say("%s is not there", l.path)
	}
	return lang.Say("%s is %s", l.path, strconv.Quote(shorten(value)))
}

// field reads a value of this callback, else of the conversation's last user message, else of its start.
func (e *evaluation) field(path string) (string, bool) {
	if e.t.Fields != nil {
		if v, ok := e.t.Fields.Field(path); ok {
			return v, true
		}
	}
	m := e.c.recall().recallRare()
	for _, fields := range [][]fieldValue{m.userFields, m.startFields} {
		for i := range fields {
			if fields[i].path == path {
				return fields[i].value, true
			}
		}
	}
	return "", false
}

// implies knows only values: each of a's is one of b's, or what b leaves out a leaves out too.
func (l *fieldLeaf) implies(other leaf) bool {
	b, ok := other.(*fieldLeaf)
	if !ok || l.path != b.path || l.test != fieldIn || b.test != fieldIn || l.not != b.not {
		return false
	}
	fewer, more := l, b
	if l.not {
		fewer, more = b, l
	}
	return !slices.ContainsFunc(fewer.values, func(v fieldScalar) bool {
		return !slices.ContainsFunc(more.values, func(m fieldScalar) bool { return m == v || m.fold && m.equals(v.text) && !v.isNum })
	})
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
	m := e.c.own().ownRare()
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

func (r *fieldRecorder) wakes() facts { return factTurn }

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
func (l *fieldLeaf) excludes(other leaf) lang.Text {
	b, ok := other.(*fieldLeaf)
	if !ok || l.path != b.path || !l.disjoint(b) {
		return ""
	}
	return lang.Say("no value of %s passes both tests", l.path)
}

// disjoint compares one way round; the caller also asks the other way.
func (l *fieldLeaf) disjoint(b *fieldLeaf) bool {
	switch {
	case l.test == fieldExists:
		return l.not && (b.test != fieldExists || !b.not)
	case l.test == fieldRange && b.test == fieldRange:
		return l.low != nil && b.high != nil && l.low.compare(*b.high) > 0
	case l.test != fieldIn || l.not:
		return false
	}
	return !slices.ContainsFunc(l.values, func(v fieldScalar) bool { return b.mayPass(v) })
}

// mayPass says that a value, or another spelling of it that equals it, may pass the test.
func (l *fieldLeaf) mayPass(v fieldScalar) bool {
	switch {
	case l.test == fieldIn && l.not:
		return !slices.ContainsFunc(l.values, func(own fieldScalar) bool { return own == v || own.fold && !v.isNum && own.equals(v.text) })
	case l.test == fieldIn:
		return slices.ContainsFunc(l.values, func(own fieldScalar) bool { return own.equals(v.text) || v.equals(own.text) })
	case l.test == fieldMatches:
		return v.isNum || v.fold || l.passes(v.text)
	}
	return l.passes(v.text)
}
