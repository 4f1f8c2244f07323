package redis

import (
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
)

func TestOutbox_stats_countsWhatAListWould(t *testing.T) {
	o := open(t, redistest.Start(t), 0, nil).outbox
	began := time.Now().Truncate(time.Microsecond)
	for id, state := range map[string]store.TransferState{"a": store.Pending, "b": store.Pending, "c": store.Waiting, "d": store.GivenUp} {
		tr := transfer(id, id)
		tr.Created = began
		if id != "a" {
			tr.Created = began.Add(-time.Hour) // only those on their way are old
		}
		if err := o.Put(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
		tr.State = state
		if err := o.Save(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Delete(t.Context(), transfer("b", "b")); err != nil {
		t.Fatal(err)
	}
	got, err := o.Stats(t.Context())
	if want := (store.Stats{Pending: 2, GivenUp: 1, Oldest: began}); err != nil || got.Pending != want.Pending || got.GivenUp != want.GivenUp || !got.Oldest.Equal(want.Oldest) {
		t.Errorf("Stats = %+v, %v, want %+v", got, err, want)
	}
}
