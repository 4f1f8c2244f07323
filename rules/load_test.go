package rules

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	_ "time/tzdata"

	"escalator/rules/lang"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each file of testdata/errors holds one kind of mistake. The golden file is what a person sees: every problem with its
// place, the source line, a caret, and a way out.
func TestLoad_mistakes_areExplained(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d files of mistakes, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src := readFile(t, file)
			p, r := Load(src, LoadOptions{})
			if p != nil || r.OK() {
				t.Fatal("the file loads")
			}
			var out bytes.Buffer
			r.Write(&out, lang.English, "rules.yaml", Files{"rules.yaml": src})
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(readFile(t, golden)), out.String()); diff != "" {
				t.Errorf("what is said differs from %s (-want +got):\n%s", golden, diff)
			}
			for _, p := range r.Errors {
				if p.Line < 1 || p.Column < 1 || p.Hint == "" {
					t.Errorf("no place or no way out: %+v", p)
				}
			}
		})
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLoad_aControlCharacter_isToldAtItsPlace(t *testing.T) {
	for _, c := range []struct {
		src          string
		line, column int
	}{
		{"version: 1\ntargets: {a: {}}\n\x00", 3, 1},
		{"version: 1\n# 转\x1b[31m\n", 2, 4},
		{"version: 1\nlists: {a: [f\x7foo]}\n", 2, 14},
		{"version: 1\n# \u009b\n", 2, 3},
	} {
		_, r := Load([]byte(c.src), LoadOptions{Now: start})
		if len(r.Errors) != 1 || r.Errors[0].Line != c.line || r.Errors[0].Column != c.column || !strings.Contains(r.Errors[0].Message.String(), "control character") {
			t.Errorf("%q: %+v", c.src, r.Errors)
		}
	}
}
