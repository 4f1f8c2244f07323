package redis

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

const benchRules = `
version: 1
targets: {default: {}}
rules:
  - {id: ask-human, when: {says: [$ask_human]}, then: {transfer: default}}
  - {id: bot-stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}
  - {id: same-question, when: {repeats: {times: 3, within: 10m}}, then: {transfer: default}}
`

// BenchmarkCallback is what a callback costs that fires nothing: claim, decide,
// save with the answer. Beside the time it tells the memory of Redis per live
// conversation of three messages and per callback. Run it with a fixed number, such
// as -benchtime 100000x.
func BenchmarkCallback(b *testing.B) {
	server := redistest.Start(b)
	d := open(b, server, 0, nil)
	policy, report := rules.Load([]byte(benchRules), rules.LoadOptions{})
	if policy == nil {
		b.Fatal(report.Errors)
	}
	const messages = 3
	before := usedMemory(b, server)
	conversations := max(1, b.N/messages)
	b.ResetTimer()
	var workers sync.WaitGroup
	numbers := make(chan int, 64)
	for range 32 {
		workers.Go(func() {
			for n := range numbers {
				if err := d.callback(policy, fmt.Sprintf("2baf4d84-beb4-4607-a1ea-%012d", n/messages), n); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range conversations * messages {
		numbers <- n
	}
	close(numbers)
	workers.Wait()
	b.StopTimer()
	all := usedMemory(b, server)
	dropCallbacks(b, server)
	kept := usedMemory(b, server)
	b.ReportMetric((kept-before)/float64(conversations), "B/conversation")
	b.ReportMetric((all-kept)/float64(conversations*messages), "B/callback")
}

// callback is the n-th callback.
func (d *driver) callback(policy *rules.Policy, id string, n int) error {
	ctx := context.Background()
	mark := fmt.Sprintf("%043d", n)
	if _, err := d.dedup.Claim(ctx, mark, id); err != nil {
		return err
	}
	answer := []byte(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":1}`)
	err := d.conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		policy.Decide(c, rules.Turn{Kind: rules.UserTurn, At: time.Now(), Text: fmt.Sprintf("question number %d about my parcel", n)})
		return store.Effect{DedupKey: mark, Answer: answer}, nil
	})
	d.dedup.Finish(ctx, mark, answer)
	return err
}

func usedMemory(b *testing.B, server *redistest.Server) (bytes float64) {
	b.Helper()
	client := server.Client()
	defer func() { _ = client.Close() }()
	info, err := client.InfoMap(b.Context(), "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	_, _ = fmt.Sscan(info["Memory"]["used_memory"], &bytes)
	return bytes
}

// dropCallbacks removes all marks, as their expiry does in the end.
func dropCallbacks(b *testing.B, server *redistest.Server) {
	b.Helper()
	client := server.Client()
	defer func() { _ = client.Close() }()
	ctx := b.Context()
	for keys := client.Scan(ctx, 0, "*}:m:*", 10_000).Iterator(); keys.Next(ctx); {
		client.Unlink(ctx, keys.Val())
	}
}
