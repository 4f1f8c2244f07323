package delivery

import (
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store"
)

// wantTold compares what the staff was told so far.
func (w *world) wantTold(want string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.told, "; "); got != want {
		w.t.Errorf("the staff was told %q, want %q", got, want)
	}
}

func TestStaff_isToldThatNobodyIsThere_onceForATransfer_andThatSomebodyIsAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141001), code(141001), {}}
		w.put("waits")
		w.wantTold("no_agent")
		w.passes(2 * time.Minute)
		w.wantTold("no_agent; no_agent over")
	})
	inWorld(t, func(w *world) {
		none := code(141001)
		w.desk.always = &none
		w.put("waits")
		w.passes(time.Hour)
		w.put("plain")
		w.wantTold("no_agent; no_agent")
	})
}

func TestStaff_isToldWhatWasGivenUp(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141004), code(141004)}
		w.put("plain")
		w.put("plain", named("s2"))
		w.wantTold("failed; failed")
		if err := w.courier.Dismiss(t.Context(), "s1", Operator{}); err != nil {
			t.Fatal(err)
		}
		w.wantTold("failed; failed")
		if err := w.courier.Retry(t.Context(), "s2", Operator{}); err != nil {
			t.Fatal(err)
		}
		w.passes(time.Second)
		w.wantTold("failed; failed; no_agent over")
	})
	inWorld(t, func(w *world) { // the customer tries once more
		w.desk.transfers = []answer{code(141004)}
		w.put("plain")
		w.put("plain")
		w.wantTold("failed; no_agent over")
	})
}

func TestStaff_isNotToldOfASessionThatEnded(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.states = []answer{in(desk.StateNotInSession)}
		w.put("plain", func(t *store.Transfer) { t.VerifyFirst = true })
		w.wantTold("")
	})
}

func TestStaff_isToldThatTheCourierIsHeld_andReleased(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(70009), code(70009), {}}
		w.put("plain")
		w.passes(time.Minute)
		w.wantTold("held; held over; no_agent over")
	})
}

func TestLeave_isOver_onceDeskHasLetGo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.states = []answer{in(desk.StateChatbot), in(desk.StateChatbot)}
		w.put("plain", func(t *store.Transfer) { t.LeaveQueue = store.LeaveDue })
		if w.left != 1 {
			t.Errorf("the conversation was told %d times", w.left)
		}
	})
	inWorld(t, func(w *world) { // still in the queue: an operator may try a plain transfer
		w.desk.states = []answer{in(desk.StateQueueing), in(desk.StateQueueing)}
		w.put("plain", func(t *store.Transfer) { t.LeaveQueue = store.LeaveDue })
		if err := w.courier.Retry(t.Context(), "s1", Operator{}); err != nil {
			t.Fatal(err)
		}
		w.passes(time.Second)
		if got := w.desk.made(); got != "EQQ" || w.left != 0 {
			t.Errorf("calls %s, left %d times", got, w.left)
		}
		w.wantLines("failed! already_human!")
	})
}

// The answer of end_queuing was lost: Desk is asked before it is called again.
func TestLeave_afterALostAnswer_asksFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.leaves = []answer{with(errTimeout)}
		w.desk.states = []answer{in(desk.StateQueueing), in(desk.StateChatbot)}
		w.put("plain", func(t *store.Transfer) { t.LeaveQueue = store.LeaveDue })
		w.passes(time.Minute)
		if got := w.desk.made(); got != "EQEQT" {
			t.Errorf("calls %s", got)
		}
		w.wantLines("retrying/network assigned!")
	})
}

// The line of what Desk refuses says what to do about it.
func TestLog_whatDeskRefuses_saysTheWayOut(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(70009), {}, code(141004)}
		w.put("plain")
		w.passes(time.Minute)
		w.put("plain", named("s2"))
		for _, want := range []struct{ msg, hint string }{
			{"courier held: Desk refuses every transfer; transfers are kept until the settings are mended", "ESCALATOR_SECRET_KEY"},
			{"transfer", "group"},
		} {
			lines := w.log.Lines(want.msg)
			if hint, _ := lines[len(lines)-1]["hint"].(string); !strings.Contains(hint, want.hint) {
				t.Errorf("%s: hint %q, want one that names %s", want.msg, hint, want.hint)
			}
		}
		if resumes := w.log.Lines("courier resumes: Desk takes transfers again"); len(resumes) != 1 || resumes[0]["held_s"] != 5.0 {
			t.Errorf("%v", resumes)
		}
	})
}
