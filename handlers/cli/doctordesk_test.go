package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk/desktest"
)

// runDoctor runs doctor on a rule file against an emulator.
func runDoctor(t *testing.T, d *desktest.Desk, rules string, args ...string) (code int, out string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{
		"ESCALATOR_SDKAPPID": "1400000000", "ESCALATOR_SECRET_KEY": desktest.DefaultKey.Reveal(), "ESCALATOR_API_URL": d.URL(), "ESCALATOR_RULES": file,
		"ESCALATOR_LISTEN": "127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN": "127.0.0.1:0", "ESCALATOR_DATA_DIR": dir, "COLUMNS": "400",
	}
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), append([]string{"doctor"}, args...), Env{Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return settings[name] }})
	return code, stdout.String() + stderr.String()
}

// The rule file may be named as for every command that reads one, which beats ESCALATOR_RULES.
func TestDoctor_takesTheRuleFileAsAFlag(t *testing.T) {
	d := desktest.New(desktest.Options{})
	if err := d.Start(""); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	other := filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(other, []byte("version: 1\ntargets: {default: {}}\nrules:\n  - {id: a, when: {says: [help]}, then: {transfer: default}}\n  - {id: b, when: {says: [refund]}, then: {transfer: default}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const one = "version: 1\ntargets: {default: {}}\nrules:\n  - {id: a, when: {says: [help]}, then: {transfer: default}}\n"
	if code, out := runDoctor(t, d, one, "--rules", other); code != exitOK || !strings.Contains(out, "other.yaml: 2 rules") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out := runDoctor(t, d, one, "--rules", other+"x"); code != exitBad || !strings.Contains(out, "FAIL  rules") {
		t.Errorf("a file that is not there: exit %d\n%s", code, out)
	}
}

// unsteadyInDoctor is what differs from run to run: folders, ports, the version of the rules, the distance of the clocks.
var unsteadyInDoctor = regexp.MustCompile(`/[^\s：]+/00\d\b|127\.0\.0\.1:\d+|(version|版本) [0-9a-f]{12}|\d+(\.\d+)?(ms|µs|s)\b`)

// TestDoctor_inBothLanguages_ofGoodAndBad compares a whole report with testdata/language/doctor.*.golden.
func TestDoctor_inBothLanguages_ofGoodAndBad(t *testing.T) {
	d := desktest.New(desktest.Options{})
	if err := d.Start(""); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.SetGroup(2473, "理赔组")
	const rules = "version: 1\nnotify: {leads: {wecom: {url_file: leads-url}, on: [message]}}\n" +
		"calendars: {club: {tz: Asia/Shanghai, open: [mon-fri 09:00-22:00]}}\n" +
		"targets: {default: {open: club}, claims: {group: 2473, else: default}, other: {group: 2437}}\n" +
		"rules:\n  - {id: ask, when: {says: [$ask_human]}, then: {transfer: claims, say: 请稍候。}}\n  - {id: broken, when: {says: [破损]}, then: {transfer: other, agents: [nobody@example.com]}}\n" +
		"tests: [{name: a, at: 2026-12-01T10:00:00+08:00, say: 转人工, expect: ask}, {name: b, say: 破损, expect: broken}, {name: c, say: 你好, expect: none}]\n"
	for _, language := range []string{"en", "zh"} {
		t.Run(language, func(t *testing.T) {
			code, out := runDoctor(t, d, rules, "--lang", language)
			if code != exitBad {
				t.Errorf("exit %d", code)
			}
			got := unsteadyInDoctor.ReplaceAllString(out, "…")
			golden := "testdata/language/doctor." + language + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDoctor_readsDesksSide(t *testing.T) {
	d := desktest.New(desktest.Options{})
	if err := d.Start(""); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.SetGroup(2473, "售后")
	const file = "version: 1\ntargets: {default: {group: 2473}}\nrules: [{id: ask, when: {says: [human]}, then: {transfer: default, say: wait}}]\n" +
		"tests: [{name: a, say: human, expect: ask}, {name: b, say: hello, expect: none}]\n"
	code, out := runDoctor(t, d, file)
	if code != 0 || !strings.Contains(out, "ok    texts        warning: customers would get both: rule ask (say)") || strings.Contains(out, "FAIL") {
		t.Errorf("warnings alone: exit %d\n%s", code, out)
	}
	code, out = runDoctor(t, d, strings.Replace(file, "2473", "2437", 1))
	if code != 1 || !strings.Contains(out, "FAIL  groups       target default names group 2437") || !strings.Contains(out, "→ did you mean 2473?") {
		t.Errorf("a group that is not there: exit %d\n%s", code, out)
	}
	if err := d.Fail(desktest.Fault{Command: "get_member_group_list", Kind: desktest.FaultCode, Code: 72001, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	code, out = runDoctor(t, d, strings.Replace(file, "2473", "2437", 1), "--json")
	var told struct {
		OK     bool
		Checks []finding
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || code != 0 || !told.OK || !strings.Contains(out, "unknown: the groups and their names") {
		t.Errorf("a refused call: exit %d, %v\n%s", code, err, out)
	}
}
