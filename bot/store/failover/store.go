package failover

import (
	"context"
	"errors"
	"sync"
	"time"

	"escalator/bot/clock"
	"escalator/bot/store"
	"escalator/rules"
	"escalator/rules/lang"
)

// Shared is a store of several replicas. A call that it could not carry out now, or
// of which it is not known whether it did, is store.ErrAway or store.ErrSkipped.
type Shared interface {
	store.Conversations
	store.Dedup
	store.Chats
	store.Outbox
	store.Mutes
	store.Histories
	store.Feed
	store.Records
	// Meet notes a callback of Desk whose message was answered before, and says where
	// it belongs.
	Meet(ctx context.Context, key string, chat *store.Chat) (*store.Place, error)
	// Probe does once all that the other calls do.
	Probe(ctx context.Context) error
	// Run keeps what this replica has leased, until ctx ends.
	Run(ctx context.Context)
	// Settle ends what failed changes have left undecided. A transfer on which the
	// conversation counts, as the function says, is let go; any other is withdrawn.
	Settle(ctx context.Context, countedOn func(ctx context.Context, id string) (bool, error)) error
	// Missing returns, of transfers that were put, those that are not there although
	// they have not ended, and those that have ended.
	Missing(ctx context.Context, put []*store.Transfer) (missing, ended []*store.Transfer, err error)
	// Keep keeps the answer to a callback of a conversation, whoever claimed it.
	Keep(ctx context.Context, key, conversation string, answer []byte) error
	// ReleaseLease and ReleaseClaim forget a transfer and a callback of this replica
	// that go on without the shared store.
	ReleaseLease(t *store.Transfer)
	ReleaseClaim(key string)
	// Stats counts the outbox.
	Stats(ctx context.Context) (store.Stats, error)
	// Turn takes the turn of the next transfer of all replicas, one each interval and
	// burst of them at once, or says how long to wait before asking again.
	Turn(ctx context.Context, interval time.Duration, burst int) (wait time.Duration, err error)
	// Overdue returns conversations whose alarm no replica has acted on.
	Overdue(ctx context.Context) ([]string, error)
}

// Local is what a replica has of its own: where it works while the shared store is
// away.
type Local struct {
	Conversations LocalConversations // their transfers go to Outbox
	Dedup         store.Dedup
	Outbox        LocalOutbox // survives a restart
	Records       LocalRecords
}

// LocalConversations are store.Conversations that copies can be kept in.
type LocalConversations interface {
	store.Conversations
	// Set keeps a state that was decided elsewhere, unless a newer one is here.
	Set(id string, state *rules.Conversation)
	// Copy returns a copy of a conversation, if it is here.
	Copy(id string) (state *rules.Conversation, ok bool)
	// Live returns how many conversations are here.
	Live() int
}

// LocalOutbox is a store.Outbox that knows its condition.
type LocalOutbox interface {
	store.Outbox
	// Writable reports why nothing can be stored, or nil.
	Writable() error
	// Stats counts what is held.
	Stats() store.Stats
}

// Options is what a Store is made of.
type Options struct {
	Shared Shared
	Local  Local
	// Changed is told when the shared store goes away and why, and when it is back.
	Changed func(up bool, cause error)
	// Lost is told of each transfer that the shared store has lost, and why it could
	// not be put back (nil: it was).
	Lost func(t *store.Transfer, err error)
	// Merge makes one value of those of a record that was kept here, and in the shared
	// store, apart. nil, the func or what it returns: they cannot be merged.
	Merge func(kind store.Kind, ours, theirs []byte) []byte
	Now   func() time.Time // nil: time.Now
}

// Store is the stores of one replica: the shared one while it can be used, the
// local one while not. It is all of the store interfaces.
type Store struct {
	shared  Shared
	local   Local
	breaker *breaker
	locks   *store.Stripes // one conversation changes in one of the stores at a time
	now     func() time.Time
	// A record is put into one of the stores, or brought from one to the other, by one
	// at a time.
	recordLocks *store.Stripes
	mergeRecord func(kind store.Kind, ours, theirs []byte) []byte
	lost        func(*store.Transfer, error)
	changed     chan struct{}

	mu       sync.Mutex
	changes  uint64            // numbers the local changes
	dirty    map[string]uint64 // conversations that were changed locally, and the last such change
	moved    []*store.Transfer // transfers in the shared store that went on, or ended, without it
	promises promises
	// Callbacks under way, and their conversations: Finish names the key alone, and of
	// one that was claimed while the shared store was away nobody else knows where it is
	// to be told of.
	claims map[string]string
	untold []callback // callbacks whose answers the shared store does not have
}

var errNotAsked = errors.New("it was not asked yet")

// New returns the stores of a replica, which works locally until Connect or Run
// find that the shared store is there.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lost == nil {
		o.Lost = func(*store.Transfer, error) {}
	}
	if o.Merge == nil {
		o.Merge = func(store.Kind, []byte, []byte) []byte { return nil }
	}
	return &Store{
		now: o.Now, recordLocks: store.NewStripes(), mergeRecord: o.Merge,
		shared: o.Shared, local: o.Local, breaker: newBreaker(o.Shared.Probe, o.Changed, o.Now), locks: store.NewStripes(),
		lost: o.Lost, changed: make(chan struct{}, 1), dirty: map[string]uint64{}, promises: promises{}, claims: map[string]string{},
	}
}

