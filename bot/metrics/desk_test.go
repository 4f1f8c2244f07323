package metrics

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"escalator/rules"
)

func TestDesk_whatIsNotKnown_isNoNumber(t *testing.T) {
	registry, now := prometheus.NewRegistry(), time.Now()
	var reading *rules.Reading
	New(registry).WatchDesk(func() *rules.Reading { return reading }, func() time.Time { return now })
	values := func() map[string]float64 {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				switch f.GetName() {
				case "escalator_desk_agents":
					got[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
				case "escalator_desk_queue":
					got["queue"] = m.GetGauge().GetValue()
				}
			}
		}
		return got
	}
	unknown := math.NaN()
	for name, c := range map[string]struct {
		reading *rules.Reading
		want    map[string]float64
	}{
		"never read": {nil, map[string]float64{"free": unknown, "busy": unknown, "rest": unknown, "queue": unknown}},
		"read":       {&rules.Reading{At: now, Free: new(0), Busy: new(3), Queue: new(7)}, map[string]float64{"free": 0, "busy": 3, "rest": unknown, "queue": 7}},
		"too old":    {&rules.Reading{At: now.Add(-time.Hour), Free: new(2)}, map[string]float64{"free": unknown, "busy": unknown, "rest": unknown, "queue": unknown}},
	} {
		reading = c.reading
		got := values()
		for key, want := range c.want {
			value, there := got[key]
			if !there || value != want && !(math.IsNaN(value) && math.IsNaN(want)) {
				t.Errorf("%s: %s is %v (there: %v), want %v", name, key, value, there, want)
			}
		}
	}
}
