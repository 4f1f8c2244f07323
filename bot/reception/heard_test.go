package reception

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"escalator/bot/clock"
	"escalator/bot/store"
	"escalator/rules"
)

// Without a callback token anybody can make agents up. They cost a bounded memory, the
// last ones are known, and the reading can still be shared.
func TestMemberChanged_agentsMadeUp_areBounded(t *testing.T) {
	inOffice(t, func(o *office) {
		w, stop := o.watcher("a")
		defer stop()
		passes(time.Second)
		for i := range 20_000 {
			w.MemberChanged(fmt.Sprintf("made-up-%d-%s", i, strings.Repeat("\x01", i%500)), true)
		}
		w.MemberChanged("li@x", true)
		if n := len(w.Reading().Agents); n > maxHeard+1 || !w.Reading().Agents["li@x"] {
			t.Errorf("%d agents are known, li@x %v", n, w.Reading().Agents["li@x"])
		}
		passes(11 * time.Second)
		r, err := o.records.Record(o.t.Context(), store.KindReading, recordName)
		if err != nil || !strings.Contains(string(r.Value), "li@x") || strings.Contains(o.log.String(), "cannot be shared") {
			t.Errorf("the reading is not shared: %d bytes, %v\n%s", len(r.Value), err, o.log)
		}
		w.MemberChanged(strings.Repeat("x", maxHeardBytes+1), true)
		if w.heard.bytes > maxHeardBytes {
			t.Errorf("names of %d bytes are kept", w.heard.bytes)
		}
	})
}

// That an agent's status changed is no reading of agents and queue: who asks waits for one.
func TestAsk_afterAReportAlone_stillWaitsForTheFigures(t *testing.T) {
	inOffice(t, func(o *office) {
		o.need(rules.Asks{}, false)
		w, stop := o.watcher("a")
		defer stop()
		passes(3 * time.Second)
		w.MemberChanged("li@x", true)
		passes(2 * time.Second)
		if r := w.Reading(); r == nil || !r.Agents["li@x"] || r.Free != nil {
			t.Fatalf("known before the question: %+v", r)
		}
		if s := w.Ask(o.t.Context()); s.Reading == nil || s.Reading.Free == nil || !s.Reading.Agents["li@x"] {
			t.Errorf("asked: %+v", s.Reading)
		}
		passes(3 * rules.ReadingFor)
		if r := w.Reading().Fresh(time.Now()); r != nil {
			t.Errorf("still counts: %+v", r)
		}
	})
}

// Tencent sends a report to one replica, and another one asks Desk: what a status means
// is learned all the same, and both know who is free.
func TestWatcher_ofSeveralProcesses_theOneThatAsksLearnsFromTheReportsOfAll(t *testing.T) {
	inOffice(t, func(o *office) {
		o.need(rules.Asks{Reading: true, Agents: []string{"li@x", "wang@x"}}, false)
		o.desk.members = map[string]int{"li@x": 1, "wang@x": 3}
		asks, stopA := o.watcher("a")
		defer stopA()
		passes(time.Second)
		hears, stopB := o.watcher("b")
		defer stopB()
		passes(5 * time.Second)
		hears.MemberChanged("li@x", true)
		hears.MemberChanged("wang@x", false)
		passes(25 * time.Second)
		for _, w := range []*Watcher{asks, hears} {
			if got := fmt.Sprint(w.Reading().Agents); got != "map[li@x:true wang@x:false]" {
				t.Errorf("%s knows %s", w.lease.Owner, got)
			}
		}
		passes(3 * time.Minute) // a report counts once, however often it is read
		if got := fmt.Sprint(asks.statuses); got != "map[1:{1 0} 3:{0 1}]" {
			t.Errorf("learned %s", got)
		}
	})
}

// The clock on the wall is set back: an agent's next report counts all the same.
func TestMemberChanged_afterTheWallClockWasSetBack_counts(t *testing.T) {
	inOffice(t, func(o *office) {
		back := time.Duration(0)
		w, stop := o.watcher("a", func(options *Options) {
			options.Clock = clock.Of(func() time.Time { return time.Now().Round(0).Add(-back) })
		})
		defer stop()
		passes(time.Second)
		w.MemberChanged("li@x", true)
		back = time.Hour
		w.MemberChanged("li@x", false)
		if r := w.Reading(); r.Agents["li@x"] {
			t.Errorf("still free: %v", r.Agents)
		}
	})
}
