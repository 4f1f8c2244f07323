package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// historyPart has `go test` fill a history of 1 GiB (ESCALATOR_HISTORY_MAX's
// default), because what it measures is inside of a package.
func historyPart(ctx context.Context, b *bench) error {
	path, err := exec.LookPath("go")
	if err != nil {
		return missingError("go is missing, which fills the history: leave the part out with -only")
	}
	cmd := exec.CommandContext(ctx, path, "test", "-tags", "nomsgpack", "-count=1", "-run", "^$", "-bench", "History_large", "-benchtime", "1x", "./bot/history") //nolint:gosec // the compiler
	cmd.Stderr = b.log
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return b.historyRows(benchmarked(string(out)))
}

// historyFigures are what the benchmark reports, by its units.
var historyFigures = []struct {
	metric, what, unit string
	goal               *goal
}{
	{"conversations", "conversations in 1 GiB", "", nil},
	{"entries", "entries in 1 GiB", "", nil},
	{"open-ms", "open: the service is ready, the files are read in the background", "ms", atMost(2000)},
	{"loaded-s", "all of it is found again after a start", "s", nil},
	{"MiB/100k", "memory of the index, for 100,000 conversations", "MiB", nil},
	{"get-p50-ms", "one conversation", "ms", nil},
	{"get-p99-ms", "one conversation, p99", "ms", atMost(5)},
	{"each-s", "all entries once (report, stats after a start, search; it ends after 5 s and says so, the newest first)", "s", nil},
	{"forget-s", "a user is forgotten: all files are read twice", "s", nil},
	{"oldest-out-ms", "the oldest 64 MiB go, in the background", "ms", nil},
	{"slowest-put-ms", "the longest that a callback waited for its entry while all that went on", "ms", nil},
}

func (b *bench) historyRows(found map[string]float64) error {
	for _, f := range historyFigures {
		value, ok := found[f.metric]
		if !ok {
			return fmt.Errorf("the benchmark of the history reports no %s", f.metric)
		}
		b.report.add(row{What: f.what, Unit: f.unit, Ours: statOf(value), Goal: f.goal})
	}
	return nil
}

// benchmarked reads the figures of a benchmark from what go test printed, by units.
func benchmarked(out string) map[string]float64 {
	found := map[string]float64{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "Benchmark") || len(fields) < 4 {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 { // behind its name and how often it ran
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				found[fields[i+1]] = value
			}
		}
	}
	return found
}
