package storetest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"escalator/bot/store"
)

// outboxModel is an outbox as simple as can be: a list that is searched.
type outboxModel struct {
	kept   map[string]store.Transfer
	leased map[string]bool
}

// OutboxModel runs random changes against an outbox and against a naive model
// of it; after each, both must hold the same. Every walk gets a new outbox. A
// driver that survives a restart says how with restart; nil: it does not.
func OutboxModel(t *testing.T, open func(t *rapid.T, now func() time.Time) store.Outbox, restart func(t *rapid.T, o store.Outbox) store.Outbox) {
	t.Helper()
	rapid.Check(t, func(r *rapid.T) {
		now, number := epoch, 0
		o, m := open(r, func() time.Time { return now }), &outboxModel{map[string]store.Transfer{}, map[string]bool{}}
		steps := map[string]func(*rapid.T){
			"":     func(r *rapid.T) { m.compare(r, o) },
			"wait": func(r *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(r, "seconds")) * time.Second) },
			"put": func(r *rapid.T) {
				number++
				now = now.Add(1) // no two are of the same age
				tr := transfer(rapid.SampledFrom(modelIDs).Draw(r, "id"), now.Sub(epoch))
				tr.Episode = strconv.Itoa(number)
				m.put(r, o, tr)
			},
			"take":   func(r *rapid.T) { m.take(r, o, now) },
			"finish": func(r *rapid.T) { m.end(r, o, now, rapid.IntRange(0, 3).Draw(r, "how")) },
		}
		if restart != nil {
			steps["restart"] = func(r *rapid.T) { o = restart(r, o); m.restart() }
		}
		r.Repeat(steps)
	})
}

var modelIDs = []string{"a", "b", "c", "d"}

// restart ends all leases; what was not given up may have been carried out.
func (m *outboxModel) restart() {
	clear(m.leased)
	for id, tr := range m.kept {
		tr.Unsure = tr.Unsure || tr.State != store.GivenUp
		m.kept[id] = tr
	}
}

func (m *outboxModel) put(r *rapid.T, o store.Outbox, tr *store.Transfer) {
	old, held := m.kept[tr.ID]
	want := error(nil)
	if held && (old.State == store.Pending || m.leased[tr.ID]) {
		want = store.ErrPending
	}
	if err := o.Put(r.Context(), tr); !errors.Is(err, want) {
		r.Fatalf("Put(%s) = %v, want %v", tr.ID, err, want)
	}
	if want == nil {
		m.kept[tr.ID] = *tr
		delete(m.leased, tr.ID)
	}
}

// next is the oldest transfer that is due and that nobody has.
func (m *outboxModel) next(now time.Time) (found store.Transfer, ok bool) {
	for id, tr := range m.kept {
		due := tr.State != store.GivenUp && !m.leased[id] && !tr.Due.After(now)
		if due && (!ok || tr.Created.Before(found.Created)) {
			found, ok = tr, true
		}
	}
	return found, ok
}

func (m *outboxModel) take(r *rapid.T, o store.Outbox, now time.Time) {
	want, ok := m.next(now)
	got, _, err := o.Take(r.Context(), now)
	if err != nil || (got != nil) != ok || ok && got.Episode != want.Episode {
		r.Fatalf("Take = %+v, %v; want %+v, %v", got, err, want, ok)
	}
	if ok {
		m.leased[want.ID] = true
	}
}

// end saves or deletes a transfer that somebody has.
func (m *outboxModel) end(r *rapid.T, o store.Outbox, now time.Time, how int) {
	for _, id := range modelIDs {
		if !m.leased[id] {
			continue
		}
		tr := m.kept[id]
		delete(m.leased, id)
		if how == 3 {
			delete(m.kept, id)
			if err := o.Delete(r.Context(), &tr); err != nil {
				r.Fatalf("Delete(%s): %v", id, err)
			}
			return
		}
		tr.State, tr.Attempt, tr.Due = store.State(how), tr.Attempt+1, now.Add(30*time.Second)
		if tr.State == store.Waiting {
			tr.Until = now.Add(time.Hour)
		}
		m.kept[id] = tr
		if err := o.Save(r.Context(), &tr); err != nil {
			r.Fatalf("Save(%s): %v", id, err)
		}
		return
	}
}

func (m *outboxModel) compare(r *rapid.T, o store.Outbox) {
	list, err := o.List(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	got := map[string]store.Transfer{}
	for _, tr := range list {
		got[tr.ID] = *tr
	}
	if diff := cmp.Diff(m.kept, got, cmpTarget); diff != "" {
		r.Fatalf("the outbox differs from the model (-model +outbox):\n%s", diff)
	}
}

// MarksModel is OutboxModel for marks.
func MarksModel(t *testing.T, open func(keep time.Duration, now func() time.Time) store.Marks) {
	t.Helper()
	rapid.Check(t, func(r *rapid.T) {
		m := open(time.Hour, func() time.Time { return epoch })
		answers, claimed := map[string]string{}, map[string]bool{}
		key := rapid.SampledFrom([]string{"a", "b", "c"})
		r.Repeat(map[string]func(*rapid.T){
			"claim": func(r *rapid.T) {
				k := key.Draw(r, "key")
				if claimed[k] {
					return // it would wait
				}
				answer, first, err := m.Claim(r.Context(), k)
				if want, known := answers[k]; err != nil || first == known || string(answer) != want {
					r.Fatalf("Claim(%s) = %q, %v, %v; the model has %q, %v", k, answer, first, err, want, known)
				}
				claimed[k] = first
			},
			"finish": func(r *rapid.T) {
				if k := key.Draw(r, "key"); claimed[k] {
					answers[k] = rapid.StringN(1, 5, 10).Draw(r, "answer")
					m.Finish(r.Context(), k, []byte(answers[k]))
					claimed[k] = false
				}
			},
			"release": func(r *rapid.T) {
				if k := key.Draw(r, "key"); claimed[k] {
					m.Release(r.Context(), k)
					claimed[k] = false
				}
			},
		})
	})
}
