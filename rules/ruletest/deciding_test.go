package ruletest

import (
	"os"
	"path/filepath"
	"testing"

	"escalator/rules"
)

// How rules decide (RULES.md 6) is told in rule files with tests of their own, in the words of those who write them.
func TestRun_filesOnDeciding_pass(t *testing.T) {
	files, err := filepath.Glob("testdata/deciding/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, r := rules.Load(src, rules.LoadOptions{})
		if p == nil {
			t.Errorf("%s: %+v", file, r.Errors)
			continue
		}
		for _, result := range ran(t, p).Tests {
			if !result.OK {
				t.Errorf("%s:%d: %s: %s", file, result.Line, result.Name, result.Message)
			}
		}
	}
}
