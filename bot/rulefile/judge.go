package rulefile

import (
	"context"
	"errors"
	"io/fs"
	"sync"
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

// judge decides whether files may be put in force. The error is a *RefusedError, or that of ctx.
func (f *File) judge(ctx context.Context, set rules.Set) (*verdict, error) {
	policy, err := f.load(ctx, set)
	if err != nil {
		return nil, err
	}
	v := &verdict{policy: policy.Policy, warnings: policy.report.Warnings}
	if v.tests, err = ruletest.Run(ctx, v.policy); err != nil {
		return nil, err
	}
	if v.tests.Failed > 0 && v.policy.BlockOnTests() {
		return nil, f.testsFail(v)
	}
	return v, nil
}

// load compiles files. The error is a *RefusedError, or that of ctx.
func (f *File) load(ctx context.Context, set rules.Set) (*loaded, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx) // to load cannot be broken off
	}
	l := f.loads.of(set)
	if l.Policy == nil {
		return nil, f.mistakes(set, l.report)
	}
	return l, nil
}

func (f *File) mistakes(set rules.Set, report rules.Report) error {
	return &RefusedError{Why: "the rule file has mistakes", Report: report, Source: set.Files, file: f.source.path}
}

func (f *File) testsFail(v *verdict) error {
	return &RefusedError{
		Why: lang.Say("%d of the file's %d tests fail", v.tests.Failed, len(v.tests.Tests)), Failed: v.failed(), file: f.source.path,
	}
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
		Before: before.Version(), Version: v.policy.Version(), Same: before.Version() == v.policy.Version(),
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

// What is remembered of sets that were loaded: who edits a file has it checked, tested and tried, and then saved.
const (
	maxLoads     = 4 // a policy takes up to 16 MB
	maxLoadBytes = 2 << 20
	loadsFor     = 5 * time.Minute
)

// loads remembers the last sets that were loaded.
type loads struct {
	mu   sync.Mutex
	last []*loaded // the newest in front
}

// loaded is what became of a set.
type loaded struct {
	*rules.Policy // nil: it has mistakes
	report        rules.Report
	name          string // of the rule file, and the version
	bytes         int
	at            time.Time
}

// of loads a set, unless that was done lately.
func (l *loads) of(set rules.Set) *loaded {
	n := &loaded{name: set.Main + " " + set.Version(), at: time.Now()}
	if known := l.find(n.name, n.at); known != nil {
		return known
	}
	n.Policy, n.report = set.Load(n.at)
	for _, src := range set.Files {
		n.bytes += len(src)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append([]*loaded{n}, l.last...)
	l.shrink(n.at)
	return n
}

func (l *loads) find(name string, now time.Time) *loaded {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shrink(now)
	for _, known := range l.last {
		if known.name == name {
			return known
		}
	}
	return nil
}

// forget forgets what is too old.
func (l *loads) forget(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shrink(now)
}

func (l *loads) shrink(now time.Time) {
	n, total := 0, 0
	for n < len(l.last) && n < maxLoads && now.Sub(l.last[n].at) < loadsFor && total+l.last[n].bytes <= maxLoadBytes {
		total += l.last[n].bytes
		n++
	}
	clear(l.last[n:])
	l.last = l.last[:n]
}
