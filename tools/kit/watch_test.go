package kit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// fault is something that goes wrong with the services of a job.
type fault struct {
	alerts []string // that it makes fire
	cause  func()   // it goes wrong, more and more with each call
	silent string   // an alert that it must not make fire
}

// What goes wrong with services that run is seen by the alert that is for it: Prometheus scrapes them, and judges by the
// rules as they are shipped, in shorter time. Then the dashboard shows what has happened.
func TestWatch_eachAlertFiresByItsFault_andTheDashboardShowsIt(t *testing.T) {
	town := newTown(t)
	p := startPrometheus(t, town.targets())
	within(t, 20*time.Second, "all services are scraped", func() bool { return p.sees(t, fmt.Sprintf("sum(up) == %d", town.count())) })
	t.Run("fault", func(t *testing.T) {
		for job, faults := range town.faults {
			t.Run(job, func(t *testing.T) {
				t.Parallel()
				for _, f := range faults {
					f.wantFires(t, p, job)
				}
			})
		}
	})
	t.Run("dashboard", func(t *testing.T) { readBoard(t).wantShows(t, p) })
	caused := map[string]bool{}
	for _, f := range slices.Concat(slices.Collect(maps.Values(town.faults))...) {
		for _, name := range f.alerts {
			caused[name] = true
		}
	}
	for _, a := range alerts(t, read(t, alertsFile)) {
		if !caused[a.Alert] {
			t.Errorf("%s: no fault here makes it fire", a.Alert)
		}
	}
}

// wantFires waits until none of the alerts fires, lets it go wrong, and waits until all of them do.
func (f fault) wantFires(t *testing.T, p *prometheus, job string) {
	t.Helper()
	began := time.Now()
	missing := func() (names []string) {
		now := p.firing(t, job)
		for _, name := range f.alerts {
			if _, ok := now[name]; !ok {
				names = append(names, name)
			}
		}
		return names
	}
	within(t, 20*time.Second, "before it goes wrong, none fires of "+strings.Join(f.alerts, ", "), func() bool { return len(missing()) == len(f.alerts) })
	seen := map[string]alert{}
	late := time.After(45 * time.Second)
	for len(seen) < len(f.alerts) {
		f.cause()
		now := p.firing(t, job)
		for _, name := range f.alerts {
			if a, ok := now[name]; ok {
				seen[name] = a
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-late:
			t.Fatalf("of %v there fired only %v", f.alerts, slices.Collect(maps.Keys(seen)))
		}
	}
	if a, ok := p.firing(t, job)[f.silent]; ok {
		t.Errorf("it made fire %v", a)
	}
	for name, a := range seen {
		for _, text := range a.Annotations {
			if strings.Contains(text, "<") || strings.Contains(text, "%!") || strings.Contains(text, "NaN") {
				t.Errorf("%s says: %s", name, text)
			}
		}
		t.Logf("%s %s: %s %s", time.Since(began).Round(100*time.Millisecond), name, a.Annotations["summary"], a.Annotations["description"])
	}
}
