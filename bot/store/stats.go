package store

import "time"

// Stats is what an outbox holds, counted.
type Stats struct {
	Pending int       // on their way, those that wait for an agent included
	GivenUp int       // kept for people to read
	Oldest  time.Time // when the oldest one on its way was decided; zero: there is none
}

// Add counts one more transfer.
func (y *Stats) Add(t *Transfer) {
	switch t.State {
	case GivenUp:
		y.GivenUp++
	case Pending:
		if y.Oldest.IsZero() || t.Created.Before(y.Oldest) {
			y.Oldest = t.Created
		}
		y.Pending++
	case Waiting:
		y.Pending++
	}
}
