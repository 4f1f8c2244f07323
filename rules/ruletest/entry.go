package ruletest

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

// Draft is what a test is made of.
type Draft struct {
	Name  string
	Steps []rules.Step
	Begin time.Time
	// Note is a comment above it, "": none.
	Note string
}

// maxName bounds the name of a test, in characters.
const maxName = 200

// Entry makes a test of a conversation, as YAML to be put under `tests:`. It says what the rules do now, so it passes: in a
// conversation of its own, without mutes, and for everybody in every share, as all tests are.
func Entry(ctx context.Context, p *rules.Policy, d Draft) (string, error) {
	d.Name = strings.ToValidUTF8(strings.TrimSpace(d.Name), "\uFFFD")
	switch {
	case d.Name == "":
		return "", lang.Errorf("the test needs a name")
	case utf8.RuneCountInString(d.Name) > maxName:
		return "", lang.Errorf("the name of the test is longer than %d characters", maxName)
	case slices.ContainsFunc(p.Tests(), func(t rules.Test) bool { return t.Name == d.Name }):
		return "", lang.Errorf("there is a test %q already: choose another name", d.Name)
	}
	// A file gives times with their zones to the minute, and waits in milliseconds.
	_, offset := d.Begin.Zone()
	full := rules.Test{Name: d.Name, At: d.Begin.Add(-time.Duration(offset%60) * time.Second).Truncate(time.Second), AtSet: true}
	full.At = full.At.In(time.FixedZone("", offset-offset%60))
	for _, s := range d.Steps {
		step, err := tidy(s)
		if err != nil {
			return "", err
		}
		full.Steps = append(full.Steps, step)
	}
	if err := expect(ctx, p, &full); err != nil {
		return "", err
	}
	best := full
	for _, shorter := range []func(rules.Test) rules.Test{withoutGaps, withoutTime} {
		t := shorter(best)
		if t.AtSet || p.Summary().Calendars == 0 {
			if err := expect(ctx, p, &t); err == nil && alike(&full, &t) {
				best = t
			}
		}
	}
	if r := RunTest(p, best); !r.OK {
		return "", lang.Errorf("no test can be made from this: %s", r.Message)
	}
	return write(best, d.Note), nil
}

// aMark is a mark that a file can name.
var aMark = regexp.MustCompile(`^[\p{L}\p{N}_.+-]+$`)

// tidy gives a step as a file can have it.
func tidy(s rules.Step) (rules.Step, error) {
	s.Message.Text = strings.ToValidUTF8(s.Message.Text, "\uFFFD")
	s.Expect = nil
	if mark := s.Message.Mark; mark != "" && !aMark.MatchString(mark) {
		return s, lang.Errorf("no test can be made from this: the mark %q is not a name", mark)
	}
	if s.Wait == 0 {
		return s, nil
	}
	s.Wait = (s.Wait + time.Millisecond - 1).Truncate(time.Millisecond)
	if _, ok := rules.ParseDuration(duration(s.Wait)); !ok {
		return s, lang.Errorf("no test can be made from this: it waits for %s", duration(s.Wait))
	}
	return s, nil
}

// expect has each step of a test expect what it leads to.
func expect(ctx context.Context, p *rules.Policy, t *rules.Test) error {
	player := replay.NewTest(p, t.At)
	steps := slices.Clone(t.Steps)
	for i := range steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		led, err := player.Carry(&steps[i])
		if err != nil {
			return lang.Errorf("step %d: %w", i+1, err)
		}
		steps[i].Expect = expectation(led, steps[i].Kind == "user")
	}
	t.Steps = steps
	return nil
}

// expectation is what a step led to, as far as a test should insist on it: of what the bot says, and of time that passes, not
// that nothing came of it. nil: nothing.
func expectation(led []replay.Step, insist bool) *rules.Expectation {
	if len(led) == 0 {
		return nil
	}
	d := decisive(led).Decision
	x := &rules.Expectation{Rule: cmp.Or(d.Rule, "none"), Shadow: d.Shadow, Reason: string(d.Reason)}
	switch d.Outcome {
	case rules.OutcomeNone:
		if d.Reason == rules.ReasonNone {
			x.Rule = "none"
		}
	case rules.OutcomeShadow:
	case rules.OutcomeSuppressed:
		x.Suppressed, x.Reason = x.Reason, ""
	case rules.OutcomeTransfer:
		x.Target = d.Target
	default:
		x.Outcome = d.Outcome.String()
	}
	if !insist && expected(x) == "none" {
		return nil
	}
	return x
}

// withoutGaps leaves out the time that lies between turns only because some must.
func withoutGaps(t rules.Test) rules.Test {
	t.Steps = slices.DeleteFunc(slices.Clone(t.Steps), isGap)
	return t
}

func isGap(s rules.Step) bool { return s.Kind == replay.Pause && s.Expect == nil }

// withoutTime has a test begin when all do.
func withoutTime(t rules.Test) rules.Test {
	t.At, t.AtSet = rules.DefaultTestTime, false
	return t
}

// alike says that two tests expect the same, whatever gaps they have.
func alike(a, b *rules.Test) bool {
	expects := func(t *rules.Test) (all []string) {
		for _, s := range t.Steps {
			switch {
			case s.Expect != nil:
				all = append(all, expected(s.Expect))
			case !isGap(s):
				all = append(all, "")
			}
		}
		return all
	}
	return slices.Equal(expects(a), expects(b))
}
