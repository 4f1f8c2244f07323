package memory_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/bot/store/storetest"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOutbox_conforms(t *testing.T) {
	storetest.Outbox(t, func(*testing.T) store.Outbox { return memory.NewOutbox(nil) })
}

func TestDedup_conforms(t *testing.T) {
	storetest.Dedup(t, func(*testing.T) store.Dedup {
		return memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 100_000})
	})
}

func TestConversations_conforms(t *testing.T) {
	storetest.Conversations(t, func(_ *testing.T, alarms store.Alarms) storetest.Stores {
		o, d := memory.NewOutbox(nil), memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 100_000})
		return storetest.Stores{Outbox: o, Dedup: d, Conversations: memory.NewConversations(memory.ConversationsOptions{
			Outbox: o, Dedup: d, Alarms: alarms, Max: 100_000, Expires: expires,
		})}
	})
}

func expires(c *rules.Conversation) time.Time {
	if c.Phase() != rules.PhaseBot {
		return time.Now().Add(24 * time.Hour)
	}
	return time.Now().Add(2 * time.Hour)
}

func newConversations(o store.Outbox, limit int, evicted func()) *memory.Conversations {
	return memory.NewConversations(memory.ConversationsOptions{Outbox: o, Max: limit, Evicted: evicted, Expires: expires})
}

func TestDedup_areForgottenAfterTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 1000})
		ctx, cancel := context.WithCancel(t.Context())
		go memory.Sweep(ctx, m.Sweep)
		for i := range 500 {
			key := fmt.Sprint(i)
			if c, _ := m.Claim(ctx, key, ""); !c.First {
				t.Fatalf("%s is not the first", key)
			}
			m.Finish(ctx, key, []byte("ok"))
		}
		time.Sleep(59 * time.Second)
		if c, _ := m.Claim(ctx, "7", ""); c.First {
			t.Error("a mark was forgotten early")
		}
		time.Sleep(2 * time.Second)
		if c, _ := m.Claim(ctx, "7", ""); !c.First {
			t.Error("a mark is kept beyond its time")
		}
		m.Release(ctx, "7")
		time.Sleep(2 * time.Minute) // one after it is looked at again, the other for its shard's turn
		if n := m.Len(); n != 0 {
			t.Errorf("%d callbacks are left after the sweeps", n)
		}
		cancel()
		synctest.Wait()
	})
}

func TestDedup_overTheCap_theOldestGoFirst(t *testing.T) {
	evicted := 0
	const limit = 40_000 // more than a hundred a shard: with fewer, chance alone puts too many of the newest into one
	m := memory.NewDedup(memory.DedupOptions{Keep: time.Hour, Max: limit, Evicted: func() { evicted++ }})
	for i := range 2 * limit {
		key := fmt.Sprint(i)
		if c, _ := m.Claim(t.Context(), key, ""); !c.First {
			t.Fatal(key)
		}
		m.Finish(t.Context(), key, []byte("ok"))
	}
	if n := m.Len(); n > limit+limit/100 || evicted < limit-limit/50 {
		t.Errorf("%d callbacks are kept and %d were evicted", n, evicted)
	}
	for i := 2*limit - limit/4; i < 2*limit; i++ {
		if c, _ := m.Claim(t.Context(), fmt.Sprint(i), ""); c.First {
			t.Fatalf("callback %d, one of the newest, is gone", i)
		}
	}
}

func TestConversations_overTheCap_onlyIdleOnesOfTheBotPhaseGo(t *testing.T) {
	const limit = 5_000
	m := newConversations(memory.NewOutbox(nil), limit, nil)
	touch := func(id string, k rules.EventKind) {
		err := m.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
			c.Observe(k, time.Now(), time.Time{})
			return store.Effect{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range limit / 10 {
		touch(fmt.Sprint("human", i), rules.EventWithHuman)
	}
	for i := range 3 * limit {
		touch(fmt.Sprint("bot", i), rules.EventSessionBegin)
	}
	if n := m.Live(); n > limit+limit/50 {
		t.Errorf("%d conversations are kept over a cap of %d", n, limit)
	}
	for i := range limit / 10 {
		id := fmt.Sprint("human", i)
		err := m.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
			if c.Phase() != rules.PhaseHuman {
				t.Errorf("%s was evicted", id)
			}
			return store.Effect{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestConversations_silentOnesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newConversations(memory.NewOutbox(nil), 1000, nil)
		ctx, cancel := context.WithCancel(t.Context())
		go memory.Sweep(ctx, m.Sweep)
		for i := range 100 {
			kind := rules.EventSessionBegin
			if i%2 == 0 {
				kind = rules.EventWithHuman
			}
			_ = m.Update(ctx, fmt.Sprint(i), func(c *rules.Conversation) (store.Effect, error) {
				c.Observe(kind, time.Now(), time.Time{})
				return store.Effect{}, nil
			})
		}
		for _, step := range []struct {
			wait time.Duration
			live int
		}{{time.Hour, 100}, {2 * time.Hour, 50}, {20 * time.Hour, 50}, {3 * time.Hour, 0}} {
			time.Sleep(step.wait)
			if n := m.Live(); n != step.live {
				t.Errorf("after %s more %d are left, want %d", step.wait, n, step.live)
			}
		}
		cancel()
		synctest.Wait()
	})
}

// A change that is under way when Each begins is seen: it may be in a part of the
// journal that is not read any more.
func TestConversations_each_waitsForChangesUnderWay(t *testing.T) {
	m := memory.NewConversations(memory.ConversationsOptions{Max: 10, Expires: func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) }})
	walking, ended, found := make(chan struct{}), make(chan struct{}), false
	_ = m.Update(t.Context(), "new", func(*rules.Conversation) (store.Effect, error) {
		go func() {
			defer close(ended)
			close(walking)
			_ = m.Each(func(id string, _ *rules.Conversation) { found = found || id == "new" }, func() error { return nil })
		}()
		<-walking
		for range 100_000 { // time enough to get by, if it does not wait
			select {
			case <-ended:
				return store.Effect{}, nil
			default:
				runtime.Gosched()
			}
		}
		return store.Effect{}, nil
	})
	<-ended
	if !found {
		t.Error("it was not seen")
	}
}
