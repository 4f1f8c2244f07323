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

	"escalator/bot/clock"
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
	// noteEnded is how long it is known that a transfer has ended, and maxEnded of how many.
	noteEnded = 24 * time.Hour
	maxEnded  = 100_000
)

// Outbox keeps the transfers of all replicas.
type Outbox struct {
	*Client
	changed chan struct{}
	lease   time.Duration // Lease, but in tests; renewed three times within it

	mu      sync.Mutex
	leases  map[string]lease  // by conversation: what this replica has leased
	orphans []*store.Transfer // put, perhaps, by a change that failed
}

// lease is what this replica may save: one episode of a conversation, by its token.
type lease struct{ episode, token string }

// NewOutbox returns the shared outbox. Its leases are renewed by Run only.
func NewOutbox(c *Client) *Outbox {
	return &Outbox{Client: c, changed: make(chan struct{}, 1), lease: Lease, leases: map[string]lease{}}
}

// Run renews the leases of this replica until ctx ends.
func (o *Outbox) Run(ctx context.Context) { clock.Every(ctx, o.lease/3, o.renew) }

func (o *Outbox) renew(ctx context.Context) {
	args := []any{o.lease.Milliseconds()}
	o.mu.Lock()
	for id, l := range o.leases {
		args = append(args, id, l.token)
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
		o.keepLease(t, token)
	case errors.Is(err, store.ErrAway):
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

// publish lets a prepared transfer be tried. If that fails it is published when
// Redis can be used again, at the latest when its lease runs out.
func (o *Outbox) publish(ctx context.Context, t *store.Transfer) {
	err := o.save(ctx, t)
	o.ReleaseLease(t) // or it would be renewed, and tried never
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		o.orphan(t)
	}
	o.signal()
}

// takeBack removes a prepared transfer, whose conversation thought better of it.
func (o *Outbox) takeBack(ctx context.Context, t *store.Transfer) {
	o.ReleaseLease(t)
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

func (o *Outbox) keepLease(t *store.Transfer, token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leases[t.ID] = lease{t.Episode, token}
}

// token returns that of a lease of ours, "" if there is none.
func (o *Outbox) token(t *store.Transfer) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l := o.leases[t.ID]; l.episode == t.Episode {
		return l.token
	}
	return ""
}

// ReleaseLease forgets a lease of ours: it runs out, or another call has ended it.
// That of a later episode stays: whoever tries it must be able to save it.
func (o *Outbox) ReleaseLease(t *store.Transfer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.leases[t.ID].episode == t.Episode {
		delete(o.leases, t.ID)
	}
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
			o.keepLease(t, token)
			return t, time.Time{}, nil
		}
		o.report(fmt.Sprintf("the transfer of %q cannot be read, and is not tried: %v; it was %.2000q", r.id, err, r.value))
		if err := o.drop(ctx, r.id); err != nil {
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
	done, err := o.run(ctx, "saving a transfer", storeScript, o.keys.outbox(), t.ID, t.Episode, r, string(stateLetter(t.State)),
		t.Due.UnixMicro(), o.token(t), keepFor.Milliseconds())
	if err == nil { // else it may be tried again, with the same lease
		o.ReleaseLease(t)
	}
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
	done, err := o.run(ctx, "rescheduling a transfer", rescheduleScript, o.keys.outbox(), id, due.UnixMicro(), keepFor.Milliseconds())
	o.signal()
	return foundOr(done, err)
}

// Delete implements store.Outbox.
func (o *Outbox) Delete(ctx context.Context, t *store.Transfer) error {
	o.ReleaseLease(t)
	done, err := o.run(ctx, "removing a transfer", deleteScript, o.keys.outbox(), t.ID, t.Episode, noteEnded.Milliseconds(), maxEnded)
	return foundOr(done, err)
}

// Get implements store.Outbox.
func (o *Outbox) Get(ctx context.Context, id string) (*store.Transfer, error) {
	var value string
	records := o.keys.outbox()[0]
	err := o.do(ctx, "reading a transfer", func(ctx context.Context) (err error) {
		value, err = o.rdb.HGet(ctx, records, id).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	r := outboxRow{id: id, value: value}
	t, err := r.decode()
	if err != nil {
		return nil, store.ErrNotFound
	}
	return t, nil
}

// listTimeout bounds a List. It may be megabytes, and no callback waits for it.
const listTimeout = 3 * time.Second

// List implements store.Outbox. Only those that wait for an agent are found without
// reading all. Its error says nothing about Redis for others: it is not store.ErrAway.
func (o *Outbox) List(ctx context.Context, in ...store.TransferState) ([]*store.Transfer, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	read := o.readAll
	if slices.Equal(in, []store.TransferState{store.Waiting}) {
		read = o.readWaiting
	}
	values, err := read(ctx, o.rdb.WithTimeout(listTimeout))
	if err != nil {
		return nil, fmt.Errorf("listing transfers: %w", err)
	}
	list := make([]*store.Transfer, 0, len(values))
	for id, value := range values {
		r := outboxRow{id: id, value: value}
		if t, err := r.decode(); err == nil && (len(in) == 0 || slices.Contains(in, t.State)) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *store.Transfer) int { return a.Created.Compare(b.Created) })
	return list, nil
}

func (o *Outbox) readAll(ctx context.Context, rdb *redis.Client) (map[string]string, error) {
	return rdb.HGetAll(ctx, o.keys.outbox()[0]).Result()
}

func (o *Outbox) readWaiting(ctx context.Context, rdb *redis.Client) (map[string]string, error) {
	keys := o.keys.outbox()
	ids, err := rdb.ZRange(ctx, keys[5], 0, -1).Result()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	records, err := rdb.HMGet(ctx, keys[0], ids...).Result()
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(ids))
	for n, r := range records {
		if value, ok := r.(string); ok {
			values[ids[n]] = value
		}
	}
	return values, nil
}

// drop removes a record that cannot be read.
func (o *Outbox) drop(ctx context.Context, id string) error {
	return o.do(ctx, "removing a damaged transfer", func(ctx context.Context) error {
		_, err := o.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HDel(ctx, o.keys.outbox()[0], id)
			for _, key := range o.keys.outbox()[1:] {
				p.ZRem(ctx, key, id)
			}
			return nil
		})
		return err
	})
}

// Missing returns, of transfers that were put, those that are not there although
// they have not ended, and those that have ended, were given up or replaced.
func (o *Outbox) Missing(ctx context.Context, put []*store.Transfer) (missing, ended []*store.Transfer, err error) {
	args := make([]any, 0, 2*len(put))
	for _, t := range put {
		args = append(args, t.ID, t.Episode)
	}
	answer, err := o.run(ctx, "looking for transfers", missingScript, o.keys.outbox(), args...)
	letters, _ := answer.(string)
	if err != nil || len(letters) != len(put) {
		return nil, nil, err
	}
	for n, t := range put {
		switch letters[n] {
		case 'm':
			missing = append(missing, t)
		case 'e':
			ended = append(ended, t)
		}
	}
	return missing, ended, nil
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
