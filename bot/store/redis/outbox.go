package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store"
)

const (
	// Lease is how long a transfer is its taker's without a sign of life. It
	// outlives one call of Desk (5 s), and is the longest that a customer waits
	// for another replica when one dies.
	Lease = 15 * time.Second
	// keepFor is the expiry of the outbox and the alarms, moved by every write.
	// It outlives what is kept for people to read.
	keepFor     = 8 * 24 * time.Hour
	keepGivenUp = 7 * 24 * time.Hour
	maxGivenUp  = 10_000
	// lookEvery is how often a replica looks for what others left behind.
	lookEvery = time.Second
)

// Outbox keeps the transfers of all replicas.
type Outbox struct {
	*Client
	changed chan struct{}
	lease   time.Duration // Lease, but in tests; renewed three times within it

	mu      sync.Mutex
	held    map[string]string // id → token of what this replica has leased
	orphans []*store.Transfer // put, perhaps, by a change that failed
}

// NewOutbox returns the shared outbox. Its leases are renewed by Run only.
func NewOutbox(c *Client) *Outbox {
	return &Outbox{Client: c, changed: make(chan struct{}, 1), lease: Lease, held: map[string]string{}}
}

// Run renews the leases of this replica until ctx ends.
func (o *Outbox) Run(ctx context.Context) {
	tick := time.NewTicker(o.lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			o.renew(ctx)
		}
	}
}

func (o *Outbox) renew(ctx context.Context) {
	args := []any{o.lease.Milliseconds()}
	o.mu.Lock()
	for id, token := range o.held {
		args = append(args, id, token)
	}
	o.mu.Unlock()
	if len(args) > 1 {
		_, _ = o.run(ctx, "renewing leases", renewScript, o.keys.outbox(), args...) // the next time will do
	}
}

// Put implements store.Outbox.
func (o *Outbox) Put(ctx context.Context, t *store.Transfer) error {
	if err := o.put(ctx, t, "", "", doubtNone); err != nil {
		return err
	}
	o.signal()
	return nil
}

// prepare puts a transfer that nobody may try yet; publish, takeBack or orphan
// must follow.
func (o *Outbox) prepare(ctx context.Context, t *store.Transfer) error {
	token := rand.Text()
	err := o.put(ctx, t, token, strconv.FormatInt(o.lease.Milliseconds(), 10), doubtNew)
	switch {
	case err == nil:
		o.hold(t.ID, token)
	case errors.Is(err, ErrAway):
		o.orphan(t)
	}
	return err
}

func (o *Outbox) put(ctx context.Context, t *store.Transfer, token, lease string, doubt rune) error {
	r, err := encode(t, token, doubt)
	if err != nil {
		return err
	}
	done, err := o.run(ctx, "storing a transfer", putScript, o.keys.outbox(), t.ID, r, t.Due.UnixMicro(), lease, keepFor.Milliseconds())
	if err == nil && done == int64(0) {
		return store.ErrPending
	}
	return err
}

// publish lets a prepared transfer be tried. If that fails its lease runs out,
// and it is tried then.
func (o *Outbox) publish(ctx context.Context, t *store.Transfer) {
	_ = o.save(ctx, t)
	o.signal()
}

// takeBack removes a prepared transfer, whose conversation thought better of it.
func (o *Outbox) takeBack(ctx context.Context, t *store.Transfer) {
	o.letGo(t.ID)
	if err := o.withdraw(ctx, t, false); err != nil {
		o.orphan(t)
	}
}

// withdraw takes a prepared transfer back or, where it is counted on, publishes it.
func (o *Outbox) withdraw(ctx context.Context, t *store.Transfer, countedOn bool) error {
	counted := ""
	if countedOn {
		counted = "1"
	}
	done, err := o.run(ctx, "taking a transfer back", takeBackScript, o.keys.outbox(), t.ID, t.Episode, keepFor.Milliseconds(), counted)
	if done == int64(2) {
		o.signal()
	}
	return err
}

// orphan notes a transfer of which nobody knows whether it was put, or whether
// its conversation was saved. It is taken back when Redis can be used again,
// because it was decided elsewhere or never promised; unless the conversation
// was saved and counts on it.
func (o *Outbox) orphan(t *store.Transfer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.orphans = append(o.orphans, t)
}

// dropOrphans takes back what orphan noted, as far as it is not counted on.
func (o *Outbox) dropOrphans(ctx context.Context, countedOn func(ctx context.Context, id string) (bool, error)) error {
	o.mu.Lock()
	orphans := o.orphans
	o.orphans = nil
	o.mu.Unlock()
	for n, t := range orphans {
		counted, err := countedOn(ctx, t.ID)
		if err == nil {
			err = o.withdraw(ctx, t, counted)
		}
		if err != nil {
			o.mu.Lock()
			o.orphans = append(orphans[n:], o.orphans...)
			o.mu.Unlock()
			return err
		}
	}
	return nil
}

func (o *Outbox) hold(id, token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held[id] = token
}

