package main

import (
	"context"
	"net/http"
	"time"
)

// connections is how many a busy sender keeps open.
const connections = 64

// side is one of the two that are compared.
type side struct {
	address string
	process *process
	status  int // that each answer must have
	from    int // number of the next request
	rates   []float64
	p50s    []float64
	p99s    []float64
	maxs    []float64
	cpu     []float64 // microseconds of the server's processor time for each request
}

// pair are the floor and ours.
type pair struct{ floor, ours side }

func newPair(f *floor, s *service) *pair {
	return &pair{
		floor: side{address: f.address, process: f.process, status: http.StatusOK},
		ours:  side{address: s.address, process: s.process, status: http.StatusOK},
	}
}

// besideFloor starts a service and the floor that it is compared with; stop ends
// both.
func (b *bench) besideFloor(ctx context.Context, src []byte, settings ...string) (p *pair, s *service, stop func(), err error) {
	s, err = b.startService(ctx, src, settings...)
	if err != nil {
		return nil, nil, nil, err
	}
	f, err := startFloor(ctx)
	if err != nil {
		s.stop()
		return nil, nil, nil, err
	}
	return newPair(f, s), s, func() { f.stop(); s.stop() }, nil
}

// alternate runs a load against both sides, round by round, each one first in
// its turn. A rate is asked for with rate > 0.
func (b *bench) alternate(ctx context.Context, p *pair, l load) error {
	p.floor.clear()
	p.ours.clear()
	for round := range b.rounds {
		order := []*side{&p.floor, &p.ours}
		if round%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		for _, s := range order {
			if err := b.once(ctx, s, l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *side) clear() { s.rates, s.p50s, s.p99s, s.maxs, s.cpu = nil, nil, nil, nil, nil }

// once runs a load against one side and keeps what it saw.
func (b *bench) once(ctx context.Context, s *side, l load) error {
	l.Address, l.From = s.address, s.from
	if l.Length == 0 {
		l.Length, l.Warmup = b.length, b.length/5
	}
	before := s.process.cpu()
	o, err := generate(ctx, l)
	if err != nil {
		return err
	}
	s.cpu = append(s.cpu, float64((s.process.cpu()-before).Microseconds())/float64(o.Next-s.from))
	s.from = o.Next
	if err := o.wanted(s.status); err != nil {
		return err
	}
	s.rates, s.p50s = append(s.rates, o.Rate), append(s.p50s, o.P50)
	s.p99s, s.maxs = append(s.p99s, o.P99), append(s.maxs, o.Max)
	return nil
}

// rows adds what both sides saw: requests a second, and the latency.
func (b *bench) rows(p *pair, what string, rate, p99 *goal) {
	b.report.add(row{What: what, Unit: "requests/s", Floor: statPointer(p.floor.rates), Ours: statOf(p.ours.rates...), Goal: rate})
	b.latencyRow(p, what+", p99", p99)
	b.report.add(row{What: what + ", processor time of the server", Unit: "µs", Floor: statPointer(p.floor.cpu), Ours: statOf(p.ours.cpu...)})
}

func (b *bench) latencyRow(p *pair, what string, p99 *goal) {
	b.report.add(row{What: what, Unit: "µs", Floor: statPointer(p.floor.p99s), Ours: statOf(p.ours.p99s...), Goal: p99})
}

func statPointer(values []float64) *stat {
	s := statOf(values...)
	return &s
}

// within is a load that no side is troubled by, for d.
func (b *bench) probe(rate float64, d time.Duration) load {
	return load{Kind: quiet, Connections: connections, Rate: rate, Length: d}
}
