package rules

import (
	"strings"
	"testing"
)

// Where the field is absent no comparison holds, those that begin with not included; `not` around them does.
func TestField_absent_noComparisonHolds(t *testing.T) {
	for _, test := range []string{
		"equals: x", "not_equals: x", "in: [x]", "not_in: [x]", "matches: x", "at_least: 0", "at_most: 9", "exists: true", "not_equals: x, ignore_case: true",
	} {
		for _, c := range []struct {
			when string
			want bool
		}{{"{field: {path: C.v, " + test + "}}", false}, {"{not: {field: {path: C.v, " + test + "}}}", true}} {
			for _, fields := range []Fields{nil, TestFields{}, TestFields{"C.other": "x"}} {
				if got := play(t, rulesWhen(t, "", c.when), Turn{Text: "a", Fields: fields}); got != c.want {
					t.Errorf("%s with %v: %v", c.when, fields, got)
				}
			}
		}
	}
}

func TestField_comparisons(t *testing.T) {
	for _, c := range []struct {
		test, value string
		want        bool
	}{
		{"not_equals: gold", "silver", true},
		{"not_equals: gold", "gold", false},
		{"not_equals: gold", "Gold", true},
		{"not_equals: gold", "", true}, // it is there, and empty
		{"not_equals: 3", "3.0", false},
		{"not_equals: '3'", "3.0", true},
		{"not_equals: 42", "0042", true}, // an id
		{"not_in: [gold, black]", "black", false},
		{"not_in: [gold, black]", "silver", true},
		{"not_in: [gold, 3]", "3.00", false},
		{"equals: gold, ignore_case: true", "GOLD", true},
		{"equals: Gold, ignore_case: true", "gOLD", true},
		{"equals: gold, ignore_case: false", "GOLD", false},
		{"equals: gold, ignore_case: true", "golden", false},
		{"equals: Ärger, ignore_case: true", "äRGER", true},
		{"equals: gold, ignore_case: true", " gold", false},
		{"in: [gold, black], ignore_case: true", "Black", true},
		{"not_equals: gold, ignore_case: true", "GOLD", false},
		{"not_in: [gold, black], ignore_case: true", "BLACK", false},
		{"not_in: [gold, black], ignore_case: true", "red", true},
		{"matches: ^go, ignore_case: true", "GOLD", true},
		{"matches: ^go", "GOLD", false},
		{"at_least: 1000", "¥1,280.00", true},
		{"at_least: 1000", "999.99 CNY", false},
		{"at_most: 1.5", "1,5", false}, // one and a half, or fifteen: nobody knows
		{"at_least: 1", "1,5", false},
		{"at_least: 0", "NaN", false},
		{"at_most: 0", "-Inf", false},
		{"at_least: 0", "", false},
		{"at_most: -5", "-$5.00", true},
		{"at_least: 0", "5%", false},
	} {
		if got := play(t, rulesWhen(t, "", "{field: {path: C.v, "+c.test+"}}"), Turn{Text: "a", Fields: TestFields{"C.v": c.value}}); got != c.want {
			t.Errorf("%s with %q: %v", c.test, c.value, got)
		}
	}
}

// What one test says against another, or says already.
func TestField_impliesAndExcludes(t *testing.T) {
	leaf := func(test string) *fieldLeaf {
		return rulesWhen(t, "", "{field: {path: C.v, "+test+"}}").rules[0].when.leaf.(*fieldLeaf)
	}
	for _, c := range []struct {
		a, b              string
		implies, excludes bool
	}{
		{"equals: x", "in: [x, y]", true, false},
		{"in: [x, y]", "equals: x", false, false},
		{"not_in: [x, y]", "not_equals: x", true, false},
		{"not_equals: x", "not_in: [x, y]", false, false},
		{"equals: x", "not_equals: x", false, true},
		{"equals: x", "not_equals: y", false, false},
		{"in: [x, y]", "not_in: [x, y, z]", false, true},
		{"in: [x, y]", "not_in: [x]", false, false},
		{"equals: 3", "not_equals: 3", false, true},
		{"equals: 3", "not_equals: '3.0'", false, false}, // 3 itself passes
		{"equals: x", "equals: X, ignore_case: true", true, false},
		{"equals: x, ignore_case: true", "equals: x", false, false},
		{"equals: x", "not_equals: X, ignore_case: true", false, true},
		{"equals: x, ignore_case: true", "not_equals: x", false, false}, // X passes both
		{"equals: x, ignore_case: true", "matches: X", false, false},
		{"not_equals: x", "not_equals: y", false, false},
		{"not_equals: x", "exists: false", false, true},
		{"not_equals: x", "at_least: 3", false, false},
		{"equals: $5", "at_most: 3", false, true},
		{"at_least: 3", "exists: false", false, true},
	} {
		a, b := leaf(c.a), leaf(c.b)
		if got := a.implies(b); got != c.implies {
			t.Errorf("%s implies %s: %v", c.a, c.b, got)
		}
		if got := a.excludes(b) != "" || b.excludes(a) != ""; got != c.excludes {
			t.Errorf("%s excludes %s: %v", c.a, c.b, got)
		}
	}
}

func TestField_ignoreCase_whereThereIsNone_isWarnedOf(t *testing.T) {
	got := lintOf(t, "rules: [{id: a, when: {field: {path: CloudCustomData.v, at_least: 3, ignore_case: true}}, "+rest+"]")
	if len(got) != 1 || !strings.HasPrefix(got[0], "ignore_case") || !strings.Contains(got[0], "knows no capitals") {
		t.Error(got)
	}
}
