package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun_help_namesEveryCommand(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}, {"-help"}} {
		r := runIn(t, "", args...)
		if r.code != exitOK || r.stderr != "" {
			t.Errorf("%v: %+v", args, r)
		}
		for _, c := range commands() {
			if !strings.Contains(r.stdout, "  "+c.name) {
				t.Errorf("%v does not name %s", args, c.name)
			}
		}
	}
}

func TestRun_whatCannotBeUsed_endsWith2_andSaysWhereHelpIs(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"chek"}, `unknown command "chek": did you mean check? (escalator --help lists the commands)`},
		{[]string{"frobnicate"}, `unknown command "frobnicate" (escalator --help lists the commands)`},
		{[]string{"help", "explian"}, `unknown command "explian": did you mean explain?`},
		{[]string{"packs", "$ask_humn"}, `there is no built-in pack "ask_humn": did you mean ask_human?`},
		{[]string{"packs", "zh"}, "there are ask_human, bot_missed"},
		{[]string{"packs", "yes", "--lang", "cn"}, `there are no packs for the language "cn"; there are for ar, de,`},
		{[]string{"packs", "yes", "no"}, "one pack at a time, not 2"},
		{[]string{"check", "--jsn"}, "there is no flag --jsn: did you mean --json? (escalator check --help)"},
		{[]string{"check", "--zzzzzzzz"}, "there is no flag --zzzzzzzz (escalator check --help)"},
		{[]string{"serve", "--data-dri", "x"}, "there is no flag --data-dri: did you mean --data-dir? (escalator serve --help lists the flags)"},
		{[]string{"check", "a", "b"}, "one file at a time, not 2"},
		{[]string{"explain"}, "explain needs a message"},
		{[]string{"explain", " "}, "explain needs a message"},
		{[]string{"explain", "x", "--at", "noon"}, `"noon" is not a time like 23:00, "2026-12-01 23:00" or 2026-01-05T10:00:00+08:00`},
		{[]string{"replay"}, "replay needs files"},
		{[]string{"eval"}, "eval needs files"},
		{[]string{"schema", "x"}, "schema takes no argument"},
		{[]string{"version", "x"}, `version takes no argument, but was given "x" (escalator version --help)`},
		{[]string{"demo", "once"}, `demo takes no argument, but was given "once"`},
		{[]string{"desk", "127.0.0.1:9090"}, `desk takes no argument, but was given "127.0.0.1:9090"`},
		{[]string{"doctor", "json"}, `doctor takes no argument, but was given "json"`},
		{[]string{"health", "127.0.0.1:8081"}, `health takes no argument, but was given "127.0.0.1:8081"`},
		{[]string{"completion"}, "completion takes one bash|zsh|fish (escalator completion --help)"},
		{[]string{"help", "demo", "serve"}, "help takes one COMMAND (escalator help --help)"},
		{[]string{"-V"}, "there is no flag -V ("},
		{[]string{"serve", "x"}, `unexpected argument "x"`},
		{[]string{"--no-such-flag"}, "(escalator serve --help lists the flags)"},
	} {
		r := runIn(t, "", c.args...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
			t.Errorf("%v: %+v, want %s", c.args, r, c.want)
		}
	}
}

func TestRun_everyCommand_hasAHelpOfItsOwn(t *testing.T) {
	for _, c := range commands() {
		r := runIn(t, "", c.name, "--help")
		if r.code != exitOK || !strings.Contains(r.stdout, "Usage: escalator "+c.name) || r.stderr != "" {
			t.Errorf("%s: %+v", c.name, r)
		}
		if h := runIn(t, "", "help", c.name); h != r {
			t.Errorf("help %s is not what %s --help is: %+v", c.name, c.name, h)
		}
		for line := range strings.Lines(r.stdout) {
			if n := columnsOf(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s --help has a line of %d columns: %s", c.name, n, line)
			}
		}
	}
}

