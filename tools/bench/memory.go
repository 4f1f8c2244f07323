package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A million conversations, and what they may take.
const (
	million      = 1_000_000
	fewer        = 1_000 // in a quick run
	freeMemory   = 2048  // MiB that the part needs
	memoryLimit  = "GOMEMLIMIT=400MiB"
	limitedGoal  = 450 // MB
	defaultsGoal = 900
)

// memoryPart fills the service with conversations and dedup keys.
func memoryPart(ctx context.Context, b *bench) error {
	count, need := million, int64(freeMemory)
	if b.quick {
		count, need = fewer, 256
	}
	if err := needMemory(need); err != nil {
		return err
	}
	b.keptRows(count / 10)
	took, err := b.limited(ctx, count)
	if err != nil {
		return err
	}
	return b.expiring(ctx, count, took)
}

// limited fills a service that has a memory limit and dedup keys that soon end.
func (b *bench) limited(ctx context.Context, count int) (took time.Duration, err error) {
	src, err := shippedRules()
	if err != nil {
		return 0, err
	}
	s, err := b.startService(ctx, src, memoryLimit, "ESCALATOR_DEDUP_FOR=1s")
	if err != nil {
		return 0, err
	}
	defer s.stop()
	began := time.Now()
	if err := s.fill(ctx, begun, 0, count); err != nil {
		return 0, err
	}
	took = time.Since(began)
	return took, b.memoryRow(ctx, s, fmt.Sprintf("resident memory, %d conversations, %s", count, memoryLimit), limitedGoal)
}

// fill begins conversations.
func (s *service) fill(ctx context.Context, k kind, from, count int) error {
	o, err := generate(ctx, load{Address: s.address, Kind: k, Connections: connections, From: from, Count: count})
	if err != nil {
		return err
	}
	return o.wanted(http.StatusOK)
}

// memoryRow adds what the service takes now.
func (b *bench) memoryRow(ctx context.Context, s *service, what string, most float64) error {
	live, err := s.gauge(ctx, "escalator_sessions_live")
	if err != nil {
		return err
	}
	kib, err := s.kib("VmRSS")
	if err != nil {
		return err
	}
	w := row{What: what, Unit: "MB", Ours: statOf(kib * 1024 / 1e6), Note: fmt.Sprintf(", %.0f live", live)}
	if !b.quick {
		w.Goal = atMost(most)
	}
	b.report.add(w)
	return nil
}

// shortLived are rules for conversations that are forgotten after a while.
const shortLived = `version: 1
defaults: {session_ttl: %s}
targets: {default: {}}
rules:
  - {id: ask, when: {says: [$ask_human]}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 3, within: 5s}}, then: {transfer: default}}
  - {id: again, when: {repeats: {times: 3, within: 5s}}, then: {transfer: default}}
`

// expiring fills a service whose conversations and dedup keys all end soon after,
// and looks how long callbacks take while they are swept. Both are looked at in
// pieces of one length: the longer one looks, the longer is the longest wait.
func (b *bench) expiring(ctx context.Context, count int, took time.Duration) error {
	life := (took + took/10 + time.Duration(b.rounds)*b.length + 5*time.Second).Round(time.Second)
	s, err := b.startService(ctx, fmt.Appendf(nil, shortLived, life), "ESCALATOR_DEDUP_FOR="+life.String())
	if err != nil {
		return err
	}
	defer s.stop()
	began := time.Now()
	if err := s.fill(ctx, begun, 1<<30, count); err != nil {
		return err
	}
	filled := time.Since(began)
	if err := b.memoryRow(ctx, s, fmt.Sprintf("resident memory, %d conversations, as many dedup keys, no limit", count), defaultsGoal); err != nil {
		return err
	}
	atRest, expiring := s.side(), s.side()
	expiring.from = far
	for range b.rounds {
		if err := b.once(ctx, atRest, probe(b.length)); err != nil {
			return err
		}
	}
	if !b.quick {
		<-time.After(time.Until(began.Add(life)))
	}
	left := float64(count)
	// The last one ends as long after the first as it took to begin them, and is swept in its turn.
	for last := time.Now().Add(filled + time.Minute); left > float64(count)/10 && time.Now().Before(last); {
		if err := b.once(ctx, expiring, probe(b.length)); err != nil {
			return err
		}
		if left, err = s.gauge(ctx, "escalator_sessions_live"); err != nil {
			return err
		}
		if b.quick {
			break
		}
	}
	b.report.add(row{
		What: "slowest callback while all of them expire (floor: the same service before that)", Unit: "ms",
		Floor: new(scaled(statOf(atRest.maxs...), 1000)), Ours: scaled(statOf(expiring.maxs...), 1000), Goal: atMost(5).more(),
		Note: fmt.Sprintf(", %.0f conversations left", left),
	})
	return nil
}
