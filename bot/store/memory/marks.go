package memory

import (
	"context"
	"math"
	"sync"
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

// claim is a callback that is being worked on.
type claim struct {
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
func (m *Marks) Claim(ctx context.Context, key string) (answer []byte, first bool, err error) {
	mine := new(claim)
	for {
		e, added := m.table.add(key, mine)
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
	c.end(answer)
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
