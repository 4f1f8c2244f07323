package memory

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"escalator/bot/store"
)

// forever is the expiry of a callback that is being worked on.
const forever = int64(math.MaxInt64)

// grain is how many milliseconds the times at which callbacks are forgotten lie apart, so
// that many share one.
const grain = 100

// longWork is longer than nearly all callbacks are worked on, and the grain: their keys are looked at when
// they are over, and not once before.
const longWork = 2 * grain * time.Millisecond

// Dedup remembers callbacks for a fixed time, at most a fixed number of them.
//
// There are millions of them, so what is kept of one is small: a hash of its key
// (128 bits: no two will ever agree) instead of the key, and one seen for all that
// were answered alike at about the same time.
type Dedup struct {
	DedupOptions
	table     *table
	uncertain atomic.Pointer[seen] // the last that was counted and given up
	unkept    atomic.Pointer[seen] // the last whose answer is not kept
	answers   answers
	underWay  [1024]atomic.Pointer[claim] // the claim made last of those whose keys begin alike
}

// DedupOptions says how long and how many callbacks are kept.
type DedupOptions struct {
	Keep    time.Duration    // how long an answered callback is remembered
	Max     int              // over this the oldest goes first
	Wait    time.Duration    // how long a copy waits for the first; 0: store.DuplicateWait
	Journal Journal          // gets the answers that come after their conversation was written; may be nil
	Now     func() time.Time // nil: time.Now
	Evicted func()           // called for each callback that went early; may be nil
}

// seen is what is known of callbacks that are not being worked on.
type seen struct {
	until   int64
	answer  *answer // nil: not kept
	counted bool    // given up after it had been counted
}

// released is what is left of a callback that was given up: it has expired.
var released = &seen{until: math.MinInt64}

func (s *seen) expires() int64  { return s.until }
func (s *seen) evictable() bool { return true }

// NewDedup returns an empty memory of callbacks.
func NewDedup(o DedupOptions) *Dedup {
	if o.Wait == 0 {
		o.Wait = store.DuplicateWait
	}
	m := &Dedup{DedupOptions: o}
	m.answers.kept = map[string]*answer{}
	m.table = newTable(tableOptions{
		max: o.Max, lookAgain: o.Keep + longWork, clock: newStopwatch(o.Now), evicted: orNothing(o.Evicted),
		// A claim that is seen must have its key: one that is ended without it stays in the
		// table, and its copies try again and again.
		kept: func(key string, e entry) {
			if c, ok := e.(*claim); ok {
				c.key = key
			}
		},
		gone: func(_ string, e entry) {
			if s, ok := e.(*seen); ok {
				m.answers.drop(s.answer)
			}
		},
	})
	return m
}

// seen returns what is kept of a callback that was answered, or counted, now: for as long
// as is asked for, or up to a grain longer.
func (m *Dedup) seen(a *answer, counted bool) *seen {
	until := m.table.clock.millis() + m.Keep.Milliseconds()
	until += (grain - until%grain) % grain
	last := &m.unkept
	switch {
	case counted:
		last = &m.uncertain
	case a != nil:
		last = &a.last
	}
	if s := last.Load(); s != nil && s.until == until {
		return s
	}
	s := &seen{until: until, answer: a, counted: counted}
	last.Store(s)
	return s
}

// Claim implements store.Dedup.
func (m *Dedup) Claim(ctx context.Context, key, _ string) (store.Claim, error) {
	hash := KeyOf(key)
	mine := &claim{name: key}
	for {
		e := m.table.add(string(hash[:]), mine)
		if e == nil {
			m.place(key).Store(mine)
			return store.Claim{First: true}, nil
		}
		switch e := e.(type) {
		case *claim:
			if err := e.wait(ctx, m.Wait); err != nil {
				return store.Claim{}, err
			}
		case *seen:
			if !e.counted {
				return store.Claim{Answer: e.answer.bytes()}, nil
			}
			mine.counted.Store(true)
			if m.table.swap(string(hash[:]), e, mine) {
				m.place(key).Store(mine)
				return store.Claim{First: true, Counted: true}, nil
			}
			mine.counted.Store(false)
		}
	}
}

