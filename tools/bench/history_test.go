package main

import (
	"strings"
	"testing"
)

func TestHistory_figuresOfTheBenchmark_becomeRows(t *testing.T) {
	var line strings.Builder
	for i, f := range historyFigures {
		if i > 0 {
			line.WriteString("\t")
		}
		line.WriteString("  12.5 " + f.metric)
	}
	b := &bench{report: new(report)}
	if err := b.historyRows(benchmarked("goos: linux\nBenchmarkHistory_large-2 \t 1 \t 9000 ns/op\t" + line.String() + "\nPASS\n")); err != nil {
		t.Fatal(err)
	}
	for _, w := range b.report.Rows {
		if w.Ours.Median != 12.5 || w.Goal != nil && w.Goal.Met != (w.Goal.Bound > 12.5) {
			t.Errorf("%+v", w)
		}
	}
	if len(b.report.Rows) != len(historyFigures) {
		t.Errorf("%d rows", len(b.report.Rows))
	}
}

func TestHistory_aFigureThatIsGone_isNotPassedOver(t *testing.T) {
	b := &bench{report: new(report)}
	if err := b.historyRows(benchmarked("BenchmarkHistory_large-2 1 9000 ns/op 1.5 open-ms\n")); err == nil || !strings.Contains(err.Error(), "conversations") {
		t.Error(err)
	}
}
