package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// scene is one sort of callback and how it is measured.
type scene struct {
	kind      kind
	name      string
	status    int
	forwarded bool // to one's own bot, beside a proxy that does nothing else
	rate, p99 *goal
	webhook   *goal // of the requests/s of webhook; nil: it is not compared
	// share of the closed loop's requests/s at which arrivals come in the open
	// one, of the floor's or (ownShare) of our own; 0: no open loop.
	share, ownShare float64
}

func scenes() []scene {
	return []scene{
		{
			kind: quiet, name: "does not escalate", status: http.StatusOK,
			rate: atLeast(.75), p99: atMost(1.3), webhook: atLeast(1.3), share: .3,
		},
		{
			kind: escalates, name: "escalates durably", status: http.StatusOK,
			rate: atLeast(.4), webhook: atLeast(2), ownShare: .3,
		},
		{kind: duplicate, name: "duplicate", status: http.StatusOK},
		{kind: forged, name: "forged, a connection each", status: http.StatusForbidden},
		{
			kind: quiet, name: "passed on (floor: ReverseProxy)", status: http.StatusOK,
			forwarded: true, rate: atLeast(.8),
		},
	}
}

// callbackPart measures each sort of callback against the floor.
func callbackPart(ctx context.Context, b *bench) error {
	f, err := startHelper(ctx, roleFloor)
	if err != nil {
		return err
	}
	defer f.stop()
	var failed []error
	for _, s := range scenes() {
		if !strings.HasPrefix(s.name, b.scene) {
			continue
		}
		if err := b.play(ctx, f, s); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(failed...)
}

// play measures one sort of callback on a fresh service.
func (b *bench) play(ctx context.Context, f *helper, s scene) error {
	var settings []string
	if s.forwarded { // the floor is the bot now
		settings = append(settings, "ESCALATOR_FORWARD_URL=http://"+f.address+"/callback")
		proxy, err := startHelper(ctx, roleProxy, f.address)
		if err != nil {
			return err
		}
		defer proxy.stop()
		f = proxy
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
	if err := b.closedLoop(ctx, p, s); err != nil {
		return err
	}
	return b.openLoop(ctx, p, s)
}

// closedLoop measures what each side can answer.
func (b *bench) closedLoop(ctx context.Context, p *pair, s scene) error {
	sides := []*side{p.floor, p.ours}
	var webhook *side
	if s.webhook != nil {
		var err error
		if webhook, err = b.startWebhook(ctx); err != nil {
			return err
		}
	}
	if webhook != nil {
		defer webhook.process.stop()
		sides = append(sides, webhook)
	}
	if err := b.alternate(ctx, load{Kind: s.kind, Connections: connections}, sides...); err != nil {
		return err
	}
	b.rows(p, s.name, s.rate, s.p99)
	if s.rate != nil {
		b.touchRows(p, s.name)
	}
	if s.webhook != nil {
		b.webhookRows(p, webhook, s.name, s.webhook)
	}
	return nil
}

// openLoop measures the latency of callbacks that come whatever the answers do.
func (b *bench) openLoop(ctx context.Context, p *pair, s scene) error {
	var rate float64
	switch {
	case s.share > 0:
		rate = s.share * statOf(p.floor.rates...).Median
	case s.ownShare > 0:
		rate = s.ownShare * statOf(p.ours.rates...).Median
	default:
		return nil
	}
	// On a machine that others use up the rate may be so low that nothing would arrive in a short round.
	l := load{Kind: s.kind, Connections: manyConnections, Rate: max(rate, probeRate)}
	if err := b.alternate(ctx, l, p.floor, p.ours); err != nil {
		return err
	}
	if s.share > 0 {
		b.latencyRow(p, s.name+", arrivals at 30 % of what the floor can, p99", atMost(2))
	} else {
		b.durableRow(p, s.name)
	}
	return nil
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
	bound := func(us float64) float64 { return 10*us + 1000 }
	b.report.add(row{
		What: name + ", arrivals at 30 % of saturation, p99 (floor: ten fsyncs and 1 ms)", Unit: "µs",
		Floor: &stat{bound(fsync.Median), bound(fsync.Low), bound(fsync.High)}, Ours: statOf(p.ours.p99s...), Goal: atMost(1),
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
	return statOf(times...)
}
