package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// keptRows adds what each thing takes that is kept in memory, its id and its place
// in maps and queues included.
func (b *bench) keptRows(n int) {
	ctx := context.Background()
	b.report.add(row{What: "the state of a conversation in which nothing has happened", Unit: "bytes", Ours: statOf(float64(unsafe.Sizeof(rules.Conversation{}))), Goal: atMost(96)})
	add := func(what string, holder any, keep func(id string)) {
		each := bytesEach(n, keep)
		runtime.KeepAlive(holder)
		b.report.add(row{What: what, Unit: "bytes", Ours: statOf(each)})
	}
	conversations := conversationsOn(memory.NewOutbox(nil), nil)
	add("a conversation that has begun, with its place", conversations, func(id string) {
		_ = conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
			c.Observe(rules.EventBotMessage, time.Now(), time.Time{})
			return store.Effect{}, nil
		})
	})
	dedup := memory.NewDedup(memory.DedupOptions{Keep: time.Hour, Max: 2 * n})
	add("a callback that was seen", dedup, func(id string) {
		_, _ = dedup.Claim(ctx, id, "")
		dedup.Finish(ctx, id, nil)
	})
	outbox, now := memory.NewOutbox(nil), time.Now()
	chain := []*rules.Target{{ID: "default"}}
	add("a transfer in the outbox", outbox, func(id string) {
		_ = outbox.Put(ctx, &store.Transfer{
			ID: id, Session: id, User: "user", Service: "@service", Rule: "ask-human", Target: "default", Chain: chain, Episode: id, Created: now, Due: now,
		})
	})
}

// bytesEach is by how much the heap grows for each of n ids of usual length.
func bytesEach(n int, keep func(id string)) float64 {
	before := heap()
	for i := range n {
		keep(fmt.Sprintf("2baf4d84-beb4-4607-a1ea-%012d", i))
	}
	return float64(heap()-before) / float64(n)
}

// heap is what is alive.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one found may be held until the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
