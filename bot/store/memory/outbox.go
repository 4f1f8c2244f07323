package memory

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"

	"escalator/bot/store"
)

const (
	// keepGivenUp and maxGivenUp bound what is kept for people to read.
	keepGivenUp = 7 * 24 * time.Hour
	maxGivenUp  = 10_000
	expireEvery = time.Minute
)

// Outbox keeps transfers in memory: they are lost with the process. It is also
// the index of the durable one, which decides what survives.
type Outbox struct {
	mu       sync.Mutex
	all      map[string]*item
	reserved map[string]bool // ids between Reserve and Insert
	later    byDue           // not due yet when last looked at
	ready    byCreated       // due; the oldest goes first
	unproven byCreated       // due, and maybe forged: they come behind all others
	newest   bool            // of a crowd of those the newest had its turn
	changed  chan struct{}
	now      func() time.Time
	expired  time.Time // when Expire last ran
	looked   time.Time // when Take last looked, by the clock on the wall
	count    uint64    // numbers what is put, for order among equals
}

// item is a transfer and where it stands in the heaps.
type item struct {
	transfer store.Transfer
	number   uint64
	leased   bool
	dropped  bool // deleted or replaced while a heap still holds it
}

// NewOutbox returns an empty outbox. A nil now means time.Now.
func NewOutbox(now func() time.Time) *Outbox {
	if now == nil {
		now = time.Now
	}
	return &Outbox{all: map[string]*item{}, reserved: map[string]bool{}, changed: make(chan struct{}, 1), now: now}
}

// Put implements store.Outbox.
func (o *Outbox) Put(_ context.Context, t *store.Transfer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.free(t.ID); err != nil {
		return err
	}
	o.insert(*t)
	return nil
}

// Reserve is the first half of a Put whose transfer has to be committed
// elsewhere in between: until Insert or Unreserve nobody else puts or takes a
// transfer of the conversation. The error is that of Put.
func (o *Outbox) Reserve(id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.free(id); err != nil {
		return err
	}
	o.reserved[id] = true
	return nil
}

// Unreserve takes a Reserve back.
func (o *Outbox) Unreserve(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.reserved, id)
	if it := o.all[id]; it != nil {
		o.insert(it.transfer) // Take may have passed it over
	}
}

// Insert stores a transfer in the place of any other of the conversation.
func (o *Outbox) Insert(t *store.Transfer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.reserved, t.ID)
	o.insert(*t)
}

func (o *Outbox) free(id string) error {
	it := o.all[id]
	if o.reserved[id] || it != nil && (it.leased || it.transfer.State == store.Pending) {
		return store.ErrPending
	}
	return nil
}

// insert puts t in the place of an older transfer of the same conversation.
func (o *Outbox) insert(t store.Transfer) {
	if old := o.all[t.ID]; old != nil {
		old.dropped = true
	}
	o.count++
	it := &item{transfer: t, number: o.count}
	o.all[t.ID] = it
	if t.State != store.GivenUp {
		heap.Push(&o.later, it)
	}
	o.signal()
}

// Take implements store.Outbox.
func (o *Outbox) Take(_ context.Context, now time.Time) (*store.Transfer, time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watchClock(now)
	for len(o.later) > 0 && !o.later[0].transfer.Due.After(now) {
		o.due(heap.Pop(&o.later).(*item))
	}
	for it := o.next(); it != nil; it = o.next() {
		if it.dropped || o.reserved[it.transfer.ID] {
			continue
		}
		it.leased = true
		t := it.transfer
		return &t, time.Time{}, nil
	}
	for len(o.later) > 0 && o.later[0].dropped {
		heap.Pop(&o.later)
	}
	if len(o.later) == 0 {
		return nil, time.Time{}, nil
	}
	return nil, o.later[0].transfer.Due, nil
}

// crowd is how many unproven transfers wait before they are more than customers who
// ask: then every other one that is taken is the newest, because behind a flood of
// forged ones a real one would wait for as long as the flood has lasted.
const crowd = 256

// due puts a transfer where it is taken from.
func (o *Outbox) due(it *item) {
	if it.transfer.Unproven {
		heap.Push(&o.unproven, it)
	} else {
		heap.Push(&o.ready, it)
	}
}

// next takes the item out whose turn it is, nil if none is due.
func (o *Outbox) next() *item {
	if len(o.ready) > 0 {
		return heap.Pop(&o.ready).(*item)
	}
	if o.newest = !o.newest && len(o.unproven) > crowd; o.newest {
		return heap.Remove(&o.unproven, o.unproven.last()).(*item)
	}
	if len(o.unproven) > 0 {
		return heap.Pop(&o.unproven).(*item)
	}
	return nil
}

