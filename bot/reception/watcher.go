package reception

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/quiet"
	"escalator/bot/store"
	"escalator/rules"
)

const (
	// usual is how often Desk is asked unless the options say otherwise.
	usual = 10 * time.Second
	// askedFor is how long a question keeps the readings coming.
	askedFor = time.Minute
	// askWait is how long a question waits for a reading that counts.
	askWait = 2 * time.Second
	// soonest lies between two readings, however often an agent's status changes.
	soonest = time.Second
	// longest is the most that lies between two calls that fail.
	longest = 5 * time.Minute
)

// Desk is what the watcher asks; *desk.Client is one.
type Desk interface {
	Reception(ctx context.Context) (desk.Reception, error)
	Members(ctx context.Context, ids ...string) (desk.Page[desk.MemberStatistics], error)
}

// Options is what a Watcher is made of. All fields are needed.
type Options struct {
	Name    string // of this process, for the others; empty: a made-up one
	Desk    Desk
	Records store.Records
	Every   time.Duration // how often Desk is asked; 0: every 10 s
	// Asks is what the rules in force want to know, and Waiting says that customers wait
	// for an agent to be free: both are needs.
	Asks    func() rules.Asks
	Waiting func() bool
	// Told takes each new reading, also one of another process. It must not block.
	Told func(*rules.Reading)

	Log   *logrus.Logger
	Clock *clock.Clock
}

// Watcher keeps the last reading. Make one with New.
type Watcher struct {
	Options
	lease     store.Lease
	notBefore time.Time // Desk is asked no earlier: the last call failed
	quiet     quiet.Lines
	poke      chan struct{} // receives a value when Desk is to be asked soon

	mu       sync.Mutex
	told     *rules.Reading // what Desk said last; never changed once it is here
	reading  *rules.Reading // the same with what was heard since, as of so many reports
	count    int
	poller   string    // who asked for it, or would
	asked    time.Time // the last question
	heard    reports
	statuses statuses
	fault    fault
	// membersMissing says that it was told that Desk does not tell its agents one by one.
	membersMissing bool
	changed        chan struct{} // closed when a round is over
}

// fault is that of the calls in a row that failed.
type fault struct {
	Count int       `json:"-"`
	At    time.Time `json:"at"`
	Error string    `json:"error"`
}

// New returns a watcher that asks nobody yet.
func New(o Options) *Watcher {
	if o.Every <= 0 {
		o.Every = usual
	}
	w := &Watcher{Options: o, poke: make(chan struct{}, 1), statuses: statuses{}, changed: make(chan struct{})}
	w.lease = store.Lease{Records: o.Records, Name: "reception", Owner: cmp.Or(o.Name, rand.Text()[:8]), For: 3 * o.Every, Now: o.Clock.Now}
	return w
}

// soon has Desk asked as soon as it may be.
func (w *Watcher) soon() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// Run asks Desk while that is needed, until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := w.round(ctx)
		w.mu.Lock()
		close(w.changed)
		w.changed = make(chan struct{})
		w.mu.Unlock()
		if clock.Pause(ctx, min(wait, soonest)) != nil {
			return
		}
		timer := time.NewTimer(max(0, wait-soonest))
		select {
		case <-timer.C:
		case <-w.poke:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// needed says whether somebody wants to know anything, and whether each agent.
func (w *Watcher) needed() (anything bool, agents []string, everybody bool) {
	asks, waiting := w.Asks(), w.Waiting()
	w.mu.Lock()
	asked := !w.asked.IsZero() && w.Clock.Now().Sub(w.asked) < askedFor
	w.mu.Unlock()
	return asks.Reading || waiting || asked, asks.Agents, waiting
}

// round asks Desk if that is needed and nobody else does, and says how long to wait
// for the next one.
func (w *Watcher) round(ctx context.Context) time.Duration {
	anything, agents, everybody := w.needed()
	if !anything {
		return w.Every
	}
	if pause := w.notBefore.Sub(w.Clock.Now()); pause > 0 {
		return pause
	}
	if everybody {
		agents = nil
	}
	shared, mine := w.look(ctx)
	if !mine {
		w.passOn(ctx)
		return w.Every
	}
	w.hearOthers(ctx)
	r, err := w.ask(ctx, agents, everybody)
	if err != nil {
		return w.failed(ctx, err)
	}
	w.recovered()
	w.share(ctx, shared, r)
	w.take(r, w.lease.Owner)
	return w.Every
}

// take puts a reading in force.
func (w *Watcher) take(r *rules.Reading, by string) {
	w.mu.Lock()
	w.told, w.reading, w.poller = r, nil, by
	w.mu.Unlock()
	w.Told(r)
}

// failed notes that a call failed, tells of the first in a row, and says how long to
// wait: each time twice as long.
func (w *Watcher) failed(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	w.mu.Lock()
	w.fault.Count++
	w.fault.At, w.fault.Error = w.Clock.Wall(), err.Error()
	n := w.fault.Count
	w.mu.Unlock()
	wait := w.Every
	for i := 1; i < n && wait < longest; i++ {
		wait *= 2
	}
	wait = min(wait, max(longest, w.Every))
	if asked, ok := errors.AsType[*desk.Error](err); ok {
		wait = max(wait, min(asked.RetryAfter(), longest))
	}
	w.notBefore = w.Clock.Now().Add(wait)
	if n == 1 {
		w.Log.WithError(err).Warn("Desk's agent and queue figures cannot be read: conditions on them are unknown, and Desk is asked less and less often")
	}
	return wait
}

// recovered notes that a call was answered.
func (w *Watcher) recovered() {
	w.mu.Lock()
	n := w.fault.Count
	w.fault.Count = 0
	w.mu.Unlock()
	if n > 0 {
		w.Log.WithField("failed", n).Warn("Desk's agent and queue figures can be read again")
	}
}
