package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// write puts a file into a folder of its own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pipe runs a command with something on standard input.
func pipe(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var out, errOut bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = t.TempDir(), strings.NewReader(stdin), &out, &errOut
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

// document reads standard output, which must be one JSON document.
func document(t *testing.T, stdout string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(stdout))
	doc := map[string]any{}
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%v in %q", err, stdout)
	}
	if d.More() {
		t.Fatalf("more than one document in %q", stdout)
	}
	return doc
}

func TestTools_exitCodes(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", ruleFile("abracadabra"))
	failing := write(t, "failing.yaml", strings.Replace(ruleFile("abracadabra"), "expect: none", "expect: magic", 1))
	broken := write(t, "broken.yaml", "version: 1\nrules: []\n")
	warned := write(t, "warned.yaml", strings.Replace(ruleFile("abracadabra"), "lists: {", "lists: {unused: [x1y2], ", 1))
	lines := write(t, "lines.jsonl", `{"text":"abracadabra","label":"human"}`)
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"check", good}},
		{0, []string{"check", warned}},
		{1, []string{"check", warned, "--strict"}},
		{1, []string{"check", broken}},
		{1, []string{"check"}}, // an empty folder
		{0, []string{"test", good}},
		{1, []string{"test", failing}},
		{1, []string{"test", broken}},
		{0, []string{"explain", "abracadabra", "--rules", good}},
		{0, []string{"explain", "abracadabra", "--rules", failing}},
		{1, []string{"explain", "abracadabra", "--rules", broken}},
		{2, []string{"explain"}},
		{0, []string{"replay", lines, "--rules", good}},
		{1, []string{"replay", lines, "--rules", good, "--against", broken}},
		{1, []string{"replay", "gone.jsonl"}},
		{0, []string{"eval", lines, "--rules", good}},
		{2, []string{"eval", "--at", "noon", lines}},
		{0, []string{"schema"}},
		{2, []string{"schema", "x"}},
		{0, []string{"version"}},
		{0, []string{"help"}},
		{2, []string{"no-such-command"}},
	} {
		if code, stdout, stderr := command(t, nil, c.args...); code != c.code {
			t.Errorf("%v: exit %d, want %d\n%s%s", c.args, code, c.code, stdout, stderr)
		}
	}
}

func TestTools_json_isOneDocument_alsoWhenTheAnswerIsNo(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", ruleFile("abracadabra"))
	failing := write(t, "failing.yaml", strings.Replace(ruleFile("abracadabra"), "expect: none", "expect: magic", 1))
	broken := write(t, "broken.yaml", "version: 1\nrules: []\n")
	lines := write(t, "lines.jsonl", `{"text":"abracadabra","label":"human","lang":"en"}`+"\nnonsense\n")
	for _, c := range []struct {
		args []string
		keys string
	}{
		{[]string{"check", good}, "ok errors warnings"},
		{[]string{"check", broken}, "ok errors warnings"},
		{[]string{"test", good}, "passed failed tests"},
		{[]string{"test", failing}, "passed failed tests"},
		{[]string{"explain", "abracadabra"}, "turns"},
		{[]string{"replay", lines, "--rules", good}, "conversations turns skipped by_rule decisions"},
		{[]string{"replay", lines, "--rules", good, "--against", failing}, "conversations turns skipped by_rule decisions difference"},
		{[]string{"eval", lines, "--rules", good}, "n tp fp fn tn precision recall f1 by_lang by_rule"},
	} {
		_, stdout, _ := command(t, nil, append(c.args, "--json")...)
		doc := document(t, stdout)
		for key := range strings.FieldsSeq(c.keys) {
			if _, ok := doc[key]; !ok {
				t.Errorf("%v: no %q in %s", c.args, key, stdout)
			}
		}
		if want := len(strings.Fields(c.keys)); len(doc) != want {
			t.Errorf("%v: %d keys, want %d: %s", c.args, len(doc), want, stdout)
		}
	}
}

