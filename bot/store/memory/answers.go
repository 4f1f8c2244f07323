package memory

import (
	"sync"
	"sync/atomic"
)

const (
	// maxAnswer is the longest answer that is kept for a repeat, and maxAnswers the
	// most that all of them take: the operator's own bot may say anything.
	maxAnswer  = 16 << 10
	maxAnswers = 64 << 20
)

// answers holds each answer once, however many callbacks were answered alike,
// which nearly all of them are.
type answers struct {
	mu    sync.Mutex
	kept  map[string]*answer
	bytes int
}

// answer is one of them, with the number of callbacks that were answered so.
type answer struct {
	json  []byte
	users int
	last  atomic.Pointer[seen] // what was made last for such a callback
}

// bytes returns the answer; nil for one that is not kept.
func (a *answer) bytes() []byte {
	if a == nil {
		return nil
	}
	return a.json
}

// take returns the answer for one more callback, nil where it is not kept.
func (s *answers) take(json []byte) *answer {
	if json == nil || len(json) > maxAnswer {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.kept[string(json)]
	if a == nil {
		if s.bytes+len(json) > maxAnswers {
			return nil
		}
		a = &answer{json: json}
		s.kept[string(json)] = a
		s.bytes += 2 * len(json) // as the key of the map too
	}
	a.users++
	return a
}

// drop forgets one of the callbacks that were answered so.
func (s *answers) drop(a *answer) {
	if a == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.users--; a.users == 0 {
		delete(s.kept, string(a.json))
		s.bytes -= 2 * len(a.json)
	}
}
