package memory

import (
	"context"
	"math"
	"time"

	"escalator/bot/store"
)

// forever is the expiry of a callback that is being worked on.
const forever = int64(math.MaxInt64)

// Marks remembers callbacks for a fixed time, at most a fixed number of them.
type Marks struct {
	table *table
	keep  time.Duration
	now   func() time.Time
}

// MarksOptions says how long and how many marks are kept.
type MarksOptions struct {
	Keep    time.Duration    // how long an answered callback is remembered
	Max     int              // over this the oldest goes first
	Now     func() time.Time // nil: time.Now
	Evicted func()           // called for each mark that went early; may be nil
}

// claim is a callback that is being worked on, until done is closed.
type claim struct {
	done   chan struct{}
	answer []byte // set before done is closed; nil: released
}

func (c *claim) expires() int64  { return forever }
func (c *claim) evictable() bool { return false }

// seen is a callback that was answered. It is kept small: there are millions.
type seen struct {
	until  int64
	answer []byte
}

func (s *seen) expires() int64  { return s.until }
func (s *seen) evictable() bool { return true }

// NewMarks returns an empty memory of callbacks.
func NewMarks(o MarksOptions) *Marks {
	now := orNow(o.Now)
	return &Marks{table: newTable(tableOptions{max: o.Max, lookAgain: o.Keep, now: now, evicted: orNothing(o.Evicted), gone: func(string, entry) {}}), keep: o.Keep, now: now}
}

// Claim implements store.Marks.
func (m *Marks) Claim(ctx context.Context, key, _ string) (answer []byte, first bool, err error) {
	mine := &claim{done: make(chan struct{})}
	for {
		e, added := m.table.add(key, mine)
		if added {
			return nil, true, nil
		}
		if s, ok := e.(*seen); ok {
			return s.answer, false, nil
		}
		theirs := e.(*claim)
		select {
		case <-theirs.done:
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
		if theirs.answer != nil {
			return theirs.answer, false, nil
		}
	}
}

// Finish implements store.Marks.
func (m *Marks) Finish(_ context.Context, key string, answer []byte) {
	m.end(key, answer, m.now().Add(m.keep).UnixMilli())
}

// Release implements store.Marks.
func (m *Marks) Release(_ context.Context, key string) { m.end(key, nil, 0) }

// end replaces the claim of the one caller that holds it by what was answered.
// One that was released has expired at once and is swept in its turn.
func (m *Marks) end(key string, answer []byte, until int64) {
	e, _ := m.table.get(key)
	c, ok := e.(*claim)
	if !ok {
		return
	}
	m.table.replace(key, &seen{until: until, answer: answer})
	c.answer = answer
	close(c.done)
}

// Len returns the number of marks kept.
func (m *Marks) Len() int { return m.table.live() }

// Sweep forgets some of what has expired; call it often (see Sweep).
func (m *Marks) Sweep() { m.table.sweep() }

var _ store.Marks = (*Marks)(nil)

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
