package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store"
	"escalator/bot/store/failover"
	"escalator/bot/store/memory"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// wire is a hook that sees what goes to Redis: it counts round trips, notes the
// keys of scripts, and can lose answers.
type wire struct {
	mu    sync.Mutex
	trips []string   // the commands of each round trip
	keys  [][]string // the keys of each script
	lose  string     // the answer to the next round trip with this script is lost
	lost  int64      // how many answers were lost
	cut   bool       // nothing gets through
}

func (w *wire) DialHook(next redis.DialHook) redis.DialHook { return next }

func (w *wire) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		lose, cut := w.see(cmd)
		if cut {
			cmd.SetErr(errCut)
			return errCut
		}
		err := next(ctx, cmd)
		if lose {
			err = context.DeadlineExceeded
			cmd.SetErr(err)
		}
		return err
	}
}

func (w *wire) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		lose, cut := w.see(cmds...)
		if cut {
			for _, cmd := range cmds {
				cmd.SetErr(errCut)
			}
			return errCut
		}
		err := next(ctx, cmds)
		if lose {
			err = context.DeadlineExceeded
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
		}
		return err
	}
}

// see notes one round trip. Those that set a connection up are not counted.
func (w *wire) see(cmds ...redis.Cmder) (lose, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := make([]string, 0, len(cmds))
	for _, cmd := range cmds {
		if slices.Contains([]string{"hello", "client", "select", "auth"}, cmd.Name()) {
			return false, false
		}
		names = append(names, cmd.Name())
		if !strings.HasPrefix(cmd.Name(), "eval") {
			continue
		}
		args := cmd.Args()
		if w.lose != "" && (args[1] == w.lose || args[1] == redis.NewScript(w.lose).Hash()) {
			lose, w.lose = true, ""
			w.lost++
		}
		var keys []string
		for _, key := range args[3 : 3+args[2].(int)] {
			keys = append(keys, key.(string))
		}
		w.keys = append(w.keys, keys)
	}
	w.trips = append(w.trips, strings.Join(names, "+"))
	return lose, w.cut
}

var errCut = errors.New("a cable")

// cutOff lets nothing through from now on, or everything again.
func (w *wire) cutOff(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

// loseAnswerOf has Redis carry out a script the answer to which never arrives.
func (w *wire) loseAnswerOf(source string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = source
}

// since returns the round trips since the last call.
func (w *wire) since() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	trips := w.trips
	w.trips = nil
	return trips
}

// one is a replica with everything that a test may look into.
type one struct {
	*failover.Store
	client *Client
	outbox *Outbox
	dedup  *Dedup
	t      *testing.T
	wire   *wire
	disk   *disk
	mem    *memory.Conversations
	local  *memory.Records
	alarm  atomic.Pointer[time.Time] // when conversations away from the bot want to be woken
	fell   atomic.Int64              // how often Redis went away
	mu     sync.Mutex
	told   []string // what was reported as damaged
}

// disk is the local outbox, which can be full.
type disk struct {
	*memory.Outbox
	mu   sync.Mutex
	full error
}

func (d *disk) fill(err error) { d.mu.Lock(); defer d.mu.Unlock(); d.full = err }

func (d *disk) Writable() error { d.mu.Lock(); defer d.mu.Unlock(); return d.full }

func (d *disk) Put(ctx context.Context, t *store.Transfer) error {
	if err := d.Writable(); err != nil {
		return err
	}
	return d.Outbox.Put(ctx, t)
}

// join starts a replica of the app that runs until the test ends.
func join(t *testing.T, server *redistest.Server, app uint64) *one {
	t.Helper()
	o := makeReplica(t, server.URL(), app)
	if err := o.connect(); err != nil {
		t.Fatal(err)
	}
	o.run()
	return o
}

// makeReplica makes a replica that has not connected yet.
func makeReplica(t *testing.T, url string, app uint64) *one {
	t.Helper()
	o := &one{t: t, wire: &wire{}, disk: &disk{Outbox: memory.NewOutbox(nil)}}
	client, err := New(Options{URL: url, App: app, DedupFor: time.Minute, Report: o.report})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	client.rdb.AddHook(o.wire)
	o.local = memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(1000)})
	o.mem = memory.NewConversations(memory.ConversationsOptions{Outbox: o.disk, Records: o.local, Max: 10_000, Expires: expires})
	marks := memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 10_000})
	shared := NewStore(client, expires, store.Alarms{Next: o.nextAlarm})
	o.client, o.outbox, o.dedup = client, shared.Outbox, shared.Dedup
	o.Store = failover.New(failover.Options{
		Shared: shared, Local: failover.Local{Conversations: o.mem, Dedup: marks, Outbox: o.disk, Records: o.local},
		Changed: func(up bool, _ error) {
			if !up {
				o.fell.Add(1)
			}
		},
		Lost: func(tr *store.Transfer, err error) { o.report(fmt.Sprintf("lost %s, put back: %v", tr.Episode, err)) },
	})
	return o
}

