package bot

import (
	"sync"
	"time"

	"escalator/rules"
)

// RuleStats is what a rule has done since the start of the process.
type RuleStats struct {
	Fired      int64      `json:"fired"`
	Suppressed int64      `json:"suppressed"`
	Shadow     int64      `json:"shadow"`
	LastFired  *time.Time `json:"last_fired,omitempty"`
}

// stats counts by rule id. Ids come from rule files, so there are few.
type stats struct {
	mu     sync.Mutex
	byRule map[string]*RuleStats
}

// count adds one decision.
func (s *stats) count(d *rules.Decision, at time.Time) {
	if d.Rule == "" && len(d.Shadow) == 0 || d.Outcome == rules.OutcomeAsked {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range d.Shadow {
		s.of(id).Shadow++
	}
	if d.Rule == "" {
		return
	}
	r := s.of(d.Rule)
	switch d.Outcome {
	case rules.OutcomeMessage:
		if d.Take != nil { // else the customer followed what it had asked for
			r.fire(at)
		}
	case rules.OutcomeSuppressed:
		r.Suppressed++
	case rules.OutcomeTransfer, rules.OutcomeOffer, rules.OutcomeKeep, rules.OutcomeClosed:
		r.fire(at)
	default: // an offer that was declined, or a question
	}
}

func (r *RuleStats) fire(at time.Time) {
	r.Fired++
	r.LastFired = &at
}

func (s *stats) of(id string) *RuleStats {
	r := s.byRule[id]
	if r == nil {
		r = &RuleStats{}
		s.byRule[id] = r
	}
	return r
}

// RuleStats returns what a rule has done.
func (b *Bot) RuleStats(id string) RuleStats {
	b.stats.mu.Lock()
	defer b.stats.mu.Unlock()
	if r := b.stats.byRule[id]; r != nil {
		return *r
	}
	return RuleStats{}
}