// Connect asks the shared store once, in the way given, whether it can be used.
// After any error the replica works without it until it can.
func (s *Store) Connect(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := check(ctx); err != nil {
		s.breaker.refused(err)
		return err
	}
	s.breaker.begin()
	return nil
}

// Run watches the shared store and keeps the leases of this replica, until ctx ends.
func (s *Store) Run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { s.breaker.watch(ctx, s.tidy) })
	parts.Go(func() { s.shared.Run(ctx) })
	parts.Go(func() { clock.Every(ctx, bringBackEvery, s.bringBack) })
	parts.Go(func() { clock.Every(ctx, checkEvery, s.checkPromises) })
	parts.Go(func() { s.passOnSignals(ctx) })
	parts.Wait()
}

// Degraded says what this replica has to do without, nil if nothing.
func (s *Store) Degraded() (reasons []string) {
	if since, cause := s.breaker.away(); cause != nil {
		text := lang.Say("working without Redis: %v", cause)
		if !since.IsZero() {
			text = lang.Say("working without Redis since %s: %v", since.UTC().Format(time.RFC3339), cause)
		}
		reasons = append(reasons, text.String())
	}
	if err := s.local.Outbox.Writable(); err != nil {
		reasons = append(reasons, lang.Say("nothing to fall back on if Redis goes away: %v", err).String())
	}
	return reasons
}

// Up reports whether the shared store is in use, and since when; zero: since the start.
func (s *Store) Up() (up bool, since time.Time) {
	s.breaker.mu.Lock()
	defer s.breaker.mu.Unlock()
	return s.breaker.is != open, s.breaker.since
}

// Writable reports why nothing can be stored, or nil: one place is enough.
func (s *Store) Writable() error {
	if _, cause := s.breaker.away(); cause == nil {
		return nil
	}
	return s.local.Outbox.Writable()
}

// Sharing reports whether the shared store is in use at the moment. Degraded is what
// operators see; a suspicion of a moment shows here only, where the tests of the drivers
// look for it. So it is with Behind.
func (s *Store) Sharing() bool { return s.breaker.usable() }

// Behind returns how many conversations, callbacks and transfers the shared store
// should hear of yet.
func (s *Store) Behind() (conversations, callbacks, transfers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dirty), len(s.untold), len(s.moved)
}

// try runs f on the shared store if that can be used. It reports false when the
// local one has to do it.
func (s *Store) try(f func() error) (done bool, err error) {
	if !s.breaker.usable() {
		return false, nil
	}
	switch err = f(); {
	case errors.Is(err, store.ErrAway):
		s.breaker.failed(err)
		return false, nil
	case errors.Is(err, store.ErrSkipped):
		return false, nil
	}
	return true, err
}

// insist is try for calls that nobody waits for, and that may be made twice: a
// suspicion is waited for, and one failure is forgiven.
func (s *Store) insist(ctx context.Context, f func() error) (done bool, err error) {
	for range 2 {
		if !s.breaker.wait(ctx) {
			return false, nil
		}
		if done, err = s.try(f); done {
			return true, err
		}
	}
	return false, nil
}

// ask runs f on the shared store. Where that is away there is nobody else to ask:
// store.ErrAway.
func (s *Store) ask(f func() error) error {
	done, err := s.try(f)
	if !done {
		return store.ErrAway
	}
	return err
}

// ownRecords is more than what the caps let be kept of all but users.
const ownRecords = 50_000

// tidy takes out of the shared store what this replica left there and ended
// elsewhere, and brings the records that must not be acted on twice: before others see
// them, as a rule.
func (s *Store) tidy(ctx context.Context) error {
	if err := s.shared.Settle(ctx, s.countedOn); err != nil {
		return err
	}
	s.mu.Lock()
	moved := s.moved
	s.moved = nil
	s.mu.Unlock()
	for n, t := range moved {
		if err := s.shared.Delete(ctx, t); err != nil && !errors.Is(err, store.ErrNotFound) {
			s.mu.Lock()
			s.moved = append(moved[n:], s.moved...)
			s.mu.Unlock()
			return err
		}
	}
	return s.bringRecords(ctx, ownRecords, store.KindParted, store.KindWords, store.KindNotice, store.KindLabel, store.KindLease, store.KindReading)
}

// countedOn reports whether a conversation, as the shared store has it, waits for a
// transfer that a change put before the call broke. Where the same was decided
// locally since, that is under way already.
func (s *Store) countedOn(ctx context.Context, id string) (bool, error) {
	if ours, ok := s.local.Conversations.Copy(id); ok && s.dirtyAt(id) != 0 && ours.Phase() != rules.PhaseBot {
		return false, nil
	}
	phase := rules.PhaseBot
	err := s.shared.View(ctx, id, func(c *rules.Conversation) { phase = c.Phase() })
	return phase != rules.PhaseBot, err
}

var (
	_ store.Conversations = (*Store)(nil)
	_ store.Dedup         = (*Store)(nil)
	_ store.Chats         = (*Store)(nil)
	_ store.Outbox        = (*Store)(nil)
	_ store.Mutes         = (*Store)(nil)
	_ store.Histories     = (*Store)(nil)
	_ store.Feed          = (*Store)(nil)
	_ store.Records       = (*Store)(nil)
)