// place is where the claim of a key is found at once, if no other one has taken it.
func (m *Dedup) place(key string) *atomic.Pointer[claim] {
	n := 0
	if len(key) > 1 { // keys are base64 of a hash, so that two bytes tell 4096 apart
		n = int(key[0])<<6 ^ int(key[1])
	}
	return &m.underWay[n%len(m.underWay)]
}

// claimed returns the claim of a key, nil where there is none: it was answered together
// with its conversation, or nobody claimed it. Its caller has claimed it.
func (m *Dedup) claimed(key string) *claim {
	c := m.place(key).Load()
	if c == nil || c.name != key {
		hash := KeyOf(key)
		e, _ := m.table.get(string(hash[:]))
		c, _ = e.(*claim)
	}
	if c == nil || c.over.Load() {
		return nil
	}
	return c
}

// Finish implements store.Dedup.
func (m *Dedup) Finish(_ context.Context, key string, answer []byte) {
	c := m.claimed(key)
	if c == nil {
		return
	}
	kept := m.answers.take(answer)
	m.end(c, m.seen(kept, false))
	if c.counted.Load() && m.Journal != nil {
		m.Journal.Keep(Change{Key: Key([]byte(c.key)), Answer: append([]byte{}, kept.bytes()...)})
	}
}

// Release implements store.Dedup. One that was released without having been
// counted has expired at once, and is swept in its turn.
func (m *Dedup) Release(_ context.Context, key string) {
	c := m.claimed(key)
	switch {
	case c == nil:
	case c.counted.Load():
		m.end(c, m.seen(nil, true))
	default:
		m.end(c, released)
	}
}

// counted notes that a callback is counted into its conversation and, where that
// is known, what it is answered. Its caller has claimed it.
func (m *Dedup) counted(key string, answer []byte) {
	c := m.claimed(key)
	if c == nil {
		return
	}
	c.counted.Store(true)
	if answer != nil {
		m.end(c, m.seen(m.answers.take(answer), false))
	}
}

// keyOf is KeyOf, of a claimed callback without hashing it again.
func (m *Dedup) keyOf(key string) Key {
	if m != nil {
		if c := m.claimed(key); c != nil {
			return Key([]byte(c.key))
		}
	}
	return KeyOf(key)
}

// end puts what is known now in the place of a claim, and wakes who waits.
func (m *Dedup) end(c *claim, s *seen) {
	m.table.put(c.key, s)
	c.end()
}

// Restore takes up the callbacks that an earlier process kept: the answers by
// their keys, nil for one that was counted and not answered. Each is remembered
// anew: for how long the process was away no clock can tell that may have been
// set meanwhile.
func (m *Dedup) Restore(left map[Key][]byte) {
	for key, json := range left {
		var a *answer
		if len(json) > 0 {
			a = m.answers.take(json)
		}
		if m.table.add(string(key[:]), m.seen(a, json == nil)) != nil {
			m.answers.drop(a)
		}
	}
}

// Each shows what Restore would take, and calls between now and then, with nothing
// locked. An error of that ends it.
func (m *Dedup) Each(show func(key Key, answer []byte), between func() error) error {
	return m.table.each(func(key string, e entry) {
		switch e := e.(type) {
		case *claim:
			if e.counted.Load() {
				show(Key([]byte(key)), nil)
			}
		case *seen:
			switch {
			case e.until <= m.table.clock.millis():
			case e.counted:
				show(Key([]byte(key)), nil)
			default:
				show(Key([]byte(key)), append([]byte{}, e.answer.bytes()...))
			}
		}
	}, between)
}

// Len returns the number of callbacks kept.
func (m *Dedup) Len() int { return m.table.live() }

// Sweep forgets some of what has expired; call it often (see Sweep).
func (m *Dedup) Sweep() { m.table.sweep() }

var _ store.Dedup = (*Dedup)(nil)

func orNothing(f func()) func() {
	if f == nil {
		return func() {}
	}
	return f
}
