package failover

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// inTime runs test on a replica that works, in virtual time.
func inTime(t *testing.T, test func(t *testing.T, r *replica)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newReplica(t, store.Alarms{})
		stop := r.run()
		synctest.Wait()
		test(t, r)
		stop()
	})
}

// pass lets time pass, and what it brings happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestBreaker_oneFailedCall_isNoOutage_andDeskIsAskedForAMomentOnly(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		r.fake.fail(1)
		if tr := r.escalate("a", "e1"); !tr.OutcomeUnknown {
			t.Error("decided locally, and Desk is not asked first")
		}
		pass(0)
		if fell, _ := r.told(); fell != 0 || !r.Sharing() || len(r.Degraded()) != 0 {
			t.Errorf("away %d times, sharing %v, %q", fell, r.Sharing(), r.Degraded())
		}
		if tr := r.escalate("b", "e2"); !tr.OutcomeUnknown {
			t.Error("right after it Desk is not asked first")
		}
		pass(glitchFor)
		if tr := r.escalate("c", "e3"); tr.OutcomeUnknown {
			t.Error("a moment later Desk is asked first")
		}
	})
}

func TestBreaker_callsThatWereSkipped_sayNothing(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		r.fake.set(fmt.Errorf("%w: no connection", store.ErrSkipped))
		for n := range 100 {
			if tr := r.escalate(fmt.Sprint(n), fmt.Sprint(n)); !tr.OutcomeUnknown {
				t.Error("decided locally, and Desk is not asked first")
			}
		}
		pass(0)
		if fell, _ := r.told(); fell != 0 || !r.Sharing() {
			t.Errorf("away %d times, sharing %v", fell, r.Sharing())
		}
	})
}

func TestBreaker_aStoreThatIsAway_isToldOfOnce_andComesBack(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		r.fake.set(store.ErrAway)
		r.escalate("a", "e1")
		pass(10 * time.Second)
		if fell, _ := r.told(); fell != 1 || r.Sharing() || len(r.Degraded()) != 1 {
			t.Errorf("away %d times, sharing %v, %q", fell, r.Sharing(), r.Degraded())
		}
		calls := r.fake.calls
		for n := range 100 {
			r.escalate(fmt.Sprint("away", n), "e")
		}
		if r.fake.calls != calls {
			t.Errorf("%d callbacks waited for a store that is away", r.fake.calls-calls)
		}
		r.fake.set(nil)
		pass(3 * time.Second)
		if conversations, _, _ := r.Behind(); !r.Sharing() || conversations != 0 {
			t.Errorf("sharing %v, %d conversations behind", r.Sharing(), conversations)
		}
		if p := r.phaseOf("away7"); p == rules.PhaseBot {
			t.Error("the shared store has not heard of what was decided without it")
		}
		if tr := r.escalate("b", "e2"); !tr.OutcomeUnknown {
			t.Error("right after an outage Desk is not asked first")
		}
		pass(verifyFor)
		if tr := r.escalate("c", "e3"); tr.OutcomeUnknown {
			t.Error("long after an outage Desk is asked first")
		}
	})
}

// phaseOf reads a conversation of the shared store.
func (r *replica) phaseOf(id string) (p rules.Phase) {
	r.t.Helper()
	if err := r.fake.View(context.Background(), id, func(c *rules.Conversation) { p = c.Phase() }); err != nil {
		r.t.Fatal(err)
	}
	return p
}

// The courier is no customer: it waits for the verdict, and stays with the shared store.
func TestStore_saveDuringASuspicion_staysShared(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		tr := r.escalate("a", "e")
		if _, _, err := r.Take(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		r.fake.fail(1)
		tr.Calls = 7
		if err := r.Save(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
		if kept, err := r.fake.Get(t.Context(), "a"); err != nil || kept.Calls != 7 {
			t.Errorf("in the shared store: %+v, %v", kept, err)
		}
		if _, err := r.local.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it went on locally: %v", err)
		}
	})
}

func TestStore_whatTheSharedOneLost_isPutBack_andTold(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		for _, id := range []string{"lost", "ended elsewhere", "ended here", "kept"} {
			r.escalate(id, "e of "+id)
		}
		remove := func(id string) {
			kept, err := r.fake.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			_ = r.fake.Outbox.Delete(t.Context(), kept)
		}
		r.fake.mu.Lock()
		r.fake.ended["e of ended elsewhere"] = true
		r.fake.mu.Unlock()
		remove("lost")
		remove("ended elsewhere")
		here, _ := r.Get(t.Context(), "ended here")
		if err := r.Delete(t.Context(), here); err != nil {
			t.Fatal(err)
		}
		pass(checkEvery + time.Second)
		if _, lost := r.told(); len(lost) != 1 || lost[0] != "e of lost <nil>" {
			t.Errorf("told: %q", lost)
		}
		if again, err := r.Get(t.Context(), "lost"); err != nil || !again.OutcomeUnknown || again.Episode != "e of lost" {
			t.Errorf("put back: %+v, %v", again, err)
		}
		if list, _ := r.List(t.Context()); len(list) != 2 {
			t.Errorf("%d transfers, want the one put back and the one kept", len(list))
		}
		pass(3 * checkEvery)
		if _, lost := r.told(); len(lost) != 1 || len(r.promises) != 2 {
			t.Errorf("told again: %q; %d promises", lost, len(r.promises))
		}
	})
}

func TestStore_whileTheSharedOneIsAway_remembersOnlyConversationsThatItStillHas(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		for n := range 3 * dirtyAtLeast {
			r.markDirty(fmt.Sprint("gone", n))
		}
		r.escalate("kept", "e")
		r.markDirty("kept")
		if len(r.dirty) > dirtyAtLeast+1 || r.dirtyAt("kept") == 0 {
			t.Errorf("%d conversations are remembered as changed, kept = %d", len(r.dirty), r.dirtyAt("kept"))
		}
	})
}
