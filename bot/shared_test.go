package bot

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	redisclient "github.com/redis/go-redis/v9"

	"escalator/bot/store/memory"
	"escalator/bot/store/redis"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// joined is a bot whose replica shares a real Redis with others.
type joined struct {
	*Bot
	replica *redis.Replica
}

// join makes one that runs until the test ends.
func join(t *testing.T, server *redistest.Server) *joined {
	t.Helper()
	client, err := redis.New(redis.Options{URL: server.URL(), App: 1, DedupFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	outbox := memory.NewOutbox(nil)
	expires := func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) }
	j := &joined{}
	j.replica = redis.NewReplica(redis.ReplicaOptions{
		Client: client, Expires: expires, NextAlarm: func(c *rules.Conversation) time.Time { return j.Bot.NextAlarm(c) }, Changed: func(bool, error) {},
		Refuge: redis.Refuge{
			Conversations: memory.NewConversations(memory.ConversationsOptions{Outbox: outbox, Max: 1000, Expires: expires}),
			Dedup:         memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 1000}),
			Outbox:        outbox,
			Writable:      func() error { return nil },
		},
	})
	if err := j.replica.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.Bot = newWorld(t, outbox, func(o *Options) { o.Conversations, o.Dedup, o.Outbox = j.replica, j.replica, j.replica }).bot
	during(t, j.replica.Run)
	return j
}

// during runs f until the test ends.
func during(t *testing.T, f func(context.Context)) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

// eventually polls until ok, in real time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late, look := time.After(30*time.Second), time.NewTicker(10*time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%s: it did not come to that", what)
		}
	}
}

func (j *joined) muted() bool { return j.Muted()["ask-human"].Until.After(time.Now()) }

func TestShareMutes_reachesOtherReplicas_alsoAfterAnOutage(t *testing.T) {
	server := redistest.Start(t)
	a, b := join(t, server), join(t, server)
	for _, j := range []*joined{a, b} {
		during(t, func(ctx context.Context) { j.ShareMutes(ctx, j.replica) })
	}
	shares := func(j *joined) bool { j.mutes.mu.Lock(); defer j.mutes.mu.Unlock(); return j.mutes.shared != nil }
	eventually(t, "sharing", func() bool { return shares(a) && shares(b) })
	mute := func(j *joined, d time.Duration) {
		t.Helper()
		if _, err := j.Mute("ask-human", d, "me", "a test"); err != nil {
			t.Fatal(err)
		}
	}
	mute(a, time.Hour)
	eventually(t, "the mute reaching the other", b.muted)
	server.Kill()
	mute(b, 0)
	eventually(t, "both working alone", func() bool { return len(a.replica.Degraded())*len(b.replica.Degraded()) > 0 })
	if b.muted() || !a.muted() {
		t.Errorf("without Redis: muted %v and %v, want each its own", a.muted(), b.muted())
	}
	server.Restart()
	eventually(t, "the end of the mute reaching the other", func() bool { return !a.muted() && !b.muted() })
}

// The one that looks between two steps of another must not take a part for all.
func TestShareMutes_afterRedisWasEmptied_noneDropsItsOwn(t *testing.T) {
	server := redistest.Start(t)
	a, b := join(t, server), join(t, server)
	until := time.Now().Add(time.Hour)
	for _, j := range []*joined{a, b} {
		j.mutes.shared, j.mutes.unshared = j.replica, map[string]bool{}
		j.SetMuted(rules.Muted{"ask-human": {Until: until, By: "me", Why: "a test"}})
	}
	a.exchangeMutes(t.Context())
	b.exchangeMutes(t.Context())
	a.exchangeMutes(t.Context())
	if !a.muted() || !b.muted() {
		t.Errorf("muted %v and %v, want both", a.muted(), b.muted())
	}
}

// told counts what a replica hears of mutes.
type told struct{ put chan string }

func (m told) Mutes(context.Context) (map[string]string, error) {
	return map[string]string{sharedMutes: "shared"}, nil
}

func (m told) PutMute(_ context.Context, rule, _ string) error { m.put <- rule; return nil }

func (m told) PutMutes(context.Context, map[string]string) error { return nil }

func TestShareMutes_tellsTheOthersAtOnce_notAtTheNextLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newWorld(t, memory.NewOutbox(nil)).bot
		store := told{make(chan string, 1)}
		during(t, func(ctx context.Context) { b.ShareMutes(ctx, store) })
		synctest.Wait()
		began := time.Now()
		if _, err := b.Mute("ask-human", time.Hour, "me", "a test"); err != nil {
			t.Fatal(err)
		}
		if rule, waited := <-store.put, time.Since(began); rule != "ask-human" || waited != 0 {
			t.Errorf("the others were told of %q after %s", rule, waited)
		}
	})
}

func TestWake_ofAConversationThatNeedsNoAlarm_forgetsIt(t *testing.T) {
	server := redistest.Start(t)
	j := join(t, server)
	client := server.Client()
	defer func() { _ = client.Close() }()
	const key = "escalator:1:{alarms}"
	if err := client.ZAdd(t.Context(), key, redisclient.Z{Score: float64(time.Now().Add(-time.Minute).UnixMilli()), Member: "s"}).Err(); err != nil {
		t.Fatal(err)
	}
	ids, err := j.replica.Overdue(t.Context())
	if err != nil || len(ids) != 1 || ids[0] != "s" {
		t.Fatalf("Overdue = %q, %v", ids, err)
	}
	j.Wake(append(ids, "forgotten long ago"))
	if left, err := client.ZCard(t.Context(), key).Result(); left != 0 || err != nil {
		t.Errorf("%d alarms are left, %v", left, err)
	}
}
