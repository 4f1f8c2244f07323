package ruletest

import (
	"cmp"
	"context"
	"slices"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

// Report is the result of all tests of a file, as `escalator test --json` prints it.
type Report struct {
	Passed int      `json:"passed"`
	Failed int      `json:"failed"`
	Tests  []Result `json:"tests"`
}

// To returns the report for a reader of a language.
func (r Report) To(l lang.Language) Report {
	r.Tests = slices.Clone(r.Tests)
	for i := range r.Tests {
		r.Tests[i].Message = r.Tests[i].Message.To(l)
	}
	return r
}

// Result is the result of one test.
type Result struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Message says what went wrong, or that a known gap is closed; "" for a plain success.
	Message lang.Text `json:"message"`
	// Todo marks a known gap: it counts as passed whatever it did.
	Todo bool `json:"todo,omitempty"`
	// File is the include that holds the test, "" the rule file itself.
	File string `json:"file,omitempty"`
	Line int    `json:"line"`
}

// Run runs all tests of a policy. The error is that of ctx, which may end between two of them.
func Run(ctx context.Context, p *rules.Policy) (Report, error) {
	r := Report{Tests: []Result{}}
	for _, t := range p.Tests() {
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
		result := RunTest(p, t)
		r.Tests = append(r.Tests, result)
		if result.OK {
			r.Passed++
		} else {
			r.Failed++
		}
	}
	return r, nil
}

// RunTest runs one test in a conversation of its own.
func RunTest(p *rules.Policy, t rules.Test) Result {
	result := Result{Name: t.Name, OK: true, Todo: t.Todo, File: t.File, Line: t.Line}
	player := replay.NewTest(p, t.At)
	for i := range t.Steps {
		problem := step(player, &t.Steps[i])
		if problem == "" {
			continue
		}
		if len(t.Steps) > 1 {
			problem = lang.Say("step %d: %s", i+1, problem)
		}
		result.OK, result.Message = false, problem
		break
	}
	switch {
	case t.Todo && result.OK:
		result.Message = "passes now: take `todo: true` away"
	case t.Todo:
		result.OK, result.Message = true, lang.Say("known gap: %s", result.Message)
	}
	return result
}

// step carries out one step and says what is wrong with what it led to, "" if nothing is.
func step(player *replay.Player, s *rules.Step) lang.Text {
	led, err := player.Carry(s)
	if err != nil {
		return lang.Of(err)
	}
	return judge(s.Expect, led)
}

// judge compares what a step led to with what the test expects.
func judge(x *rules.Expectation, led []replay.Step) lang.Text {
	got := decisive(led)
	if x == nil {
		if got.Decision.Outcome == rules.OutcomeTransfer {
			return lang.Say("nothing was expected, but %s transfers to %s: %s", got.Decision.Rule, got.Decision.Target, story(got, got.Decision.Rule))
		}
		return ""
	}
	return compare(*x, got)
}

// decisive is the last of the decisions that came to something, else the first.
func decisive(led []replay.Step) (got replay.Step) {
	for _, o := range led {
		if o.Decision.Outcome != rules.OutcomeNone || got.Trace.Role == "" {
			got = o
		}
	}
	return got
}

func compare(x rules.Expectation, got replay.Step) lang.Text {
	d := got.Decision
	for _, c := range []struct {
		what       lang.Text
		want, have string
	}{
		{"rule", x.Rule, ruleThatActs(d, x)},
		{"target", x.Target, d.Target},
		{"outcome", x.Outcome, d.Outcome.String()},
		{"suppressed", x.Suppressed, suppression(d)},
		{"reason", x.Reason, reason(d)},
		{"say", x.Say, speech(got)},
	} {
		if c.want == "" || c.want == c.have {
			continue
		}
		return mismatch(c.what, c.want, c.have, x, got)
	}
	if x.Shadow != nil && !sameSet(x.Shadow, d.Shadow) {
		return lang.Say("expected shadow %s, got %s", list(x.Shadow), list(d.Shadow))
	}
	if x.Tags != nil && !sameSet(x.Tags, d.Tags) {
		return lang.Say("expected tags %s, got %s", list(x.Tags), list(d.Tags))
	}
	return ""
}

// ruleThatActs is the rule that did something. One that was suppressed did nothing, unless the test asks about that.
func ruleThatActs(d rules.Decision, x rules.Expectation) string {
	asked := x.Suppressed != "" || x.Outcome == "suppressed" || x.Reason != ""
	if d.Rule == "" || d.Outcome == rules.OutcomeSuppressed && !asked || d.Outcome == rules.OutcomeNone && !asked {
		return "none"
	}
	return d.Rule
}

func suppression(d rules.Decision) string {
	if d.Outcome == rules.OutcomeSuppressed {
		return string(d.Reason)
	}
	return "none"
}

// speech is what the customer is told or offered, in the language of the conversation.
func speech(got replay.Step) string {
	return cmp.Or(got.Decision.Offer.For(got.Language), got.Decision.Say.For(got.Language), "none")
}

func reason(d rules.Decision) string {
	switch {
	case d.Reason != "":
		return string(d.Reason)
	case d.NearReason != "":
		return string(d.NearReason)
	}
	return "none"
}

// mismatch words a difference: what was expected, what came, and the story of the rule in question.
func mismatch(what lang.Text, want, have string, x rules.Expectation, got replay.Step) lang.Text {
	about := x.Rule
	if about == "" || about == "none" {
		about = got.Decision.Rule
	}
	message := lang.Say("expected %s %s, got %s", what, want, have)
	if why := story(got, about); why != "" {
		message = lang.Say("%s: %s", message, why)
	}
	if have == "none" && got.Decision.Outcome == rules.OutcomeSuppressed && got.Decision.Rule != x.Rule {
		message = lang.Say("%s (%s was suppressed: %s)", message, got.Decision.Rule, got.Decision.Reason.Words())
	}
	return message
}

// story tells what became of a rule, or of the whole turn if the test names none.
func story(got replay.Step, id string) lang.Text {
	for _, r := range got.Trace.Rules {
		if r.ID == id {
			return r.Why
		}
	}
	if got.Trace.Role == "" {
		return "nothing came due"
	}
	return got.Trace.Summary
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func list(words []string) lang.Text {
	if len(words) == 0 {
		return lang.Raw("none")
	}
	return lang.List(", ", words...)
}
