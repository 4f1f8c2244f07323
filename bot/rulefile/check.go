package rulefile

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"escalator/rules"
	"escalator/rules/lang"
)

// Checked is what a check says of files.
type Checked struct {
	OK       bool            `json:"ok"`
	Errors   []rules.Problem `json:"errors"`
	Warnings []rules.Problem `json:"warnings"`
	Version  string          `json:"version"`
	// Summary counts what the files hold; nil: they have mistakes.
	Summary *rules.Summary `json:"summary,omitempty"`
	// Difference is that to the rules in force.
	Difference *Diff `json:"difference"`
}

// To returns what was found for a reader of a language.
func (c *Checked) To(l lang.Language) *Checked {
	read := *c
	read.Errors, read.Warnings = rules.ProblemsTo(c.Errors, l), rules.ProblemsTo(c.Warnings, l)
	return &read
}

// Check says what is wrong with the files as they would be if those that were sent took their places, and what they would
// change. It changes nothing.
func (f *File) Check(ctx context.Context, sent rules.Files) (*Checked, error) {
	p, err := f.propose(ctx, sent)
	if err != nil {
		return nil, err
	}
	c := &Checked{Version: p.set.Version(), Errors: []rules.Problem{}, Warnings: []rules.Problem{}}
	c.Difference = &Diff{From: p.inForce.Version(), To: c.Version}
	if p.before != nil {
		c.Difference.Text = lineByLine(p.before, p.set.Files, c.Difference.From, c.Difference.To)
	}
	v, err := f.judgeDraft(ctx, p.set, p.strays)
	refused, ok := errors.AsType[*RefusedError](err)
	switch {
	case ok:
		c.Difference.Refused = err.Error()
		c.Errors = append(c.Errors, refused.Report.Errors...)
	case err != nil:
		return nil, err
	default:
		c.Difference.Change = v.change(p.inForce)
	}
	if l, err := f.load(ctx, p.set); err == nil {
		summary := l.Summary()
		c.Summary, c.Warnings = &summary, append(c.Warnings, l.report.Warnings...)
	}
	c.OK = len(c.Errors) == 0
	return c, nil
}

// proposal is what somebody would like the files to be, beside the rules in force.
type proposal struct {
	inForce *rules.Policy
	before  rules.Files // of the rules in force; nil: they could not be kept
	set     rules.Set
	strays  []rules.Problem
}

// propose reads the files, and puts those that were sent in their places.
func (f *File) propose(ctx context.Context, sent rules.Files) (*proposal, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	now, err := f.side(ctx, OnDisk)
	if err != nil {
		return nil, err
	}
	p := &proposal{inForce: f.Policy(), before: now.Files}
	if version := p.inForce.Version(); version != now.Version() {
		kept, _ := f.side(ctx, version)
		p.before = kept.Files
	}
	p.set, p.strays = draft(now, sent)
	return p, nil
}

// judgeDraft is judge for files of which some may be strays.
func (f *File) judgeDraft(ctx context.Context, set rules.Set, strays []rules.Problem) (*verdict, error) {
	if len(strays) == 0 {
		return f.judge(ctx, set)
	}
	report := f.loads.of(set).report
	report.Errors = slices.Concat(report.Errors, strays)
	return nil, f.mistakes(set, report)
}

// InForce gives the files of the rules that are in force.
func (f *File) InForce(ctx context.Context) (rules.Set, error) {
	version := f.Policy().Version()
	if set, err := f.now(ctx); err == nil && set.Version() == version { // of the demo no version is kept
		return set, nil
	}
	set, _, err := f.asked(ctx, version, nil)
	return set, err
}

// Compile gives the policy of a version, or of the files as they would be if those that were sent took their places. The
// error is a *RefusedError if they have mistakes; tests that fail are no hindrance.
func (f *File) Compile(ctx context.Context, version string, sent rules.Files) (*rules.Policy, error) {
	if version == "" && sent == nil {
		return f.Policy(), nil
	}
	set, strays, err := f.asked(ctx, version, sent)
	if err != nil {
		return nil, err
	}
	if len(strays) > 0 {
		_, err = f.judgeDraft(ctx, set, strays)
		return nil, err
	}
	l, err := f.load(ctx, set)
	if err != nil {
		return nil, err
	}
	return l.Policy, nil
}

func (f *File) asked(ctx context.Context, version string, sent rules.Files) (set rules.Set, strays []rules.Problem, err error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	set, err = f.side(ctx, cmp.Or(version, OnDisk))
	if err == nil && sent != nil {
		set, strays = draft(set, sent)
	}
	return set, strays, err
}
