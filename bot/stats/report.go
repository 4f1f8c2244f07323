package stats

import (
	"time"

	"escalator/rules"
)

// Report is what was counted, step by step; every list has the same number of steps.
type Report struct {
	// Since is when the first step begins, Until when the report was made: the last step is
	// under way then. StepS is how long a step is, in seconds.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	StepS int64     `json:"step_s"`
	// CountedSince is from when on everything was counted: of what was before, some or all
	// is missing.
	CountedSince time.Time `json:"counted_since"`

	Messages  []uint32             `json:"messages"` // of customers
	Decisions map[string][]uint32  `json:"decisions"`
	Rules     map[string]RuleSteps `json:"rules"` // those that did something
	// Wrong are the transfers and offers that somebody called wrong.
	Wrong []uint32 `json:"wrong"`
	// Replicas is how many of them the decisions are of. What one alone counts, its customers'
	// messages and the turns that led to nothing, is of this one.
	Replicas int    `json:"replicas"`
	Totals   Totals `json:"totals"`
}

// Totals are the sums of a report's steps.
type Totals struct {
	Messages  int64            `json:"messages"`
	Decisions map[string]int64 `json:"decisions"`
	Rules     map[string]Rule  `json:"rules"`
}

// Report reports on the last time, which is at most a day: by minutes up to an hour, else by
// half hours.
func (s *Stats) Report(since time.Duration) *Report {
	until := s.now()
	now, step := minuteOf(until), period(1)
	if since > time.Hour {
		step = half
	}
	length := time.Duration(step) * time.Minute
	n := int(min(max(1, (since+length-1)/length), map[period]time.Duration{1: minutes, half: halves}[step]))
	r := &Report{
		Since: until.Truncate(length).Add(-time.Duration(n-1) * length).UTC(), Until: until.UTC(), StepS: int64(length.Seconds()),
		Decisions: map[string][]uint32{}, Rules: map[string]RuleSteps{},
		Totals: Totals{Decisions: map[string]int64{}, Rules: map[string]Rule{}},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.CountedSince, r.Replicas, r.Wrong = s.since.UTC(), 1+len(s.others), make([]uint32, n)
	r.Messages = s.messages.last(n, step, now)
	r.Totals.Messages = sum(r.Messages)
	for o := range s.outcomes {
		if o := rules.Outcome(o); o != rules.OutcomeShadow { // a decision may name shadow rules whatever its outcome
			r.Decisions[o.String()] = s.outcomes[o].last(n, step, now)
		}
	}
	r.Decisions["near"], r.Decisions["shadow"] = s.near.last(n, step, now), s.shadow.last(n, step, now)
	for name, list := range r.Decisions {
		r.Totals.Decisions[name] = sum(list)
	}
	for id, of := range s.rules {
		if steps, totals := of.last(n, step, now); totals != (Rule{}) {
			r.Rules[id], r.Totals.Rules[id] = steps, totals
		}
	}
	return r
}

// Label adds what somebody said of a decision of that time: whether it was right, and
// whether it called a person.
func (r *Report) Label(rule string, at time.Time, right, called bool) {
	step := int(at.Sub(r.Since) / (time.Duration(r.StepS) * time.Second))
	if at.Before(r.Since) || step >= len(r.Wrong) {
		return
	}
	of := r.Rules[rule]
	switch {
	case right:
		of.Right++
	default:
		of.Wrong++
		if called {
			r.Wrong[step]++
		}
	}
	if of.Fired != nil {
		r.Rules[rule] = of
	}
}

// RuleSteps is what one rule did, step by step.
type RuleSteps struct {
	Fired      []uint32 `json:"fired"`
	Near       []uint32 `json:"near"`
	Suppressed []uint32 `json:"suppressed"`
	Shadow     []uint32 `json:"shadow"`
	Right      int      `json:"right"` // as decisions that are still kept were labelled
	Wrong      int      `json:"wrong"`
}

// last gives the last steps of a rule, and their sums.
func (r *ruleSeries) last(n int, p period, now int64) (s RuleSteps, t Rule) {
	s = RuleSteps{Fired: r.fired.last(n, p, now), Near: r.near.last(n, p, now), Suppressed: r.suppressed.last(n, p, now), Shadow: r.shadow.last(n, p, now)}
	return s, Rule{Fired: sum(s.Fired), Near: sum(s.Near), Suppressed: sum(s.Suppressed), Shadow: sum(s.Shadow)}
}

// RuleReport is what one rule did in the last day, by half hours.
type RuleReport struct {
	Since time.Time `json:"since"` // when the first step begins
	StepS int64     `json:"step_s"`
	RuleSteps
}

// RuleReport reports on one rule.
func (s *Stats) RuleReport(id string) RuleReport {
	const length = half * time.Minute
	now := s.now()
	r := RuleReport{Since: now.Truncate(length).Add(-(halves - 1) * length).UTC(), StepS: int64(length.Seconds())}
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.rules[id]
	if of == nil {
		of = &ruleSeries{}
	}
	r.RuleSteps, _ = of.last(halves, half, minuteOf(now))
	return r
}

func sum(list []uint32) (total int64) {
	for _, n := range list {
		total += int64(n)
	}
	return total
}
