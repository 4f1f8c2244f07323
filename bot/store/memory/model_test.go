package memory_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/bot/store/storetest"
)

func TestOutbox_equalsANaiveModel(t *testing.T) {
	storetest.OutboxModel(t, func(_ *rapid.T, now func() time.Time) store.Outbox { return memory.NewOutbox(now) }, nil)
}

func TestDedup_equalANaiveModel(t *testing.T) {
	storetest.DedupModel(t, func(keep time.Duration, now func() time.Time) store.Dedup {
		return memory.NewDedup(memory.DedupOptions{Keep: keep, Max: 100_000, Now: now})
	})
}

func TestRecords_equalANaiveModel(t *testing.T) {
	storetest.RecordsModel(t, func(_ *rapid.T, now func() time.Time) store.Records {
		return memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(storetest.ModelCap), Now: now})
	}, nil)
}
