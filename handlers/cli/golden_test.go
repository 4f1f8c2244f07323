package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// result is what a command led to.
type result struct {
	code           int
	stdout, stderr string
}

// runIn runs a command in the folder testdata.
func runIn(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	env := Env{
		Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errOut,
		Getenv: func(string) string { return "" }, ShippedRules: []byte("version: 1\n"),
	}
	code := Run(t.Context(), args, env)
	return result{code, out.String(), errOut.String()}
}

// unsteady is what changes with the packs and not with the commands.
var unsteady = regexp.MustCompile(`version [0-9a-f]{12}|\d+ phrases( in \d+ languages|: ar [\s\S]*?\n(\$|\n))?|phrases \d+|\n +\d+  =`)

func (r result) String() string {
	text := r.stdout
	if r.stderr != "" {
		text += "--- stderr\n" + r.stderr
	}
	if r.code != exitOK {
		text += "--- exit " + string(rune('0'+r.code)) + "\n"
	}
	return unsteady.ReplaceAllStringFunc(text, func(s string) string {
		switch s[0] {
		case 'v':
			return "version …"
		case '\n': // the line that a phrase stands in
			return "\n      …  ="
		default:
			return "… phrases"
		}
	})
}

// TestGolden compares what commands print with testdata/*.golden; go test
// ./handlers/cli -update writes them anew, for git diff to show.
func TestGolden(t *testing.T) {
	const rules = "--rules=rules.yaml"
	for name, args := range map[string][]string{
		"check":                 {"check", "rules.yaml"},
		"check-json":            {"check", "rules.yaml", "--json"},
		"check-strict":          {"check", "old.yaml", "--strict"},
		"check-broken":          {"check", "broken.yaml"},
		"check-broken-json":     {"check", "--json", "broken.yaml"},
		"test":                  {"test", "rules.yaml"},
		"test-json":             {"test", "--json", "rules.yaml"},
		"test-failing":          {"test", "failing.yaml"},
		"test-failing-json":     {"test", "failing.yaml", "--json"},
		"test-none":             {"test", "old.yaml"},
		"test-broken":           {"test", "broken.yaml", "--json"},
		"explain":               {"explain", "please", "Abracadabra!"},
		"explain-json":          {"explain", "please", "Abracadabra!", "--json"},
		"explain-wide":          {"explain", "请您（快）变戏法"},
		"explain-negated":       {"explain", "别变戏法"},
		"explain-masked":        {"explain", "what is the abracadabra song"},
		"explain-off":           {"explain", "hocus"},
		"explain-shadow":        {"explain", "a treasure"},
		"explain-conversation":  {"explain", "user: one", "bot: sorry", "user: two", "bot: sorry", "agent: Li here", "user: abracadabra"},
		"explain-desk":          {"explain", "--rules=service.yaml", "--at=20:00", "--field=CloudCustomData.level=gold", "user: talk to an agnet", "wait: 11m", "I want my money back", "desk: no_agent", "wait: 30s", "mark： fallback", "bot：抱歉", "user: 转人工"},
		"explain-desk-json":     {"explain", "--json", "--rules=service.yaml", "user: refund", "desk: queued", "wait: 1m"},
		"explain-closed":        {"explain", "--rules=service.yaml", "--at=2026-01-10 03:00", "给我退款"},
		"explain-test":          {"explain", "--rules=service.yaml", "--test", "a refund at night"},
		"explain-test-json":     {"explain", "--rules=service.yaml", "--test", "a refund at night", "--json"},
		"explain-test-fails":    {"explain", "--rules=failing.yaml", "--test", "the word"},
		"explain-dialogue":      {"explain", rules, "--recording", "dialogues.jsonl", "--session", "c"},
		"explain-callbacks":     {"explain", rules, "--recording", "callbacks.jsonl", "--session", "s1"},
		"explain-control":       {"explain", "--rules=service.yaml", "abracadabra \x1b[2J\a\r \u009b31m refund \u202e"},
		"explain-control-json":  {"explain", "--rules=service.yaml", "--json", "refund \x1b[2J\a\r \u009b31m \x7f \u202e \U000e0041"},
		"explain-turns-json":    {"explain", "--json", "user: one", "bot: sorry", "agent: Li here"},
		"replay":                {"replay", rules, "dialogues.jsonl"},
		"replay-json":           {"replay", rules, "dialogues.jsonl", "--json"},
		"replay-callbacks":      {"replay", rules, "callbacks.jsonl"},
		"replay-callbacks-json": {"replay", rules, "callbacks.jsonl", "--json"},
		"replay-against":        {"replay", rules, "dialogues.jsonl", "--against", "old.yaml"},
		"replay-against-json":   {"replay", rules, "dialogues.jsonl", "--against", "old.yaml", "--json"},
		"eval":                  {"eval", rules, "labelled.jsonl"},
		"eval-show-1":           {"eval", rules, "labelled.jsonl", "--show", "1"},
		"eval-json":             {"eval", rules, "labelled.jsonl", "--json"},
		"help":                  {"help"},
		"help-packs":            {"help", "packs"},
		"packs":                 {"packs"},
		"packs-no-hi":           {"packs", "$no", "--lang", "hi"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir("testdata")
			r := runIn(t, "", args...)
			if strings.HasSuffix(name, "-json") && !json.Valid([]byte(r.stdout)) {
				t.Errorf("standard output is not one JSON document:\n%s", r.stdout)
			}
			golden := name + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(r.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), r.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestExplain_aCooldown_isNamedWithItsEnd uses keep: after a transfer the
// customer would be with a person.
func TestExplain_aCooldown_isNamedWithItsEnd(t *testing.T) {
	t.Chdir(t.TempDir())
	src := "version: 1\ntargets: {default: {}}\nrules:\n  - {id: calm, when: {says: [rain]}, then: {keep: true}, cooldown: 5m}\n"
	if err := os.WriteFile("rules.yaml", []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runIn(t, "", "explain", "user: rain", "user: rain again")
	if r.code != exitOK || !strings.Contains(r.stdout, "cooldown until 10:05") {
		t.Errorf("%+v", r)
	}
}

func TestExplain_wordsAfterTwoDashes_areNoFlags(t *testing.T) {
	t.Chdir("testdata")
	r := runIn(t, "", "explain", "--json", "--", "say", "--json", "abracadabra")
	var x struct{ Turns []struct{ Text string } }
	if err := json.Unmarshal([]byte(r.stdout), &x); err != nil || len(x.Turns) != 1 || x.Turns[0].Text != "say --json abracadabra" {
		t.Errorf("%+v: %v", r, err)
	}
}

func TestUnderline_standsBelowTheWords_wideOrNarrow(t *testing.T) {
	t.Chdir("testdata")
	for text, want := range map[string]string{
		"变戏法":            "    ^^^^^^\n",
		"请（变戏法）":         "        ^^^^^^\n",
		"ok 变戏法":         "       ^^^^^^\n",
		"🙂变戏法":           "      ^^^^^^\n",
		"e\u0301é 变戏法":   "       ^^^^^^\n",
		"ﾊﾛｰ 변戏 变戏法 end": "             ^^^^^^\n",
	} {
		r := runIn(t, "", "explain", text)
		lines := strings.SplitAfter(r.stdout, "\n")
		if got := lines[1]; got != "  "+want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
