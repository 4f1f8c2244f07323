package messages

import (
	"fmt"
	"testing"
	"time"

	"escalator/bot/store"
)

// One customer who leaves words in several sessions is contacted once for all of them,
// also when the agent has ended the talk before the next reading.
func TestKeeper_wordsOfOneCustomerInSeveralSessions_areOneContact(t *testing.T) {
	inWorld(t, func(w *world) {
		same := func(l *Left) { l.User = "jared" }
		for _, session := range []string{"s1", "s2", "s3"} {
			w.leaves(session, "call me", same)
			w.passes(time.Second)
		}
		w.leaves("other", "call me")
		w.leaves("elsewhere", "call me", same, func(l *Left) { l.Service = "@repairs" })
		w.reads(2) // two agents, and in the meantime one customer got one of them
		w.passes(time.Minute)
		w.reads(5)
		w.wantContacted("jared", "other", "jared") // the last one for the other account
		w.wantState("s2", Done)
		w.wantState("s3", Done)
	})
}

// Desk refuses one customer for hours, with each reading: that is one line, and another
// one when the reason is another one.
func TestKeeper_aRefusalThatGoesOn_isToldOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.leaves("s1", "call me", func(l *Left) { l.ContactWithin = 24 * time.Hour })
		for range 50 {
			w.desk.script = append(w.desk.script, code(141002))
		}
		w.desk.script = append(w.desk.script, code(141011))
		for range 52 {
			w.reads(1)
			w.passes(10 * time.Second)
		}
		w.wantLines("left waiting waiting contacted")
		if m := w.message("s1"); m.Tried != 52 {
			t.Errorf("tried %d times", m.Tried)
		}
	})
}

// What led to something is kept for days, and the store is full of it: a customer who
// waits for longer than all of them is still contacted.
func TestKeeper_aStoreFullOfWhatIsOver_forgetsNobodyWhoWaits(t *testing.T) {
	inWorld(t, func(w *world) {
		w.leaves("waits", "call me")
		for i := range maxKept + 1200 {
			r, _, err := Add(store.Record{}, w.left(fmt.Sprint("s", i), "for the staff", func(l *Left) { l.Service = "" }))
			if err == nil {
				err = w.records.PutRecords(w.t.Context(), r)
			}
			if err != nil {
				t.Fatal(err)
			}
			if i == maxKept+500 {
				w.passes(lookEvery + time.Second)
			}
		}
		w.passes(lookEvery)
		if all, _ := w.records.Records(t.Context(), store.KindWords); len(all) != maxKept || w.message("s0") != nil || w.message("s1201") == nil {
			t.Errorf("%d are kept, or others went than the oldest that are over", len(all))
		}
		w.reads(1)
		w.wantContacted("waits")
	})
}
