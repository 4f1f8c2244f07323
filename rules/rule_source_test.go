package rules

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sourceRules = `version: 1
targets: {default: {}}
lists:
  person: [转人工, $more]
  more: [真人]
  unused: [x y z]
  furious: {骗子: 3}
include: [teams/sales.yaml]
rules:
  # why it is there
  - id: ask
    about: |
      who asks

      for a person
    when: {says: [$person, 客服]}
    then: {transfer: default}

  # another
  - {id: mad, when: {mood: {list: furious, at_least: 3, within: 5m}},
     then: {transfer: default}}
  - id: last
    when:
      any:
        - rule: ask
        - bot_missed: {times: 2, within: 5m}
    then: {keep: true}
signals: {bot_missed: {says: [$unused]}}
tests:
  - {name: asks, say: 转人工, expect: ask}
  - {name: nothing, say: hello, expect: none}
  - {name: by steps, steps: [{user: 客服, expect: {rule: ask}}]}
`

const sourceInclude = `# sales
rules:
- id: sales
  when: {says: [$ask_human, 'I want ($more|human)']}
  then:
    transfer: default
`

func TestRuleSource_isTheRulesOwnLines_withWhatItNames(t *testing.T) {
	p, report := Set{Main: "rules.yaml", Files: Files{"rules.yaml": []byte(sourceRules), "teams/sales.yaml": []byte(sourceInclude)}}.Load(start)
	if p == nil {
		t.Fatal(report.Errors)
	}
	for _, c := range []struct{ id, lines, yaml, lists, tests string }{
		{"ask", "11-17", "  - id: ask\n    about: |\n      who asks\n\n      for a person\n    when: {says: [$person, 客服]}\n    then: {transfer: default}", "[person more]", "[asks by steps]"},
		{"mad", "20-21", "  - {id: mad, when: {mood: {list: furious, at_least: 3, within: 5m}},\n     then: {transfer: default}}", "[furious]", "[]"},
		{"last", "22-27", "  - id: last\n    when:\n      any:\n        - rule: ask\n        - bot_missed: {times: 2, within: 5m}\n    then: {keep: true}", "[person more unused]", "[]"},
		{"sales", "3-6", "- id: sales\n  when: {says: [$ask_human, 'I want ($more|human)']}\n  then:\n    transfer: default", "[ask_human more]", "[]"},
	} {
		s, ok := p.RuleSource(c.id)
		var names []string
		for _, l := range s.Lists {
			names = append(names, l.Name)
		}
		got := []string{fmt.Sprintf("%d-%d", s.Line, s.LastLine), s.YAML, fmt.Sprint(names), fmt.Sprint(s.Tests)}
		if diff := cmp.Diff([]string{c.lines, c.yaml, c.lists, c.tests}, got); diff != "" || !ok {
			t.Errorf("%s (-want +got):\n%s", c.id, diff)
		}
	}
	ask, _ := p.RuleSource("ask")
	if diff := cmp.Diff(RuleList{Name: "person", Phrases: []string{"转人工", "$more"}, Count: 2}, ask.Lists[0]); diff != "" {
		t.Error(diff)
	}
	sales, _ := p.RuleSource("sales")
	if l := sales.Lists[0]; !l.Pack || l.Count < 20 || len(l.Phrases) != min(l.Count, 500) || slices.Contains(l.Phrases, "") {
		t.Errorf("the pack has %d phrases, %d are shown", l.Count, len(l.Phrases))
	}
	if _, ok := p.RuleSource("nobody"); ok {
		t.Error("there is no such rule")
	}
}
