package reception

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/rules"
)

func TestWatcher_asksDesk_onlyWhileSomebodyNeedsIt(t *testing.T) {
	inOffice(t, func(o *office) {
		o.need(rules.Asks{}, false)
		w, stop := o.watcher("a")
		defer stop()
		passes(time.Hour)
		if n := o.desk.count(); n != 0 || w.Reading() != nil {
			t.Errorf("asked %d times though nobody needs it", n)
		}
		o.need(rules.Asks{Reading: true}, false)
		passes(time.Minute)
		if n := o.desk.count(); n < 5 || n > 7 {
			t.Errorf("asked %d times in the minute of a rule", n)
		}
		if r := w.Reading().Fresh(time.Now()); r == nil || *r.Free != 2 || *r.Queue != 5 || r.Groups["7"] != 3 || r.Busy != nil {
			t.Errorf("read %+v", r)
		}
		before := o.desk.count()
		o.need(rules.Asks{}, true)
		passes(time.Minute)
		if n := o.desk.count() - before; n < 5 || n > 7 {
			t.Errorf("asked %d times in a minute in which customers wait", n)
		}
		o.need(rules.Asks{}, false)
		before = o.desk.count()
		passes(time.Hour)
		if n := o.desk.count() - before; n > 1 || w.Reading().Fresh(time.Now()) != nil {
			t.Errorf("asked %d times more", n)
		}
	})
}

func TestAsk_isANeedForAMinute_andWaitsForTheFirstReading(t *testing.T) {
	inOffice(t, func(o *office) {
		o.need(rules.Asks{}, false)
		w, stop := o.watcher("a")
		defer stop()
		passes(time.Second * 3)
		began := time.Now()
		s := w.Ask(o.t.Context())
		if took := time.Since(began); !s.Fresh || *s.Reading.Free != 2 || took > askWait || s.LastError != nil || s.PolledBy == "" {
			t.Errorf("after %s: %+v", took, s)
		}
		passes(50 * time.Second)
		if n := o.desk.count(); n < 5 || n > 7 {
			t.Errorf("asked %d times in the minute after the question", n)
		}
		before := o.desk.count()
		passes(time.Hour)
		if n := o.desk.count() - before; n > 2 {
			t.Errorf("asked %d times after the minute", n)
		}
	})
}

func TestWatcher_aCallThatFails_isMadeAtGrowingDistances_andToldOnce(t *testing.T) {
	inOffice(t, func(o *office) {
		o.desk.err = &desk.Error{Op: "describe_reception_realtime_statistics", Code: 71000, Status: 200}
		w, stop := o.watcher("a")
		defer stop()
		synctest.Wait()
		if s := w.Ask(o.t.Context()); s.LastError == nil || !strings.Contains(s.LastError.Error, "71000") || s.Reading != nil {
			t.Errorf("%+v", s)
		}
		passes(30 * time.Minute)
		if n := o.desk.count(); n < 8 || n > 12 { // 10, 20, 40, 80, 160 s, then every 5 min
			t.Errorf("asked %d times in half an hour", n)
		}
		w.MemberChanged("li@x", true) // no reason to ask earlier
		before := o.desk.count()
		passes(time.Second * 5)
		if n := o.desk.count(); n > before+1 {
			t.Errorf("asked %d times though Desk refuses", n-before)
		}
		o.desk.set(func() { o.desk.err = nil })
		passes(6 * time.Minute)
		if s := w.Ask(o.t.Context()); s.LastError != nil || !s.Fresh {
			t.Errorf("mended: %+v", s)
		}
		if told := strings.Count(o.log.String(), `"level":"warning"`); told != 2 {
			t.Errorf("told %d times:\n%s", told, o.log)
		}
	})
}

func TestWatcher_whatDeskLeavesOut_isUnknown_andWhatIsOldCountsNoMore(t *testing.T) {
	inOffice(t, func(o *office) {
		o.desk.told = desk.Reception{}
		w, stop := o.watcher("a")
		defer stop()
		passes(time.Second)
		if r := w.Reading(); r == nil || r.Free != nil || r.Queue != nil || r.Groups != nil || r.Agents != nil {
			t.Errorf("read %+v", r)
		}
		o.desk.set(func() { o.desk.err = errors.New("no") })
		passes(rules.ReadingFor + 20*time.Second)
		if r := w.Reading().Fresh(time.Now()); r != nil {
			t.Errorf("still counts: %+v", r)
		}
	})
}

