package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit is when a run that hangs is ended.
const limit = time.Hour

func main() { os.Exit(start()) }

// start plays the role that this process was started for, or runs the benchmark.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if role := os.Getenv(roleVariable); role != "" {
		return play(ctx, role, os.Args[1:])
	}
	testing.Init() // the parts within this process use testing.Benchmark
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// part is one section of the table.
type part struct {
	name string
	run  func(context.Context, *bench) error
	not  bool // only when it is asked for, and on the quiet machine alone
}

var parts = []part{
	{name: "callback", run: callbackPart},
	{name: "overload", run: overloadPart},
	{name: "matcher", run: matcherPart},
	{name: "decision", run: decisionPart},
	{name: "store", run: storePart},
	{name: "start", run: startPart},
	{name: "memory", run: memoryPart},
	{name: "idle", run: idlePart},
	{name: "curves", run: curvesPart, not: true},
	{name: "history", run: historyPart, not: true},
}

// bench is one run.
type bench struct {
	options
	dir    string // for everything that is written
	binary string // absolute: each service runs in a folder of its own
	report *report
	log    io.Writer // progress
}

type options struct {
	only   string
	scene  string
	quick  bool
	busy   bool
	binary string
	json   string
	docs   string
	dir    string
	rounds int
	length time.Duration // of one measurement
}

// missingError says what this machine lacks.
type missingError string

func (e missingError) Error() string { return string(e) }

// run runs the benchmark and returns the exit code.
func run(ctx context.Context, args []string, out, log io.Writer) int {
	o, err := readOptions(args, log)
	if err != nil {
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var missing missingError
	switch err := measure(ctx, o, out, log); {
	case errors.As(err, &missing):
		fmt.Fprintln(log, "bench:", missing)
		return 2
	case err != nil:
		fmt.Fprintln(log, "bench:", err)
		return 1
	}
	return 0
}

func readOptions(args []string, log io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(log)
	fs.StringVar(&o.only, "only", "", "parts to run, separated by commas: "+strings.Join(partNames(), ", ")+" (default: all but curves and history)")
	fs.StringVar(&o.scene, "scene", "", "of the part callback only the sorts of callbacks whose names begin so, as in the table: escalates (default: all)")
	fs.BoolVar(&o.quick, "quick", false, "tiny rounds, to see that everything works; the figures mean nothing")
	fs.BoolVar(&o.busy, "busy", false, "measure everything a second time while another process sweeps 32 MiB of memory without end")
	fs.StringVar(&o.binary, "binary", "bin/escalator", "the program to measure, as make build makes it")
	fs.StringVar(&o.json, "json", "", "also write the report into this file, as JSON")
	fs.StringVar(&o.docs, "docs", "", "also write the report into this page, between its markers, and plots into the folder of its name")
	fs.StringVar(&o.dir, "dir", "", "folder for data files, on the disk to be measured (default: a temporary one)")
	fs.IntVar(&o.rounds, "rounds", 3, "alternating rounds")
	fs.DurationVar(&o.length, "length", 3*time.Second, "length of one measurement")
	if err = fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		err = fmt.Errorf("it takes no argument, and here is %q (-only names the parts)", fs.Arg(0))
		fmt.Fprintln(log, "bench:", err)
		return o, err
	}
	if o.quick {
		o.rounds, o.length = 1, 100*time.Millisecond
	}
	for name := range strings.SplitSeq(o.only, ",") {
		if name != "" && !slices.Contains(partNames(), name) {
			err = fmt.Errorf("-only: %q is none of %s", name, strings.Join(partNames(), ", "))
			fmt.Fprintln(log, "bench:", err)
			return o, err
		}
	}
	return o, nil
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

func (o *options) wants(p part) bool {
	if o.only == "" {
		return !p.not
	}
	return slices.Contains(strings.Split(o.only, ","), p.name)
}

// measure runs the parts that are wanted and prints what they found.
func measure(ctx context.Context, o options, out, log io.Writer) error {
	dir, err := os.MkdirTemp(o.dir, "escalator-bench-")
	if err != nil {
		return missingError("no folder to write to: " + err.Error())
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{options: o, dir: dir, log: log, report: &report{Quick: o.quick, bothMachines: o.busy}}
	if b.binary, err = productBinary(o.binary); err != nil {
		return err
	}
	setBenchTime(o)
	if err := b.missing(); err != nil {
		return err
	}
	b.report.Machine = b.machine()
	began := usageNow()
	var failed []error
	for _, p := range parts {
		if !o.wants(p) || ctx.Err() != nil {
			continue
		}
		b.report.part = p.name
		fmt.Fprintf(log, "%4.0fs  %s\n", time.Since(began.at).Seconds(), p.name)
		failed = append(failed, b.attempt(p.name, p.run(ctx, b)))
		if !o.busy || p.not {
			continue
		}
		fmt.Fprintf(log, "%4.0fs  %s, on a busy machine\n", time.Since(began.at).Seconds(), p.name)
		failed = append(failed, b.attempt(p.name+", on a busy machine", b.onBusyMachine(ctx, p)))
	}
	ended := usageNow()
	b.report.Load, b.report.Seconds = ended.since(began), ended.at.Sub(began.at).Seconds()
	b.report.print(out)
	return errors.Join(append(failed, b.save())...)
}

// attempt says in the table that something could not be measured: the rest of a run
// that takes long is worth having all the same.
func (b *bench) attempt(what string, err error) error {
	if err == nil {
		return nil
	}
	b.report.add(row{What: what, Absent: "failed: " + strings.ReplaceAll(err.Error(), "\n", " ")})
	return fmt.Errorf("%s: %w", what, err)
}

// onBusyMachine measures a part beside a process that sweeps memory.
func (b *bench) onBusyMachine(ctx context.Context, p part) error {
	sweeper, err := startHelper(ctx, roleSweeper)
	if err != nil {
		return err
	}
	defer sweeper.stop()
	b.report.busy = true
	defer func() { b.report.busy = false }()
	return p.run(ctx, b)
}

// missing looks for what the parts need before anything is measured: minutes of
// figures are not thrown away for a tool that was never there.
func (b *bench) missing() error {
	for _, p := range parts {
		if p.name == "store" && b.wants(p) {
			if _, err := redisServer(); err != nil {
				return err
			}
		}
	}
	return nil
}

// save writes the report where the flags say.
func (b *bench) save() error {
	if b.docs != "" {
		if err := b.report.intoPage(b.docs); err != nil {
			return err
		}
	}
	if b.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(b.report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(b.json, append(text, '\n'), 0o600)
}

// setBenchTime says how long testing.Benchmark goes on.
func setBenchTime(o options) {
	long := "500ms"
	if o.quick {
		long = "1x"
	}
	_ = flag.Set("test.benchtime", long) // never fails: testing.Init has registered it
}
