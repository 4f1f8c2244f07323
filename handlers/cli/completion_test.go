package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDescribed_everyCommandIsDescribedByItsOwnFlags(t *testing.T) {
	flags := 0
	for _, d := range describeAll(Env{Getenv: func(string) string { return "" }}) {
		if d.name != "schema" && d.name != "version" && d.name != "man" && d.usage == "" {
			t.Errorf("%s has no usage", d.name)
		}
		flags += len(d.flags)
	}
	if flags < 100 {
		t.Errorf("only %d flags", flags)
	}
}

func TestCompletion_namesEveryCommandAndFlag(t *testing.T) {
	all := describeAll(Env{Getenv: func(string) string { return "" }})
	for shell, flag := range map[string]string{"bash": "--", "zsh": "--", "fish": "-l "} {
		r := runIn(t, "", "completion", shell)
		if r.code != exitOK || r.stderr != "" {
			t.Errorf("%s: %+v", shell, r)
		}
		for _, d := range all {
			if !strings.Contains(r.stdout, d.name) {
				t.Errorf("%s lacks %s", shell, d.name)
			}
			for _, f := range d.flags {
				if len(f.name) > 1 && !strings.Contains(r.stdout, flag+f.name) {
					t.Errorf("%s lacks --%s of %s", shell, f.name, d.name)
				}
			}
		}
	}
	if r := runIn(t, "", "completion", "csh"); r.code != exitUsage || !strings.Contains(r.stderr, "bash, zsh or fish") {
		t.Errorf("%+v", r)
	}
}

// completes asks bash what it makes of a command line whose last word is being typed.
func completes(t *testing.T, words ...string) []string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"rules.yaml", "talk.jsonl"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := runIn(t, "", "completion", "bash").stdout + `
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _escalator; printf '%s\n' "${COMPREPLY[@]}"`
	c := exec.Command("bash", append([]string{"--norc", "-c", script, "bash", "escalator"}, words...)...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Fields(string(out))
}

func TestCompletion_inBash(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Log("no bash is installed: what it makes of the script is not looked at")
		return
	}
	for _, c := range []struct{ words, want string }{
		{"mu", "mute"},
		{"de", "demo desk decisions"},
		{"--ver", "--version"},
		{"decisions --fo", "--follow"},
		{"decisions --out", "--outcome"},
		{"rules ro", "rollback"},
		{"completion z", "zsh"},
		{"help chec", "check"},
		{"check ru", "rules.yaml"},
		{"--env-file x.env mute --wh", "--why"},
		{"explain hello --rules ru", "rules.yaml"},
		{"replay --ag", "--against"},
		{"serve --callback-p", "--callback-path"},
		{"serve --secret-k", ""},
	} {
		if got := completes(t, strings.Split(c.words, " ")...); strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.words, got, c.want)
		}
	}
	if got := completes(t, "check", ""); !slices.Contains(got, "rules.yaml") || !slices.Contains(got, "--strict") {
		t.Errorf("check: %q", got)
	}
}

// roffMacro is a line that man(7) knows.
var roffMacro = regexp.MustCompile(`^\.(TH|SH|SS|TP|PP|B|BR|nf|fi)( ("([^"]|"")*"|[^" ]+))*$`)

func TestMan_isAPageThatFormattersRead(t *testing.T) {
	page := runIn(t, "", "man").stdout
	open := 0
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, ".") && !roffMacro.MatchString(line), strings.HasPrefix(line, "'"):
			t.Errorf("not a macro: %s", line)
		case line == "":
			t.Error("an empty line")
		case strings.ContainsFunc(line, func(r rune) bool { return r > '~' }):
			t.Errorf("not ASCII: %s", line)
		case line == ".nf":
			open++
		case line == ".fi":
			open--
		}
		if open < 0 || open > 1 {
			t.Fatal(".nf and .fi do not match")
		}
	}
	for _, d := range describeAll(Env{Getenv: func(string) string { return "" }}) {
		if !strings.Contains(page, `.SS "escalator `+roffText(d.name)) {
			t.Errorf("no section for %s", d.name)
		}
	}
	for i := range settingsTable {
		if !strings.Contains(page, `.BR "`+settingsTable[i].name()+`"`) {
			t.Errorf("no %s", settingsTable[i].name())
		}
	}
	if groff, err := exec.LookPath("groff"); err == nil {
		c := exec.Command(groff, "-man", "-Tutf8", "-ww", "-z")
		c.Stdin = strings.NewReader(page)
		if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("groff: %v: %s", err, out)
		}
	}
}
