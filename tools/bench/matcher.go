package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"escalator/rules"
	"escalator/rules/text"
)

// sizes are the numbers of phrases that are compared.
func (b *bench) sizes() []int {
	if b.quick {
		return []int{100, 1000}
	}
	return []int{100, 1000, bigFile}
}

// samples runs a benchmark once per round.
func (b *bench) samples(f func(*testing.B)) (ns stat, allocs int64) {
	var all []float64
	for range b.rounds {
		r := testing.Benchmark(f)
		all = append(all, float64(r.T.Nanoseconds())/float64(r.N))
		allocs = r.AllocsPerOp()
	}
	return statOf(all...), allocs
}

// mixed are the quiet messages and one that holds a phrase: nine in ten without
// a hit.
func mixed(list []string) []string {
	hit := list[0]
	return append(append([]string(nil), messages...), string([]rune(messages[0])[:20])+hit)
}

// matcherPart measures finding the phrases of a message.
func matcherPart(_ context.Context, b *bench) error {
	for _, n := range b.sizes() {
		list := phrases(n)
		m, err := matcherOf(list)
		if err != nil {
			return err
		}
		ns, allocs := b.samples(func(t *testing.B) { benchmarkFind(t, m, mixed(list)) })
		b.report.add(row{What: fmt.Sprintf("find %d phrases in a message", n), Unit: "ns", Ours: ns, Note: allocations(allocs)})
	}
	return nil
}

func allocations(n int64) string { return fmt.Sprintf(", %d allocations", n) }

func matcherOf(list []string) (*text.Matcher, error) {
	var b text.Builder
	for _, p := range list {
		if _, err := b.Add(p, text.Options{}); err != nil {
			return nil, err
		}
	}
	return b.Build()
}

func benchmarkFind(b *testing.B, m *text.Matcher, list []string) {
	var msg text.Message
	var hits []text.Hit
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		msg.Reset(list[i%len(list)])
		hits = m.Find(&msg, hits[:0])
	}
}

// decisionPart measures deciding: phrases, counters and all.
func decisionPart(_ context.Context, b *bench) error {
	var first stat
	sizes := b.sizes()
	for _, n := range sizes {
		p, err := load1(bigRules(n, 0))
		if err != nil {
			return err
		}
		ns, allocs := b.samples(func(t *testing.B) { benchmarkDecide(t, p, mixed(phrases(n))) })
		w := row{What: fmt.Sprintf("decide, %d phrases, one message in ten with a hit", n), Unit: "ns", Ours: ns, Goal: &goal{Most: 3000}, Note: allocations(allocs)}
		if n == sizes[0] {
			first = ns
		}
		b.report.add(w)
		if n == sizes[len(sizes)-1] {
			b.report.add(row{What: "… in relation to 100 phrases", Unit: "ns", Floor: &first, Ours: ns, Goal: &goal{Most: 1.3}})
		}
	}
	p, err := load1([]byte(everyCondition))
	if err != nil {
		return err
	}
	ns, allocs := b.samples(func(t *testing.B) { benchmarkDecide(t, p, messages) })
	b.report.add(row{What: "decide, every kind of condition, nothing fires", Unit: "ns", Ours: ns, Note: allocations(allocs)})
	return nil
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
