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
	took, err := b.limited(ctx, begun, count)
	if err != nil {
		return err
	}
	if _, err := b.limited(ctx, spoken, count); err != nil {
		return err
	}
	return b.expiring(ctx, count, took)
}

// limited fills a service that has a memory limit and dedup keys that soon end.
func (b *bench) limited(ctx context.Context, k kind, count int) (took time.Duration, err error) {
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
	if err := s.fill(ctx, k, 0, count); err != nil {
		return 0, err
	}
	took = time.Since(began)
	how, most := memoryLimit, float64(limitedGoal)
	if k == spoken {
		how, most = "a message in each, "+memoryLimit, 0
	}
	return took, b.memoryRow(ctx, s, how, most)
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
func (b *bench) memoryRow(ctx context.Context, s *service, how string, most float64) error {
	live, err := s.gauge(ctx, "escalator_sessions_live")
	if err != nil {
		return err
	}
	kib, err := s.kib("VmRSS")
	if err != nil {
		return err
	}
	w := row{What: fmt.Sprintf("resident memory, %.0f conversations, %s", live, how), Unit: "MB", Ours: statOf(kib * 1024 / 1e6)}
	if !b.quick && most > 0 {
		w.Goal = &goal{Most: most}
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
// and looks how long callbacks take while they are swept.
func (b *bench) expiring(ctx context.Context, count int, took time.Duration) error {
	life := (took + took/4 + 5*time.Second).Round(time.Second)
	p, s, stop, err := b.besideFloor(ctx, fmt.Appendf(nil, shortLived, life), "ESCALATOR_DEDUP_FOR="+life.String())
	if err != nil {
		return err
	}
	defer stop()
	if err := s.fill(ctx, begun, 1<<30, count); err != nil {
		return err
	}
	if err := b.memoryRow(ctx, s, "as many dedup keys, no limit", defaultsGoal); err != nil {
		return err
	}
	for range b.rounds { // until all have ended and most are swept
		if err := b.once(ctx, &p.ours, b.probe(probeRate, (life+45*time.Second)/time.Duration(b.rounds)/quickly(b))); err != nil {
			return err
		}
		if err := b.once(ctx, &p.floor, b.probe(probeRate, b.length)); err != nil {
			return err
		}
	}
	b.report.add(row{
		What: "slowest callback while all of them expire (floor: at rest)", Unit: "ms",
		Floor: new(scaled(statOf(p.floor.maxs...), 1000)), Ours: scaled(statOf(p.ours.maxs...), 1000), Goal: &goal{Most: 5, Bare: true},
	})
	left, err := s.gauge(ctx, "escalator_sessions_live")
	if err != nil {
		return err
	}
	b.report.add(row{What: "conversations left after that", Unit: "", Ours: statOf(left)})
	return nil
}

// quickly is by how much a quick run shortens long waits.
func quickly(b *bench) time.Duration {
	if b.quick {
		return 500
	}
	return 1
}
