package e2e_test

import (
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
	count, silent := map[string]int{}, 0
	for session := range w.app.asked {
		life, outcome := w.app.promised[session], w.log.finals[session]
		if life > 0 && !w.log.decided[session] && !w.process.cut[life] {
			silent++
		}
		switch {
		case life == 0:
			w.complain("%s never got its answer", session)
		case accepted[session]:
			count["delivered"]++
		case outcome == "failed" || outcome == "no_agent":
			count["ended as "+outcome]++
		case w.app.givenUp[session]:
			count["given up, the line is lost"]++
		case w.refused.finally(session):
			count["refused by Desk, the line is lost"]++
		default:
			w.complain("LOST: %s was promised in life %d; the log ends with %q", session, life, outcome)
		}
	}
	if silent > w.log.dropped {
		w.complain("%d decisions are not in the log, which owns to %d lines", silent, w.log.dropped)
	}
	w.t.Logf("%d asked for a person: %v; delivered after %s; %d decisions that are not in the log, which owns to %d dropped lines",
		len(w.app.asked), count, quantiles(delays), silent, w.log.dropped)
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
	w.t.Logf("walk of %s, seed %d: %d kills, %d stops (slowest %s); callbacks %v; ours %s; own bot slow %s; /healthz %s; /readyz %v; at most %d MiB of memory, %d MiB on disk",
		lasted, seed, w.process.kills, w.process.stops, w.process.slowest.Round(time.Millisecond), w.app.count,
		quantiles(w.app.took), quantiles(w.app.passed), quantiles(w.watch.health), w.watch.states, w.watch.highest, w.disk.used())
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
