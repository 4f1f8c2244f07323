package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"escalator/bot/store"
)

// ModelCap is the cap of users that RecordsModel wants.
const ModelCap = 4

// RecordsModel compares records with naive ones over random walks: a slice, in the
// order in which they were put. open returns a new and empty store that keeps ModelCap
// users and lives by the clock now; reopen, nil for one that survives nothing, ends it
// and opens it again.
func RecordsModel(t *testing.T, open func(t *rapid.T, now func() time.Time) store.Records, reopen func(t *rapid.T, s store.Records) store.Records) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		w := &recordsWalk{now: time.Now().Truncate(time.Millisecond)}
		w.records = open(t, func() time.Time { return w.now })
		actions := map[string]func(*rapid.T){"read": w.read, "put": w.put, "pass time": w.passTime, "": w.check}
		if reopen != nil {
			actions["restart"] = func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "restarts") == 0 { // a restart costs a hundred puts
					w.records, w.held = reopen(t, w.records), nil
				}
			}
		}
		t.Repeat(actions)
	})
}

// naiveRecord is a record in the model's slice.
type naiveRecord struct {
	store.Record     // Version is of no account
	put          int // which put it was
}

// heldRecord is one that somebody has read: as it was put then, 0: not at all.
type heldRecord struct {
	store.Record
	put int
}

type recordsWalk struct {
	records store.Records
	all     []naiveRecord // also what is over
	held    []heldRecord
	now     time.Time
	puts    int
}

func (w *recordsWalk) live(r store.Record) bool { return r.Until.IsZero() || r.Until.After(w.now) }

// putOf returns which put a record is of, 0 for one that is not there.
func (w *recordsWalk) putOf(kind store.Kind, name string) int {
	for _, n := range w.all {
		if n.Kind == kind && n.Name == name && w.live(n.Record) {
			return n.put
		}
	}
	return 0
}

func (w *recordsWalk) remove(kind store.Kind, name string) {
	w.all = slices.DeleteFunc(w.all, func(n naiveRecord) bool { return n.Kind == kind && n.Name == name })
}

func (w *recordsWalk) read(t *rapid.T) {
	kind := rapid.SampledFrom([]store.Kind{store.KindUser, store.KindUser, store.KindWords}).Draw(t, "kind")
	name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "name")
	r, err := w.records.Record(context.Background(), kind, name)
	if err != nil {
		t.Fatalf("Record(%s %s): %v", kind, name, err)
	}
	w.held = append(w.held, heldRecord{r, w.putOf(kind, name)})
}

// put puts up to three that somebody has read, some of them long ago.
func (w *recordsWalk) put(t *rapid.T) {
	var records []store.Record
	var want error
	for range rapid.IntRange(1, 3).Draw(t, "records") {
		if len(w.held) == 0 {
			break
		}
		at := rapid.IntRange(0, len(w.held)-1).Draw(t, "holder")
		h := w.held[at]
		w.held = slices.Delete(w.held, at, at+1)
		if slices.ContainsFunc(records, func(r store.Record) bool { return r.Kind == h.Kind && r.Name == h.Name }) {
			continue
		}
		if h.put != w.putOf(h.Kind, h.Name) {
			want = store.ErrConflict
		}
		w.puts++
		h.Value, h.Until = []byte(strconv.Itoa(w.puts)), time.Time{}
		if rapid.IntRange(0, 3).Draw(t, "removed") == 0 {
			h.Value = nil
		}
		if rapid.Bool().Draw(t, "ends") {
			h.Until = w.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
		}
		records = append(records, h.Record)
	}
	if err := w.records.PutRecords(context.Background(), records...); !errors.Is(err, want) {
		t.Fatalf("PutRecords(%+v) = %v, want %v", records, err, want)
	}
	if want == nil {
		w.keep(t, records)
	}
}

func (w *recordsWalk) keep(t *rapid.T, records []store.Record) {
	for _, r := range records {
		w.remove(r.Kind, r.Name)
		if r.Value != nil {
			w.puts++
			w.all = append(w.all, naiveRecord{r, w.puts})
		}
	}
	users, _ := w.ofKind(store.KindUser)
	for range w.evicted(t) {
		w.remove(store.KindUser, users[0].Name)
		users = users[1:]
	}
}

// evicted returns how many users went early. What is over may still take room.
func (w *recordsWalk) evicted(t *rapid.T) int {
	live, over := w.ofKind(store.KindUser)
	kept, err := w.records.Records(context.Background(), store.KindUser)
	evicted := len(live) - len(kept)
	if err != nil || evicted < len(live)-ModelCap || evicted > max(0, len(live)+over-ModelCap) {
		t.Fatalf("%d of %d users are kept (%v), with %d over, and a cap of %d", len(kept), len(live), err, over, ModelCap)
	}
	return evicted
}

// ofKind returns those of a kind that are there, and how many are over.
func (w *recordsWalk) ofKind(kind store.Kind) (live []store.Record, over int) {
	for _, n := range w.all {
		switch {
		case n.Kind != kind:
		case w.live(n.Record):
			live = append(live, n.Record)
		default:
			over++
		}
	}
	return live, over
}

func (w *recordsWalk) passTime(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
}

// check compares everything that is kept; it runs after every action.
func (w *recordsWalk) check(t *rapid.T) {
	for _, kind := range []store.Kind{store.KindUser, store.KindWords} {
		got, err := w.records.Records(context.Background(), kind)
		if err != nil {
			t.Fatalf("Records(%s): %v", kind, err)
		}
		for i, r := range got {
			if one, err := w.records.Record(context.Background(), kind, r.Name); err != nil || one.Version != r.Version {
				t.Fatalf("Record(%s %s) = %+v, %v, but it is listed as %+v", kind, r.Name, one, err, r)
			}
			got[i].Version = 0
		}
		want, _ := w.ofKind(kind)
		for i := range want {
			want[i].Version = 0
		}
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("Records(%s) (-want +got):\n%s", kind, diff)
		}
	}
}