func TestTools_aDash_isStandardInput_andUnreadableLinesAreToldAndCounted(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", ruleFile("abracadabra"))
	in := `{"text":"abracadabra","label":"human"}` + "\r\n\r\nnonsense\n" + `{"text":"no label"}`
	code, stdout, stderr := pipe(t, in, "eval", "-", "--rules", good, "--json")
	if doc := document(t, stdout); code != 0 || doc["n"] != 1.0 || doc["tp"] != 1.0 {
		t.Errorf("exit %d: %s", code, stdout)
	}
	for _, want := range []string{"-:3: skipped: ", "-:4: skipped: it has no label", "lines skipped: 2"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %q", want, stderr)
		}
	}
	code, stdout, stderr = pipe(t, in, "replay", "-", "--rules", good, "--json")
	if doc := document(t, stdout); code != 0 || doc["conversations"] != 2.0 || doc["skipped"] != 1.0 || !strings.Contains(stderr, "-:3: skipped: ") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	file := write(t, "lines.jsonl", strings.Repeat("x\n", 50))
	if _, _, stderr = command(t, nil, "eval", file, "--rules", good); strings.Count(stderr, file+":") != 20 || !strings.Contains(stderr, "lines skipped: 50") {
		t.Errorf("many bad lines: %s", stderr)
	}
}

func TestTools_explainInAnEmptyFolder_usesTheShippedRules(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := command(t, nil, "explain", "我要转人工")
	if code != 0 || !strings.Contains(stdout, "→ transfer to default by ask-human") || !strings.Contains(stderr, "the rules that come with the program") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if _, stdout, _ = command(t, nil, "explain", "先别转人工"); !strings.Contains(stdout, "negated by 别") {
		t.Errorf("the reason in words: %s", stdout)
	}
}

func TestTools_eval_scoresTwentyLines(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", ruleFile("abracadabra"))
	var file strings.Builder
	for i := range 20 {
		text, label := fmt.Sprintf("question %d", i), "other"
		if i%2 == 0 {
			text, label = fmt.Sprintf("abracadabra %d", i), "wants-a-person"
		}
		if i == 3 || i == 5 { // two who ask in other words
			label = "wants-a-person"
		}
		fmt.Fprintf(&file, "{\"text\":%q,\"label\":%q,\"lang\":\"en\"}\n", text, label)
	}
	lines := write(t, "lines.jsonl", file.String())
	_, stdout, _ := command(t, nil, "eval", lines, "--rules", good, "--positive", "wants-a-person", "--json")
	doc := document(t, stdout)
	for key, want := range map[string]float64{"n": 20, "tp": 10, "fp": 0, "fn": 2, "tn": 8, "precision": 1, "recall": 0.8333} {
		if doc[key] != want {
			t.Errorf("%s = %v, want %v", key, doc[key], want)
		}
	}
	_, stdout, _ = command(t, nil, "eval", lines, "--rules", good, "--positive", "wants-a-person", "--show", "1")
	if !strings.Contains(stdout, "missed: [wants-a-person] question 3") || !strings.Contains(stdout, "… and 1 more") {
		t.Errorf("table: %s", stdout)
	}
}

