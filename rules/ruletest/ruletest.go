package ruletest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"escalator/rules"
)

// Report is the result of all tests of a file, as `escalator test --json` prints it.
type Report struct {
	Passed int      `json:"passed"`
	Failed int      `json:"failed"`
	Tests  []Result `json:"tests"`
}

// Result is the result of one test.
type Result struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Message says what went wrong, or that a known gap is closed; "" for a plain success.
	Message string `json:"message"`
	// Todo marks a known gap: it counts as passed whatever it did.
	Todo bool `json:"todo,omitempty"`
	Line int  `json:"line"`
}

// Run runs all tests of a policy.
func Run(p *rules.Policy) Report {
	r := Report{Tests: []Result{}}
	for _, t := range p.Tests() {
		result := RunTest(p, t)
		r.Tests = append(r.Tests, result)
		if result.OK {
			r.Passed++
		} else {
			r.Failed++
		}
	}
	return r
}

// RunTest runs one test in a conversation of its own.
func RunTest(p *rules.Policy, t rules.Test) Result {
	result := Result{Name: t.Name, OK: true, Todo: t.Todo, Line: t.Line}
	run := run{policy: p, now: t.At}
	for i, step := range t.Steps {
		problem := run.step(step)
		if problem == "" {
			continue
		}
		if len(t.Steps) > 1 {
			problem = fmt.Sprintf("step %d: %s", i+1, problem)
		}
		result.OK, result.Message = false, problem
		break
	}
	switch {
	case t.Todo && result.OK:
		result.Message = "passes now: take `todo: true` away"
	case t.Todo:
		result.OK, result.Message = true, "known gap: "+result.Message
	}
	return result
}

// run is one test under way.
type run struct {
	policy *rules.Policy
	conv   rules.Conversation
	now    time.Time
	rule   string // whose transfer was made last
	open   bool   // that transfer has not been answered
}

// outcome is what a step led to: a decision with its story.
type outcome struct {
	decision rules.Decision
	trace    rules.Trace
}

// step carries out one step and says what is wrong with what it led to, "" if nothing is.
func (r *run) step(s rules.Step) string {
	var outcomes []outcome
	switch s.Kind {
	case "user", "bot":
		outcomes = append(outcomes, r.turn(s))
	case "agent":
		r.settleOpen()
		r.conv.Observe(rules.EventAgentMessage, r.now, time.Time{})
	case "event":
		r.event(s)
	case "wait":
		outcomes = r.wait(s.Wait)
	}
	if s.Desk != "" {
		if problem := r.desk(s.Desk); problem != "" {
			return problem
		}
	}
	return judge(s.Expect, outcomes)
}

func (r *run) turn(s rules.Step) outcome {
	kind := rules.UserTurn
	if s.Kind == "bot" {
		kind = rules.BotTurn
	}
	t := rules.Turn{Kind: kind, At: r.now, Text: s.Message.Text, Mark: s.Message.Mark, Sends: s.Message.Sends}
	if s.Message.Fields != nil {
		t.Fields = s.Message.Fields
	}
	return r.decide(t)
}

// decide takes a turn, and does at once what the bot would do about it: an offer is sent.
func (r *run) decide(t rules.Turn) outcome {
	d, trace := r.policy.Explain(&r.conv, t)
	if d.Outcome == rules.OutcomeTransfer {
		r.rule, r.open = d.Rule, true
	}
	if d.Outcome == rules.OutcomeOffer {
		r.policy.OfferSent(&r.conv, d.Rule, r.now)
	}
	return outcome{d, trace}
}

// event reports an event of Desk. One that needs an end of the transfer under way implies that it was assigned.
func (r *run) event(s rules.Step) {
	if s.Event != rules.EventTransferring && s.Event != rules.EventNoAgent {
		r.settleOpen()
	}
	if s.Event == rules.EventNoAgent && r.open {
		r.settle(rules.ResultNoAgent)
		return
	}
	r.conv.Observe(s.Event, r.now, time.Time{})
}

// settleOpen ends a transfer whose end the test does not tell: it was assigned.
func (r *run) settleOpen() {
	if r.open {
		r.settle(rules.ResultAssigned)
	}
}

func (r *run) settle(result rules.Result) {
	r.policy.Settle(&r.conv, r.rule, result, r.now)
	r.open = false
}

// desk ends the transfer under way, or (assigned, queued) one that was tried again after nobody had been online.
func (r *run) desk(word string) string {
	result, ok := rules.ParseResult(word)
	if !ok || r.rule == "" {
		return "desk: " + word + ", but no transfer was made before"
	}
	r.settle(result)
	return ""
}

// wait lets time pass and the timers that come due in it.
func (r *run) wait(d time.Duration) []outcome {
	end := r.now.Add(d)
	var outcomes []outcome
	for {
		at, ok := r.policy.NextTimer(&r.conv)
		if !ok || at.After(end) {
			r.now = end
			return outcomes
		}
		if at.After(r.now) {
			r.now = at.In(end.Location())
		}
		outcomes = append(outcomes, r.decide(rules.Turn{Kind: rules.TimerTurn, At: r.now}))
	}
}

// judge compares what a step led to with what the test expects.
func judge(x *rules.Expectation, outcomes []outcome) string {
	got := outcome{}
	for _, o := range outcomes {
		if o.decision.Outcome != rules.OutcomeNone || got.trace.Role == "" {
			got = o
		}
	}
	if x == nil {
		if got.decision.Outcome == rules.OutcomeTransfer {
			return fmt.Sprintf("nothing was expected, but %s transfers to %s: %s", got.decision.Rule, got.decision.Target, story(got, got.decision.Rule))
		}
		return ""
	}
	return compare(*x, got)
}

func compare(x rules.Expectation, got outcome) string {
	d := got.decision
	for _, c := range []struct{ what, want, have string }{
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
		return fmt.Sprintf("expected shadow %s, got %s", list(x.Shadow), list(d.Shadow))
	}
	if x.Tags != nil && !sameSet(x.Tags, d.Tags) {
		return fmt.Sprintf("expected tags %s, got %s", list(x.Tags), list(d.Tags))
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
func speech(got outcome) string {
	lang := got.trace.Language
	return cmp.Or(got.decision.Offer.For(lang), got.decision.Say.For(lang), "none")
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
func mismatch(what, want, have string, x rules.Expectation, got outcome) string {
	about := x.Rule
	if about == "" || about == "none" {
		about = got.decision.Rule
	}
	message := fmt.Sprintf("expected %s %s, got %s", what, want, have)
	if why := story(got, about); why != "" {
		message += ": " + why
	}
	if have == "none" && got.decision.Outcome == rules.OutcomeSuppressed && got.decision.Rule != x.Rule {
		message += fmt.Sprintf(" (%s was suppressed: %s)", got.decision.Rule, got.decision.Reason)
	}
	return message
}

// story tells what became of a rule, or of the whole turn if the test names none.
func story(got outcome, id string) string {
	for _, r := range got.trace.Rules {
		if r.ID == id {
			return r.Why
		}
	}
	if got.trace.Role == "" {
		return "nothing came due"
	}
	return got.trace.Summary
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
