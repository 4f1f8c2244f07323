package stats

import (
	"context"
	"strings"
	"time"

	"escalator/bot/history"
	"escalator/rules"
)

// History is where an earlier process left what it decided; *history.History is one.
type History interface {
	Each(ctx context.Context, since time.Time, take func(e *history.Entry)) (whole bool, err error)
}

// Refill counts what earlier processes have decided, as far as it is kept. Where that cannot
// be read to its end, some of it is counted, and CountedSince stays as it was.
func (s *Stats) Refill(ctx context.Context, h History) error {
	until := s.began
	from := until.Add(-day * time.Minute)
	whole, err := h.Each(ctx, from, func(e *history.Entry) {
		if !e.At.Before(until) || e.Kind != history.Turn && e.Kind != history.Asked {
			return
		}
		if c, ok := countOf(e); ok {
			s.Add(&c)
		}
	})
	if whole && err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.since = from
	}
	return err //nolint:wrapcheck // it says what it is
}

// countOf is what a turn that was kept adds. It is not ok for one that no rule was asked
// about: what an agent said, say.
func countOf(e *history.Entry) (c Count, ok bool) {
	o, ok := outcomes[e.Outcome]
	fired := Fires(o, !strings.HasPrefix(e.Why, "take_message:")) // else words were left, as it had asked before
	return Count{
		At: e.At, Message: e.Kind == history.Turn && e.Role == rules.UserTurn.String(), Outcome: o, Rule: e.Rule, Fired: fired, Near: e.Near, Shadow: e.Shadow,
	}, ok
}

// outcomes are the outcomes by their names.
var outcomes = func() map[string]rules.Outcome {
	all := map[string]rules.Outcome{}
	for o := rules.OutcomeNone; o <= rules.OutcomeMessage; o++ {
		all[o.String()] = o
	}
	return all
}()
