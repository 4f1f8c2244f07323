package main

import (
	"strings"
	"testing"
)

func TestReport_goalsAreJudged(t *testing.T) {
	floor, shared := statOf(100), atMost(1.3)
	for _, c := range []struct {
		what string
		row  row
		met  bool
	}{
		{"ratio", row{Floor: &floor, Ours: statOf(80, 90, 85), Goal: atLeast(.85)}, true},
		{"ratio too low", row{Floor: &floor, Ours: statOf(84), Goal: atLeast(.85)}, false},
		{"slow", row{Floor: &floor, Ours: statOf(131), Goal: shared}, false},
		{"fast enough, under the same goal", row{Floor: &floor, Ours: statOf(129), Goal: shared}, true},
		{"itself", row{Floor: &floor, Ours: statOf(4), Goal: atMost(5).bare()}, true},
		{"itself too high, though below the floor", row{Floor: &floor, Ours: statOf(6), Goal: atMost(5).bare()}, false},
		{"little more than the floor", row{Floor: &floor, Ours: statOf(104), Goal: atMost(5).more()}, true},
		{"much more than the floor", row{Floor: &floor, Ours: statOf(106), Goal: atMost(5).more()}, false},
		{"nothing where nothing is wanted", row{Ours: statOf(0), Goal: atMost(0)}, true},
		{"one where nothing is wanted", row{Ours: statOf(1), Goal: atMost(0)}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			var r report
			r.add(c.row)
			if got := r.Rows[0].Goal.Met; got != c.met {
				t.Errorf("met: %v", got)
			}
		})
	}
}

// Both machines stand in one row, each judged by itself.
func TestReport_busyMachine_standsBesideTheQuietOne(t *testing.T) {
	r := report{bothMachines: true, part: "callback"}
	floor := statOf(100)
	r.add(row{What: "does not escalate", Unit: "requests/s", Floor: &floor, Ours: statOf(80), Goal: atLeast(.75)})
	r.add(row{What: "does not escalate", Unit: "bytes", Ours: statOf(1)})
	r.busy = true
	r.add(row{What: "does not escalate", Unit: "requests/s", Floor: &floor, Ours: statOf(70), Goal: atLeast(.75)})
	if len(r.Rows) != 2 {
		t.Fatalf("%d rows", len(r.Rows))
	}
	got := strings.Join(r.cells(&r.Rows[0]), " ")
	if want := "does not escalate requests/s ≥ 0.75 100 80.0 0.80 ok 100 70.0 0.70 MISSED"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if page := r.markdown("callback"); strings.Count(page, "\n") != 4 || !strings.Contains(page, "**MISSED**") {
		t.Errorf("%s", page)
	}
}

// What cannot be measured here does not vanish.
func TestReport_absent_isSaid(t *testing.T) {
	b := &bench{report: new(report)}
	b.webhookRows(nil, nil, "does not escalate", atLeast(1.3))
	var out strings.Builder
	b.report.print(&out)
	if !strings.Contains(out.String(), notInstalled) || strings.Contains(out.String(), "MISSED") {
		t.Errorf("%s", out.String())
	}
}
