package failover

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/bot/store/storetest"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a shared store in memory that can be away, or skip calls.
type fake struct {
	store.Conversations
	store.Dedup
	*memory.Outbox
	records *memory.Records

	mu       sync.Mutex
	fault    error // what every call fails with; nil: none
	failNext int   // how many calls fail
	loseNext int   // of how many puts of records the answer is lost
	calls    int
	probes   int
	met      []string     // the callbacks of chats that came to one replica twice
	place    *store.Place // of every callback of a chat
	ended    map[string]bool
}

func newFake(alarms store.Alarms) *fake {
	o, d := memory.NewOutbox(nil), memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 10_000, Wait: 50 * time.Millisecond})
	r := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(storetest.RecordCap)})
	return &fake{Outbox: o, Dedup: d, records: r, ended: map[string]bool{}, Conversations: memory.NewConversations(memory.ConversationsOptions{
		Outbox: o, Dedup: d, Records: r, Max: 10_000, Expires: expires, Alarms: alarms,
	})}
}

func expires(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) }

func (f *fake) set(fault error) { f.mu.Lock(); defer f.mu.Unlock(); f.fault = fault }

func (f *fake) fail(next int) { f.mu.Lock(); defer f.mu.Unlock(); f.failNext = next }

func (f *fake) call() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.failNext > 0 {
		f.failNext--
		return store.ErrAway
	}
	return f.fault
}

func (f *fake) Update(ctx context.Context, id string, change store.Change) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.Conversations.Update(ctx, id, change)
}

func (f *fake) Record(ctx context.Context, kind store.Kind, name string) (store.Record, error) {
	if err := f.call(); err != nil {
		return store.Record{}, err
	}
	return f.records.Record(ctx, kind, name)
}

func (f *fake) Records(ctx context.Context, kind store.Kind) ([]store.Record, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	return f.records.Records(ctx, kind)
}

func (f *fake) PutRecords(ctx context.Context, records ...store.Record) error {
	if err := f.call(); err != nil {
		return err
	}
	err := f.records.PutRecords(ctx, records...)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loseNext > 0 {
		f.loseNext--
		return store.ErrAway
	}
	return err
}

func (f *fake) View(ctx context.Context, id string, look func(*rules.Conversation)) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.Conversations.View(ctx, id, look)
}

func (f *fake) Claim(ctx context.Context, key, conversation string) (store.Claim, error) {
	if err := f.call(); err != nil {
		return store.Claim{}, err
	}
	return f.Dedup.Claim(ctx, key, conversation)
}

func (f *fake) ClaimIn(ctx context.Context, key, conversation string, chat *store.Chat) (store.Claim, error) {
	if f.place != nil {
		conversation = f.place.Conversation
	}
	c, err := f.Claim(ctx, key, conversation)
	c.Place = f.place
	return c, err
}

func (f *fake) Meet(_ context.Context, key string, _ *store.Chat) (*store.Place, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.met = append(f.met, key)
	return f.place, nil
}

func (f *fake) Put(ctx context.Context, t *store.Transfer) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.Outbox.Put(ctx, t)
}

func (f *fake) Take(ctx context.Context, now time.Time) (*store.Transfer, time.Time, error) {
	if err := f.call(); err != nil {
		return nil, time.Time{}, err
	}
	return f.Outbox.Take(ctx, now)
}

func (f *fake) Save(ctx context.Context, t *store.Transfer) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.Outbox.Save(ctx, t)
}

func (f *fake) Delete(ctx context.Context, t *store.Transfer) error {
	if err := f.call(); err != nil {
		return err
	}
	f.mu.Lock()
	f.ended[t.Episode] = true
	f.mu.Unlock()
	return f.Outbox.Delete(ctx, t)
}

func (f *fake) Probe(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.probes++
	if errors.Is(f.fault, store.ErrSkipped) {
		return nil
	}
	return f.fault
}

func (f *fake) Missing(_ context.Context, put []*store.Transfer) (missing, ended []*store.Transfer, err error) {
	if err := f.call(); err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range put {
		switch kept, err := f.Get(context.Background(), t.ID); {
		case err == nil && (kept.Episode != t.Episode || kept.State == store.GivenUp), err != nil && f.ended[t.Episode]:
			ended = append(ended, t)
		case err != nil:
			missing = append(missing, t)
		}
	}
	return missing, ended, nil
}

func (f *fake) Run(ctx context.Context) { <-ctx.Done() }

func (f *fake) Settle(context.Context, func(context.Context, string) (bool, error)) error {
	return f.call()
}

func (f *fake) ReleaseLease(*store.Transfer) {}
func (f *fake) ReleaseClaim(string)          {}

func (f *fake) Keep(ctx context.Context, key, conversation string, answer []byte) error {
	if err := f.call(); err != nil {
		return err
	}
	f.Finish(ctx, key, answer)
	if c, _ := f.Dedup.Claim(ctx, key, conversation); c.First { // it was not claimed here
		f.Finish(ctx, key, answer)
	}
	return nil
}

