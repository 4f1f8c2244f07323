package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"escalator/bot/store"
	"escalator/bot/store/memory"
)

func newRecords() *memory.Records {
	return memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10)})
}

func TestUpdateRecord_startsAgainFromWhatSomebodyElsePut(t *testing.T) {
	records, runs := newRecords(), 0
	err := store.UpdateRecord(t.Context(), records, store.KindUser, "u", func(r *store.Record) (bool, error) {
		if runs++; runs == 1 {
			if err := records.PutRecords(t.Context(), store.Record{Kind: store.KindUser, Name: "u", Value: []byte("theirs")}); err != nil {
				t.Fatal(err)
			}
		}
		r.Value = fmt.Append(r.Value, " and ours")
		return true, nil
	})
	if err != nil || runs != 2 {
		t.Fatalf("%d runs: %v", runs, err)
	}
	if r, err := records.Record(t.Context(), store.KindUser, "u"); string(r.Value) != "theirs and ours" || err != nil {
		t.Errorf("kept %q, %v", r.Value, err)
	}
}

// records has another name than its method Records, so that it can be embedded.
type records = memory.Records

// faster is a store where somebody else is always faster.
type faster struct {
	*records
	puts int
}

func (f *faster) PutRecords(context.Context, ...store.Record) error {
	f.puts++
	return store.ErrConflict
}

func TestUpdateRecord_endsWhereSomebodyIsAlwaysFaster(t *testing.T) {
	f := &faster{records: newRecords()}
	err := store.UpdateRecord(t.Context(), f, store.KindUser, "u", func(r *store.Record) (bool, error) {
		r.Value = []byte("ours")
		return true, nil
	})
	if !errors.Is(err, store.ErrConflict) || f.puts != 16 {
		t.Errorf("%d puts, error %v", f.puts, err)
	}
}

func TestUpdateRecord_putsNothingThatIsNotWanted(t *testing.T) {
	mine := errors.New("mine")
	for _, want := range []error{nil, mine} {
		f := &faster{records: newRecords()}
		err := store.UpdateRecord(t.Context(), f, store.KindUser, "u", func(*store.Record) (bool, error) { return want != nil, want })
		if !errors.Is(err, want) || f.puts != 0 {
			t.Errorf("%d puts, error %v, want %v", f.puts, err, want)
		}
	}
}

func TestRemoveRecord_saysWhetherThereWasOne(t *testing.T) {
	records := newRecords()
	if err := records.PutRecords(t.Context(), store.Record{Kind: store.KindUser, Name: "u", Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if removed, err := store.RemoveRecord(t.Context(), records, store.KindUser, "u"); removed != want || err != nil {
			t.Errorf("removed %t, %v, want %t", removed, err, want)
		}
	}
}
