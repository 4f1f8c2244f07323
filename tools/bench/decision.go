package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"escalator/rules"
)

// decisionPart measures deciding: phrases, counters and all.
func decisionPart(_ context.Context, b *bench) error {
	if err := b.shippedDecision(); err != nil {
		return err
	}
	var first stat
	sizes := b.sizes()
	for _, n := range sizes {
		p, err := load1(bigRules(n, 0))
		if err != nil {
			return err
		}
		ns, _ := b.samples(func(t *testing.B) { benchmarkDecide(t, p, mixed(phrases(n))) })
		if n == sizes[0] {
			first = ns
		}
		b.report.add(row{What: fmt.Sprintf("%d made-up phrases, one message in ten with a hit", n), Unit: "ns", Ours: ns, Goal: atMost(3000)})
		if n == sizes[len(sizes)-1] {
			b.report.add(row{What: "… in relation to 100 phrases", Unit: "ns", Floor: &first, Ours: ns, Goal: atMost(1.3)})
			_, allocs := b.samples(func(t *testing.B) { benchmarkDecide(t, p, messages) })
			b.report.add(row{What: fmt.Sprintf("%d made-up phrases, nothing fires", n), Unit: "allocations", Ours: statOf(float64(allocs)), Goal: atMost(0)})
		}
	}
	p, err := load1([]byte(everyCondition))
	if err != nil {
		return err
	}
	ns, _ := b.samples(func(t *testing.B) { benchmarkDecide(t, p, messages) })
	b.report.add(row{What: "every kind of condition, nothing fires", Unit: "ns", Ours: ns})
	return nil
}

// shippedDecision measures deciding with the rules and packs that are shipped, in
// a new conversation each time: with all in the caches that fits, and with what
// other work leaves of it.
func (b *bench) shippedDecision() error {
	src, err := shippedRules()
	if err != nil {
		return err
	}
	p, err := load1(src)
	if err != nil {
		return err
	}
	d := &decider{policy: p, at: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	for _, text := range hitless {
		if got := d.decide(text); got.Outcome != rules.OutcomeNone {
			return fmt.Errorf("a message that should be quiet gives %v: %s", got.Outcome, text)
		}
	}
	warm, allocs := b.samples(func(t *testing.B) {
		t.ReportAllocs()
		for i := 0; t.Loop(); i++ {
			d.decide(hitless[i%len(hitless)])
		}
	})
	b.report.add(row{What: "shipped rules, a new conversation each, warm", Unit: "ns", Ours: warm, Goal: atMost(3000), Note: allocations(allocs)})
	b.report.add(row{What: "shipped rules, a new conversation each, 32 MiB swept before each message", Unit: "ns", Ours: b.cold(d), Goal: atMost(20_000)})
	return nil
}

// decider decides in a new conversation each time, as the first message of one.
type decider struct {
	policy       *rules.Policy
	conversation rules.Conversation
	at           time.Time
}

func (d *decider) decide(text string) rules.Decision {
	d.conversation = rules.Conversation{}
	return d.policy.Decide(&d.conversation, rules.Turn{Text: text, At: d.at})
}

// cold times decisions each of which comes after a sweep. A round gives its median,
// because a moment without the processor would weigh more than all the others.
func (b *bench) cold(d *decider) stat {
	sweep, decisions := newMemorySweep(), 50*len(hitless)
	if b.quick {
		decisions = len(hitless)
	}
	rounds := make([]float64, 0, b.rounds)
	for range b.rounds {
		times := make([]float64, 0, decisions)
		for i := range decisions {
			sweep.pass()
			began := time.Now()
			d.decide(hitless[i%len(hitless)])
			times = append(times, float64(time.Since(began).Nanoseconds()))
		}
		rounds = append(rounds, statOf(times...).Median)
	}
	return statOf(rounds...)
}

// load1 loads a rule file that has to be good.
func load1(src []byte) (*rules.Policy, error) {
	p, report := rules.Load(src, rules.LoadOptions{Now: time.Now()})
	if p == nil {
		return nil, fmt.Errorf("a rule file of ours: %v", report.Errors[0])
	}
	return p, nil
}

// conversationsUnderWay are taken in turn, so that a decision finds no
// conversation in the first-level cache that it would not find there in life.
const conversationsUnderWay = 64

func benchmarkDecide(b *testing.B, p *rules.Policy, list []string) {
	all := make([]rules.Conversation, conversationsUnderWay)
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	turn := func(i int) {
		c := &all[i%len(all)]
		now = now.Add(2 * time.Second)
		d := p.Decide(c, rules.Turn{Text: list[(i+i/len(all))%len(list)], At: now})
		if d.Outcome == rules.OutcomeTransfer { // it ends at once, and the customer writes on
			p.Settle(c, nil, d.Rule, rules.ResultFailed, now)
		}
	}
	for i := range 32 * len(all) { // fills the rings
		turn(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		turn(i)
	}
}
