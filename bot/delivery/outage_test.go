package delivery

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/store"
)

const (
	goneLine = "Desk does not answer: transfers are kept, and one at a time is tried until it does"
	backLine = "Desk answers again: transfers that waited are delivered"
)

// Desk goes away for ten minutes while transfers wait: one line when it goes, one
// when it is back, and none at warn level between them.
func TestDeskAway_isOneLine_andOneWhenItIsBack(t *testing.T) {
	inWorld(t, func(w *world) {
		away := with(err502)
		w.desk.set(func() { w.desk.always = &away })
		for i := range 40 {
			id := fmt.Sprint("s", i)
			w.put("plain", func(t *store.Transfer) { t.ID, t.Session = id, id })
		}
		w.passes(10 * time.Minute)
		if up := testutil.ToFloat64(w.metrics.DeskUp); up != 0 || len(w.log.Lines(goneLine)) != 1 || len(w.log.Lines(backLine)) != 0 {
			t.Errorf("desk_up %v, log:\n%s", up, w.log)
		}
		w.desk.set(func() { w.desk.always = nil })
		w.passes(5 * time.Minute)
		back := w.log.Lines(backLine)
		if len(w.log.Lines(goneLine)) != 1 || len(back) != 1 || testutil.ToFloat64(w.metrics.DeskUp) != 1 {
			t.Fatalf("log:\n%s", w.log)
		}
		if s := back[0]["away_s"].(float64); s < 590 || s > 700 || back[0]["waited"] != 40.0 {
			t.Errorf("line %v", back[0])
		}
		if gone := w.log.Lines(goneLine)[0]; gone["code"] != "network" || !strings.Contains(fmt.Sprint(gone["error"]), "502") {
			t.Errorf("line %v", gone)
		}
		if warned := strings.Count(w.log.String(), `"level":"warning"`); warned != 2 {
			t.Errorf("%d lines at warn level:\n%s", warned, w.log)
		}
		if assigned := strings.Count(w.lines(), "assigned!"); assigned != 40 {
			t.Errorf("%d of 40 are delivered", assigned)
		}
	})
}

// A single call that fails is no outage.
func TestDeskAway_oneFault_isNoOutage(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{with(errTimeout)}
		w.put("plain")
		w.passes(time.Minute)
		w.wantLines("retrying/network assigned!")
		if line := w.log.Lines("transfer")[0]; line["level"] != "info" {
			t.Errorf("line %v", line)
		}
		if len(w.log.Lines(goneLine))+len(w.log.Lines(backLine)) != 0 {
			t.Errorf("log:\n%s", w.log)
		}
	})
}

// A transfer that was never tried because Desk was away is given up for that.
func TestDeskAway_untilTheHorizon_isTheNetworksFault(t *testing.T) {
	inWorld(t, func(w *world) {
		away := with(err502)
		w.desk.set(func() { w.desk.always = &away })
		for i := range 6 {
			id := fmt.Sprint("s", i)
			w.put("plain", func(t *store.Transfer) { t.ID, t.Session = id, id })
		}
		w.passes(20 * time.Minute)
		w.put("plain", func(t *store.Transfer) { t.ID, t.Session = "last", "last" })
		w.passes(40 * time.Minute)
		if got := testutil.ToFloat64(w.metrics.Transfers.WithLabelValues("failed", "network")); got != 7 {
			t.Errorf("%v failed by the network: %s", got, w.lines())
		}
	})
}

func TestDegraded_namesTheCodeOfAHold(t *testing.T) {
	inWorld(t, func(w *world) {
		if got := w.courier.Degraded(); got != nil {
			t.Errorf("degraded from the start: %q", got)
		}
		w.desk.transfers = []answer{code(70009)}
		w.put("plain")
		if got := strings.Join(w.courier.Degraded(), ""); !strings.Contains(got, "courier held") || !strings.Contains(got, "code 70009") {
			t.Errorf("degraded: %q", got)
		}
		if line := w.log.Lines("transfer")[0]; line["again_in_ms"].(float64) < 4000 {
			t.Errorf("the next try is told wrongly: %v", line)
		}
		w.passes(time.Minute)
		if got := w.courier.Degraded(); got != nil {
			t.Errorf("degraded when it is mended: %q", got)
		}
		synctest.Wait()
		w.wantGone()
	})
}

// Desk comes back after the last transfer was given up, in the middle of the night: it is
// not told as away until the next customer asks for a person.
func TestDeskAway_backWhenNobodyWaits_isFoundOut(t *testing.T) {
	inWorld(t, func(w *world) {
		away := with(err502)
		w.desk.set(func() { w.desk.always = &away })
		w.put("plain")
		w.passes(40 * time.Minute)
		if up := testutil.ToFloat64(w.metrics.DeskUp); up != 0 || !strings.HasSuffix(w.lines(), "failed/network!") {
			t.Fatalf("desk_up %v after %s", up, w.lines())
		}
		w.desk.set(func() { always := code(141005); w.desk.always = &always })
		w.passes(time.Minute)
		back := w.log.Lines(backLine)
		if up := testutil.ToFloat64(w.metrics.DeskUp); up != 1 || len(back) != 1 || back[0]["waited"] != 0.0 {
			t.Errorf("desk_up %v, lines %v", up, back)
		}
		asked := w.desk.made()
		w.passes(time.Hour)
		if again := w.desk.made(); again != asked {
			t.Errorf("it goes on asking: %s", again)
		}
	})
}

// The same of a hold: the plan was renewed after the last transfer was given up.
func TestHold_mendedWhenNobodyWaits_isFoundOut(t *testing.T) {
	inWorld(t, func(w *world) {
		refuses := code(70013)
		w.desk.set(func() { w.desk.always = &refuses })
		w.put("plain")
		w.passes(40 * time.Minute)
		if held := testutil.ToFloat64(w.metrics.Held); held != 1 || !strings.HasSuffix(w.lines(), "failed/70013!") {
			t.Fatalf("courier_held %v after %s", held, w.lines())
		}
		w.desk.set(func() { always := code(141005); w.desk.always = &always })
		w.passes(3 * time.Minute)
		if held := testutil.ToFloat64(w.metrics.Held); held != 0 || len(w.log.Lines("courier resumes: Desk takes transfers again")) != 1 {
			t.Errorf("courier_held %v, log:\n%s", held, w.log)
		}
	})
}
