package main

import (
	"context"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/journal"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// driver is one way to keep things. A new driver gets its row here.
type driver struct {
	name string
	open func(dir string) (stores, error)
}

var drivers = []driver{
	{"memory", openMemory},
	{"journal", openJournal},
	{"redis", openRedis},
}

// stores are what a driver offers; nil: it has none of its own.
type stores struct {
	dedup         store.Dedup
	conversations store.Conversations
	outbox        store.Outbox
	close         func() error
}

func openMemory(string) (stores, error) {
	outbox := memory.NewOutbox(nil)
	return stores{
		dedup:         memory.NewDedup(memory.DedupOptions{Keep: 10 * time.Minute, Max: 2_000_000}),
		conversations: conversationsOn(outbox, nil),
		outbox:        outbox,
		close:         func() error { return nil },
	}, nil
}

// openJournal opens the store of one process: live state in memory, transfers and
// the conversations that matter on disk.
func openJournal(dir string) (stores, error) {
	disk, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		return stores{}, err
	}
	return stores{conversations: conversationsOn(disk, disk), outbox: disk, close: func() error { return disk.Close(context.Background()) }}, nil
}

func conversationsOn(o store.Outbox, k memory.Journal) store.Conversations {
	return memory.NewConversations(memory.ConversationsOptions{
		Outbox: o, Journal: k, Max: 1_000_000,
		Expires: func(*rules.Conversation) time.Time { return time.Now().Add(2 * time.Hour) },
	})
}

// storePart measures what a callback asks of a store, by 64 callbacks at once.
func storePart(_ context.Context, b *bench) error {
	for _, d := range drivers {
		dir, err := os.MkdirTemp(b.dir, "store-")
		if err != nil {
			return err
		}
		s, err := d.open(dir)
		if err != nil {
			return err
		}
		b.storeRows(d.name, s)
		if err := s.close(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) storeRows(name string, s stores) {
	var n atomic.Int64
	add := func(what string, do func(ctx context.Context, id string)) {
		ns, allocs := b.samples(func(t *testing.B) {
			t.ReportAllocs()
			t.SetParallelism(32)
			t.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					do(t.Context(), strconv.FormatInt(n.Add(1), 10))
				}
			})
		})
		b.report.add(row{What: name + ": " + what, Unit: "ns", Ours: ns, Note: allocations(allocs)})
	}
	if s.dedup != nil {
		answer := []byte("{}")
		add("claim and finish a dedup key", func(ctx context.Context, id string) {
			_, _ = s.dedup.Claim(ctx, id, "")
			s.dedup.Finish(ctx, id, answer)
		})
	}
	add("change a new conversation", func(ctx context.Context, id string) {
		_ = s.conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
			c.Observe(rules.EventBotMessage, time.Now(), time.Time{})
			return store.Effect{}, nil
		})
	})
	chain := []*rules.Target{{ID: "default"}}
	add("put a transfer", func(ctx context.Context, id string) {
		now := time.Now()
		_ = s.outbox.Put(ctx, &store.Transfer{
			ID: id, Session: id, User: "user", Service: "@service", Rule: "ask-human", Target: "default", Chain: chain, Episode: id, Created: now, Due: now,
		})
	})
}
