package delivery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// dies starts a new process with what the outbox holds, as a durable driver hands
// it on: written down and read, and with its outcome unknown.
func (w *world) dies(change ...func(*Options)) *world {
	w.t.Helper()
	left, err := w.outbox.List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.stop()
	next := newWorld(w.t, memory.NewOutbox(nil), change...)
	next.desk, next.log = w.desk, w.log
	next.courier.opt.Desk = w.desk
	next.courier.opt.Log.SetOutput(w.log)
	for _, t := range left {
		if err := next.outbox.Put(w.t.Context(), reread(w.t, t)); err != nil {
			w.t.Fatal(err)
		}
	}
	next.courier.Start()
	synctest.Wait()
	return next
}

func reread(t *testing.T, kept *store.Transfer) *store.Transfer {
	t.Helper()
	b, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	read := &store.Transfer{}
	if err := json.Unmarshal(b, read); err != nil {
		t.Fatal(err)
	}
	read.OutcomeUnknown = read.OutcomeUnknown || read.State != store.GivenUp
	read.Clamp(time.Now())
	return read
}

func TestRefusals_areCountedByThemselves_roundByRound(t *testing.T) {
	none, refused := code(141001), code(141003)
	inWorld(t, func(w *world) { // a chain of two that has waited for two rounds is refused once
		w.desk.transfers = []answer{none, none, none, none, none, none, refused}
		w.put("twoWait")
		w.passes(4 * time.Minute)
		w.wantLines("no_agent/141001 no_agent/141001 no_agent/141001 no_agent/141001 no_agent/141001 no_agent/141001 retrying/141003 assigned!")
	})
	inWorld(t, func(w *world) { // four in one round and four in the next are not eight
		w.desk.transfers = slices.Concat(slices.Repeat([]answer{refused}, 4), []answer{none}, slices.Repeat([]answer{refused}, 4))
		w.put("waits")
		w.passes(4 * time.Minute)
		r := " retrying/141003"
		w.wantLines(strings.TrimSpace(strings.Repeat(r, 4) + " no_agent/141001" + strings.Repeat(r, 4) + " assigned!"))
	})
	inWorld(t, func(w *world) { // the fifth of a round is the last
		w.desk.transfers = slices.Repeat([]answer{refused}, 9)
		w.put("plain")
		w.passes(10 * time.Minute)
		w.wantLines(strings.Repeat("retrying/141003 ", 4) + "failed/141003!")
	})
}

func TestQuestion_backsOffLikeADelivery(t *testing.T) {
	for name, refusal := range map[string]answer{"too many calls": code(60011), "another session": with(errOther), "odd state": in("Meditating")} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk.always = &refusal
				w.put("plain", func(t *store.Transfer) { t.OutcomeUnknown = true })
				w.passes(10 * time.Minute)
				if made := w.desk.made(); len(made) < 10 || len(made) > 60 || strings.Contains(made, "T") {
					t.Errorf("%d calls in ten minutes: %s", len(made), made)
				}
				if line := w.log.Lines("transfer")[0]; line["error"] == nil || line["outcome"] != "retrying" {
					t.Errorf("line %v", line)
				}
				w.desk.set(func() { w.desk.always = nil })
				w.passes(2 * time.Minute)
				w.wantSettled("assigned")
			})
		})
	}
}

