package store

import (
	"hash/maphash"
	"slices"
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

// LockAll locks several names at once, and returns what unlocks them.
func (s *Stripes) LockAll(names ...string) (unlock func()) {
	places := make([]uint64, 0, len(names))
	for _, name := range names {
		places = append(places, maphash.String(s.seed, name)%stripes)
	}
	slices.Sort(places) // all take them in one order
	places = slices.Compact(places)
	for _, at := range places {
		s.locks[at].Lock()
	}
	return func() {
		for _, at := range places {
			s.locks[at].Unlock()
		}
	}
}

// Pass returns when all that were locked when it was called have been unlocked.
func (s *Stripes) Pass() {
	for i := range s.locks {
		s.locks[i].Lock()
		s.locks[i].Unlock() //nolint:staticcheck // to have waited is all
	}
}
