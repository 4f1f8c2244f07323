package main

import (
	"context"
	"net/http"
)

// connections is how many a busy sender keeps open.
const connections = 64

// side is one of those that are compared.
type side struct {
	address string
	process *process
	metrics string // where it tells what it allocates; "": it does not
	settles bool   // it may work on after its answers, and is waited for
	status  int    // that each answer must have
	from    int    // number of the next request
	outcomes
}

// outcomes are what a side gave, round by round.
type outcomes struct {
	rates   []float64
	p99s    []float64
	sents   []float64 // the 99th percentile from when a request went out
	maxs    []float64
	touched []touched // by each request
	refused []float64 // answers a second of 503
	dropped []float64 // requests a second that found no answer
}

// pair are the floor and ours.
type pair struct{ floor, ours *side }

func newPair(floor *helper, s *service) *pair {
	return &pair{floor: floor.side(), ours: s.side()}
}

// side is the service, to be measured.
func (s *service) side() *side {
	return &side{address: s.address, process: s.process, status: http.StatusOK, metrics: "http://" + s.admin + "/metrics"}
}

// side is a helper, to be measured.
func (h *helper) side() *side {
	return &side{address: h.address, process: h.process, status: http.StatusOK, metrics: "http://" + h.address + "/metrics"}
}

// besideFloor starts a service with the shipped rules and the floor that it is
// compared with; stop ends both.
func (b *bench) besideFloor(ctx context.Context) (p *pair, stop func(), err error) {
	src, err := shippedRules()
	if err != nil {
		return nil, nil, err
	}
	s, err := b.startService(ctx, src)
	if err != nil {
		return nil, nil, err
	}
	f, err := startHelper(ctx, roleFloor)
	if err != nil {
		s.stop()
		return nil, nil, err
	}
	return newPair(f, s), func() { f.stop(); s.stop() }, nil
}

// alternate runs a load against all sides, round by round, each one first in
// its turn.
func (b *bench) alternate(ctx context.Context, l load, sides ...*side) error {
	for _, s := range sides {
		s.outcomes = outcomes{}
	}
	for round := range b.rounds {
		for i := range sides {
			if err := b.once(ctx, sides[(i+round)%len(sides)], l); err != nil {
				return err
			}
		}
	}
	return nil
}

// once runs a load against one side and keeps what it saw.
func (b *bench) once(ctx context.Context, s *side, l load) error {
	l.Address, l.From, l.Status = s.address, s.from, s.status
	if l.Length == 0 {
		l.Length, l.Warmup = b.length, b.length/5
	}
	before, err := s.touches(ctx)
	if err != nil {
		return err
	}
	o, err := generate(ctx, l)
	if err != nil {
		return err
	}
	if s.settles {
		s.process.settle()
	}
	after, err := s.touches(ctx)
	if err != nil {
		return err
	}
	if err := o.wanted(s.status); err != nil && !l.TooMuch {
		return err
	}
	s.touched = append(s.touched, after.each(before, o.Next-s.from))
	s.from = o.Next
	s.rates, s.maxs = append(s.rates, o.Rate), append(s.maxs, o.Max)
	s.p99s, s.sents = append(s.p99s, o.P99), append(s.sents, o.P99Sent)
	s.refused = append(s.refused, float64(o.Statuses[http.StatusServiceUnavailable])/o.Seconds)
	s.dropped = append(s.dropped, float64(o.Statuses[0])/o.Seconds)
	return nil
}

// rows adds what both sides saw: requests a second, the latency, the processor time.
func (b *bench) rows(p *pair, what string, rate, p99 *goal) {
	b.report.add(row{What: what, Unit: "requests/s", Floor: statPointer(p.floor.rates), Ours: statOf(p.ours.rates...), Goal: rate})
	b.latencyRow(p, what+", p99", p99)
	b.cpuRow(p.floor, p.ours, what)
}

// cpuRow adds the processor time of both servers, which depends less on what else the machine does.
func (b *bench) cpuRow(floor, ours *side, what string) {
	cpu := func(t touched) float64 { return t.cpu }
	b.report.add(row{What: what + ", processor time of the server", Unit: "µs", Floor: new(floor.each(cpu)), Ours: ours.each(cpu)})
}

func (b *bench) latencyRow(p *pair, what string, p99 *goal) {
	b.report.add(row{What: what, Unit: "µs", Floor: statPointer(p.floor.p99s), Ours: statOf(p.ours.p99s...), Goal: p99})
}

func statPointer(values []float64) *stat {
	s := statOf(values...)
	return &s
}
