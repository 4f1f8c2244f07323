package cli

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ruleFolder lays a rule file that takes in others, and gives its path.
func ruleFolder(t *testing.T, more map[string]string) string {
	t.Helper()
	files := map[string]string{
		"rules.yaml": "version: 1\ninclude: [teams/*.yaml]\nlists: {refund: {file: refund.csv}}\ntargets: {default: {}}\n" +
			"rules: [{id: refund, owner: Li, share: 55%, when: {says: [$refund]}, then: {transfer: default}}]\n",
		"refund.csv":     "money back\n",
		"teams/one.yaml": "rules: [{id: one, when: {says: [abracadabra]}, then: {transfer: default}}]\ntests:\n  - {name: the word, say: abracadabra, expect: one}\n  - {name: refund, say: my money back, expect: refund}\n",
	}
	maps.Copy(files, more)
	dir := t.TempDir()
	for name, src := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "rules.yaml")
}

func TestCommands_readWhatTheRuleFileTakesIn(t *testing.T) {
	good := ruleFolder(t, nil)
	broken := ruleFolder(t, map[string]string{"refund.csv": "money back\n退款 $nowhere\n"})
	failing := ruleFolder(t, map[string]string{"teams/one.yaml": "\ntests:\n  - {name: nobody, say: my money back, expect: none}\n"})
	at := func(file, name string) string { return filepath.Join(filepath.Dir(file), name) }
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"check", good}, exitOK, "read from 3 files"},
		{[]string{"check", broken}, exitBad, at(broken, "refund.csv") + ":2:4: there is no list $nowhere\n    退款 $nowhere\n    \u3000\u3000 ^\n"},
		{[]string{"check", "--json", broken}, exitBad, `"file": "refund.csv",` + "\n" + `      "line": 2`},
		{[]string{"test", good}, exitOK, "rules.yaml: 2 passed,"},
		{[]string{"test", failing}, exitBad, "FAIL  " + at(failing, "teams/one.yaml")},
		{[]string{"explain", "--rules", good, "my money back"}, exitOK, "→ transfer to default by refund"},
		{[]string{"explain", "--rules", good, "--user", "u1", "my money back"}, exitOK, "off for this customer"},
		{[]string{"explain", "--rules", good, "--user", "u1", "my money back"}, exitOK, "(owner: Li)"},
	} {
		r := runIn(t, "", c.args...)
		if r.code != c.code || !strings.Contains(r.stdout+r.stderr, c.want) {
			t.Errorf("%q: %+v, want %d with %s", c.args, r, c.code, c.want)
		}
	}
}