func TestOwnDelivery_isNeverAlreadyHuman(t *testing.T) {
	inWorld(t, func(w *world) { // a hold comes between
		w.desk.transfers = []answer{with(errTimeout)}
		w.desk.states = []answer{code(60020), code(60020), in(desk.StateAgent)}
		w.put("plain")
		w.passes(2 * time.Minute)
		w.wantLines("retrying/network retrying/60020 retrying/60020 assigned!")
		if n := testutil.CollectAndCount(w.metrics.TransferTime); n != 1 {
			t.Errorf("%d histograms", n)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a kill during the very first call
		w := newWorld(t, memory.NewOutbox(nil))
		w.put("plain")
		w.desk.states = []answer{in(desk.StateWaiting)}
		w = w.dies()
		w.wantLines("assigned!")
		w.stop()
	})
	synctest.Test(t, func(t *testing.T) { // lost answer, hold, kill
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.transfers = []answer{with(errTimeout)}
		w.desk.states = []answer{code(60020), in(desk.StateQueueing)}
		w.courier.Start()
		w.put("plain")
		w.passes(2 * time.Second)
		w = w.dies()
		w.wantLines("retrying/network retrying/60020 queued!")
		w.stop()
	})
	inWorld(t, func(w *world) { // given up with the answer lost, then retried by an operator
		lost := with(errTimeout)
		w.desk.always = &lost
		w.put("plain")
		w.passes(time.Hour)
		w.desk.set(func() { w.desk.always, w.desk.states = nil, []answer{in(desk.StateAgent)} })
		if err := w.courier.Retry(w.t.Context(), "s1", Operator{}); err != nil {
			t.Fatal(err)
		}
		w.passes(time.Minute)
		w.wantSettled("failed assigned")
	})
}

func TestDoubted_isStoredAsVerified_beforeAnythingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.slow = time.Second
		w.courier.Start()
		w.put("plain", func(t *store.Transfer) { t.VerifyFirst = true })
		w.passes(1500 * time.Millisecond) // asked; the delivery is under way
		if kept := w.kept(); kept == nil || kept.VerifyFirst {
			t.Fatalf("in the outbox: %+v", kept)
		}
		kept := reread(t, w.kept())
		w.passes(time.Second)
		w.wantLines("assigned!")
		w.stop()

		again := newWorld(t, memory.NewOutbox(nil)) // the same process dies before the answer
		again.desk.states = []answer{in(desk.StateAgent)}
		again.courier.Start()
		again.put("plain", func(t *store.Transfer) { *t = *kept })
		again.wantLines("assigned!")
		again.stop()
	})
	synctest.Test(t, func(t *testing.T) { // it dies before it asked: nothing was sent
		w := newWorld(t, memory.NewOutbox(nil))
		w.put("plain", func(t *store.Transfer) { t.VerifyFirst = true })
		w.desk.states = []answer{in(desk.StateAgent)}
		w = w.dies()
		w.wantLines("already_human!")
		w.stop()
	})
}

func TestPlainIM_itsSessionIsStored_beforeAnythingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.slow = time.Second
		w.courier.Start()
		w.put("plain", func(t *store.Transfer) { t.Session = "" })
		w.passes(1500 * time.Millisecond) // asked; the delivery is under way
		if kept := w.kept(); kept == nil || kept.Session != "s1" {
			t.Errorf("in the outbox: %+v", kept)
		}
		w.passes(time.Second)
		w.wantLines("assigned!")
		w.stop()
	})
	synctest.Test(t, func(t *testing.T) { // it dies before it asked: nothing was sent
		w := newWorld(t, memory.NewOutbox(nil))
		w.put("plain", func(t *store.Transfer) { t.Session = "" })
		w.desk.states = []answer{in(desk.StateAgent)}
		w = w.dies()
		w.wantLines("already_human!")
		w.stop()
	})
}

func TestWaiting_thatIsOverBeforeItsFirstRound_doesNotBegin(t *testing.T) {
	inWorld(t, func(w *world) {
		none := code(141001)
		w.desk.always = &none
		short := *w.policy.Target("waits")
		short.Retry = &rules.Retry{Every: 10 * time.Minute, For: 5 * time.Minute}
		w.put("waits", func(t *store.Transfer) { t.Chain = []*rules.Target{&short} })
		w.wantLines("no_agent/141001!")
		w.wantGone()
	})
}

