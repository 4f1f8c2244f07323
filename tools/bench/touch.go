package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The counters of Go's own runtime, in the words of Prometheus.
const (
	metricBytes   = "go_memstats_alloc_bytes_total"
	metricObjects = "go_memstats_mallocs_total"
)

// touched is what a process has touched so far, or for each request.
type touched struct {
	cpu      float64 // microseconds of processor time
	bytes    float64 // allocated; 0: it does not tell
	objects  float64
	faults   float64 // pages that were mapped without a disk
	switches float64 // of context, by its own will or not
}

// touches counts what the process of a side has touched so far.
func (s *side) touches(ctx context.Context) (t touched, err error) {
	pid := strconv.Itoa(s.process.cmd.Process.Pid)
	t.cpu = float64(s.process.cpu().Microseconds())
	t.faults = float64(statNumbers(pid)[statMinorFaults])
	t.switches = switchesOf(pid)
	if s.metrics == "" {
		return t, nil
	}
	text, err := ask(ctx, http.MethodGet, s.metrics)
	if err != nil {
		return t, err
	}
	if t.bytes, err = metric(text, metricBytes); err != nil {
		return t, err
	}
	t.objects, err = metric(text, metricObjects)
	return t, err
}

// each is what was touched since an earlier count, for each of n requests.
func (t touched) each(earlier touched, n int) touched {
	per := func(later, sooner float64) float64 { return (later - sooner) / float64(max(n, 1)) }
	return touched{
		cpu: per(t.cpu, earlier.cpu), bytes: per(t.bytes, earlier.bytes), objects: per(t.objects, earlier.objects),
		faults: per(t.faults, earlier.faults), switches: per(t.switches, earlier.switches),
	}
}

// switchesOf sums up the context switches of all threads of a process.
func switchesOf(pid string) (n float64) {
	files, _ := filepath.Glob("/proc/" + pid + "/task/*/status") // the pattern is right
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // below /proc
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(text)) {
			var count float64
			if _, value, ok := strings.Cut(line, "ctxt_switches:"); ok {
				_, _ = fmt.Sscan(value, &count)
				n += count
			}
		}
	}
	return n
}

// touchRows adds what a request touches on both sides.
func (b *bench) touchRows(p *pair, what string) {
	for _, c := range []struct {
		name, unit string
		of         func(touched) float64
	}{
		{"allocated", "bytes", func(t touched) float64 { return t.bytes }},
		{"allocated", "objects", func(t touched) float64 { return t.objects }},
		{"fresh pages", "faults", func(t touched) float64 { return t.faults }},
		{"switches of context", "switches", func(t touched) float64 { return t.switches }},
	} {
		b.report.add(row{What: what + ", " + c.name, Unit: c.unit, Floor: new(p.floor.each(c.of)), Ours: p.ours.each(c.of)})
	}
}

// each is one figure of what a request touched, over the rounds.
func (s *side) each(of func(touched) float64) stat {
	var all []float64
	for _, t := range s.touched {
		all = append(all, of(t))
	}
	return statOf(all...)
}
