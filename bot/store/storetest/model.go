package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"escalator/bot/store"
)

// OutboxModel compares an outbox with a naive one over random walks: a map that
// is searched anew for every question. open returns a new and empty outbox that
// lives by the clock now; reopen, nil for one that survives nothing, ends it and
// opens it again.
func OutboxModel(t *testing.T, open func(t *rapid.T, now func() time.Time) store.Outbox, reopen func(t *rapid.T, o store.Outbox) store.Outbox) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		w := &outboxWalk{reopen: reopen, all: map[string]*naive{}, now: epoch}
		w.outbox = open(t, func() time.Time { return w.now })
		actions := map[string]func(*rapid.T){
			"put": w.put, "take": w.take, "save": w.save, "delete": w.remove, "reschedule": w.reschedule, "pass time": w.passTime, "": w.check,
		}
		if reopen != nil {
			actions["restart"] = w.restart
		}
		t.Repeat(actions)
	})
}

// naive is a transfer in the model's map.
type naive struct {
	store.Transfer
	leased bool
}

// outboxWalk is one random walk: the outbox, the model, and those who hold a
// transfer that they took.
type outboxWalk struct {
	outbox store.Outbox
	reopen func(*rapid.T, store.Outbox) store.Outbox
	all    map[string]*naive
	held   []*store.Transfer // taken and not saved or deleted yet; some in vain
	now    time.Time
	seq    int
}

var walkIDs = rapid.SampledFrom([]string{"a", "b", "c", "d"})

// seconds draws a time near now.
func (w *outboxWalk) seconds(t *rapid.T, label string, least, most int) time.Time {
	return w.now.Add(time.Duration(rapid.IntRange(least, most).Draw(t, label)) * time.Second)
}

func (w *outboxWalk) put(t *rapid.T) {
	w.seq++
	tr := transfer(walkIDs.Draw(t, "id"), 0)
	tr.Episode = strconv.Itoa(w.seq)
	// No two transfers of a walk are equally old, so that "the oldest" is one.
	tr.Created = w.seconds(t, "created", -60, -1).Add(time.Duration(w.seq) * time.Microsecond)
	tr.Due = w.seconds(t, "due", -5, 30)
	kept := w.all[tr.ID]
	want := error(nil)
	if kept != nil && (kept.leased || kept.State == store.Pending) {
		want = store.ErrPending
	} else {
		w.all[tr.ID] = &naive{Transfer: *tr}
	}
	if err := w.outbox.Put(context.Background(), tr); !errors.Is(err, want) {
		t.Fatalf("Put(%s) = %v, want %v", tr.ID, err, want)
	}
}

// due returns those that may be taken now, oldest first, and when the next of
// the others will be.
func (w *outboxWalk) due() (ready []*naive, next time.Time) {
	for _, n := range w.all {
		switch {
		case n.leased || n.State == store.GivenUp:
		case !n.Due.After(w.now):
			ready = append(ready, n)
		case next.IsZero() || n.Due.Before(next):
			next = n.Due
		}
	}
	slices.SortFunc(ready, func(a, b *naive) int { return a.Created.Compare(b.Created) })
	return ready, next
}

func (w *outboxWalk) take(t *rapid.T) {
	ready, wantNext := w.due()
	got, next, err := w.outbox.Take(context.Background(), w.now)
	switch {
	case err != nil:
		t.Fatalf("Take: %v", err)
	case len(ready) == 0:
		if got != nil || !next.Equal(wantNext) {
			t.Fatalf("Take = %+v, next at %s; want nothing, next at %s", got, next, wantNext)
		}
	case got == nil:
		t.Fatalf("Take found nothing, want %s", ready[0].ID)
	default:
		if diff := gocmp.Diff(&ready[0].Transfer, got, cmpTarget); diff != "" {
			t.Fatalf("Take (-want +got):\n%s", diff)
		}
		ready[0].leased = true
		w.held = append(w.held, got)
	}
}

// letGo draws one of the transfers that somebody holds.
func (w *outboxWalk) letGo(t *rapid.T) *store.Transfer {
	if len(w.held) == 0 {
		t.Skip("nobody holds a transfer")
	}
	i := rapid.IntRange(0, len(w.held)-1).Draw(t, "holder")
	tr := w.held[i]
	w.held = slices.Delete(w.held, i, i+1)
	return tr
}

func (w *outboxWalk) save(t *rapid.T) {
	tr := w.letGo(t)
	tr.State = rapid.SampledFrom([]store.TransferState{store.Pending, store.Pending, store.Waiting, store.GivenUp}).Draw(t, "state")
	tr.Due = w.seconds(t, "due", 0, 60)
	tr.Calls++
	tr.OutcomeUnknown = rapid.Bool().Draw(t, "unsure")
	want := store.ErrNotFound
	if kept := w.all[tr.ID]; kept != nil && kept.Episode == tr.Episode {
		want = nil
		w.all[tr.ID] = &naive{Transfer: *tr}
	}
	if err := w.outbox.Save(context.Background(), tr); !errors.Is(err, want) {
		t.Fatalf("Save(%s) = %v, want %v", tr.Episode, err, want)
	}
}

