package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"escalator/rules/lang"
)

// obeyed is what a terminal takes for a command: control characters, and those that
// turn the direction.
var obeyed = regexp.MustCompile(`[\x00-\x09\x0b-\x1f\x7f\x{80}-\x{9f}\x{2028}-\x{202e}\x{2066}-\x{2069}]`)

// TestCommands_showWhatATerminalWouldObey_asEscapes feeds ESC, BEL, C1, CR and a turned direction to every
// command that shows what others wrote.
func TestCommands_showWhatATerminalWouldObey_asEscapes(t *testing.T) {
	const bad = "human \x1b[31m\a\u009b31m\r\u202eend"
	quoted, err := json.Marshal(bad)
	if err != nil {
		t.Fatal(err)
	}
	in := func(format string) string {
		return strings.ReplaceAll(format, "BAD", strings.Trim(string(quoted), `"`))
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	yaml := strings.NewReplacer("BAD", `human \e[31m\a\x9b31m\r\u202eend`)
	for name, content := range map[string]string{
		"eval.jsonl":   in(`{"text":"BAD","label":"BAD","lang":"BAD"}` + "\n" + `{"text":"hello BAD","label":"human"}` + "\n"),
		"talk.jsonl":   in(`{"id":"BAD","turns":[{"role":"user","text":"BAD"},{"role":"bot","text":"BAD"}]}` + "\n" + `{"id":"BAD","turns":"BAD"}` + "\n"),
		"good.yaml":    yaml.Replace("version: 1\ntargets: {default: {}}\nrules:\n  - {id: a, when: {says: [human]}, then: {transfer: default, say: \"BAD\"}}\ntests:\n  - {name: \"BAD\", steps: [{user: \"BAD\", expect: none}]}\n"),
		"bad.yaml":     yaml.Replace("version: 1\ntargets: {default: {}}\nrules:\n  - {id: a, when: {says: [\"BAD\"]}, then: {transfer: \"BAD\"}}\n  - {id: \"BAD\", \"BAD\": 1}\n"),
		"turned.yaml":  "version: 1\nrules:\n  - {id: a\u202e, whn: 1} # \u202e\u0085\n",
		"broken.jsonl": in(`{"text":"BAD`) + "\x1b]0;title\a\u009b\n",
	} {
		if err := os.WriteFile(path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := path("good.yaml")
	for _, args := range [][]string{
		{"explain", "--rules", good, bad},
		{"explain", "--rules", good, "--json", bad},
		{"explain", "--rules", good, "--field", "a" + bad + "=" + bad, "user: " + bad, "mark: " + bad, "bot: hi"},
		{"explain", "--rules", good, "--test", "BAD"},
		{"explain", "--rules", good, "--recording", path("talk.jsonl"), "--session", "x"},
		{"explain", "--rules", good, "--recording", path("talk.jsonl"), "--session", bad},
		{"explain", "--rules", bad, "x"},
		{"eval", "--rules", good, path("eval.jsonl")},
		{"eval", "--rules", good, "--json", path("eval.jsonl")},
		{"eval", "--rules", good, path("broken.jsonl"), bad},
		{"replay", "--rules", good, path("talk.jsonl"), path("broken.jsonl")},
		{"replay", "--rules", good, "--json", path("talk.jsonl")},
		{"replay", "--rules", good, "--against", path("bad.yaml"), path("talk.jsonl")},
		{"check", good},
		{"check", path("bad.yaml")},
		{"check", path("turned.yaml")},
		{"check", "--json", path("bad.yaml")},
		{"check", bad},
		{"test", good},
		{"test", "--json", good},
		{"packs", bad},
		{"doctor", "--" + bad},
		{"serve", "--" + bad},
		{"serve", "--rules", path("bad.yaml")},
		{"help", bad},
		{bad},
	} {
		var out, errOut bytes.Buffer
		Run(t.Context(), args, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut, Getenv: func(name string) string {
			return map[string]string{"ESCALATOR_SDKAPPID": "1", "ESCALATOR_SECRET_KEY": "key", "ESCALATOR_LISTEN": "127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN": "127.0.0.1:0", "ESCALATOR_DATA_DIR": path("data")}[name]
		}})
		shown := out.String() + errOut.String()
		if found := obeyed.FindString(shown); found != "" || shown == "" {
			t.Errorf("%q shows %q:\n%q", args, found, shown)
		}
	}
	var out bytes.Buffer
	n := newNarrator(Env{Stdout: &out})
	n.line("log", lang.Raw(bad))
	n.log.WithError(errors.New(bad)).Warn(bad)
	if shown := out.String(); obeyed.MatchString(shown) || shown == "" {
		t.Errorf("the demo shows %q", shown)
	}
}