func TestRun_aFileThatIsNotThere_endsWith1_andIsNamed(t *testing.T) {
	t.Chdir("testdata")
	for _, args := range [][]string{
		{"check", "gone.yaml"},
		{"test", "gone.yaml"},
		{"explain", "x", "--rules", "gone.yaml"},
		{"replay", "gone.yaml"},
		{"eval", "gone.yaml"},
		{"replay", "dialogues.jsonl", "--against", "gone.yaml"},
	} {
		r := runIn(t, "", args...)
		if r.code != exitBad || !strings.Contains(r.stderr, "gone.yaml") || r.stdout != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

func TestDesk_takesTheSecretsOfTheService_fromFilesToo(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("the-key-of-the-service\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{key: exitOK, key + ".gone": exitUsage} {
		var out, log bytes.Buffer
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		code := Run(ended, []string{"desk", "--listen", "127.0.0.1:0"}, Env{Stdout: &out, Stderr: &log, Getenv: func(name string) string {
			return map[string]string{"ESCALATOR_SECRET_KEY_FILE": file}[name]
		}})
		if code != want || strings.Contains(out.String(), "export ESCALATOR_SECRET_KEY=") {
			t.Errorf("%s: exit %d, want %d, and no sample key: %s%s", file, code, want, out.String(), log.String())
		}
	}
}

func TestEvalAndReplay_ofNothing_endWith1_andGiveNoFigure(t *testing.T) {
	t.Chdir("testdata")
	for _, args := range [][]string{{"eval", "-", "--json"}, {"eval", "-"}, {"replay", "-"}} {
		r := runIn(t, "\n", append(args, "--rules", "rules.yaml")...)
		if r.code != exitBad || r.stderr == "" || strings.Contains(r.stdout, "1.0") || !strings.Contains(r.stdout, `"precision": null`) != (len(args) == 2) {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

func TestEval_belowWhatIsAskedFor_endsWith1(t *testing.T) {
	t.Chdir("testdata")
	for args, want := range map[string]int{
		"--min-precision=0.5": exitOK, "--min-precision=0.9": exitBad, "--min-recall=0.5": exitOK, "--min-recall=0.99": exitBad,
	} {
		if r := runIn(t, "", "eval", "labelled.jsonl", "--rules=rules.yaml", args); r.code != want {
			t.Errorf("%s: %+v", args, r)
		}
	}
}

// All processors judge; what they found is told in the order of the lines.
func TestEval_linesThatAreJudgedAtOnce_keepTheirOrder(t *testing.T) {
	t.Chdir("testdata")
	var lines, want strings.Builder
	for n := range 50 {
		fmt.Fprintf(&lines, "{\"text\":\"zorblify number %d\",\"label\":\"human\",\"lang\":\"en\"}\n", n)
		fmt.Fprintf(&want, "missed: [human] zorblify number %d\n", n)
	}
	if r := runIn(t, lines.String(), "eval", "-", "--rules=rules.yaml", "--show=50"); r.code != exitOK || !strings.HasSuffix(r.stdout, want.String()) {
		t.Errorf("%+v", r)
	}
}

func TestFolders_areReadWhole(t *testing.T) {
	folder := t.TempDir()
	for name, line := range map[string]string{"b/2.jsonl": `{"text":"abracadabra"}`, "1.ndjson": `{"text":"变戏法"}`, "notes.txt": "not a line"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	empty := t.TempDir()
	t.Chdir("testdata")
	if r := runIn(t, "", "replay", folder, "--rules=rules.yaml"); r.code != exitOK || !strings.HasPrefix(r.stdout, "2 conversations, 2 turns") {
		t.Errorf("%+v", r)
	}
	if r := runIn(t, "", "replay", empty, "--rules=rules.yaml"); r.code != exitBad || !strings.Contains(r.stderr, "holds no .jsonl") {
		t.Errorf("%+v", r)
	}
}

func TestCommands_readTheRuleFileOfTheService(t *testing.T) {
	t.Chdir("testdata")
	var out strings.Builder
	env := Env{Stdout: &out, Stderr: &out, Getenv: func(name string) string {
		return map[string]string{"ESCALATOR_RULES": "old.yaml"}[name]
	}}
	for _, args := range [][]string{{"check"}, {"explain", "opensesame"}} {
		out.Reset()
		Run(t.Context(), args, env)
		if !strings.Contains(out.String(), "old.yaml: ok") && !strings.Contains(out.String(), "transfer") {
			t.Errorf("%v: %s", args, out.String())
		}
	}
}

func TestReplay_whatATerminalWouldObey_isShownAsEscapes(t *testing.T) {
	t.Chdir("testdata")
	for _, command := range []string{"replay", "eval"} {
		r := runIn(t, `{"text":"abracadabra \u001b[2J","label":"other"}`, command, "-", "--rules=rules.yaml")
		if strings.Contains(r.stdout, "\x1b") || !strings.Contains(r.stdout, `\x1b[2J`) {
			t.Errorf("%s: %q", command, r.stdout)
		}
	}
}

func TestRun_version_isAFlagToo(t *testing.T) {
	want := runIn(t, "", "version")
	for _, flag := range []string{"--version", "-version", "-v"} {
		if r := runIn(t, "", flag); r != want || r.code != exitOK || !strings.HasPrefix(r.stdout, "escalator ") {
			t.Errorf("%s: %+v, want %+v", flag, r, want)
		}
	}
}
