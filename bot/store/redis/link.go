package redis

import (
	"context"
	"sync"
	"time"
)

const (
	// probeEvery is how often Redis is asked whether it is back; it has to
	// answer backAfter times in a row.
	probeEvery = 250 * time.Millisecond
	backAfter  = 2
	// probeTimeout bounds one probe.
	probeTimeout = time.Second
	// doubtFor is how long after an outage Desk is asked before a transfer is
	// sent: another replica may have decided the same while nobody could tell.
	doubtFor = time.Minute
)

// link knows whether Redis can be used.
type link struct {
	client  *Client
	changed func(up bool, cause error) // told of each change, without a lock

	mu    sync.Mutex
	up    bool
	cause error     // why not, while it is not
	since time.Time // of the last change; zero: never
}

// usable reports whether Redis can be used now.
func (l *link) usable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// state returns why Redis cannot be used and since when; nil: it can.
func (l *link) state() (since time.Time, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up {
		return l.since, nil
	}
	return l.since, l.cause
}

// doubtful reports whether others may know things that Redis does not.
func (l *link) doubtful() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.up || !l.since.IsZero() && l.client.now().Sub(l.since) < doubtFor
}

// begin notes that Redis was there when we started.
func (l *link) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up, l.cause = true, nil
}

// fell notes that a call failed: until a probe says otherwise nobody waits for
// Redis any more. The first failure tells the cause.
func (l *link) fell(cause error) {
	if l.usable() {
		l.set(false, cause)
	}
}

func (l *link) set(up bool, cause error) {
	l.mu.Lock()
	before := l.up
	l.up, l.cause = up, cause
	if before != up {
		l.since = l.client.now()
	}
	l.mu.Unlock()
	if before != up {
		l.changed(up, cause)
	}
}

// watch probes while Redis is away, until ctx ends. back is called before Redis
// is used again; if it fails, Redis is still away.
func (l *link) watch(ctx context.Context, back func(context.Context) error) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for good := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if l.usable() {
			good = 0
			continue
		}
		err := l.probe(ctx)
		if good++; err != nil {
			good = 0
			l.set(false, err)
		} else if good >= backAfter {
			if err := back(ctx); err == nil {
				l.set(true, nil)
			}
		}
	}
}

func (l *link) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return l.client.Probe(ctx)
}
