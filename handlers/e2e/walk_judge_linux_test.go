package e2e_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// The bounds of the promise, and what the short walk asks for instead: a machine
// that does a hundred other things must not make it fail.
const (
	promisedP99 = 200 * time.Millisecond
	certainP99  = 1500 * time.Millisecond
	longWalk    = 5 * time.Minute
	reportLines = 400
	maxCut      = 20 // final lines that a death may take with it
)

// judge compares what was promised with what became of it.
func (w *walk) judge() {
	accepted, delays := map[string]bool{}, []time.Duration(nil)
	ledger := w.desk.Ledger()
	for _, a := range ledger.Accepted {
		accepted[a.Session] = true
		if at, ours := w.app.at[a.Session]; ours {
			delays = append(delays, max(0, a.At.Sub(at)))
		}
	}
	for _, session := range ledger.AcceptedTwice() {
		w.complain("%s: accepted twice", session)
	}
	count, untold, silent, cut := map[string]int{}, 0, 0, 0
	for session := range w.app.asked {
		life := w.app.promised[session]
		outcome, ended := w.log.finals[session]
		if life > 0 && !w.log.decided[session] && !w.process.cut[life] {
			silent++
		}
		switch {
		case life == 0:
			w.complain("%s never got its answer", session)
		case accepted[session]:
			count["delivered"]++
		case ended || w.app.givenUp[session]:
			count["ended as "+cmp.Or(outcome, "given up")]++
		default:
			untold++
			w.note("%s: promised in life %d, and nothing tells what became of it", session, life)
		}
	}
	for _, c := range w.process.cut {
		if c {
			cut++
		}
	}
	// A line that was dropped, or in memory when its process was killed, tells nothing.
	if untold > w.log.dropped && cut == 0 || untold > w.log.dropped+maxCut*cut {
		w.complain("%d lost", untold)
	}
	if silent > w.log.dropped {
		w.complain("%d decisions are not in the log, which owns to %d lines", silent, w.log.dropped)
	}
	w.t.Logf("%d asked for a person: %v, %d untold; delivered after %s; %d decisions that are not in the log, which owns to %d dropped lines",
		len(w.app.asked), count, untold, quantiles(delays), silent, w.log.dropped)
}

// report says what was measured, and on failure how it came about.
func (w *walk) report(seed uint64, lasted time.Duration) {
	p99, bound := quantile(w.app.took, .99), certainP99
	if lasted >= longWalk {
		bound = promisedP99
	}
	if p99 > bound {
		w.complain("callbacks answered within %s (p99), want %s", p99, bound)
	}
	for second, n := range w.app.late {
		w.diary = append(w.diary, fmt.Sprintf("%4d.xxs %d callbacks took longer than %s", second, n, promisedP99))
	}
	slices.SortStableFunc(w.diary, func(a, b string) int { return strings.Compare(a[:5], b[:5]) })
	w.t.Logf("walk of %s, seed %d: %d kills, %d stops (slowest %s); callbacks %v; ours %s; own bot slow %s; /healthz %s; /readyz %v; at most %d MiB",
		lasted, seed, w.process.kills, w.process.stops, w.process.slowest.Round(time.Millisecond), w.app.count,
		quantiles(w.app.took), quantiles(w.app.passed), quantiles(w.watch.health), w.watch.states, w.watch.highest)
	w.t.Logf("at once at the most: %v", w.reached)
	w.t.Logf("log lines beside decisions and transfers: %s", w.log.most())
	for _, wrong := range w.wrong {
		w.t.Error(wrong)
	}
	if w.more > 0 {
		w.t.Errorf("and %d more", w.more)
	}
	if w.t.Failed() || os.Getenv("WALK_ONLY") != "" {
		w.t.Logf("again with WALK_SEED=%d WALK_TIME=%s\n%s\nthe last other log lines:\n%s", seed, lasted,
			strings.Join(w.diary[max(0, len(w.diary)-reportLines):], "\n"), w.log.tail())
	}
}
