package decisions

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/quiet"
	"escalator/bot/store"
	"escalator/rules"
)

const (
	// Keep is how many decisions are kept.
	Keep = 10_000
	// Changes are carried out settleEvery after the first of them, or as soon as settleFull
	// wait: one by one they would wake another processor for every callback.
	settleEvery = 20 * time.Millisecond
	settleFull  = 64
	// maxQueued is how many changes wait before a callback carries them out itself.
	maxQueued = 4096
	// movesAfter is how many that were dropped still take memory.
	movesAfter = 1024
	// maxEarly is how many transfers are remembered whose decision is not here yet.
	maxEarly = 1000
)

// History is what is needed of the durable history; *history.History is one.
type History interface {
	Each(ctx context.Context, since time.Time, take func(e *history.Entry)) (whole bool, err error)
}

// Options says how words are masked, and where things are kept. All may be left out.
type Options struct {
	LogText mask.Mode
	// History restores the list after a restart; nil: it begins empty.
	History History
	// HistoryFor is how far back History goes.
	HistoryFor time.Duration
	// Records keep the labels; nil: nothing can be labelled.
	Records store.Records
	// Feed is where several replicas tell each other of decisions, nil where there are
	// none, and Replica the name of this one.
	Feed    store.Feed
	Replica string
	// Others takes each decision that another replica tells of; nil: nobody asks.
	Others func(*Record)
	// Dropped counts what other replicas are never told of; nil: nobody asks.
	Dropped func()
	Log     *logrus.Logger
	Wall    func() time.Time // nil: time.Now
}

// List keeps the newest decisions. Make one with New; it may be used by several goroutines.
type List struct {
	Options
	ids   ids
	quiet quiet.Lines
	feed  feed

	queueMu sync.Mutex
	queue   []change
	wake    chan struct{} // receives a value when changes begin to wait, and when many do

	mu      sync.Mutex
	all     []*kept // the oldest first by id
	handed  bool    // somebody reads all without the lock: it must not be written any more
	dropped int     // of all, since it moved
	byID    map[string]*kept
	early   map[string]*Transfer // by decision
	order   []string             // of early
	events  events
	changed chan struct{} // closed when there are new events

	restored chan struct{} // closed when what was kept before the start is here
	labelMu  sync.Mutex
}

// kept is a decision with what became of it.
type kept struct {
	id   string
	seq  int64 // of its event
	now  atomic.Pointer[Record]
	gone atomic.Bool // forgotten: who reads a list still must not show it
}

// change is something that happened. One of the fields says what.
type change struct {
	made      *Record
	said      string // of made: the words, not masked yet
	cut       bool   // said is not all of them
	tried     *Transfer
	label     *Label
	of        string // which decision was tried or labelled
	forgotten *forgetting
	remote    bool // another replica told of it
}

// New returns an empty list. Run restores and shares it.
func New(o Options) *List {
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Dropped == nil {
		o.Dropped = func() {}
	}
	l := &List{
		Options: o, ids: ids{tag: newTag()}, wake: make(chan struct{}, 1), byID: map[string]*kept{}, early: map[string]*Transfer{},
		changed: make(chan struct{}), restored: make(chan struct{}),
	}
	l.events.epoch, l.events.shared = l.ids.tag, o.Feed != nil
	return l
}

// NewID returns the id of a decision that is to be added.
func (l *List) NewID() string { return l.ids.next(l.Wall()) }

// Add keeps a decision, with an id of its own if it has none. What was said is masked
// later, and may be a piece of a callback's body.
func (l *List) Add(r *Record, said string) {
	if r.ID == "" {
		r.ID = l.NewID()
	}
	head, cut := mask.Head(said)
	if l.LogText == mask.None {
		head = ""
	}
	r.At, r.Replica = r.At.UTC().Truncate(time.Microsecond), l.Replica
	l.put(change{made: r, said: strings.Clone(head), cut: cut})
}

// Tried notes an attempt to deliver the transfer that a decision began.
func (l *List) Tried(e *history.Entry) {
	if e.ID != "" {
		l.put(change{tried: ofAttempt(e), of: e.ID})
	}
}

// Queued returns the newest decision of a session whose transfer Desk has put into its
// queue, by the rule that made it; nil: none is kept.
func (l *List) Queued(session, rule string) *Record {
	l.settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range slices.Backward(l.all) {
		if r := k.now.Load(); r.Session == session && r.Rule == rule && r.Transfer != nil {
			if r.Transfer.Outcome == rules.ResultQueued.String() {
				return r
			}
			break // a later transfer ended otherwise: the queue was of an earlier visit
		}
	}
	return nil
}

