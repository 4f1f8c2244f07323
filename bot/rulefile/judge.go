package rulefile

import (
	"errors"
	"io/fs"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/ruletest"
)

// verdict is what was found out about files that may be put in force.
type verdict struct {
	policy   *rules.Policy
	warnings []rules.Problem
	tests    ruletest.Report
}

// judge decides whether files may be put in force. The error is a *RefusedError.
func (f *File) judge(set rules.Set) (*verdict, error) {
	policy, report := set.Load(time.Now())
	if policy == nil {
		return nil, &RefusedError{Why: "the rule file has mistakes", Report: report, Source: set.Files, file: f.source.path}
	}
	v := &verdict{policy: policy, warnings: report.Warnings, tests: ruletest.Run(policy)}
	if v.tests.Failed > 0 && policy.BlockOnTests() {
		return nil, &RefusedError{
			Why: lang.Say("%d of the file's %d tests fail", v.tests.Failed, len(v.tests.Tests)), Failed: v.failed(), file: f.source.path,
		}
	}
	return v, nil
}

func (v *verdict) failed() (failed []ruletest.Result) {
	for _, t := range v.tests.Tests {
		if !t.OK {
			failed = append(failed, t)
		}
	}
	return failed
}

// change says what it means to put the files in the place of before.
func (v *verdict) change(before *rules.Policy) *Change {
	c := &Change{
		Before: before.Version(), Version: v.policy.Version(),
		TestsPassed: v.tests.Passed, Tests: len(v.tests.Tests), Warnings: v.warnings,
	}
	c.compare(before, v.policy)
	return c
}

// reason is why a file was not taken, in a few words that tell nothing of its content.
func reason(err error) string {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return refused.Why.String()
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
