package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// The benchmark works: every part gives its rows, none of which is empty.
func TestBench_quick_givesEveryRow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	code, out, log := runBench(t, "-quick", "-json", file)
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
	seen := map[string]int{}
	for _, w := range r.Rows {
		seen[w.Part]++
		if w.Ours.Median <= 0 && !strings.Contains(w.What, "left") && !strings.Contains(w.What, "processor") {
			t.Errorf("%s is %v", w.What, w.Ours)
		}
		if !strings.Contains(out, w.What) {
			t.Errorf("%s is not in the table", w.What)
		}
	}
	for _, p := range parts {
		if seen[p.name] == 0 && !p.not {
			t.Errorf("part %s gave no row", p.name)
		}
	}
}

func TestBench_curves_goIntoThePage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "performance.md")
	var text strings.Builder
	for _, name := range []string{"table", "load", "latency", "phrases", "reload", "memory"} {
		text.WriteString("before\n<!-- " + name + " -->\nold\n<!-- /" + name + " -->\nafter\n")
	}
	if err := os.WriteFile(page, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, log := runBench(t, "-quick", "-only", "curves", "-docs", page); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	got, _ := os.ReadFile(page)
	if strings.Count(string(got), "old") != 1 || strings.Count(string(got), "![") != 5 { // the table was not measured
		t.Errorf("%s", got)
	}
	svg, err := os.ReadFile(filepath.Join(strings.TrimSuffix(page, ".md"), "latency.svg"))
	if err != nil || !strings.HasPrefix(string(svg), "<svg") || strings.Contains(string(svg), "NaN") {
		t.Errorf("%v %s", err, svg)
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

// A generator that is stopped for a moment must not hide what would have been
// sent meanwhile.
func TestLoad_openLoop_countsFromTheIntendedTime(t *testing.T) {
	g := newGenerator(load{Rate: 1, Connections: 1})
	g.counting = time.Now().Add(-time.Minute)
	g.end = time.Now().Add(-grace - time.Second)
	w := &worker{generator: g, client: newClient("127.0.0.1:1"), latency: newHistogram(), statuses: map[int]int{}}
	g.arrivals <- arrival{number: 1, meant: time.Now().Add(-3 * time.Second)}
	close(g.arrivals)
	w.open()
	if us := w.latency.Max() / 1000; us < 2_900_000 || w.statuses[0] != 1 {
		t.Errorf("latency %d µs, statuses %v", us, w.statuses)
	}
}

func TestReport_goalsAreJudged(t *testing.T) {
	var r report
	floor := statOf(100)
	r.add(row{What: "ratio", Floor: &floor, Ours: statOf(80, 90, 85), Goal: &goal{Least: .85}})
	shared := &goal{Most: 1.3}
	r.add(row{What: "slow", Floor: &floor, Ours: statOf(131), Goal: shared})
	r.add(row{What: "bare", Floor: &floor, Ours: statOf(4), Goal: &goal{Most: 5, Bare: true}})
	r.add(row{What: "fast enough, under the same goal", Floor: &floor, Ours: statOf(129), Goal: shared})
	var out strings.Builder
	r.print(&out)
	if !r.Rows[0].Goal.Met || r.Rows[1].Goal.Met || !r.Rows[2].Goal.Met || !r.Rows[3].Goal.Met || !strings.Contains(out.String(), "85.0 (80.0–90.0)") {
		t.Errorf("%s", out.String())
	}
}
