package ruletest

import (
	"os"
	"testing"
	_ "time/tzdata"

	"escalator/rules"
)

// The example of RULES.md 1 is the file that people will copy from, so it must load and its own tests must pass.
func TestRun_exampleFile_passes(t *testing.T) {
	src, err := os.ReadFile("../testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, r := rules.Load(src, rules.LoadOptions{})
	if !r.OK() {
		r.Write(os.Stderr, "example.yaml", src)
		t.Fatal("the example has errors")
	}
	report := Run(p)
	for _, result := range report.Tests {
		if !result.OK {
			t.Errorf("%s: %s", result.Name, result.Message)
		}
	}
	if report.Passed != 4 {
		t.Errorf("passed %d of 4", report.Passed)
	}
}
