package main

import (
	"context"
	"fmt"
)

const (
	// manyConnections are those of senders that do not wait for each other.
	manyConnections = 4 * connections
	// crowd is as many as may wait at the service instead of at the generator.
	crowd = 64 * connections
)

// overload is what is offered: a multiple of what the service answers in a closed
// loop, and what came of it.
type overload struct {
	factor      float64
	connections int
	arrivals    float64 // a second
	ours, floor outcomes
}

// overloads begin below saturation: arrivals that come at random cost the generator
// more than those of a closed loop, so that the most is answered somewhere there.
func overloads() []overload {
	return []overload{
		{factor: .75, connections: manyConnections},
		{factor: 1, connections: manyConnections},
		{factor: 1.5, connections: manyConnections},
		{factor: 2, connections: manyConnections},
		{factor: 3, connections: manyConnections},
		{factor: 3, connections: crowd},
	}
}

// overloadPart offers more than the service can answer. Only answers of 200 count
// as answers; what is turned away is counted beside them.
func overloadPart(ctx context.Context, b *bench) error {
	p, stop, err := b.besideFloor(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := b.alternate(ctx, load{Kind: quiet, Connections: manyConnections}, p.ours); err != nil {
		return err
	}
	closed, all := statOf(p.ours.rates...), overloads()
	for i := range all {
		o := &all[i]
		o.arrivals = max(o.factor*closed.Median, probeRate)
		l := load{Kind: quiet, Connections: o.connections, Rate: o.arrivals, TooMuch: true}
		if err := b.alternate(ctx, l, p.ours); err != nil {
			return err
		}
		p.floor.outcomes = outcomes{}
		if err := b.once(ctx, p.floor, l); err != nil { // once, to see what the generator can do at all
			return err
		}
		o.ours, o.floor = p.ours.outcomes, p.floor.outcomes
	}
	b.report.add(row{What: "answered in a closed loop", Unit: "answers/s", Ours: closed})
	b.overloadRows(all)
	return nil
}

func (b *bench) overloadRows(all []overload) {
	ms := func(us []float64) stat { return scaled(statOf(us...), 1000) }
	best := mostAnswered(all)
	for _, o := range all {
		what := fmt.Sprintf("arrivals at %g times that, %d connections", o.factor, o.connections)
		floor := best
		if o.arrivals < best.Median { // no more can be answered than arrives
			floor = statOf(o.arrivals)
		}
		b.report.add(row{
			What: what + " (floor: the most of these, or what arrives)", Unit: "answers/s", Floor: &floor, Ours: statOf(o.ours.rates...), Goal: atLeast(.8),
			Note: fmt.Sprintf(", %s turned away, %s never sent", number(statOf(o.ours.refused...).Median), number(statOf(o.ours.dropped...).Median)),
		})
		b.report.add(row{What: what + ", p99", Unit: "ms", Floor: new(ms(o.floor.p99s)), Ours: ms(o.ours.p99s), Goal: atMost(1000).bare()})
		b.report.add(row{What: what + ", p99 since they went out", Unit: "ms", Floor: new(ms(o.floor.sents)), Ours: ms(o.ours.sents)})
	}
}

// mostAnswered are the answers of the load that got the most of them.
func mostAnswered(all []overload) (best stat) {
	for _, o := range all {
		if s := statOf(o.ours.rates...); s.Median > best.Median {
			best = s
		}
	}
	return best
}