// remove deletes what somebody holds, or what somebody merely knows of.
func (w *outboxWalk) remove(t *rapid.T) {
	var tr *store.Transfer
	if rapid.Bool().Draw(t, "held") {
		tr = w.letGo(t)
	} else {
		kept := w.all[walkIDs.Draw(t, "id")]
		if kept == nil {
			t.Skip("there is no such transfer")
		}
		known := kept.Transfer
		tr = &known
	}
	want := store.ErrNotFound
	if kept := w.all[tr.ID]; kept != nil && kept.Episode == tr.Episode {
		want = nil
		delete(w.all, tr.ID)
	}
	if err := w.outbox.Delete(context.Background(), tr); !errors.Is(err, want) {
		t.Fatalf("Delete(%s) = %v, want %v", tr.Episode, err, want)
	}
}

func (w *outboxWalk) reschedule(t *rapid.T) {
	id, due := walkIDs.Draw(t, "id"), w.seconds(t, "due", 0, 5)
	want := store.ErrNotFound
	if kept := w.all[id]; kept != nil && !kept.leased && kept.State == store.Waiting {
		want = nil
		kept.Due = due
	}
	if err := w.outbox.Reschedule(context.Background(), id, due); !errors.Is(err, want) {
		t.Fatalf("Reschedule(%s) = %v, want %v", id, err, want)
	}
}

func (w *outboxWalk) passTime(t *rapid.T) { w.now = w.seconds(t, "wait", 0, 40) }

// restart ends all leases, and makes everybody unsure of what was sent. What
// was rescheduled is due at its own time again.
func (w *outboxWalk) restart(t *rapid.T) {
	w.outbox = w.reopen(t, w.outbox)
	w.held = nil
	for _, n := range w.all {
		n.leased = false
		n.OutcomeUnknown = n.OutcomeUnknown || n.State != store.GivenUp
		if kept, err := w.outbox.Get(context.Background(), n.ID); err == nil && n.State == store.Waiting {
			n.Due = kept.Due
		}
	}
}

// check compares everything that is kept; it runs after every action.
func (w *outboxWalk) check(t *rapid.T) {
	list, err := w.outbox.List(context.Background())
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	want := []*store.Transfer{}
	for _, n := range w.all {
		want = append(want, &n.Transfer)
	}
	byAge := func(a, b *store.Transfer) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) }
	slices.SortFunc(want, byAge)
	if !slices.IsSortedFunc(list, func(a, b *store.Transfer) int { return a.Created.Compare(b.Created) }) {
		t.Fatal("List is not in order of age")
	}
	slices.SortFunc(list, byAge)
	if diff := gocmp.Diff(want, list, cmpTarget); diff != "" {
		t.Fatalf("List (-want +got):\n%s", diff)
	}
	for _, tr := range want {
		got, err := w.outbox.Get(context.Background(), tr.ID)
		if err != nil || got.Episode != tr.Episode {
			t.Fatalf("Get(%s) = %+v, %v", tr.ID, got, err)
		}
	}
}

// DedupModel compares a memory of callbacks with a naive one over random walks:
// a map of keys to answers and the times at which they are forgotten. open
// returns a new and empty memory that keeps answers for keep.
func DedupModel(t *testing.T, open func(keep time.Duration, now func() time.Time) store.Dedup) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		w := &dedupWalk{keep: time.Minute, now: epoch, all: map[string]*naiveCallback{}}
		w.dedup = open(w.keep, func() time.Time { return w.now })
		t.Repeat(map[string]func(*rapid.T){"claim": w.claim, "finish": w.finish, "release": w.release, "pass time": w.passTime})
	})
}

// naiveCallback is a callback in the model's map: being worked on, or answered.
type naiveCallback struct {
	working bool
	answer  string
	until   time.Time
}

type dedupWalk struct {
	dedup store.Dedup
	keep  time.Duration
	now   time.Time
	seq   int
	all   map[string]*naiveCallback
}

// gone is a context that has ended: nobody waits in a walk.
var gone = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (w *dedupWalk) claim(t *rapid.T) {
	key := walkIDs.Draw(t, "key")
	c, err := w.dedup.Claim(gone, key, "")
	m := w.all[key]
	switch {
	case m != nil && m.working:
		if c.First || err == nil {
			t.Fatalf("Claim(%s) while another works on it: %+v, %v", key, c, err)
		}
	case m != nil && w.now.Before(m.until):
		if c.First || err != nil || string(c.Answer) != m.answer {
			t.Fatalf("Claim(%s) of a repeat = %+v, %v; want %q", key, c, err, m.answer)
		}
	default:
		if !c.First || err != nil {
			t.Fatalf("Claim(%s) = %+v, %v; want to be the first", key, c, err)
		}
		w.all[key] = &naiveCallback{working: true}
	}
}

// worked draws a callback that is being worked on.
func (w *dedupWalk) worked(t *rapid.T) string {
	key := walkIDs.Draw(t, "key")
	if m := w.all[key]; m == nil || !m.working {
		t.Skip("nobody works on it")
	}
	return key
}

func (w *dedupWalk) finish(t *rapid.T) {
	key := w.worked(t)
	w.seq++
	answer := strconv.Itoa(w.seq)
	w.dedup.Finish(context.Background(), key, []byte(answer))
	w.all[key] = &naiveCallback{answer: answer, until: w.now.Add(w.keep)}
}

func (w *dedupWalk) release(t *rapid.T) {
	key := w.worked(t)
	w.dedup.Release(context.Background(), key)
	delete(w.all, key)
}

func (w *dedupWalk) passTime(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
}