func TestTools_replayAgainst_tellsWhatIsDifferent(t *testing.T) {
	t.Parallel()
	now, old := write(t, "new.yaml", ruleFile("abracadabra")), write(t, "old.yaml", ruleFile("opensesame"))
	lines := write(t, "lines.jsonl", `{"id":"a","turns":[{"role":"user","text":"abracadabra"}]}`+"\n"+`{"id":"b","turns":[{"role":"user","text":"opensesame"}]}`)
	code, stdout, _ := command(t, nil, "replay", lines, "--rules", now, "--against", old)
	if code != 0 || !strings.Contains(stdout, "1 gained, 1 lost, 0 changed") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

func TestTools_schema_isValidJSON(t *testing.T) {
	t.Parallel()
	_, stdout, stderr := command(t, nil, "schema")
	if doc := document(t, stdout); doc["$schema"] == nil || doc["properties"] == nil || stderr != "" {
		t.Errorf("%s%s", stdout, stderr)
	}
}

func TestAPI_explain_tellsWhatTheRulesInForceWouldDo(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	ask := func(body string) (int, map[string]any) {
		status, answer := request(t, http.MethodPost, s.admin+"/api/explain", body)
		return status, document(t, answer)
	}
	decision := func(body string) map[string]any {
		status, doc := ask(body)
		turns, _ := doc["turns"].([]any)
		if status != http.StatusOK || len(turns) == 0 {
			t.Fatalf("%s: %d %v", body, status, doc)
		}
		last, _ := turns[len(turns)-1].(map[string]any)
		d, _ := last["decision"].(map[string]any)
		return d
	}
	if d := decision(`{"text":"Abracadabra!"}`); d["rule"] != "magic" || d["outcome"] != "transfer" || d["target"] != "default" {
		t.Errorf("%v", d)
	}
	turns := `{"turns":[{"role":"user","text":"hi"},{"role":"agent","text":"Li here"},{"role":"user","text":"abracadabra"}],"at":"2026-03-01T12:00:00+08:00"}`
	if d := decision(turns); d["outcome"] != "suppressed" || d["reason"] != "already_human" {
		t.Errorf("%v", d)
	}
	again := `{"turns":[{"role":"user","text":"abracadabra"},{"role":"desk","text":"no_agent"},{"role":"wait","text":"1h"},` +
		`{"role":"bot","mark":"fallback"},{"role":"user","text":"abracadabra","fields":{"CloudCustomData.level":"gold"}}]}`
	if d := decision(again); d["outcome"] != "transfer" {
		t.Errorf("after nobody was there: %v", d)
	}
	for body, want := range map[string]string{
		``:   "must be JSON",
		`{}`: `send \"text\"`,
		`{"text":"a","turns":[{"role":"user","text":"b"}]}`: `send \"text\"`,
		`{"turns":[{"role":"usr","text":"b"}]}`:             "is none of user, bot, agent",
		`{"txt":"a"}`:                                       "it has no field",
		`{"turns":[{"role":"desk","text":"nobody"}]}`:       "is not an answer of Desk (valid: no_agent, assigned, queued, failed, unknown)",
		`{"turns":[{"role":"desk","text":"no_agent"}]}`:     "no transfer was made before",
		`{"text":"a","at":"noon"}`:                          "must be JSON",
		`{"text":"` + strings.Repeat("a", 16_001) + `"}`:    "longer than 16000 bytes",
		`{"turns":[` + strings.Repeat(`{"role":"user","text":"b"},`, 100) + `{"role":"user","text":"b"}]}`: "101 turns are more than 100",
	} {
		if status, answer := request(t, http.MethodPost, s.admin+"/api/explain", body); status != http.StatusBadRequest || !strings.Contains(answer, want) {
			t.Errorf("%.60s: %d %s", body, status, answer)
		}
	}
	request(t, http.MethodPost, s.admin+"/api/rules/magic/mute", `{"for":"1h","by":"li","why":"too loud"}`)
	if d := decision(`{"text":"abracadabra"}`); d["outcome"] != "none" || d["reason"] != "muted" {
		t.Errorf("muted: %v", d)
	}
	s.writeRules(ruleFile("opensesame"))
	request(t, http.MethodPost, s.admin+"/api/reload", "")
	request(t, http.MethodPost, s.admin+"/api/rules/magic/mute", `{"for":"0s","by":"li"}`)
	if d := decision(`{"text":"opensesame"}`); d["outcome"] != "transfer" {
		t.Errorf("after a reload: %v", d)
	}
	s.obeys("opensesame", true) // what was explained has counted nowhere
}