func TestWatcher_asksForSingleAgents_onlyWhereTheyAreNamedOrCustomersWait(t *testing.T) {
	inOffice(t, func(o *office) {
		_, stop := o.watcher("a")
		defer stop()
		passes(time.Second)
		for _, c := range []struct {
			asks    rules.Asks
			waiting bool
			want    string
		}{
			{rules.Asks{Reading: true}, false, ""},
			{rules.Asks{Reading: true, Agents: []string{"li@x", "wang@x"}}, false, "li@x wang@x"},
			{rules.Asks{}, true, "all"},
			{rules.Asks{Reading: true, Agents: []string{"li@x"}}, true, "all"},
		} {
			o.need(c.asks, c.waiting)
			o.desk.set(func() { o.desk.ids = nil })
			passes(11 * time.Second)
			o.desk.set(func() {
				if got := strings.Join(o.desk.ids, " "); got != c.want {
					t.Errorf("%+v, waiting %v: asked for %q, want %q", c.asks, c.waiting, got, c.want)
				}
			})
		}
	})
}

// What the status of an agent means is learned from those whose changes Desk reports.
func TestWatcher_learnsWhatAStatusMeans(t *testing.T) {
	inOffice(t, func(o *office) {
		o.need(rules.Asks{Reading: true, Agents: []string{"li@x", "wang@x", "zhao@x"}}, false)
		o.desk.members = map[string]int{"li@x": 1, "wang@x": 1, "zhao@x": 3}
		w, stop := o.watcher("a")
		passes(time.Second)
		if r := w.Reading(); len(r.Agents) != 0 {
			t.Errorf("nobody knows what 1 means, and it was read as %v", r.Agents)
		}
		w.MemberChanged("li@x", true)
		if r := w.Reading(); !r.Agents["li@x"] || *r.Free != 2 {
			t.Errorf("not known at once: %+v", r)
		}
		passes(21 * time.Second)
		if got := fmt.Sprint(w.Reading().Agents); got != "map[li@x:true wang@x:true]" {
			t.Errorf("learned %s", got)
		}
		o.desk.set(func() { o.desk.members["wang@x"] = 3 })
		w.MemberChanged("wang@x", false)
		if r := w.Reading(); r.Agents["wang@x"] {
			t.Errorf("still free: %v", r.Agents)
		}
		passes(21 * time.Second)
		if got := fmt.Sprint(w.Reading().Agents); got != "map[li@x:true wang@x:false zhao@x:false]" {
			t.Errorf("learned %s", got)
		}
		stop()
		again, stop := o.watcher("b") // what was learned outlives the process
		defer stop()
		passes(45 * time.Second)
		if got := fmt.Sprint(again.Reading().Agents); got != "map[li@x:true wang@x:false zhao@x:false]" {
			t.Errorf("after a restart: %s", got)
		}
	})
}

func TestStatuses_aCrossingAnswer_doesNotTurnTheMeaning(t *testing.T) {
	s := statuses{}
	s.learn(1, false) // crossed
	for range 4 {
		s.learn(1, true)
	}
	if free, known := s.means(1); !free || !known {
		t.Errorf("%+v: %v %v", s, free, known)
	}
	s.learn(2, true)
	s.learn(2, false)
	if _, known := s.means(2); known {
		t.Error("as many agents say so as say the contrary, and it is known")
	}
	for i := range 1000 {
		s.learn(i, true)
	}
	if len(s) > maxStatuses {
		t.Errorf("%d statuses are kept", len(s))
	}
}

