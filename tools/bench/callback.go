package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// scene is one sort of callback and how it is measured.
type scene struct {
	kind      kind
	name      string
	status    int
	forwarded bool
	rate, p99 *goal
	// share of the closed loop's requests/s at which arrivals come in the open
	// one, of the floor's or (ownShare) of our own; 0: no open loop.
	share, ownShare float64
}

func scenes() []scene {
	return []scene{
		{kind: quiet, name: "does not escalate", status: http.StatusOK, rate: &goal{Least: .85}, p99: &goal{Most: 1.3}, share: .3},
		{kind: escalates, name: "escalates durably", status: http.StatusOK, rate: &goal{Least: .4}, ownShare: .3},
		{kind: duplicate, name: "duplicate", status: http.StatusOK},
		{kind: forged, name: "forged, a connection each", status: http.StatusForbidden},
		{kind: quiet, name: "forwarded (floor: the bot itself)", status: http.StatusOK, forwarded: true},
	}
}

// callbackPart measures each sort of callback against the floor.
func callbackPart(ctx context.Context, b *bench) error {
	f, err := startFloor(ctx)
	if err != nil {
		return err
	}
	defer f.stop()
	for _, s := range scenes() {
		if err := b.play(ctx, f, s); err != nil {
			return errors.Join(errors.New(s.name), err)
		}
	}
	return nil
}

// play measures one sort of callback on a fresh service.
func (b *bench) play(ctx context.Context, f *floor, s scene) error {
	var settings []string
	if s.forwarded {
		settings = append(settings, "ESCALATOR_FORWARD_URL=http://"+f.address+"/callback")
	}
	src, err := shippedRules()
	if err != nil {
		return err
	}
	service, err := b.startService(ctx, src, settings...)
	if err != nil {
		return err
	}
	defer service.stop()
	p := newPair(f, service)
	p.ours.status = s.status
	if s.kind == duplicate { // the first of each is none
		if err := b.firsts(ctx, p); err != nil {
			return err
		}
	}
	if err := b.alternate(ctx, p, load{Kind: s.kind, Connections: connections}); err != nil {
		return err
	}
	b.rows(p, s.name, s.rate, s.p99)
	switch {
	case s.share > 0:
		if err := b.arriving(ctx, p, s.kind, s.share*statOf(p.floor.rates...).Median); err != nil {
			return err
		}
		b.latencyRow(p, s.name+", arrivals at 30 % of what the floor can, p99", s.p99)
	case s.ownShare > 0:
		if err := b.arriving(ctx, p, s.kind, s.ownShare*statOf(p.ours.rates...).Median); err != nil {
			return err
		}
		b.durableRow(p, s.name)
	}
	return nil
}

// arriving measures both sides in an open loop. On a machine that others use up
// the rate may be so low that nothing would arrive in a short round.
func (b *bench) arriving(ctx context.Context, p *pair, k kind, rate float64) error {
	return b.alternate(ctx, p, load{Kind: k, Connections: 4 * connections, Rate: max(rate, probeRate)})
}

// firsts sends each callback once of which duplicates will come.
func (b *bench) firsts(ctx context.Context, p *pair) error {
	l := load{Kind: duplicate, Address: p.ours.address, Connections: connections, Count: requestIDs}
	_, err := generate(ctx, l)
	return err
}

// durableRow judges the latency of durable callbacks by the disk: ten times one
// fsync, measured now, and a millisecond.
func (b *bench) durableRow(p *pair, name string) {
	fsync := b.fsync()
	b.report.add(row{What: "one fsync of the same disk", Unit: "µs", Ours: fsync})
	b.report.add(row{
		What: name + ", arrivals at 30 % of saturation, p99", Unit: "µs",
		Floor: statPointer(p.floor.p99s), Ours: statOf(p.ours.p99s...), Goal: &goal{Most: 10*fsync.Median + 1000, Bare: true},
	})
}

// fsync times the disk: a small record is added to a file and made durable.
func (b *bench) fsync() stat {
	const records = 100
	file, err := os.Create(filepath.Join(b.dir, "fsync"))
	if err != nil {
		return stat{}
	}
	defer func() { _ = file.Close() }()
	record, times := make([]byte, 400), make([]float64, 0, records)
	for range records {
		began := time.Now()
		_, _ = file.Write(record)
		if file.Sync() != nil {
			return stat{}
		}
		times = append(times, float64(time.Since(began).Microseconds()))
	}
	s := statOf(times...)
	return stat{Median: s.Median, Low: s.Low, High: s.High}
}
