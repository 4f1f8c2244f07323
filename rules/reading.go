package rules

import "time"

// ReadingFor is how long a reading counts (RULES.md 7).
const ReadingFor = time.Minute

// Reading is what Desk said of its agents and its queue. A figure that Desk left out is nil: nobody knows it, it is not 0.
// The JSON form is that of recordings (CONTRACT.md 6).
type Reading struct {
	At    time.Time `json:"-"` // on the clock of Turn.At
	Free  *int      `json:"free,omitempty"`
	Busy  *int      `json:"busy,omitempty"`
	Rest  *int      `json:"rest,omitempty"`
	Queue *int      `json:"queue,omitempty"`
	// Groups holds the waiting customers by the id of their group; nil: Desk left them out.
	Groups map[string]int `json:"groups,omitempty"`
	// Agents says by an agent's id whether Desk would give that agent a customer now. One whose status is not known is
	// not in it.
	Agents map[string]bool `json:"agents,omitempty"`
}

// Fresh returns the reading if it still counts at a time, else nil.
func (r *Reading) Fresh(at time.Time) *Reading {
	if r == nil || at.Sub(r.At) > ReadingFor {
		return nil
	}
	return r
}