func TestWaiting_endsWithALineThatSaysSo(t *testing.T) {
	none := code(141001)
	inWorld(t, func(w *world) {
		w.desk.always = &none
		w.put("twoWait")
		w.passes(time.Hour)
		w.wantLines(strings.Repeat("no_agent/141001 ", 11) + "no_agent/141001!")
		w.wantGone()
		w.wantSettled("no_agent")
	})
	inWorld(t, func(w *world) { // the time is over while Desk is away
		w.desk.transfers = []answer{none}
		w.put("waits")
		lost := with(errTimeout)
		w.desk.set(func() { w.desk.always = &lost })
		w.passes(time.Hour)
		if !strings.HasSuffix(w.lines(), "no_agent/network!") {
			t.Error(w.lines())
		}
		w.wantGone()
		w.wantSettled("no_agent")
	})
	inWorld(t, func(w *world) { // the customer leaves
		w.desk.always = &none
		w.put("waits")
		w.courier.Withdraw(w.t.Context(), "s1")
		w.passes(time.Hour)
		w.wantLines("no_agent/141001 session_gone/141001!")
		w.wantGone()
	})
}

func TestWaiting_theFirstFaultAfterManyRounds_backsOffAsTheFirst(t *testing.T) {
	none := code(141001)
	for range 20 { // the back-off is a random time
		inWorld(t, func(w *world) {
			w.desk.transfers = []answer{code(141002), code(141002), none, none, none, none, code(141002)}
			w.put("waits")
			w.passes(5 * time.Minute)
			lines := w.log.Lines("transfer")
			if ms := lines[6]["again_in_ms"].(float64); lines[6]["outcome"] != "retrying" || ms > 1000 {
				t.Errorf("after four rounds: %v", lines[6])
			}
		})
	}
}

func TestBreaker_isNotClosedByWhatIsGivenUpWithoutACall(t *testing.T) {
	inWorld(t, func(w *world) {
		lost := with(errTimeout)
		w.desk.always = &lost
		for i := range 30 {
			w.put("plain", func(t *store.Transfer) { t.ID, t.Session = fmt.Sprint("s", i), fmt.Sprint("s", i); t.Episode = t.ID })
		}
		w.passes(40 * time.Minute)
		if n := strings.Count(w.lines(), "failed/network!"); n != 30 {
			t.Errorf("%d of 30 were given up", n)
		}
		if gone, back := w.log.Lines(goneLine), w.log.Lines(backLine); len(gone) != 1 || len(back) != 0 {
			t.Errorf("the breaker: %v, %v", gone, back)
		}
		w.desk.set(func() { w.desk.always = nil })
		w.put("plain", func(t *store.Transfer) { t.ID, t.Session = "late", "late" })
		w.passes(10 * time.Second)
		if back := w.log.Lines(backLine); len(back) != 1 {
			t.Errorf("the breaker once Desk is back: %v", back)
		}
	})
}

func TestBreaker_isNotClosedByAnAttemptThatNeverCalled(t *testing.T) {
	inWorld(t, func(w *world) {
		lost := with(errTimeout)
		w.desk.always = &lost
		for i := range 5 {
			w.put("plain", func(t *store.Transfer) { t.ID, t.Session = fmt.Sprint("s", i), fmt.Sprint("s", i); t.Episode = t.ID })
		}
		w.passes(time.Second)
		w.put("plain", func(t *store.Transfer) { // the oldest: it goes first, and we panic over it
			t.ID, t.Episode, t.Chain = "bad", "bad", []*rules.Target{nil}
			t.Created = t.Created.Add(-time.Minute)
		})
		w.passes(time.Minute)
		if kept, err := w.outbox.Get(w.t.Context(), "bad"); err != nil || kept.State != store.GivenUp {
			t.Errorf("%+v, %v", kept, err)
		}
		if gone, back := w.log.Lines(goneLine), w.log.Lines(backLine); len(gone) != 1 || len(back) != 0 {
			t.Errorf("the breaker: %v, %v", gone, back)
		}
		w.desk.set(func() { w.desk.always = nil })
		w.passes(2 * time.Minute)
		if n := strings.Count(w.lines(), "assigned!"); n != 5 {
			t.Errorf("%d of 5 were delivered once Desk was back", n)
		}
	})
}

