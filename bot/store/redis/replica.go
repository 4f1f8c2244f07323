package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// Refuge is what a replica has of its own: where it works while Redis is away.
type Refuge struct {
	Conversations *memory.Conversations // their transfers go to Outbox
	Dedup         *memory.Dedup
	Outbox        store.Outbox // survives a restart
	Writable      func() error // why Outbox takes nothing, or nil
}

// Replica is the stores of one replica: Redis while it can be used, the refuge
// while not. It is all three of the store interfaces.
//
//   - What Redis says counts. The refuge has a copy of each conversation that
//     this replica met, so that it can go on from there at any moment.
//   - A transfer that is decided without Redis is kept in the refuge and
//     delivered from there. Desk is asked first: another replica may have
//     decided the same.
//   - A conversation that was changed without Redis is brought there when Redis
//     is back.
type Replica struct {
	client *Client
	shared *Conversations
	marks  *Dedup
	outbox *Outbox
	refuge Refuge
	link   link

	mu      sync.Mutex
	changes uint64            // numbers the changes without Redis
	dirty   map[string]uint64 // conversations that were changed without Redis, and the last such change
	moved   []*store.Transfer // transfers in Redis that went on, or ended, without it
}

// ReplicaOptions is what a Replica is made of.
type ReplicaOptions struct {
	Client  *Client
	Refuge  Refuge
	Expires func(*rules.Conversation) time.Time
	// NextAlarm is when a conversation wants to be woken; the refuge wakes it.
	NextAlarm func(*rules.Conversation) time.Time
	// Changed is told when Redis goes away and why, and when it is back.
	Changed func(up bool, cause error)
}

// NewReplica returns the stores of a replica, which works without Redis until
// Connect or Run find that it is there.
func NewReplica(o ReplicaOptions) *Replica {
	marks, outbox := NewDedup(o.Client), NewOutbox(o.Client)
	r := &Replica{
		client: o.Client, shared: NewConversations(o.Client, marks, outbox, o.Expires, store.Alarms{Next: o.NextAlarm}), marks: marks, outbox: outbox, refuge: o.Refuge,
		link:  link{client: o.Client, changed: o.Changed, cause: errors.New("it was not asked yet")},
		dirty: map[string]uint64{},
	}
	r.shared.usable = r.link.usable
	return r
}

// Connect asks Redis once. A *ConfigError means that other settings are needed;
// after any other error the replica works without Redis until that is there.
func (r *Replica) Connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := r.client.Check(ctx)
	if err != nil {
		r.link.set(false, err)
		return err
	}
	r.link.begin()
	return nil
}

// Run watches Redis and keeps the leases of this replica, until ctx ends.
func (r *Replica) Run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { r.link.watch(ctx, r.cleanUp) })
	parts.Go(func() { r.outbox.Run(ctx) })
	parts.Go(func() { r.bringBackNowAndThen(ctx) })
	parts.Go(func() { r.passOnSignals(ctx) })
	parts.Wait()
}

// Degraded says what this replica has to do without, nil if nothing.
func (r *Replica) Degraded() (reasons []string) {
	if since, cause := r.link.state(); cause != nil {
		text := "working without Redis: "
		if !since.IsZero() {
			text = fmt.Sprintf("working without Redis since %s: ", since.UTC().Format(time.RFC3339))
		}
		reasons = append(reasons, text+cause.Error())
	}
	if err := r.refuge.Writable(); err != nil {
		reasons = append(reasons, "no refuge if Redis goes away: "+err.Error())
	}
	return reasons
}

// on runs f on Redis if that can be used. It reports false when the refuge has
// to do it.
func (r *Replica) on(f func() error) (done bool, err error) {
	if !r.link.usable() {
		return false, nil
	}
	if err = f(); errors.Is(err, ErrAway) {
		r.link.fell(err)
		return false, nil
	}
	return true, err
}

// cleanUp takes out of Redis what this replica left there and ended elsewhere.
func (r *Replica) cleanUp(ctx context.Context) error {
	if err := r.outbox.dropOrphans(ctx, r.countedOn); err != nil {
		return err
	}
	r.mu.Lock()
	moved := r.moved
	r.moved = nil
	r.mu.Unlock()
	for n, t := range moved {
		if err := r.outbox.Delete(ctx, t); err != nil && !errors.Is(err, store.ErrNotFound) {
			r.mu.Lock()
			r.moved = append(moved[n:], r.moved...)
			r.mu.Unlock()
			return err
		}
	}
	return nil
}

// countedOn reports whether a conversation, as Redis has it, waits for a
// transfer that a change put before the link broke. Where the refuge has decided
// the same since, that is under way already.
func (r *Replica) countedOn(ctx context.Context, id string) (bool, error) {
	if ours, ok := r.refuge.Conversations.Copy(id); ok && r.soiled(id) != 0 && ours.Phase() != rules.PhaseBot {
		return false, nil
	}
	withBot, err := r.shared.withBot(ctx, id)
	return !withBot, err
}
