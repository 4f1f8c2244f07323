package stats

const (
	// minutes and halves are how many steps of each kind are kept: an hour and a day.
	minutes = 60
	halves  = 48
	// half is a half hour, in minutes.
	half = 30
	// day is a day, in minutes.
	day = halves * half
)

// series counts one thing by time, in 450 bytes. Times are minutes since 1970.
type series struct {
	newest int64 // what is later was not counted yet
	minute [minutes]uint32
	half   [halves]uint32
}

// add counts n at a time. What is too old for a ring is left out of it.
func (s *series) add(at int64, n int32) {
	if s.newest-at > 2*day { // the host's clock was wrong, and is set right now
		*s = series{}
	}
	s.advance(at)
	if s.newest-at < minutes {
		s.minute[at%minutes] += uint32(n)
	}
	if s.newest/half-at/half < halves {
		s.half[at/half%halves] += uint32(n)
	}
}

// advance empties the steps that begin.
func (s *series) advance(at int64) {
	if at <= s.newest {
		return
	}
	for m := max(s.newest+1, at-minutes+1); m <= at; m++ {
		s.minute[m%minutes] = 0
	}
	for h := max(s.newest/half+1, at/half-halves+1); h <= at/half; h++ {
		s.half[h%halves] = 0
	}
	s.newest = at
}

// last gives the last n steps of a period up to a time, the one under way included.
func (s *series) last(n int, p period, now int64) []uint32 {
	s.advance(now)
	list := make([]uint32, n)
	for i := range list {
		at := now - int64(n-1-i)*int64(p)
		if p == half {
			list[i] = s.half[at/half%halves]
		} else {
			list[i] = s.minute[at%minutes]
		}
	}
	return list
}

// sum is the total of the last day.
func (s *series) sum(now int64) (total int64) {
	s.advance(now)
	for _, n := range s.half {
		total += int64(n)
	}
	return total
}

// period is how long a step is, in minutes.
type period int64
