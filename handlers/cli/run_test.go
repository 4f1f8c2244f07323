package cli

import (
	"bytes"
	"context"
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
			if !strings.Contains(r.stdout, "escalator "+c.name) || !strings.Contains(r.stdout, c.summary) {
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
		{[]string{"chek"}, `unknown command "chek" (escalator --help lists the commands)`},
		{[]string{"check", "--jsn"}, "flag provided but not defined: -jsn (escalator check --help)"},
		{[]string{"check", "a", "b"}, "one file at a time, not 2"},
		{[]string{"explain"}, "explain what?"},
		{[]string{"explain", " "}, "explain what?"},
		{[]string{"explain", "x", "--at", "noon"}, `"noon" is no time like 2026-01-05T10:00:00+08:00`},
		{[]string{"replay"}, "replay needs a file"},
		{[]string{"eval"}, "eval needs a file"},
		{[]string{"schema", "x"}, "schema takes no argument"},
		{[]string{"version", "x"}, `version takes no argument, and here is "x" (escalator version --help)`},
		{[]string{"demo", "once"}, `demo takes no argument, and here is "once"`},
		{[]string{"desk", "127.0.0.1:9090"}, `desk takes no argument, and here is "127.0.0.1:9090"`},
		{[]string{"doctor", "json"}, `doctor takes no argument, and here is "json"`},
		{[]string{"health", "127.0.0.1:8081"}, `health takes no argument, and here is "127.0.0.1:8081"`},
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
		if c.name == "help" {
			continue
		}
		r := runIn(t, "", c.name, "--help")
		if r.code != exitOK || !strings.Contains(r.stdout, "Usage: escalator "+c.name) || r.stderr != "" {
			t.Errorf("%s: %+v", c.name, r)
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

func TestEval_ofNothing_saysThatItIsNoGoodMark(t *testing.T) {
	t.Chdir("testdata")
	r := runIn(t, "\n", "eval", "-", "--json", "--rules", "rules.yaml")
	if r.code != exitOK || !strings.Contains(r.stderr, "no line was scored") || !strings.Contains(r.stdout, `"n": 0`) {
		t.Errorf("%+v", r)
	}
}
