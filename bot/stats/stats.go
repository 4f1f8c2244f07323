package stats

import (
	"sync"
	"time"

	"escalator/rules"
)

// maxRules bounds the rules that are counted. Ids come from rule files, so only one that is
// changed again and again for a day comes near it.
const maxRules = 4096

// maxReplicas bounds the names of other replicas.
const maxReplicas = 64

// Count is what one turn adds.
type Count struct {
	At      time.Time
	Message bool // it is a message of the customer
	Outcome rules.Outcome
	Rule    string // that decided
	Fired   bool   // it did so by its own condition: see Fires
	Near    string
	Shadow  []string
	Replica string // another one that decided; "": this one
}

// Fires reports whether a rule that decided has fired. asks says of a message that the
// customer was asked for words then; else the words are only what an earlier firing led to.
func Fires(o rules.Outcome, asks bool) bool {
	switch o {
	case rules.OutcomeTransfer, rules.OutcomeOffer, rules.OutcomeKeep, rules.OutcomeClosed:
		return true
	case rules.OutcomeMessage:
		return asks
	default: // an offer that was declined, a question of Desk's, or it was stopped
		return false
	}
}

// Stats counts. Make one with New; it may be used by several goroutines.
type Stats struct {
	now func() time.Time

	mu       sync.Mutex
	since    time.Time // from here on everything was counted
	messages series
	outcomes [rules.OutcomeMessage + 1]series
	near     series
	shadow   series
	rules    map[string]*ruleSeries
	began    time.Time
	others   map[string]bool // replicas
}

// ruleSeries is what one rule did.
type ruleSeries struct {
	fired, near, suppressed, shadow series
	lastFired                       time.Time
}

// New returns stats that have counted nothing. now is the clock that people read.
func New(now func() time.Time) *Stats {
	began := now()
	return &Stats{now: now, since: began, began: began, rules: map[string]*ruleSeries{}, others: map[string]bool{}}
}

// minuteOf is a time in minutes since 1970.
func minuteOf(at time.Time) int64 { return max(0, at.Unix()/60) }

// Add counts a turn.
func (s *Stats) Add(c *Count) {
	at := minuteOf(c.At)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Replica != "" {
		if c.At.Before(s.began) { // the history that replicas share has it
			return
		}
		if len(s.others) < maxReplicas {
			s.others[c.Replica] = true
		}
	}
	if c.Message {
		s.messages.add(at, 1)
	}
	s.outcomes[c.Outcome].add(at, 1)
	if c.Near != "" && c.Outcome == rules.OutcomeNone {
		s.near.add(at, 1)
		if r := s.of(c.Near); r != nil {
			r.near.add(at, 1)
		}
	}
	if len(c.Shadow) > 0 {
		s.shadow.add(at, 1)
	}
	for _, id := range c.Shadow {
		if r := s.of(id); r != nil {
			r.shadow.add(at, 1)
		}
	}
	if c.Rule == "" || !c.Fired && c.Outcome != rules.OutcomeSuppressed {
		return
	}
	switch r := s.of(c.Rule); {
	case r == nil:
	case c.Fired:
		r.fired.add(at, 1)
		if c.At.After(r.lastFired) {
			r.lastFired = c.At
		}
	default:
		r.suppressed.add(at, 1)
	}
}

// of finds the counts of a rule, or makes them; nil: there are too many rules.
func (s *Stats) of(id string) *ruleSeries {
	r := s.rules[id]
	if r != nil {
		return r
	}
	if len(s.rules) >= maxRules {
		now := minuteOf(s.now())
		for other, r := range s.rules {
			if r.fired.sum(now)+r.near.sum(now)+r.suppressed.sum(now)+r.shadow.sum(now) == 0 {
				delete(s.rules, other)
			}
		}
	}
	if len(s.rules) >= maxRules {
		return nil
	}
	r = &ruleSeries{}
	s.rules[id] = r
	return r
}

// Rule is what a rule did in the last day, to the half hour.
type Rule struct {
	Fired      int64      `json:"fired"`
	Near       int64      `json:"near"`
	Suppressed int64      `json:"suppressed"`
	Shadow     int64      `json:"shadow"`
	LastFired  *time.Time `json:"last_fired,omitempty"`
}

// Rule returns what a rule did.
func (s *Stats) Rule(id string) Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rules[id]
	if r == nil {
		return Rule{}
	}
	now := minuteOf(s.now())
	total := Rule{Fired: r.fired.sum(now), Near: r.near.sum(now), Suppressed: r.suppressed.sum(now), Shadow: r.shadow.sum(now)}
	if at := r.lastFired; !at.IsZero() {
		total.LastFired = &at
	}
	return total
}
