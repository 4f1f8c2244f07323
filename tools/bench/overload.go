package main

import (
	"context"
	"fmt"
)

// manyConnections are those of senders that do not wait for each other.
const manyConnections = 4 * connections

// overloads are the arrivals that are offered, as multiples of the most that the
// service answers.
func overloads() []float64 { return []float64{1, 1.5, 2, 3} }

// overloadPart offers more than the service can answer. Only answers of 200 count
// as answers; what is turned away is counted beside them.
func overloadPart(ctx context.Context, b *bench) error {
	src, err := shippedRules()
	if err != nil {
		return err
	}
	p, _, stop, err := b.besideFloor(ctx, src)
	if err != nil {
		return err
	}
	defer stop()
	if err := b.alternate(ctx, load{Kind: quiet, Connections: manyConnections}, p.ours); err != nil {
		return err
	}
	best := statOf(p.ours.rates...)
	b.report.add(row{What: "the most that is answered, closed loop", Unit: "answers/s", Ours: best})
	for _, factor := range overloads() {
		l := load{Kind: quiet, Connections: manyConnections, Rate: max(factor*best.Median, probeRate), TooMuch: true}
		if err := b.alternate(ctx, l, p.ours); err != nil {
			return err
		}
		p.floor.outcomes = outcomes{}
		if err := b.once(ctx, p.floor, l); err != nil { // once, to see what the generator can do at all
			return err
		}
		b.overloadRows(p, best, fmt.Sprintf("%g times the most", factor))
	}
	return nil
}

func (b *bench) overloadRows(p *pair, best stat, what string) {
	b.report.add(row{
		What: what + " (floor: the most)", Unit: "answers/s", Floor: &best, Ours: statOf(p.ours.rates...), Goal: atLeast(.8),
		Note: fmt.Sprintf(", %s turned away, %s never sent", number(statOf(p.ours.refused...).Median), number(statOf(p.ours.dropped...).Median)),
	})
	ms := func(us []float64) stat { return scaled(statOf(us...), 1000) }
	b.report.add(row{What: what + ", p99 of the answered", Unit: "ms", Floor: new(ms(p.floor.p99s)), Ours: ms(p.ours.p99s), Goal: atMost(1000).bare()})
	b.report.add(row{What: what + ", p99 of the answered since they went out", Unit: "ms", Floor: new(ms(p.floor.sents)), Ours: ms(p.ours.sents)})
}
