package replay

import (
	"strings"
	"testing"

	"escalator/rules"
	"escalator/rules/lang"
)

func TestExplanation_toAReader_isACopyWhoseWordsAreInTheirLanguage(t *testing.T) {
	p, report := rules.Load([]byte("version: 1\ntargets: {default: {}}\nrules: [{id: ask, when: {all: [{says: [human]}, {turns: {at_most: 3}}]}, then: {transfer: default}}]\n"), rules.LoadOptions{})
	if p == nil {
		t.Fatal(report.Errors)
	}
	english, err := Explain(t.Context(), p, []rules.Step{{Kind: "user", Message: rules.TestMessage{Text: "a human"}}}, Setting{Begin: DefaultTime})
	if err != nil {
		t.Fatal(err)
	}
	chinese := english.To(lang.Chinese)
	for _, c := range []struct {
		x    Explanation
		want []string
	}{
		{english, []string{"transfer to default by ask", "says: found human; turns: 1 (3 or less)", "found human", "yes"}},
		{chinese, []string{"转人工到 default，由 ask 触发", "says：找到“human”；turns：1 (3 以下)", "找到“human”", "yes"}},
	} {
		turn := c.x.Turns[0]
		got := []string{turn.Summary.String(), turn.Rules[0].Why.String(), turn.Rules[0].Condition.Parts[0].Why.String(), turn.Rules[0].Condition.Parts[0].Holds.String()}
		for i := range got {
			if !strings.EqualFold(strings.NewReplacer("（", " (", "）", ")").Replace(got[i]), c.want[i]) {
				t.Errorf("%q, want %q", got[i], c.want[i])
			}
		}
	}
}
