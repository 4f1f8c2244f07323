package redis

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/bot/store/storetest"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// apps gives each store of a test keys of its own.
var apps atomic.Uint64

// expires keeps a conversation for an hour.
func expires(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) }

// driver is one replica's drivers.
type driver struct {
	client        *Client
	dedup         *Dedup
	outbox        *Outbox
	conversations *Conversations
	problems      []string
}

// open connects to the server as a replica of the app; 0 is an app of its own.
func open(t testing.TB, server *redistest.Server, app uint64, now func() time.Time) *driver {
	t.Helper()
	return openWith(t, server, app, now, store.Alarms{})
}

func openWith(t testing.TB, server *redistest.Server, app uint64, now func() time.Time, alarms store.Alarms) *driver {
	t.Helper()
	if app == 0 {
		app = apps.Add(1)
	}
	d := &driver{}
	c, err := New(Options{URL: server.URL(), App: app, DedupFor: time.Minute, Now: now, Report: func(problem string) {
		d.problems = append(d.problems, problem)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.client, d.dedup, d.outbox = c, NewDedup(c), NewOutbox(c)
	d.conversations = NewConversations(c, d.dedup, d.outbox, expires, alarms)
	return d
}

func TestRedis_passesTheSuite(t *testing.T) {
	server := redistest.Start(t)
	t.Run("outbox", func(t *testing.T) {
		storetest.Outbox(t, func(t *testing.T) store.Outbox { return open(t, server, 0, nil).outbox })
	})
	t.Run("marks", func(t *testing.T) {
		storetest.Dedup(t, func(t *testing.T) store.Dedup { return open(t, server, 0, nil).dedup })
	})
	t.Run("conversations", func(t *testing.T) {
		storetest.Conversations(t, func(t *testing.T, alarms store.Alarms) storetest.Stores {
			d := openWith(t, server, 0, nil, alarms)
			return storetest.Stores{Conversations: d.conversations, Outbox: d.outbox, Dedup: d.dedup}
		})
	})
	t.Run("records", func(t *testing.T) {
		storetest.Records(t, func(t *testing.T) (storetest.Stores, func(time.Duration)) {
			var passed time.Duration
			d := open(t, server, 0, func() time.Time { return time.Now().Add(passed) })
			d.client.caps = store.NewCaps(storetest.RecordCap)
			return storetest.Stores{Conversations: d.conversations, Outbox: d.outbox, Dedup: d.dedup, Records: d.client}, func(d time.Duration) { passed += d }
		})
	})
}

func TestRedis_outbox_isLikeANaiveOne(t *testing.T) {
	server := redistest.Start(t)
	storetest.OutboxModel(t, func(r *rapid.T, now func() time.Time) store.Outbox {
		c, err := New(Options{URL: server.URL(), App: apps.Add(1), Now: now})
		if err != nil {
			r.Fatal(err)
		}
		r.Cleanup(func() { _ = c.Close() })
		return NewOutbox(c)
	}, nil)
}

func TestRedis_records_areLikeNaiveOnes(t *testing.T) {
	server := redistest.Start(t)
	storetest.RecordsModel(t, func(r *rapid.T, now func() time.Time) store.Records {
		c, err := New(Options{URL: server.URL(), App: apps.Add(1), Now: now, MaxUsers: storetest.ModelCap})
		if err != nil {
			r.Fatal(err)
		}
		r.Cleanup(func() { _ = c.Close() })
		return c
	}, nil)
}

func transfer(id, episode string) *store.Transfer {
	now := time.Now()
	return &store.Transfer{
		ID: id, Session: id, Rule: "r", Target: "default", Chain: []*rules.Target{{ID: "default"}}, Episode: episode, Created: now, Due: now,
	}
}

func TestConversations_ofTwoReplicas_decideOnce(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	replicas := []*driver{open(t, server, app, nil), open(t, server, app, nil)}
	const each = 40
	done := make(chan error, len(replicas))
	var decided atomic.Int32
	for n, d := range replicas {
		go func() {
			for i := range each {
				id := fmt.Sprintf("s%d", i)
				var mine bool
				err := d.conversations.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
					mine = c.Phase() == rules.PhaseBot
					if !mine {
						return store.Effect{}, nil
					}
					c.Observe(rules.EventTransferring, time.Now(), time.Time{})
					return store.Effect{Transfer: transfer(id, fmt.Sprint(n))}, nil
				})
				if err != nil {
					// The other one's transfer is in the outbox and its conversation is not saved yet.
					if err != store.ErrPending { //nolint:errorlint // it is returned as it is
						done <- err
						return
					}
					mine = false
				}
				if mine {
					decided.Add(1)
				}
			}
			done <- nil
		}()
	}
	for range replicas {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	list, err := replicas[0].outbox.List(t.Context())
	if err != nil || len(list) != each || decided.Load() != each {
		t.Errorf("%d transfers and %d decisions of %d conversations, %v", len(list), decided.Load(), each, err)
	}
}

func TestRedis_theEndOfAnEarlierEpisode_leavesTheLeaseOfTheNextOne(t *testing.T) {
	o, ctx := open(t, redistest.Start(t), 0, nil).outbox, t.Context()
	take := func(episode string) *store.Transfer {
		if err := o.Put(ctx, transfer("s", episode)); err != nil {
			t.Fatal(err)
		}
		tr, _, err := o.Take(ctx, time.Now().Add(time.Second))
		if err != nil || tr == nil {
			t.Fatal(tr, err)
		}
		return tr
	}
	first := take("e1")
	if err := o.Delete(ctx, transfer("s", "e1")); err != nil { // its customer left while it was tried
		t.Fatal(err)
	}
	second := take("e2")
	if err := o.Delete(ctx, first); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the end of the first: %v", err)
	}
	if err := o.Save(ctx, second); err != nil {
		t.Errorf("what became of the second cannot be saved: %v", err)
	}
}