// watchClock mends the times of all transfers when the clock on the wall has
// been set back since Take last looked: they would wait until it gets there again.
func (o *Outbox) watchClock(now time.Time) {
	wall := now.Round(0) // without the monotonic reading, which never steps
	if back := wall.Before(o.looked); back {
		for _, it := range o.later {
			it.transfer.Clamp(now)
		}
		heap.Init(&o.later)
		for _, due := range []*byCreated{&o.ready, &o.unproven} {
			for _, it := range *due {
				it.transfer.Clamp(now)
			}
			heap.Init(due)
		}
	}
	o.looked = wall
}

// Save implements store.Outbox.
func (o *Outbox) Save(_ context.Context, t *store.Transfer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if it := o.all[t.ID]; it == nil || it.transfer.Episode != t.Episode {
		return store.ErrNotFound
	}
	o.insert(*t)
	if t.State == store.GivenUp && o.now().Sub(o.expired) > expireEvery {
		o.expire()
	}
	return nil
}

// Expire forgets given-up transfers that are old or too many and returns them.
func (o *Outbox) Expire() []*store.Transfer {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.expire()
}

func (o *Outbox) expire() (gone []*store.Transfer) {
	now := o.now()
	o.expired = now
	var given []*item
	for _, it := range o.all {
		if it.transfer.State == store.GivenUp {
			given = append(given, it)
		}
	}
	slices.SortFunc(given, func(a, b *item) int { return a.transfer.Due.Compare(b.transfer.Due) })
	for i, it := range given {
		if len(given)-i > maxGivenUp || it.transfer.Due.Before(now.Add(-keepGivenUp)) {
			delete(o.all, it.transfer.ID)
			gone = append(gone, &it.transfer)
		}
	}
	return gone
}

// Delete implements store.Outbox.
func (o *Outbox) Delete(_ context.Context, t *store.Transfer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.all[t.ID]
	if it == nil || it.transfer.Episode != t.Episode {
		return store.ErrNotFound
	}
	it.dropped = true
	delete(o.all, t.ID)
	return nil
}

// Reschedule implements store.Outbox.
func (o *Outbox) Reschedule(_ context.Context, id string, due time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.all[id]
	if it == nil || it.leased || o.reserved[id] || it.transfer.State != store.Waiting {
		return store.ErrNotFound
	}
	t := it.transfer
	t.Due = due
	o.insert(t)
	return nil
}

// Get implements store.Outbox.
func (o *Outbox) Get(_ context.Context, id string) (*store.Transfer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.all[id]
	if it == nil {
		return nil, store.ErrNotFound
	}
	t := it.transfer
	return &t, nil
}

// List implements store.Outbox.
func (o *Outbox) List(_ context.Context, in ...store.TransferState) ([]*store.Transfer, error) {
	o.mu.Lock()
	list := []*store.Transfer{}
	for _, it := range o.all {
		if len(in) == 0 || slices.Contains(in, it.transfer.State) {
			t := it.transfer
			list = append(list, &t)
		}
	}
	o.mu.Unlock()
	slices.SortFunc(list, func(a, b *store.Transfer) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// Stats counts what is held, without a copy.
func (o *Outbox) Stats() (stats store.Stats) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, it := range o.all {
		stats.Add(&it.transfer)
	}
	return stats
}

// Changed implements store.Outbox.
func (o *Outbox) Changed() <-chan struct{} { return o.changed }

// signal never blocks: one unread value says all that there is to say.
func (o *Outbox) signal() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

var _ store.Outbox = (*Outbox)(nil)

// byDue and byCreated are heaps (container/heap).
type (
	byDue     []*item
	byCreated []*item
)

func (h byDue) Len() int           { return len(h) }
func (h byDue) Less(i, j int) bool { return h[i].transfer.Due.Before(h[j].transfer.Due) }
func (h byDue) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byDue) Push(x any)        { *h = append(*h, x.(*item)) }
func (h *byDue) Pop() any          { return popLast((*[]*item)(h)) }

func (h byCreated) Len() int { return len(h) }
func (h byCreated) Less(i, j int) bool {
	a, b := h[i], h[j]
	return cmp.Or(a.transfer.Created.Compare(b.transfer.Created), cmp.Compare(a.number, b.number)) < 0
}
func (h byCreated) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byCreated) Push(x any)   { *h = append(*h, x.(*item)) }
func (h *byCreated) Pop() any     { return popLast((*[]*item)(h)) }

// last is the place of the newest; it has nothing below it.
func (h byCreated) last() int {
	newest := len(h) / 2
	for i := newest + 1; i < len(h); i++ {
		if h.Less(newest, i) {
			newest = i
		}
	}
	return newest
}

func popLast(h *[]*item) any {
	last := len(*h) - 1
	it := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return it
}
