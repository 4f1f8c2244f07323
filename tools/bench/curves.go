package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// curvesPart measures how cost grows with load, phrases and conversations.
func curvesPart(ctx context.Context, b *bench) error {
	for _, draw := range []func(context.Context, *bench) error{loadCurve, phraseCurves, memoryCurve} {
		if err := draw(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// shares are the arrivals that are offered, of what the floor can answer.
func (b *bench) shares() []float64 {
	if b.quick {
		return []float64{.1, 1.1}
	}
	return []float64{.05, .1, .15, .2, .25, .3, .35, .4, .5, .6, .7, .8, .9, 1, 1.1, 1.25}
}

// loadCurve offers more and more, up to and past what a side can answer.
func loadCurve(ctx context.Context, b *bench) error {
	p, stop, err := b.besideFloor(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := b.alternate(ctx, load{Kind: quiet, Connections: connections}, p.floor); err != nil {
		return err
	}
	most := statOf(p.floor.rates...).Median
	answered := plot{File: "load", Title: "Answers against arrivals", X: "arrivals a second", Y: "answers a second"}
	late := plot{File: "latency", Title: "99th percentile of the time to an answer of 200, from the moment the callback was meant to be sent", X: "arrivals a second", Y: "ms", LogY: true}
	for _, side := range []struct {
		name string
		*side
	}{{"bare Gin handler", p.floor}, {"Escalator", p.ours}} {
		var rates, times series
		rates.Name, times.Name = side.name, side.name
		for _, share := range b.shares() {
			o, err := generate(ctx, load{
				Address: side.address, Kind: quiet, Connections: manyConnections, Rate: share * most, From: side.from,
				Length: b.length, // no warm-up: past saturation its queue would be answered in the time that counts, and not be counted
			})
			if err != nil {
				return err
			}
			side.from = o.Next
			rates.Points = append(rates.Points, point{share * most, o.Rate})
			times.Points = append(times.Points, point{share * most, o.P99 / 1000})
		}
		answered.Series, late.Series = append(answered.Series, rates), append(late.Series, times)
	}
	b.report.Plots = append(b.report.Plots, answered, late)
	return nil
}

// phraseCurves grow the rule file: deciding, loading, reloading.
func phraseCurves(ctx context.Context, b *bench) error {
	decide := plot{File: "phrases", Title: "Deciding one message of 100 bytes", X: "phrases in the file", Y: "ns", LogX: true}
	reload := plot{File: "reload", Title: "Reloading the rule file of a running service", X: "phrases in the file", Y: "ms", LogX: true}
	decide.Series, reload.Series = []series{{Name: "decide"}}, []series{{Name: "reload"}}
	counts := []int{10, 30, 100, 300, 1000, 3000, 10_000, 20_000}
	if b.quick {
		counts = []int{10, 100}
	}
	for _, n := range counts {
		p, err := load1(bigRules(n, 0))
		if err != nil {
			return err
		}
		ns, _ := b.samples(func(t *testing.B) { benchmarkDecide(t, p, mixed(phrases(n))) })
		decide.Series[0].Points = append(decide.Series[0].Points, point{float64(n), ns.Median})
		ms, err := b.reloadTime(ctx, n)
		if err != nil {
			return err
		}
		reload.Series[0].Points = append(reload.Series[0].Points, point{float64(n), ms})
	}
	b.report.Plots = append(b.report.Plots, decide, reload)
	return nil
}

// reloadTime reloads files of n phrases and returns the median time.
func (b *bench) reloadTime(ctx context.Context, n int) (ms float64, err error) {
	s, err := b.startService(ctx, bigRules(n, 0))
	if err != nil {
		return 0, err
	}
	defer s.stop()
	var took []float64
	for variant := range 2*b.rounds + 1 {
		if err := writeRules(s, bigRules(n, variant+1)); err != nil {
			return 0, err
		}
		began := time.Now()
		if _, err := s.ask(ctx, http.MethodPost, "/api/reload"); err != nil {
			return 0, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	return statOf(took...).Median, nil
}

// memoryCurve fills a service step by step, with and without a memory limit.
func memoryCurve(ctx context.Context, b *bench) error {
	src, err := shippedRules()
	if err != nil {
		return err
	}
	count, steps := million, 10
	if b.quick {
		count, steps = fewer/10, 2
	}
	grow := plot{File: "conversations", Title: "Resident memory against live conversations", X: "conversations", Y: "MB"}
	for _, way := range []struct {
		name     string
		kind     kind
		settings []string
	}{
		{"begun, as many dedup keys, no limit", begun, nil},
		{"begun, " + memoryLimit, begun, []string{memoryLimit, "ESCALATOR_DEDUP_FOR=1s"}},
		{"a message in each, as many dedup keys, no limit", spoken, nil},
	} {
		s, err := b.startService(ctx, src, way.settings...)
		if err != nil {
			return err
		}
		line, err := s.growth(ctx, way.kind, count/steps, steps)
		s.stop()
		if err != nil {
			return err
		}
		line.Name = way.name
		grow.Series = append(grow.Series, line)
	}
	b.report.Plots = append(b.report.Plots, grow)
	return nil
}

// growth fills a service in steps and looks what it takes after each.
func (s *service) growth(ctx context.Context, k kind, step, steps int) (line series, err error) {
	for i := range steps + 1 {
		if i > 0 {
			if err := s.fill(ctx, k, i*step, step); err != nil {
				return line, err
			}
		}
		kib, err := s.kib("VmRSS")
		if err != nil {
			return line, err
		}
		line.Points = append(line.Points, point{float64(i * step), kib * 1024 / 1e6})
	}
	return line, nil
}

// table writes a plot's figures as a table for the page.
func (p *plot) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", p.X)
	for _, s := range p.Series {
		fmt.Fprintf(&b, " %s, %s |", s.Name, p.Y)
	}
	fmt.Fprintf(&b, "\n| ---: |%s\n", strings.Repeat(" ---: |", len(p.Series)))
	for i, at := range p.Series[0].Points {
		fmt.Fprintf(&b, "| %s |", number(at.X))
		for _, s := range p.Series {
			fmt.Fprintf(&b, " %s |", number(s.Points[i].Y))
		}
		b.WriteString("\n")
	}
	return b.String()
}