// letGo forgets a lease of ours and returns its token, "" if there is none.
func (o *Outbox) letGo(id string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	token := o.held[id]
	delete(o.held, id)
	return token
}

// Take implements store.Outbox. What is due next is no later than the next look
// at what other replicas may have left.
func (o *Outbox) Take(ctx context.Context, now time.Time) (t *store.Transfer, next time.Time, err error) {
	for {
		token := rand.Text()
		answer, err := o.run(ctx, "taking a transfer", takeScript, o.keys.outbox(), now.UnixMicro(), token, o.lease.Milliseconds(),
			keepFor.Milliseconds(), now.Add(-keepGivenUp).UnixMicro(), maxGivenUp)
		if err != nil {
			return nil, time.Time{}, err
		}
		r, next := readTaken(answer)
		if r == nil {
			return nil, next, nil
		}
		t, err := r.decode()
		if err == nil {
			o.hold(t.ID, token)
			return t, time.Time{}, nil
		}
		if err := o.setRecordAside(ctx, r, err); err != nil {
			return nil, time.Time{}, err
		}
	}
}

// Save implements store.Outbox. A lease that another replica has taken over
// meanwhile is ErrNotFound: that replica goes on.
func (o *Outbox) Save(ctx context.Context, t *store.Transfer) error {
	err := o.save(ctx, t)
	o.signal()
	return err
}

func (o *Outbox) save(ctx context.Context, t *store.Transfer) error {
	r, err := encode(t, "", doubtNone)
	if err != nil {
		return err
	}
	token := o.letGo(t.ID)
	done, err := o.run(ctx, "saving a transfer", storeScript, o.keys.outbox(), t.ID, t.Episode, r, string(stateLetter(t.State)),
		t.Due.UnixMicro(), token, keepFor.Milliseconds())
	return foundOr(done, err)
}

// foundOr turns the 0 of a script into ErrNotFound.
func foundOr(done any, err error) error {
	if err == nil && done != int64(1) {
		return store.ErrNotFound
	}
	return err
}

// Reschedule implements store.Outbox.
func (o *Outbox) Reschedule(ctx context.Context, id string, due time.Time) error {
	done, err := o.run(ctx, "hastening a transfer", hastenScript, o.keys.outbox(), id, due.UnixMicro(), keepFor.Milliseconds())
	o.signal()
	return foundOr(done, err)
}

// Delete implements store.Outbox.
func (o *Outbox) Delete(ctx context.Context, t *store.Transfer) error {
	o.letGo(t.ID)
	done, err := o.run(ctx, "removing a transfer", deleteScript, o.keys.outbox(), t.ID, t.Episode)
	return foundOr(done, err)
}

// Get implements store.Outbox.
func (o *Outbox) Get(ctx context.Context, id string) (*store.Transfer, error) {
	var value string
	records := o.keys.outbox()[0]
	err := o.do(ctx, "reading a transfer", []string{records}, func(ctx context.Context) (err error) {
		value, err = o.rdb.HGet(ctx, records, id).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	r := record{id: id, value: value}
	t, err := r.decode()
	if err != nil {
		return nil, store.ErrNotFound
	}
	return t, nil
}

// listTimeout bounds a List. It may be megabytes, and no callback waits for it.
const listTimeout = 3 * time.Second

// List implements store.Outbox. Its error says nothing about Redis for others:
// it is not ErrAway.
func (o *Outbox) List(ctx context.Context, in ...store.TransferState) ([]*store.Transfer, error) {
	call, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	values, err := o.rdb.WithTimeout(listTimeout).HGetAll(call, o.keys.outbox()[0]).Result()
	if err != nil && !foreign(err) {
		return nil, fmt.Errorf("listing transfers: %w", err)
	}
	list := make([]*store.Transfer, 0, len(values))
	for id, value := range values {
		r := record{id: id, value: value}
		if t, err := r.decode(); err == nil && (len(in) == 0 || slices.Contains(in, t.State)) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *store.Transfer) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// setRecordAside moves a record that cannot be read to where people can look at it.
func (o *Outbox) setRecordAside(ctx context.Context, r *record, why error) error {
	records := o.keys.outbox()[0]
	aside := o.keys.damaged()
	err := o.do(ctx, "setting a damaged transfer aside", append(o.keys.outbox(), aside), func(ctx context.Context) error {
		_, err := o.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, aside, r.id, r.value)
			p.PExpire(ctx, aside, keepDamaged)
			p.HDel(ctx, records, r.id)
			for _, key := range o.keys.outbox()[1:] {
				p.ZRem(ctx, key, r.id)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	o.report(fmt.Sprintf("the transfer of %q cannot be read: %v", r.id, why), "the hash "+aside+" in Redis")
	return nil
}

// Changed implements store.Outbox: it tells of this replica's changes.
func (o *Outbox) Changed() <-chan struct{} { return o.changed }

func (o *Outbox) signal() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

var _ store.Outbox = (*Outbox)(nil)
