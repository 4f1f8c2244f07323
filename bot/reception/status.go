package reception

import (
	"context"
	"time"

	"escalator/rules"
)

// Status is what GET /api/desk shows.
type Status struct {
	// Reading is the last one, nil where there was none; At and AgeS are its time and its
	// age in seconds, and Fresh says that it still counts.
	Reading *rules.Reading `json:"reading"`
	At      *time.Time     `json:"at,omitempty"`
	AgeS    *float64       `json:"age_s,omitempty"`
	Fresh   bool           `json:"fresh"`
	// PolledBy names the process that asks Desk.
	PolledBy string `json:"polled_by,omitempty"`
	// NeededBy says who wants to know: rules, messages (customers wait to be contacted).
	NeededBy []string `json:"needed_by"`
	// LastError is that of the last call; nil: it was answered.
	LastError *fault `json:"last_error"`
}

// Ask returns what Desk said last. For a minute it is a need to ask Desk; where no
// reading counts yet, it waits for one for a moment.
func (w *Watcher) Ask(ctx context.Context) Status {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	w.mu.Lock()
	w.asked = w.Clock.Now()
	w.mu.Unlock()
	for ctx.Err() == nil {
		w.mu.Lock()
		answered, changed := w.told.Fresh(w.Clock.Now()) != nil || w.fault.Count > 0, w.changed
		w.mu.Unlock()
		if answered {
			break
		}
		w.soon()
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return w.status()
}

func (w *Watcher) status() Status {
	asks, waiting, reading := w.Asks(), w.Waiting(), w.Reading()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Status{Reading: reading, PolledBy: w.poller, NeededBy: []string{}}
	if asks.Reading {
		s.NeededBy = append(s.NeededBy, "rules")
	}
	if waiting {
		s.NeededBy = append(s.NeededBy, "messages")
	}
	if r, now := reading, w.Clock.Now(); r != nil {
		age := now.Sub(r.At)
		at, seconds := w.Clock.Wall().Add(-age), age.Seconds()
		s.At, s.AgeS, s.Fresh = &at, &seconds, r.Fresh(now) != nil
	}
	if w.fault.Count > 0 {
		last := w.fault
		s.LastError = &last
	}
	return s
}
