package memory

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/store"
)

// forever is the expiry of a callback that is being worked on.
const forever = int64(math.MaxInt64)

// Dedup remembers callbacks for a fixed time, at most a fixed number of them.
//
// There are millions of them, so what is kept of one is small: a keyed hash of
// its key (128 bits: no two will ever agree) instead of the key, and one seen
// for all that were answered alike within a millisecond.
type Dedup struct {
	table *table
	keep  time.Duration
	now   func() time.Time
	seeds [2]maphash.Seed
	last  atomic.Pointer[seen] // the one that was made last
}

// DedupOptions says how long and how many marks are kept.
type DedupOptions struct {
	Keep    time.Duration    // how long an answered callback is remembered
	Max     int              // over this the oldest goes first
	Now     func() time.Time // nil: time.Now
	Evicted func()           // called for each mark that went early; may be nil
}

// claim is a callback that is being worked on.
type claim struct {
	key    string
	mu     sync.Mutex
	ended  bool
	answer []byte        // set when it ends; nil: released
	done   chan struct{} // closed when it ends; nil while nobody waits, as nearly always
}

// wait waits for the end of the claim, up to the end of ctx.
func (c *claim) wait(ctx context.Context) error {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return nil
	}
	if c.done == nil {
		c.done = make(chan struct{})
	}
	done := c.done
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end tells those who wait.
func (c *claim) end(answer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.answer = true, answer
	if c.done != nil {
		close(c.done)
	}
}

func (c *claim) expires() int64  { return forever }
func (c *claim) evictable() bool { return false }

// seen is what is known of callbacks that were answered.
type seen struct {
	until  int64
	answer []byte
}

func (s *seen) expires() int64  { return s.until }
func (s *seen) evictable() bool { return true }

// NewDedup returns an empty memory of callbacks.
func NewDedup(o DedupOptions) *Dedup {
	now := orNow(o.Now)
	return &Dedup{
		table: newTable(tableOptions{max: o.Max, lookAgain: o.Keep, now: now, evicted: orNothing(o.Evicted), gone: func(string, entry) {}}),
		keep:  o.Keep, now: now, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
	}
}

// short is the hash of a key.
func (m *Dedup) short(key string) (hash [16]byte) {
	binary.LittleEndian.PutUint64(hash[:8], maphash.String(m.seeds[0], key))
	binary.LittleEndian.PutUint64(hash[8:], maphash.String(m.seeds[1], key))
	return hash
}

// seen returns what is kept of a callback.
func (m *Dedup) seen(until int64, answer []byte) *seen {
	if s := m.last.Load(); s != nil && s.until == until && same(s.answer, answer) {
		return s
	}
	s := &seen{until: until, answer: answer}
	m.last.Store(s)
	return s
}

// same reports whether two answers are the very same bytes in memory.
func same(a, b []byte) bool {
	return len(a) == len(b) && (a == nil) == (b == nil) && (len(a) == 0 || &a[0] == &b[0])
}

// Claim implements store.Dedup.
func (m *Dedup) Claim(ctx context.Context, key, _ string) (answer []byte, first bool, err error) {
	hash := m.short(key)
	mine := &claim{key: string(hash[:])}
	for {
		e, added := m.table.add(mine.key, mine)
		if added {
			return nil, true, nil
		}
		if s, ok := e.(*seen); ok {
			return s.answer, false, nil
		}
		theirs := e.(*claim)
		if err := theirs.wait(ctx); err != nil {
			return nil, false, err
		}
		if theirs.answer != nil {
			return theirs.answer, false, nil
		}
	}
}

// Finish implements store.Dedup.
func (m *Dedup) Finish(_ context.Context, key string, answer []byte) {
	m.end(key, answer, m.now().Add(m.keep).UnixMilli())
}

// Release implements store.Dedup.
func (m *Dedup) Release(_ context.Context, key string) { m.end(key, nil, 0) }

// end replaces the claim of the one caller that holds it by what was answered.
// One that was released has expired at once and is swept in its turn.
func (m *Dedup) end(key string, answer []byte, until int64) {
	hash := m.short(key)
	e, _ := m.table.get(string(hash[:]))
	c, ok := e.(*claim)
	if !ok {
		return
	}
	m.table.replace(c.key, m.seen(until, answer)) // under the very string that the queue has
	c.end(answer)
}

// Len returns the number of marks kept.
func (m *Dedup) Len() int { return m.table.live() }

// Sweep forgets some of what has expired; call it often (see Sweep).
func (m *Dedup) Sweep() { m.table.sweep() }

var _ store.Dedup = (*Dedup)(nil)

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

func orNothing(f func()) func() {
	if f == nil {
		return func() {}
	}
	return f
}