func (f *fake) Stats(context.Context) (store.Stats, error) { return f.Outbox.Stats(), f.call() }

func (f *fake) Turn(context.Context, time.Duration, int) (time.Duration, error) { return 0, f.call() }

func (f *fake) Overdue(context.Context) ([]string, error) { return nil, f.call() }

func (f *fake) Mutes(context.Context) (map[string]string, error) { return nil, f.call() }

func (f *fake) PutMutes(context.Context, map[string]string) error { return f.call() }

func (f *fake) AppendHistory(context.Context, []store.HistoryRow, store.HistoryBounds) error {
	return f.call()
}

func (f *fake) History(context.Context, string) ([][]byte, error) { return nil, f.call() }

func (f *fake) EachHistory(context.Context, time.Time, func([]byte) bool) (bool, error) {
	return true, f.call()
}

func (f *fake) HistoryOf(context.Context, string) ([]byte, error) { return nil, f.call() }

func (f *fake) ForgetHistory(context.Context, string) (int, error) { return 0, f.call() }

func (f *fake) AppendFeed(context.Context, string, int, [][]byte) error { return f.call() }

func (f *fake) ReadFeed(context.Context, string, string, int) ([][]byte, string, error) {
	return nil, "", f.call()
}

func (f *fake) ForgetFeed(context.Context, string, func([]byte) bool) error { return f.call() }

// replica is a failover store over a fake, and what it told.
type replica struct {
	*Store
	t       *testing.T
	fake    *fake
	local   *memory.Outbox
	records *memory.Records
	passed  atomic.Int64 // for records

	mu   sync.Mutex
	fell int
	lost []string
}

// disk is a local outbox in memory.
type disk struct{ *memory.Outbox }

func (disk) Writable() error { return nil }

func (r *replica) now() time.Time { return time.Now().Add(time.Duration(r.passed.Load())) }

func newReplica(t *testing.T, alarms store.Alarms) *replica {
	t.Helper()
	r := &replica{t: t, fake: newFake(store.Alarms{Next: alarms.Next}), local: memory.NewOutbox(nil)}
	r.records = memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(storetest.RecordCap), Now: r.now})
	r.fake.records.Now = r.now
	d := memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 10_000, Wait: 50 * time.Millisecond})
	r.Store = New(Options{
		Shared: r.fake,
		Local: Local{Outbox: disk{r.local}, Dedup: d, Records: r.records, Conversations: memory.NewConversations(memory.ConversationsOptions{
			Outbox: r.local, Dedup: d, Records: r.records, Max: 10_000, Expires: expires, Alarms: alarms,
		})},
		Changed: func(up bool, _ error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if !up {
				r.fell++
			}
		},
		Lost: func(t *store.Transfer, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lost = append(r.lost, fmt.Sprint(t.Episode, " ", err))
		},
	})
	if err := r.Connect(t.Context(), r.fake.Probe); err != nil {
		t.Fatal(err)
	}
	return r
}

// run starts the replica's work; it ends with the test's function or the test.
func (r *replica) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func transfer(id, episode string) *store.Transfer {
	now := time.Now()
	return &store.Transfer{ID: id, Session: id, Rule: "r", Target: "t", Chain: []*rules.Target{{ID: "t"}}, Episode: episode, Created: now, Due: now}
}

// escalate decides a transfer unless the conversation is away from the bot.
func (r *replica) escalate(id, episode string) (t *store.Transfer) {
	r.t.Helper()
	err := r.Update(context.Background(), id, func(c *rules.Conversation) (store.Effect, error) {
		t = nil
		if c.Phase() != rules.PhaseBot {
			return store.Effect{}, nil
		}
		c.Observe(rules.EventTransferring, time.Now(), time.Time{})
		t = transfer(id, episode)
		return store.Effect{Transfer: t}, nil
	})
	if err != nil {
		r.t.Fatalf("Update: %v", err)
	}
	return t
}

func (r *replica) told() (fell int, lost []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fell, r.lost
}

func TestStore_conforms_whetherTheSharedOneIsThereOrNot(t *testing.T) {
	for name, fault := range map[string]error{"there": nil, "away": store.ErrAway, "skipping": store.ErrSkipped} {
		t.Run(name, func(t *testing.T) {
			open := func(t *testing.T, alarms store.Alarms) *replica {
				r := newReplica(t, alarms)
				r.fake.set(fault)
				t.Cleanup(r.run())
				return r
			}
			storetest.Conversations(t, func(t *testing.T, alarms store.Alarms) storetest.Stores {
				r := open(t, alarms)
				return storetest.Stores{Conversations: r, Outbox: r, Dedup: r}
			})
			storetest.Dedup(t, func(t *testing.T) store.Dedup { return open(t, store.Alarms{}) })
			storetest.Records(t, func(t *testing.T) (storetest.Stores, func(time.Duration)) {
				r := open(t, store.Alarms{})
				pass := func(d time.Duration) { r.passed.Add(int64(d)) }
				return storetest.Stores{Conversations: r, Outbox: r, Dedup: r, Records: r}, pass
			})
		})
	}
}
