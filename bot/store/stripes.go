package store

import (
	"hash/maphash"
	"sync"
)

// stripes is how many conversations can be changed at the same moment. More
// than connections in flight, so that two seldom wait for one commit.
const stripes = 1024

// Stripes locks conversations by their ids, each with a few that share its lock.
type Stripes struct {
	seed  maphash.Seed
	locks [stripes]sync.Mutex
}

// NewStripes returns locks that nobody holds.
func NewStripes() *Stripes { return &Stripes{seed: maphash.MakeSeed()} }

// Lock locks the conversation named id and returns its lock, to be unlocked.
func (s *Stripes) Lock(id string) *sync.Mutex {
	l := &s.locks[maphash.String(s.seed, id)%stripes]
	l.Lock()
	return l
}

// Pass returns when all that were locked when it was called have been unlocked.
func (s *Stripes) Pass() {
	for i := range s.locks {
		s.locks[i].Lock()
		s.locks[i].Unlock() //nolint:staticcheck // to have waited is all
	}
}
