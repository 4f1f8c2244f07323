package rulefile

import (
	"fmt"
	"strings"

	"escalator/rules"
	"escalator/rules/ruletest"
)

// Change says what a reload did.
type Change struct {
	Version string `json:"version"`
	// Same says that the file had not changed.
	Same    bool `json:"same,omitempty"`
	Added   int  `json:"added"`
	Changed int  `json:"changed"`
	Removed int  `json:"removed"`
	// TestsPassed of Tests went well.
	TestsPassed int             `json:"tests_passed"`
	Tests       int             `json:"tests"`
	Warnings    []rules.Problem `json:"warnings,omitempty"`
}

// String is the one line that the log and the command print.
func (c *Change) String() string {
	if c.Same {
		return "unchanged, version " + c.Version
	}
	return fmt.Sprintf("rules +%d ~%d -%d, tests %d/%d, version %s", c.Added, c.Changed, c.Removed, c.TestsPassed, c.Tests, c.Version)
}

// compare counts the rules that came, changed and went, by their ids.
func compare(before, after *rules.Policy) (added, changed, removed int) {
	old := map[string]string{}
	for _, r := range before.Rules() {
		old[r.ID] = r.Digest
	}
	for _, r := range after.Rules() {
		digest, known := old[r.ID]
		switch {
		case !known:
			added++
		case digest != r.Digest:
			changed++
		}
		delete(old, r.ID)
	}
	return added, changed, len(old)
}

// RefusedError is the error of a file that was not taken. The rules in force stay.
type RefusedError struct {
	// Why is the reason in one line.
	Why string
	// Report holds the mistakes in the file, if it has any.
	Report rules.Report
	// Source is the content that was refused.
	Source []byte
	// Failed are the tests of the file that failed.
	Failed []ruletest.Result
	file   string
}

// Error tells the reason and each mistake with its place.
func (r *RefusedError) Error() string {
	var b strings.Builder
	b.WriteString(r.Why)
	for _, p := range r.Problems() {
		b.WriteString("; ")
		b.WriteString(p)
	}
	return b.String()
}

// Problems lists the mistakes and the failed tests, a line each.
func (r *RefusedError) Problems() []string {
	var lines []string
	for _, p := range r.Report.Errors {
		line := fmt.Sprintf("%s:%d:%d: %s", r.file, p.Line, p.Column, p.Message)
		if p.Hint != "" {
			line += " (" + p.Hint + ")"
		}
		lines = append(lines, line)
	}
	for _, t := range r.Failed {
		lines = append(lines, fmt.Sprintf("%s:%d: test %q: %s", r.file, t.Line, t.Name, t.Message))
	}
	return lines
}
