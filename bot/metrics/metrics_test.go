package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

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
	const want = `
# HELP escalator_outbox_given_up Transfers that were given up and are kept for people to read.
# TYPE escalator_outbox_given_up gauge
escalator_outbox_given_up 1
# HELP escalator_outbox_oldest_seconds Age of the oldest transfer on its way.
# TYPE escalator_outbox_oldest_seconds gauge
escalator_outbox_oldest_seconds 60
# HELP escalator_outbox_pending Transfers on their way, those that wait for an agent included.
# TYPE escalator_outbox_pending gauge
escalator_outbox_pending 3
`
	registry := prometheus.NewRegistry()
	metrics.New(registry).WatchStores(func() int { return 0 }, o.Stats, now)
	err := testutil.GatherAndCompare(registry, strings.NewReader(want), "escalator_outbox_pending", "escalator_outbox_oldest_seconds", "escalator_outbox_given_up")
	if err != nil {
		t.Error(err)
	}
}