func TestBreaker_isNotOpenedByAttemptsThatNeverCalled(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 6 {
			w.put("plain", func(t *store.Transfer) { t.ID, t.Episode, t.Chain = fmt.Sprint(i), fmt.Sprint(i), []*rules.Target{nil} })
		}
		if changes := w.log.Lines("breaker to Desk changed"); len(changes) != 0 {
			t.Errorf("the breaker: %v", changes)
		}
	})
}

func TestHold_isNotEndedByALostAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(70009), with(errTimeout)}
		w.desk.states = []answer{with(errTimeout), code(70009), with(err502)}
		w.put("plain")
		w.passes(14 * time.Second)
		if n := len(w.log.Lines("courier resumes: Desk takes transfers again")); testutil.ToFloat64(w.metrics.Held) != 1 || n != 0 {
			t.Errorf("the courier is not held any more: %s", w.log)
		}
		w.passes(5 * time.Minute)
		w.wantSettled("assigned")
		if testutil.ToFloat64(w.metrics.Held) != 0 {
			t.Error("the courier is still held")
		}
	})
}

func TestHold_isNotEndedByWhatIsGivenUpWithoutACall(t *testing.T) {
	inWorld(t, func(w *world) {
		key := code(70009)
		w.desk.always = &key
		for i := range 5 {
			w.put("plain", func(t *store.Transfer) { t.ID, t.Session = fmt.Sprint("s", i), fmt.Sprint("s", i); t.Episode = t.ID })
		}
		w.passes(40 * time.Minute)
		if testutil.ToFloat64(w.metrics.Held) != 1 || len(w.log.Lines("courier resumes: Desk takes transfers again")) != 0 {
			t.Error("the courier is not held any more")
		}
		if n := strings.Count(w.lines(), "failed/70009!"); n != 5 {
			t.Errorf("%d of 5 were given up: %s", n, w.lines())
		}
	})
}

func TestRestored_isTriedOnce_whateverItsAge(t *testing.T) {
	old := func(age time.Duration) func(*store.Transfer) {
		return func(t *store.Transfer) {
			t.Created, t.Due, t.OutcomeUnknown = time.Now().Add(-age), time.Now().Add(-age), true
		}
	}
	inWorld(t, func(w *world) { // the clock is a day ahead: delivered
		w.put("plain", old(24*time.Hour))
		w.wantLines("assigned!")
	})
	inWorld(t, func(w *world) { // … or given up with the true reason
		w.desk.states = []answer{code(60008)}
		w.put("plain", old(24*time.Hour))
		w.wantLines("failed/60008!")
		if line := w.log.Lines("transfer")[0]; !strings.Contains(fmt.Sprint(line["error"]), "60008") {
			t.Errorf("line %v", line)
		}
	})
	inWorld(t, func(w *world) { // asked first, and tried although the question took an attempt of its own
		w.put("plain", old(24*time.Hour), func(t *store.Transfer) { t.VerifyFirst = true })
		w.wantLines("assigned!")
	})
	inWorld(t, func(w *world) { // its time to wait is over, by this clock
		w.put("waits", old(24*time.Hour), func(t *store.Transfer) {
			t.State, t.Silent, t.Until = store.Waiting, true, time.Now().Add(-23*time.Hour)
		})
		w.wantLines("assigned!")
	})
	synctest.Test(t, func(t *testing.T) { // the clock is a day back: nothing waits
		w := newWorld(t, memory.NewOutbox(nil))
		w.put("plain", func(t *store.Transfer) {
			t.Created, t.Due = time.Now().Add(24*time.Hour), time.Now().Add(24*time.Hour+time.Second)
		})
		w = w.dies()
		w.wantLines("assigned!")
		w.stop()
	})
}
