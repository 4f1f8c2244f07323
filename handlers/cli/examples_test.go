package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"escalator/bot/rulefile"
	"escalator/rules"
	"escalator/rules/ruletest"
)

// trades are the folders of docs/examples.
var trades = []string{"shop", "game", "bank", "saas"}

// exampleNow is when the examples were written: a date in them that is over by then would be a mistake.
var exampleNow = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func example(t *testing.T, trade string) rules.Set {
	t.Helper()
	file := filepath.Join("../../docs/examples", trade, "rules.yaml")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return rulefile.Collect(file, src)
}

// failures plays the tests of a file.
func failures(t *testing.T, p *rules.Policy) (bad []string) {
	t.Helper()
	report, err := ruletest.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range report.Tests {
		if !test.OK {
			bad = append(bad, test.Name+": "+test.Message.String())
		}
	}
	return bad
}

// silent says that nothing fires in a test, and that it asks for that.
func silent(test rules.Test) bool {
	asked := false
	for _, step := range test.Steps {
		if x := step.Expect; x != nil {
			if x.Rule != "" && x.Rule != "none" || x.Target != "" || x.Outcome != "" || len(x.Shadow) > 0 {
				return false
			}
			asked = true
		}
	}
	return asked
}

// An example is copied whole: it must be as good as `check --strict` asks, and show of each rule when it fires and when not.
func TestExamples_areWholeAndWithoutWarnings(t *testing.T) {
	for _, trade := range trades {
		t.Run(trade, func(t *testing.T) {
			t.Parallel()
			set := example(t, trade)
			policy, report := set.Load(exampleNow)
			for _, p := range append(report.Errors, report.Warnings...) {
				t.Errorf("%s:%d: %s", p.File, p.Line, p.Message)
			}
			if policy == nil {
				return
			}
			for _, bad := range failures(t, policy) {
				t.Error(bad)
			}
			quiet := 0
			for _, test := range policy.Tests() {
				if silent(test) {
					quiet++
				}
			}
			all := len(policy.Tests())
			lines := strings.Count(string(set.Files["rules.yaml"]), "\n")
			if n := len(policy.Rules()); n < 12 || all < 30 || 2*quiet < all || lines > 130 {
				t.Errorf("%d rules (12 or more), %d tests (30 or more), %d of them silent (half or more), %d lines of rules (about a hundred)", n, all, quiet, lines)
			}
		})
	}
}

// Each word that operations asked for is shown where somebody would want it.
func TestExamples_showEveryWord(t *testing.T) {
	var all strings.Builder
	for _, trade := range trades {
		for _, src := range example(t, trade).Files {
			all.Write(src)
		}
	}
	for _, word := range []string{
		"bot_said: {any: [$bot_offers]", "says: [$yes]", "{file: ", "include: ", "per: customer", "turns: {at_most", "age: {", "first_contact: ", "had_agent: ",
		"channel: ", "not_equals: ", "not_in: ", "ignore_case: ", "words_from: ", "share: ", "from: ", "until: ", "owner: ", "closed: [sun]",
		"agents_online: ", "queue: ", "queued_for: ", "leave_queue: ", "rating: ", "take_message: ", "notify: ", "prefer_last_agent: ", "panel: ",
		"priority: ", "agents: ", "ai_provider: ",
	} {
		if !strings.Contains(all.String(), word) {
			t.Errorf("no example shows `%s`", word)
		}
	}
}
