package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"
)

const bigFile = 10_000 // phrases

// longest is the number of phrases of the longest rule file.
func (b *bench) longest() int {
	if b.quick {
		return bigFile / 10
	}
	return bigFile
}

// startPart measures loading, reloading and starting with a long rule file, and
// what a reload does to the callbacks meanwhile.
func startPart(ctx context.Context, b *bench) error {
	phrases := b.longest()
	src := bigRules(phrases, 0)
	ns, _ := b.samples(func(t *testing.B) {
		for t.Loop() {
			if _, err := load1(src); err != nil {
				t.Fatal(err)
			}
		}
	})
	b.report.add(row{What: fmt.Sprintf("load %d phrases", phrases), Unit: "ms", Ours: scaled(ns, 1e6)})
	for _, f := range []struct {
		name string
		src  []byte
	}{{"start to ready with the shipped rules", nil}, {fmt.Sprintf("start to ready with %d phrases", phrases), src}} {
		if err := b.starts(ctx, f.name, f.src); err != nil {
			return err
		}
	}
	return b.reloads(ctx, src)
}

func scaled(s stat, by float64) stat { return stat{s.Median / by, s.Low / by, s.High / by} }

// starts starts the binary a few times.
func (b *bench) starts(ctx context.Context, name string, src []byte) (err error) {
	if src == nil {
		if src, err = shippedRules(); err != nil {
			return err
		}
	}
	var took []float64
	for range 2*b.rounds - 1 {
		s, err := b.startService(ctx, src)
		if err != nil {
			return err
		}
		took = append(took, float64(s.ready.Microseconds())/1000)
		s.stop()
	}
	b.report.add(row{What: name, Unit: "ms", Ours: statOf(took...), Goal: atMost(200)})
	return nil
}

// reloads reloads a running service again and again while callbacks come.
func (b *bench) reloads(ctx context.Context, src []byte) error {
	s, err := b.startService(ctx, src)
	if err != nil {
		return err
	}
	defer s.stop()
	var took []float64
	atRest, reloading := s.side(), s.side()
	for round := range b.rounds {
		atRest.from, reloading.from = 2*round*far, (2*round+1)*far
		if err := b.once(ctx, atRest, probe(b.length)); err != nil {
			return err
		}
		times, err := b.reloadUnder(ctx, s, reloading, round)
		if err != nil {
			return err
		}
		took = append(took, times...)
	}
	b.report.add(row{What: fmt.Sprintf("reload %d phrases", b.longest()), Unit: "ms", Ours: statOf(took...), Goal: atMost(100)})
	b.report.add(row{
		What: "slowest callback while reloading (floor: the same service at rest)", Unit: "ms",
		Floor: new(scaled(statOf(atRest.maxs...), 1000)), Ours: scaled(statOf(reloading.maxs...), 1000), Goal: atMost(5).more(),
	})
	return nil
}

// probe is a load that troubles nobody, for d.
func probe(d time.Duration) load {
	return load{Kind: quiet, Connections: connections, Rate: probeRate, Length: d}
}

const (
	// probeRate is the arrivals a second of a load that only looks.
	probeRate = 500
	// far is how many requests lie between two probes, so that none is sent twice.
	far = 1 << 20
)

// reloadUnder reloads for as long as a probe takes.
func (b *bench) reloadUnder(ctx context.Context, s *service, probed *side, round int) (took []float64, err error) {
	probing := make(chan error, 1)
	go func() { probing <- b.once(ctx, probed, probe(b.length)) }()
	for variant := 1; ; variant++ {
		if err := writeRules(s, bigRules(b.longest(), 1000*round+variant)); err != nil {
			return nil, err
		}
		began := time.Now()
		if _, err := s.ask(ctx, http.MethodPost, "/api/reload"); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
		select {
		case err := <-probing:
			return took, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func writeRules(s *service, src []byte) error { return os.WriteFile(s.rules, src, 0o600) }

// idlePart measures what the program takes without doing anything.
func idlePart(ctx context.Context, b *bench) error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.report.add(row{What: "binary", Unit: "MB", Ours: statOf(float64(info.Size()) / 1e6), Goal: atMost(30)})
	src, err := shippedRules()
	if err != nil {
		return err
	}
	s, err := b.startService(ctx, src)
	if err != nil {
		return err
	}
	defer s.stop()
	<-time.After(min(b.length, 3*time.Second))
	kib, err := s.kib("VmRSS")
	if err != nil {
		return err
	}
	b.report.add(row{What: "resident memory at rest", Unit: "MB", Ours: statOf(kib * 1024 / 1e6), Goal: atMost(40)})
	return nil
}
