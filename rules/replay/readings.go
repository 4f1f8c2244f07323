package replay

import (
	"slices"
	"time"

	"escalator/rules"
)

// Readings are what Desk told of its agents and its queue, in the order of time.
type Readings struct{ told []*rules.Reading }

// Add takes what Desk told at a time, which is not before that of the last one.
func (r *Readings) Add(at time.Time, told rules.Reading) {
	told.At = at
	r.told = append(r.told, &told)
}

// at is what was told last at a time, nil where that was nothing. It may be too old to count.
func (r *Readings) at(at time.Time) *rules.Reading {
	next, _ := slices.BinarySearchFunc(r.told, at, func(told *rules.Reading, at time.Time) int {
		if told.At.After(at) {
			return 1
		}
		return -1
	})
	if next == 0 {
		return nil
	}
	return r.told[next-1]
}
