package rules

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"escalator/rules/lang"

	"github.com/google/go-cmp/cmp"
)

// Each file of testdata/mistakes is what somebody wrote who meant something else, with a Chinese keyboard, out of a
// spreadsheet, or by a slip of the finger. Each must be told, at the character, with a way out.
func TestMistakes_areToldAtTheirPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("found %d files of mistakes, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			src := readFile(t, file)
			_, r := Load(src, LoadOptions{Now: start})
			if len(r.Errors)+len(r.Warnings) == 0 {
				t.Fatal("nothing is said")
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
			for _, p := range append(r.Errors, r.Warnings...) {
				if p.Line < 1 || p.Column < 1 || p.Hint == "" {
					t.Errorf("no place or no way out: %+v", p)
				}
			}
		})
	}
}