func TestWatcher_ofSeveralProcesses_oneAsks_andAllKnow(t *testing.T) {
	inOffice(t, func(o *office) {
		a, stopA := o.watcher("a")
		passes(time.Second)
		b, stopB := o.watcher("b")
		c, stopC := o.watcher("c")
		defer stopB()
		defer stopC()
		passes(5 * time.Minute)
		if n := o.desk.count(); n > 32 {
			t.Errorf("three processes asked %d times in five minutes", n)
		}
		for _, w := range []*Watcher{a, b, c} {
			r := w.Reading()
			if r.Fresh(time.Now().Add(30*time.Second)) == nil || *r.Free != 2 || r.Groups["7"] != 3 {
				t.Errorf("%s knows %+v", w.lease.Owner, r)
			}
			if s := w.Ask(o.t.Context()); s.PolledBy != a.lease.Owner {
				t.Errorf("%s says that %s asks", w.lease.Owner, s.PolledBy)
			}
		}
		stopA() // dies with its lease
		three := 3
		o.desk.set(func() { o.desk.told.Free = &three })
		for range 55 {
			passes(time.Second)
			if b.Reading().Fresh(time.Now()) == nil || c.Reading().Fresh(time.Now()) == nil {
				t.Fatal("the readings ended before another process asked")
			}
		}
		for _, w := range []*Watcher{b, c} {
			if r := w.Reading(); *r.Free != 3 {
				t.Errorf("%s knows %+v", w.lease.Owner, r)
			}
		}
	})
}

// A process whose calls fail does not keep the others from asking.
func TestWatcher_aProcessThatCannotReachDesk_leavesItToAnother(t *testing.T) {
	inOffice(t, func(o *office) {
		cut := &fakeDesk{err: errors.New("no way to Desk")}
		_, stopA := o.watcher("a", func(options *Options) { options.Desk = cut })
		defer stopA()
		passes(time.Second)
		b, stopB := o.watcher("b")
		defer stopB()
		passes(3 * time.Minute)
		if r := b.Reading().Fresh(time.Now()); r == nil {
			t.Error("nobody asks")
		}
	})
}

// brokenRecords cannot be used.
type brokenRecords struct{}

func (brokenRecords) Record(context.Context, store.Kind, string) (store.Record, error) {
	return store.Record{}, store.ErrAway
}

func (brokenRecords) PutRecords(context.Context, ...store.Record) error { return store.ErrAway }

func (brokenRecords) Records(context.Context, store.Kind) ([]store.Record, error) {
	return nil, store.ErrAway
}

func TestWatcher_withoutItsStore_asksForItself(t *testing.T) {
	inOffice(t, func(o *office) {
		o.records = brokenRecords{}
		a, stopA := o.watcher("a")
		defer stopA()
		b, stopB := o.watcher("b")
		defer stopB()
		passes(time.Minute)
		if a.Reading().Fresh(time.Now()) == nil || b.Reading().Fresh(time.Now()) == nil {
			t.Error("no readings")
		}
	})
}

func TestWatcher_tellsEachNewReading(t *testing.T) {
	inOffice(t, func(o *office) {
		w, stop := o.watcher("a")
		defer stop()
		passes(11 * time.Second)
		w.MemberChanged("li@x", true) // is no reading, but a reason for one
		passes(2 * time.Second)
		if got := strings.Join(o.told, " "); got != "a2 a2 a2" {
			t.Errorf("told %s", got)
		}
		for range 100 {
			w.MemberChanged("li@x", true)
			passes(10 * time.Millisecond)
		}
		if len(o.told) > 6 {
			t.Errorf("an agent who changes all the time had Desk asked %d times in a second", len(o.told)-3)
		}
	})
}

// The clocks of two hosts differ, by less than a reading counts.
func TestWatcher_readsAnothersReading_byTheClockOnTheWall(t *testing.T) {
	inOffice(t, func(o *office) {
		late := clock.Of(func() time.Time { return time.Now().Add(-20 * time.Second) })
		_, stopA := o.watcher("a")
		passes(time.Second)
		b, stopB := o.watcher("b", func(options *Options) { options.Clock = late })
		passes(time.Second)
		if r := b.Reading(); r == nil || r.At.After(late.Now()) {
			t.Errorf("a reading of the future counts: %+v at %v", r, late.Now())
		}
		stopA()
		stopB()
	})
}
