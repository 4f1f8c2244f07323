package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func writeEnvFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "escalator.env")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEnvFile_isReadAsItIsWrittenForShellsAndContainers(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]string
	}{
		{"plain", "A=1\nB=two words\n", map[string]string{"A": "1", "B": "two words"}},
		{"comments and empty lines", "# A=0\n\n  # more\nA=1\n", map[string]string{"A": "1"}},
		{"a comment behind a value", "A=desk     # who answers\nB=1\t# tab", map[string]string{"A": "desk", "B": "1"}},
		{"no value but a comment", "A= # nothing", map[string]string{"A": ""}},
		{"a # within a value", "A=x#y\nB='x # y'", map[string]string{"A": "x#y", "B": "x # y"}},
		{"quotes", "A=\"1\"\nB='two words'  # why\nC=\"it's\"", map[string]string{"A": "1", "B": "two words", "C": "it's"}},
		{"export", "export A=1\nexport   B='2'", map[string]string{"A": "1", "B": "2"}},
		{"= in a value", "A=x=y=", map[string]string{"A": "x=y="}},
		{"a dollar is a dollar", "A=$HOME", map[string]string{"A": "$HOME"}},
		{"written on Windows", "\ufeffA=1\r\nB=\"2\"\r\n", map[string]string{"A": "1", "B": "2"}},
		{"empty", "", map[string]string{}},
	} {
		got, err := readEnvFile(writeEnvFile(t, c.text))
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", c.name, err, diff)
		}
	}
}

func TestEnvFile_everyMistakeIsNamed_withItsLine_andWithoutValues(t *testing.T) {
	file := writeEnvFile(t, "A=1\nSECRET_KEY = "+plantedSecret+"\nB=\""+plantedSecret+"\nA="+plantedSecret+"\n"+plantedSecret+"\nC='x'"+plantedSecret+"\n")
	_, err := readEnvFile(file)
	var usage *usageError
	if err == nil {
		t.Fatal("accepted")
	}
	usage = err.(*usageError) //nolint:errorlint,forcetypeassert // it is made there
	want := []string{":2: this is not NAME=VALUE", ":3: the quotes of B", ":4: A is set twice", ":5: this is not NAME=VALUE", ":6: the quotes of C"}
	if len(usage.problems) != len(want) {
		t.Fatalf("%q", usage.problems)
	}
	for i, w := range want {
		if !strings.HasPrefix(usage.problems[i].String(), file+w) || strings.Contains(usage.problems[i].String(), plantedSecret) {
			t.Errorf("%q, want %q", usage.problems[i], w)
		}
	}
	if _, err := readEnvFile(file + "-gone"); err == nil {
		t.Error("a file that is not there is passed over")
	}
	if _, err := readEnvFile(writeEnvFile(t, "A="+strings.Repeat("x", maxEnvFile))); err == nil {
		t.Error("a huge file is read")
	}
}

func TestEnvFile_theEnvironmentAndFlagsBeatIt(t *testing.T) {
	file := writeEnvFile(t, "ESCALATOR_SDKAPPID=1400000001\nESCALATOR_SECRET_KEY='"+plantedSecret+"'\nESCALATOR_LISTEN=:1\nESCALATOR_IDENTIFIER=of-file\nESCALATOR_TYPO=1\n")
	for _, args := range [][]string{
		{"--env-file", file, "--listen", ":3"}, {"--listen=:3", "-env-file=" + file},
	} {
		env := Env{Getenv: func(name string) string { return map[string]string{"ESCALATOR_IDENTIFIER": "of-env"}[name] }, Environ: []string{"HOME=x"}}
		rest, env, err := withEnvFile(args, env)
		if err != nil {
			t.Fatal(err)
		}
		s, err := loadSettings(rest, env)
		if err != nil || s.SDKAppID != 1400000001 || s.SecretKey.Reveal() != plantedSecret || s.Listen != ":3" || s.Identifier != "of-env" {
			t.Errorf("%v: %+v %v", args, s, err)
		}
		if _, w := unknownVariables(env.Environ); len(w) != 1 || !strings.Contains(w[0].String(), "ESCALATOR_TYPO") {
			t.Errorf("%q", w)
		}
	}
	for _, args := range [][]string{{"--env-file"}, {"--env-file="}, {"--env-file", ""}} {
		if _, _, err := withEnvFile(args, Env{}); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	if rest, _, err := withEnvFile([]string{"--", "--env-file"}, Env{}); err != nil || len(rest) != 2 {
		t.Errorf("behind --: %q %v", rest, err)
	}
}
