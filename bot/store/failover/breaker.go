package failover

import (
	"context"
	"sync"
	"time"
)

const (
	// probeEvery is how often the shared store is asked whether it is back, while it
	// is away; it has to answer closeAfter times in a row.
	probeEvery = 250 * time.Millisecond
	closeAfter = 2
	// openAfter is how many probes in a row have to fail, after a call did, before
	// the shared store is away.
	openAfter = 2
	// probeTimeout bounds one probe.
	probeTimeout = time.Second
	// verifyFor is how long after an outage Desk is asked before a transfer is sent:
	// another replica may have decided the same while nobody could tell. After a
	// moment of suspicion replicas have told each other within glitchFor.
	verifyFor = time.Minute
	glitchFor = 5 * time.Second
)

// condition is what a breaker makes of the shared store.
type condition uint8

const (
	open    condition = iota // it is away
	suspect                  // a call failed, and a probe has not told yet
	closed                   // it is used
)

// breaker knows whether the shared store can be used. The usual breaker lets
// callers try whether it is back; here probes do, because a caller that tries is a
// customer who waits.
type breaker struct {
	probe   func(context.Context) error
	changed func(up bool, cause error) // told when it is away and when it is back, without a lock
	now     func() time.Time
	wake    chan struct{} // receives a value when it becomes suspect

	mu      sync.Mutex
	is      condition
	cause   error         // why it is not closed
	since   time.Time     // of the last outage's beginning or end; zero: there was none
	verify  time.Time     // until when Desk is asked first
	decided chan struct{} // closed when a suspicion ends
}

func newBreaker(probe func(context.Context) error, changed func(bool, error), now func() time.Time) *breaker {
	return &breaker{probe: probe, changed: changed, now: now, wake: make(chan struct{}, 1), cause: errNotAsked}
}

// usable reports whether the shared store is worth a call.
func (b *breaker) usable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.is == closed
}

// wait waits for the end of a suspicion and reports whether the shared store can
// be used then.
func (b *breaker) wait(ctx context.Context) bool {
	b.mu.Lock()
	is, decided := b.is, b.decided
	b.mu.Unlock()
	if is != suspect {
		return is == closed
	}
	select {
	case <-decided:
		return b.usable()
	case <-ctx.Done():
		return false
	}
}

// away returns why the shared store is away and since when; nil: it is not.
func (b *breaker) away() (since time.Time, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.is != open {
		return time.Time{}, nil
	}
	return b.since, b.cause
}

// verifyFirst reports whether other replicas may know what the shared store does not.
func (b *breaker) verifyFirst() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.is != closed || b.now().Before(b.verify)
}

// begin notes that the shared store was there when we started.
func (b *breaker) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.is, b.cause = closed, nil
}

// refused notes why the shared store could not be used when we started.
func (b *breaker) refused(cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cause = cause
}

// failed notes that a call failed.
func (b *breaker) failed(cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.is != closed {
		return
	}
	b.is, b.cause, b.decided = suspect, cause, make(chan struct{})
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// turn ends a suspicion or an outage, or begins one.
func (b *breaker) turn(to condition, cause error) {
	b.mu.Lock()
	was := b.is
	b.is, b.cause = to, cause
	if was == suspect {
		close(b.decided)
	}
	switch {
	case to == open && was != open:
		b.since = b.now()
	case to == closed && was == open:
		b.since = b.now()
		b.verify = b.since.Add(verifyFor)
	case to == closed && was == suspect && b.verify.Before(b.now().Add(glitchFor)):
		b.verify = b.now().Add(glitchFor)
	}
	b.mu.Unlock()
	if (was == open) != (to == open) {
		b.changed(to == closed, cause)
	}
}

// watch probes while the shared store is suspect or away, until ctx ends. back is
// called before it is used again; if it fails, it is still away.
func (b *breaker) watch(ctx context.Context, back func(context.Context) error) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for good := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
			b.decide(ctx, back)
			good = 0
			continue
		case <-tick.C:
		}
		if b.usable() {
			continue
		}
		err := b.ask(ctx)
		if good++; err != nil {
			good = 0
			b.turn(open, err)
		} else if good >= closeAfter && back(ctx) == nil {
			good = 0
			b.turn(closed, nil)
		}
	}
}

// decide ends a suspicion.
func (b *breaker) decide(ctx context.Context, back func(context.Context) error) {
	var err error
	for range openAfter {
		if err = b.ask(ctx); err == nil {
			err = back(ctx)
		}
		if err == nil {
			b.turn(closed, nil)
			return
		}
	}
	b.turn(open, err)
}

func (b *breaker) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return b.probe(ctx)
}