func (o *one) nextAlarm(c *rules.Conversation) time.Time {
	if at := o.alarm.Load(); at != nil && c.Phase() != rules.PhaseBot {
		return *at
	}
	return time.Time{}
}

func (o *one) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { o.Run(ctx); close(done) }()
	o.t.Cleanup(func() { cancel(); <-done })
}

func (o *one) report(problem string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, problem)
}

// connect asks Redis for the first time.
func (o *one) connect() error { return o.Connect(o.t.Context(), o.client.Check) }

// reported returns all that was reported as damaged.
func (o *one) reported() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.told, "\n")
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late, look := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%s: it did not come to that", what)
		}
	}
}

// away waits until the replica works without Redis, and back until with it.
func (o *one) away() {
	o.t.Helper()
	eventually(o.t, "working alone", func() bool {
		_ = o.phase("nobody")
		return strings.HasPrefix(strings.Join(o.Degraded(), "\n"), "working without")
	})
}

func (o *one) back() { o.t.Helper(); eventually(o.t, "the return to Redis", o.Sharing) }

// phase reads a conversation as a callback would.
func (o *one) phase(id string) (p rules.Phase) {
	o.t.Helper()
	err := o.Update(context.Background(), id, func(c *rules.Conversation) (store.Effect, error) {
		p = c.Phase()
		return store.Effect{}, nil
	})
	if err != nil {
		o.t.Fatalf("Update(%q): %v", id, err)
	}
	return p
}

// observe makes an event known to a conversation.
func (o *one) observe(id string, k rules.EventKind) {
	o.t.Helper()
	err := o.Update(context.Background(), id, func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(k, time.Now(), time.Time{})
		return store.Effect{}, nil
	})
	if err != nil {
		o.t.Fatalf("Update(%q): %v", id, err)
	}
}

// escalate decides a transfer unless the conversation is away from the bot, as
// a callback does.
func (o *one) escalate(ctx context.Context, id, episode string) (t *store.Transfer, err error) {
	err = o.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		t = nil
		if c.Phase() != rules.PhaseBot {
			return store.Effect{}, nil
		}
		c.Observe(rules.EventTransferring, time.Now(), time.Time{})
		t = transfer(id, episode)
		return store.Effect{Transfer: t}, nil
	})
	return t, err
}

// mustEscalate wants a transfer to be decided and stored.
func (o *one) mustEscalate(id, episode string) *store.Transfer {
	o.t.Helper()
	t, err := o.escalate(context.Background(), id, episode)
	if err != nil || t == nil {
		o.t.Fatalf("escalating %q: %+v, %v", id, t, err)
	}
	return t
}

// take wants a transfer to be there, or to come within its lease.
func (o *one) take() (t *store.Transfer) {
	o.t.Helper()
	eventually(o.t, "taking a transfer", func() bool {
		var err error
		if t, _, err = o.Take(context.Background(), time.Now()); err != nil {
			o.t.Fatalf("Take: %v", err)
		}
		return t != nil
	})
	return t
}

// takeNone wants nothing to be due.
func (o *one) takeNone() {
	o.t.Helper()
	if t, _, err := o.Take(context.Background(), time.Now()); t != nil || err != nil {
		o.t.Errorf("Take = %+v, %v; want nothing", t, err)
	}
}

// raw is a client for what people and strangers do to a Redis.
func raw(t *testing.T, server *redistest.Server) *redis.Client {
	t.Helper()
	c := server.Client()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// do carries out one command.
func do(t *testing.T, c *redis.Client, args ...any) any {
	t.Helper()
	v, err := c.Do(t.Context(), args...).Result()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return v
}

// allKeys lists every key of the server.
func allKeys(t *testing.T, c *redis.Client) []string {
	t.Helper()
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// hostileIDs are conversation ids that could break a key or a record.
var hostileIDs = []string{
	"plain", "{", "}", "{}", "a{b}c", "}{outbox}:records", "outbox", "{alarms}", "im:u|@s", "a|b|c", "p|x|1|2||n|{}", "line\nbreak", "nul\x00",
	"quote\"'\\", "%s%d%%", "客户-🙂", " ", strings.Repeat("long", 2048),
}

// slot is the cluster slot of a key: CRC16 (XMODEM) of what is between the
// first braces (redis.io, "Redis cluster specification").
func slot(key string) uint16 {
	if open := strings.IndexByte(key, '{'); open >= 0 {
		if length := strings.IndexByte(key[open+1:], '}'); length > 0 {
			key = key[open+1 : open+1+length]
		}
	}
	var crc uint16
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc % 16384
}

// oneSlot complains about scripts whose keys are in several slots, but for those of the
// records that are saved with a conversation: they have one of their own.
func (w *wire) oneSlot(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.keys) == 0 {
		t.Error("no script was seen")
	}
	for _, keys := range w.keys {
		for _, key := range keys[1:] {
			if slot(key) != slot(keys[0]) && !strings.Contains(key, ":{kept}:") {
				t.Errorf("a script's keys are in several slots: %q", keys)
				break
			}
		}
	}
}

func name(n int) string { return fmt.Sprintf("s%d", n) }
