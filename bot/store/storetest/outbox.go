package storetest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/store"
	"escalator/rules"
)

// epoch is when the suite's transfers begin: now, because what was given up
// long ago may be forgotten.
var epoch = time.Now().UTC().Truncate(time.Second)

// transfer makes a pending transfer that was created, and is due, after d.
func transfer(id string, d time.Duration) *store.Transfer {
	group := int64(7)
	at := epoch.Add(d)
	return &store.Transfer{
		ID: id, Session: id, User: "u", Service: "@s", Rule: "ask-human", Target: "default",
		Chain: []*rules.Target{{ID: "default", Group: &group, TipIfNoAgent: true}, {ID: "next"}}, Episode: "episode-" + id, Created: at, Due: at,
	}
}

// Outbox runs the suite for outboxes; open returns a new and empty one.
func Outbox(t *testing.T, open func(t *testing.T) store.Outbox) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, store.Outbox){
		"takes what was put, once":                       takesOnce,
		"takes the oldest first":                         takesOldestFirst,
		"takes behind all others what may be forged":     takesUnprovenLast,
		"takes a crowd of those from both ends":          takesCrowdFromBothEnds,
		"does not take before the time":                  waitsForDue,
		"holds one transfer of a conversation":           holdsOne,
		"replaces a waiting or given-up one":             replacesWaiting,
		"does not replace one that is being tried":       keepsLeased,
		"saves what became of an attempt":                saves,
		"does not save what was withdrawn":               savesNoWithdrawn,
		"deletes":                                        deletes,
		"reschedules only what waits":                    reschedules,
		"never takes a given-up one until it is retried": keepsGivenUp,
		"lists oldest first":                             lists,
		"signals a change":                               signals,
		"keeps its own copy":                             keepsOwnCopy,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// unproven makes a transfer that may be forged.
func unproven(id string, d time.Duration) *store.Transfer {
	t := transfer(id, d)
	t.Unproven = true
	return t
}

func takesUnprovenLast(t *testing.T, o store.Outbox) {
	put(t, o, unproven("a", 0))
	put(t, o, unproven("b", time.Second))
	put(t, o, transfer("sure", time.Minute))
	put(t, o, transfer("surer", 2*time.Minute))
	for _, want := range []string{"sure", "surer", "a", "b"} {
		if got := take(t, o, epoch.Add(time.Hour)); got.ID != want {
			t.Errorf("%s is taken, want %s", got.ID, want)
		}
	}
}

// Behind a flood of forged ones nobody waits for as long as it has lasted.
func takesCrowdFromBothEnds(t *testing.T, o store.Outbox) {
	const many = 300
	for i := range many {
		put(t, o, unproven(strconv.Itoa(i), time.Duration(i)*time.Millisecond))
	}
	put(t, o, unproven("late", time.Minute))
	seen := map[string]bool{}
	for range 4 {
		seen[take(t, o, epoch.Add(time.Hour)).ID] = true
	}
	if !seen["late"] || !seen["0"] {
		t.Errorf("the first of a crowd are %v, want its oldest and its newest among them", seen)
	}
}

func takesOnce(t *testing.T, o store.Outbox) {
	want := transfer("a", 0)
	put(t, o, want)
	if diff := cmp.Diff(want, take(t, o, epoch), cmpTarget); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	takeNone(t, o, epoch.Add(time.Hour))
}

func takesOldestFirst(t *testing.T, o store.Outbox) {
	for _, n := range []int{3, 1, 4, 2, 0} {
		put(t, o, transfer(strconv.Itoa(n), time.Duration(n)*time.Second))
	}
	late := transfer("old, retried", -time.Hour)
	late.Due = epoch.Add(4 * time.Second)
	put(t, o, late)
	for _, want := range []string{"old, retried", "0", "1", "2", "3", "4"} {
		if got := take(t, o, epoch.Add(time.Minute)); got.ID != want {
			t.Errorf("took %s, want %s", got.ID, want)
		}
	}
}

func waitsForDue(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", time.Minute))
	put(t, o, transfer("b", 2*time.Minute))
	got, next, err := o.Take(t.Context(), epoch)
	if err != nil || got != nil || !next.Equal(epoch.Add(time.Minute)) {
		t.Fatalf("Take before the time = %v, %v, %v", got, next, err)
	}
	take(t, o, epoch.Add(time.Minute))
}

func holdsOne(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	if err := o.Put(t.Context(), transfer("a", time.Second)); !errors.Is(err, store.ErrPending) {
		t.Errorf("second Put = %v, want ErrPending", err)
	}
	take(t, o, epoch.Add(time.Minute))
	takeNone(t, o, epoch.Add(time.Minute))
}

func replacesWaiting(t *testing.T, o store.Outbox) {
	for _, state := range []store.TransferState{store.Waiting, store.GivenUp} {
		id := state.String()
		put(t, o, transfer(id, 0))
		old := take(t, o, epoch)
		old.State, old.Due = state, epoch.Add(time.Hour)
		save(t, o, old)
		fresh := transfer(id, time.Second)
		fresh.Episode = "another"
		put(t, o, fresh)
		if got := take(t, o, epoch.Add(time.Minute)); got.Episode != "another" {
			t.Errorf("%s: took episode %q", id, got.Episode)
		}
		takeNone(t, o, epoch.Add(2*time.Hour))
	}
}

func keepsLeased(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	waiting := take(t, o, epoch)
	waiting.State, waiting.Due = store.Waiting, epoch.Add(time.Minute)
	save(t, o, waiting)
	take(t, o, epoch.Add(time.Minute))
	if err := o.Put(t.Context(), transfer("a", time.Minute)); !errors.Is(err, store.ErrPending) {
		t.Errorf("Put while it is tried = %v, want ErrPending", err)
	}
}

func saves(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	tr := take(t, o, epoch)
	tr.Calls, tr.OutcomeUnknown, tr.Code, tr.Error, tr.Step = 3, true, 141002, "internal", 1
	tr.Due = epoch.Add(time.Minute)
	save(t, o, tr)
	takeNone(t, o, epoch.Add(time.Second))
	if diff := cmp.Diff(tr, take(t, o, epoch.Add(time.Minute)), cmpTarget); diff != "" {
		t.Errorf("after Save (-want +got):\n%s", diff)
	}
}

func savesNoWithdrawn(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	tr := take(t, o, epoch)
	if err := o.Delete(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	if err := o.Save(t.Context(), tr); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Save of a withdrawn one = %v, want ErrNotFound", err)
	}
	takeNone(t, o, epoch.Add(time.Hour))
}

func reschedules(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	if err := o.Reschedule(t.Context(), "a", epoch); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Reschedule of a pending one = %v", err)
	}
	tr := take(t, o, epoch)
	tr.State, tr.Due = store.Waiting, epoch.Add(time.Hour)
	save(t, o, tr)
	if err := o.Reschedule(t.Context(), "a", epoch.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	take(t, o, epoch.Add(time.Minute))
	if err := o.Reschedule(t.Context(), "a", epoch); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Reschedule of one that is being tried = %v", err)
	}
	takeNone(t, o, epoch.Add(2*time.Hour))
}