// put queues a change. A queue that is full is emptied by who finds it so.
func (l *List) put(c change) {
	l.queueMu.Lock()
	l.queue = append(l.queue, c)
	waiting := len(l.queue)
	l.queueMu.Unlock()
	switch {
	case waiting >= maxQueued:
		l.settle()
	case waiting == 1, waiting == settleFull:
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// settle carries out what is queued, so that who reads sees all that happened before.
func (l *List) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queueMu.Lock()
	queue := l.queue
	l.queue = nil
	l.queueMu.Unlock()
	for i := range queue {
		l.apply(&queue[i])
	}
	l.announce()
}

// announce wakes who waits for events.
func (l *List) announce() {
	if l.events.news {
		close(l.changed)
		l.changed, l.events.news = make(chan struct{}), false
	}
}

// apply carries out one change.
func (l *List) apply(c *change) {
	if !c.remote {
		defer l.tellOthers(c)
	}
	switch {
	case c.made != nil:
		if !c.remote {
			c.made.Text = l.LogText.Excerpt(c.said, c.cut)
		}
		if k := l.insert(c.made); k != nil {
			k.seq = l.events.add(&Event{name: nameDecision, of: k, record: k.now.Load()}) // with the attempt that came first
			if c.remote && l.Others != nil {
				l.Others(c.made)
			}
		}
	case c.tried != nil:
		l.try(c.of, c.tried)
	case c.label != nil:
		if k := l.byID[c.of]; k != nil && !k.gone.Load() {
			l.amend(k, func(r *Record) { r.Label, r.LabelBy = c.label.Label, c.label.By })
			l.events.add(&Event{name: nameLabel, of: k, record: k.now.Load()})
		}
	case c.forgotten != nil:
		l.forget(c.forgotten)
	}
}

// insert puts a decision into its place, nil if it is here already or too old.
func (l *List) insert(r *Record) *kept {
	if known := l.byID[r.ID]; known != nil || len(l.all) >= Keep && r.ID < l.all[0].id {
		return nil
	}
	r.prepare()
	if t := l.early[r.ID]; t != nil {
		delete(l.early, r.ID)
		changed := *r
		changed.Transfer = t
		r = &changed
	}
	k := &kept{id: r.ID}
	k.now.Store(r)
	l.byID[r.ID] = k
	if last := len(l.all) - 1; last < 0 || l.all[last].id < k.id {
		l.all = append(l.all, k)
	} else { // of another replica, or one of several that were stored at once
		at, _ := l.find(k.id)
		if l.handed {
			l.all = append(make([]*kept, 0, len(l.all)+movesAfter), l.all...)
			l.handed, l.dropped = false, 0
		}
		l.all = slices.Insert(l.all, at, k)
	}
	if len(l.all) > Keep {
		delete(l.byID, l.all[0].id)
		l.all = dropFirst(l.all, &l.dropped)
	}
	return k
}

// dropFirst drops the oldest of a list. Readers may still look at it, so it cannot be
// overwritten where it lies: now and then the rest moves, and that memory is free.
func dropFirst[T any](list []*T, dropped *int) []*T {
	if *dropped++; *dropped < movesAfter {
		return list[1:]
	}
	*dropped = 0
	return append(make([]*T, 0, len(list)+movesAfter), list[1:]...)
}

// find returns the place of an id, and whether it is there.
func (l *List) find(id string) (int, bool) {
	return slices.BinarySearchFunc(l.all, id, func(k *kept, id string) int { return cmp.Compare(k.id, id) })
}

// try shows an attempt with its decision. That may come later: a transfer is delivered as
// soon as it is stored, perhaps by another replica.
func (l *List) try(id string, t *Transfer) {
	k := l.byID[id]
	if k == nil {
		if _, known := l.early[id]; !known {
			if l.order = append(l.order, id); len(l.order) > maxEarly {
				delete(l.early, l.order[0])
				l.order = l.order[1:]
			}
		}
		l.early[id] = t
		return
	}
	if before := k.now.Load().Transfer; before != nil && (before.At.After(t.At) || *before == *t) {
		return
	}
	l.amend(k, func(r *Record) { r.Transfer = t })
	l.events.add(&Event{name: nameTransfer, of: k, record: k.now.Load()})
}

// amend puts a changed record in the place of one.
func (l *List) amend(k *kept, change func(*Record)) {
	r := *k.now.Load()
	change(&r)
	k.now.Store(&r)
}

// Run restores what was kept before the start, shows what happens and shares it with
// other replicas, until ctx ends.
func (l *List) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() {
		l.begin(ctx)
		close(l.restored)
		if l.Feed != nil {
			l.share(ctx)
		}
	})
	for ctx.Err() == nil {
		select {
		case <-l.wake:
			l.gather(ctx)
			l.settle()
		case <-ctx.Done():
		}
	}
	work.Wait()
}

// gather waits a moment for more changes, unless many wait already: nobody tells of those
// that came while it was at work.
func (l *List) gather(ctx context.Context) {
	l.queueMu.Lock()
	many := len(l.queue) >= settleFull
	l.queueMu.Unlock()
	if many {
		return
	}
	timer := time.NewTimer(settleEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.wake: // many wait
	case <-ctx.Done():
	}
}
