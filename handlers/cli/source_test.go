package cli

import (
	"strings"
	"testing"
)

func TestCommands_takeARuleFileFromStandardInput(t *testing.T) {
	const good = "version: 1\ntargets: {default: {}}\nrules:\n  - {id: ask, when: {says: [human]}, then: {transfer: default}}\n"
	for _, c := range []struct {
		args, stdin string
		code        int
		says        string
	}{
		{"check -", good, exitOK, "-: ok, version"},
		{"check -", strings.Replace(good, "says", "syas", 1), exitBad, "-:4:22: "},
		{"test -", good + "tests:\n  - {name: t, say: human, expect: {rule: ask}}\n", exitOK, "1 passed"},
		{"explain human --rules -", good, exitOK, "ask"},
	} {
		r := runIn(t, c.stdin, strings.Fields(c.args)...)
		if r.code != c.code || !strings.Contains(r.stdout, c.says) {
			t.Errorf("%s: %+v", c.args, r)
		}
	}
}
