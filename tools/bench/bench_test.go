package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// product is the program that is measured, compiled by TestMain.
var product string

// TestMain lets this test binary play the roles of the benchmark's processes.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		os.Exit(start())
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "escalator-bench-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	product = filepath.Join(dir, "escalator")
	// As handlers/e2e builds it, so that nothing is compiled a second time: the figures of a quick run mean nothing.
	build := exec.Command("go", "build", "-C", "../..", "-tags", "nomsgpack", "-o", product, ".")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the program: %v\n%s", err, out))
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		panic(err)
	}
	return code
}

// runBench runs the program and returns its exit code and what it printed.
func runBench(t *testing.T, args ...string) (code int, out, log string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), append(args, "-dir", t.TempDir(), "-binary", product), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// quickReport runs the program with -quick and returns its report, each row of
// which has been printed.
func quickReport(t *testing.T, args ...string) report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	code, out, log := runBench(t, append(args, "-quick", "-json", file)...)
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, log)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, w := range r.Rows {
		if !strings.Contains(out, w.What) {
			t.Errorf("%s is not in the table", w.What)
		}
	}
	return r
}

// The benchmark works: every part gives its rows, none of which is empty.
func TestBench_quick_givesEveryRow(t *testing.T) {
	r := quickReport(t)
	seen := map[string]int{}
	for _, w := range r.Rows {
		seen[w.Part]++
		if w.Absent == "" && w.Ours.Median <= 0 && !mayBeNone(&w) {
			t.Errorf("%s is %v %s", w.What, w.Ours, w.Unit)
		}
	}
	for _, p := range parts {
		if seen[p.name] == 0 && !p.not {
			t.Errorf("part %s gave no row", p.name)
		}
	}
}

// Each row of the busy machine finds its place beside that of the quiet one, so no
// name of a row may hold a figure that a run gives.
func TestBench_busy_isMeasuredInTheSameRows(t *testing.T) {
	for _, w := range quickReport(t, "-busy", "-only", "matcher,decision,start,memory,idle").Rows {
		if w.Busy == nil {
			t.Errorf("%s was not measured on the busy machine", w.What)
		} else if w.Busy.Ours.Median <= 0 && !mayBeNone(&w) {
			t.Errorf("%s is %v %s on the busy machine", w.What, w.Busy.Ours, w.Unit)
		}
	}
}

// mayBeNone reports whether nothing is a good answer, or one that a quick run gives.
func mayBeNone(w *row) bool {
	for _, part := range []string{"processor", "fresh pages", "nothing fires"} {
		if strings.Contains(w.What, part) {
			return true
		}
	}
	return false
}

func TestBench_curves_goIntoThePage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "performance.md")
	var text strings.Builder
	for _, name := range []string{"callback", "load", "latency", "phrases", "reload", "conversations"} {
		text.WriteString("before\n<!-- " + name + " -->\nold\n<!-- /" + name + " -->\nafter\n")
	}
	if err := os.WriteFile(page, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, log := runBench(t, "-quick", "-only", "curves", "-docs", page); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	got, _ := os.ReadFile(page)
	if strings.Count(string(got), "old") != 1 || strings.Count(string(got), "![") != 5 { // callbacks were not measured
		t.Errorf("%s", got)
	}
	svg, err := os.ReadFile(filepath.Join(strings.TrimSuffix(page, ".md"), "latency.svg"))
	if err != nil || !strings.HasPrefix(string(svg), "<svg") || strings.Contains(string(svg), "NaN") {
		t.Errorf("%v %s", err, svg)
	}
}

// What fails is told, in the table too, and the parts behind it are measured.
func TestBench_aPartThatFails_leavesTheOthers(t *testing.T) {
	defer func(all []part) { parts = all }(parts)
	parts = []part{
		{name: "first", run: func(context.Context, *bench) error { return errors.New("answers by status: one\nwas none") }},
		{name: "second", run: func(_ context.Context, b *bench) error {
			b.report.add(row{What: "measured", Ours: statOf(1)})
			return nil
		}},
	}
	code, out, log := runBench(t, "-quick")
	if code != 1 || !strings.Contains(out, "measured") || !strings.Contains(out, "failed: answers by status: one was none") || !strings.Contains(log, "first") {
		t.Errorf("exit %d\n%s%s", code, out, log)
	}
}

// Each part has its place on the page, so that one may be measured again alone.
func TestBench_pageOfTheDocumentation_hasAPlaceForEachPart(t *testing.T) {
	text, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if p.name == "curves" { // its plots have their own
			continue
		}
		if _, err := replaceBlock(string(text), p.name, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestBench_whatIsMissing_isToldInOneLine(t *testing.T) {
	for _, args := range [][]string{
		{"-only", "everything"},
		{"-binary", "/nonexistent"},
		{"-dir", "/nonexistent"},
		{"-quick", "-only", "idle", "-binary", "/bin/true"}, // no service
		{"-quick", "idle"},
	} {
		var out, log bytes.Buffer
		if !strings.Contains(strings.Join(args, " "), "-dir") {
			args = append(args, "-dir", t.TempDir())
		}
		code := run(t.Context(), args, &out, &log)
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if last := lines[len(lines)-1]; code != 2 || !strings.HasPrefix(last, "bench: ") && !strings.Contains(log.String(), "flag") {
			t.Errorf("%v: exit %d: %s", args, code, log.String())
		}
	}
}

func TestBench_withoutRedisServer_saysSoBeforeItMeasures(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var out, log bytes.Buffer
	code := run(t.Context(), []string{"-quick", "-binary", "/bin/true", "-dir", t.TempDir()}, &out, &log)
	if code != 2 || strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "redis-server is missing") {
		t.Errorf("exit %d: %s", code, log.String())
	}
}
