package rules

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/rules/lang"

	"github.com/google/go-cmp/cmp"
)

func TestLint_sayWhatIsMostLikelyNotMeant(t *testing.T) {
	src := readFile(t, "testdata/lint.yaml")
	p, r := Load(src, LoadOptions{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
	if p == nil {
		t.Fatalf("the file has errors: %+v", r.Errors)
	}
	r.Warnings = withoutPackFaults(r.Warnings)
	var out bytes.Buffer
	r.Write(&out, lang.English, "rules.yaml", Files{"rules.yaml": src})
	compareGolden(t, "testdata/lint.golden", out.Bytes())
	for _, w := range r.Warnings {
		if w.Hint == "" {
			t.Errorf("no way out: %+v", w)
		}
	}
}

// withoutPackFaults leaves out what TestPacks_everyPhrase_compiles complains about.
func withoutPackFaults(ps []Problem) []Problem {
	return slices.DeleteFunc(ps, func(p Problem) bool { return strings.HasPrefix(p.Message.String(), "built-in pack") })
}

func TestLint_cleanFile_isSilent(t *testing.T) {
	src := []byte(`version: 1
targets: {default: {}}
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}
tests:
  - {name: ask, say: 转人工, expect: ask}
  - {name: not, say: 你好, expect: none}
  - name: stuck
    steps: [{user: a}, {bot: {marks: fallback}}, {user: b}, {bot: {marks: fallback}, expect: none}, {user: c}, {bot: {marks: fallback}, expect: stuck}]
`)
	_, r := Load(src, LoadOptions{Now: start})
	if r.Warnings = withoutPackFaults(r.Warnings); len(r.Warnings)+len(r.Errors) > 0 {
		r.Write(t.Output(), lang.English, "rules.yaml", Files{"rules.yaml": src})
		t.Error("a clean file is complained about")
	}
}

// a1 acts only while a is at rest, and m1 on misses that are spent for m.
func TestLint_rulesThatAreNeverReached(t *testing.T) {
	_, r := Load(readFile(t, "testdata/reach.yaml"), LoadOptions{})
	var got []string
	for _, w := range r.Warnings {
		if strings.Contains(w.Message.String(), "never reached") {
			got = append(got, w.Message.String())
		}
	}
	want := []string{
		"rule `a1` is never reached unless `a` is at rest: whenever it holds, `a` (line 4) holds before it",
		"rule `b1` is never reached: whenever it holds, `b` (line 7) holds before it",
		"rule `t1` is never reached: whenever it holds, `t` (line 9) holds before it",
		"rule `t2` is never reached: whenever it holds, `t` (line 9) holds before it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
