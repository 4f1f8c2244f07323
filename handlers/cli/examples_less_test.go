//go:build !race

package cli

import (
	"regexp"
	"strings"
	"testing"

	"escalator/rules"
)

// More than sixty rule files are loaded here. Under the race detector that takes minutes, and nothing of it is concurrent:
// `make test` runs this file without.

// Who copies an example throws rules away: with a rule go the tests that name it, and what is left loads and passes.
func TestExamples_withoutAnyOneRule_loadAndPass(t *testing.T) {
	for _, trade := range trades {
		t.Run(trade, func(t *testing.T) {
			t.Parallel()
			set := example(t, trade)
			policy, report := set.Load(exampleNow)
			if policy == nil {
				t.Fatal(report.Errors)
			}
			for _, rule := range policy.Rules() {
				less := rules.Set{Main: set.Main, Files: rules.Files{}, Faults: set.Faults}
				for name, src := range set.Files {
					less.Files[name] = []byte(withoutRule(string(src), rule.ID))
				}
				p, report := less.Load(exampleNow)
				if p == nil || len(p.Rules()) != len(policy.Rules())-1 {
					t.Errorf("without %s: %v", rule.ID, report.Errors)
					continue
				}
				for _, bad := range failures(t, p) {
					t.Errorf("without %s: %s", rule.ID, bad)
				}
			}
		})
	}
}

// withoutRule deletes the entries of a file that are the rule, or a test that names it.
func withoutRule(src, id string) string {
	named := regexp.MustCompile(`(\bid|expect|rule): ` + regexp.QuoteMeta(id) + `\s*([,}#\n]|$)`)
	var left []string
	for _, entry := range regexp.MustCompile(`\n  - `).Split(src, -1) {
		head, _, _ := strings.Cut(entry, "\n\n")
		if !named.MatchString(head) {
			left = append(left, entry)
		} else if _, tail, found := strings.Cut(entry, "\n\n"); found {
			left[len(left)-1] += "\n\n" + tail
		}
	}
	return strings.Join(left, "\n  - ")
}
