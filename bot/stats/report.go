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

	Messages  []uint32                       `json:"messages"` // of customers
	Decisions map[string][]uint32            `json:"decisions"`
	Rules     map[string]map[string][]uint32 `json:"rules"` // those that did something
	Totals    Totals                         `json:"totals"`
}

// Totals are the sums of a report's steps.
type Totals struct {
	Messages  int64                       `json:"messages"`
	Decisions map[string]int64            `json:"decisions"`
	Rules     map[string]map[string]int64 `json:"rules"`
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
		Decisions: map[string][]uint32{}, Rules: map[string]map[string][]uint32{},
		Totals: Totals{Decisions: map[string]int64{}, Rules: map[string]map[string]int64{}},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.CountedSince = s.since.UTC()
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
		steps, totals, any := map[string][]uint32{}, map[string]int64{}, false
		for name, series := range map[string]*series{"fired": &of.fired, "near": &of.near, "suppressed": &of.suppressed, "shadow": &of.shadow} {
			steps[name] = series.last(n, step, now)
			totals[name] = sum(steps[name])
			any = any || totals[name] > 0
		}
		if any {
			r.Rules[id], r.Totals.Rules[id] = steps, totals
		}
	}
	return r
}

func sum(list []uint32) (total int64) {
	for _, n := range list {
		total += int64(n)
	}
	return total
}
