package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"escalator/bot/metrics"
	"escalator/bot/store"
	"escalator/bot/store/memory"
)

func TestMetrics_outboxGauges_areReadOffTheOutbox(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return began.Add(time.Minute) }
	o := memory.NewOutbox(now)
	for id, state := range map[string]store.TransferState{"a": store.Pending, "b": store.Pending, "c": store.Waiting, "d": store.GivenUp} {
		transfer := &store.Transfer{ID: id, Episode: id, State: state, Created: began, Due: began}
		if id == "b" {
			transfer.Created = began.Add(30 * time.Second)
		}
		if err := o.Put(t.Context(), transfer); err != nil {
			t.Fatal(err)
		}
	}
	registry := prometheus.NewRegistry()
	metrics.New(registry).WatchStores(func() int { return 0 }, o.Stats, now)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "escalator_outbox_") {
			got[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	want := map[string]float64{"escalator_outbox_pending": 3, "escalator_outbox_oldest_seconds": 60, "escalator_outbox_given_up": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