func deletes(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	put(t, o, transfer("b", 0))
	another := transfer("a", 0)
	another.Episode = "another"
	if err := o.Delete(t.Context(), another); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Delete of another episode = %v, want ErrNotFound", err)
	}
	if err := o.Delete(t.Context(), transfer("a", 0)); err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(t.Context(), transfer("a", 0)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("second Delete = %v, want ErrNotFound", err)
	}
	if got := take(t, o, epoch); got.ID != "b" {
		t.Errorf("took %s", got.ID)
	}
	if _, err := o.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
}

func keepsGivenUp(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	tr := take(t, o, epoch)
	tr.State, tr.Error = store.GivenUp, "no such session"
	save(t, o, tr)
	takeNone(t, o, epoch.Add(time.Hour))
	got, err := o.Get(t.Context(), "a")
	if err != nil || got.Error != "no such session" {
		t.Fatalf("Get = %+v, %v", got, err)
	}
	got.State, got.Due = store.Pending, epoch.Add(time.Hour)
	save(t, o, got)
	take(t, o, epoch.Add(time.Hour))
}

func lists(t *testing.T, o store.Outbox) {
	for _, n := range []int{2, 0, 1} {
		put(t, o, transfer(strconv.Itoa(n), time.Duration(n)*time.Second))
	}
	take(t, o, epoch) // one that is being tried is listed too
	list, err := o.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(list))
	for _, tr := range list {
		got = append(got, tr.ID)
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, got); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

func signals(t *testing.T, o store.Outbox) {
	put(t, o, transfer("a", 0))
	select {
	case <-o.Changed():
	case <-time.After(10 * time.Second):
		t.Error("no signal after Put")
	}
}

func keepsOwnCopy(t *testing.T, o store.Outbox) {
	mine := transfer("a", 0)
	put(t, o, mine)
	mine.Rule = "changed by the caller"
	got := take(t, o, epoch)
	got.Rule = "changed by the taker"
	kept, err := o.Get(t.Context(), "a")
	if err != nil || kept.Rule != "ask-human" {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

// cmpTarget compares targets by what is stored of them.
var cmpTarget = cmp.Comparer(func(a, b *rules.Target) bool {
	return a.ID == b.ID && a.TipIfNoAgent == b.TipIfNoAgent && (a.Group == nil) == (b.Group == nil) && (a.Group == nil || *a.Group == *b.Group)
})

func put(t *testing.T, o store.Outbox, tr *store.Transfer) {
	t.Helper()
	if err := o.Put(t.Context(), tr); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func save(t *testing.T, o store.Outbox, tr *store.Transfer) {
	t.Helper()
	if err := o.Save(t.Context(), tr); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

func take(t *testing.T, o store.Outbox, now time.Time) *store.Transfer {
	t.Helper()
	tr, next, err := o.Take(t.Context(), now)
	if err != nil || tr == nil {
		t.Fatalf("Take at %s = %v, next %v, %v", now, tr, next, err)
	}
	return tr
}

func takeNone(t *testing.T, o store.Outbox, now time.Time) {
	t.Helper()
	if tr, _, err := o.Take(t.Context(), now); err != nil || tr != nil {
		t.Fatalf("Take at %s = %+v, %v; want nothing", now, tr, err)
	}
}
