package main

import (
	"context"
	"fmt"
	"testing"

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
