package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func unproven(id string) func(*store.Transfer) {
	return func(t *store.Transfer) { named(id)(t); t.Unproven = true }
}

// knowing is a Desk that takes its time, and does not know sessions that begin with
// "forged".
type knowing struct{ *fakeDesk }

func (d knowing) TransferToHuman(ctx context.Context, r desk.TransferRequest) (desk.TransferResult, error) {
	if !strings.HasPrefix(r.SessionID, "forged") {
		return d.fakeDesk.TransferToHuman(ctx, r)
	}
	fake := d.fakeDesk
	fake.set(func() { fake.requests = append(fake.requests, r) })
	return desk.TransferResult{}, &desk.Error{Op: "transfer_to_human", Code: 141004, Status: 200}
}

func (d knowing) SessionState(ctx context.Context, r desk.StateRequest) (desk.SessionState, error) {
	if !strings.HasPrefix(r.SessionID, "forged") {
		return d.fakeDesk.SessionState(ctx, r)
	}
	fake := d.fakeDesk
	fake.set(func() { fake.asked = append(fake.asked, r) })
	return desk.SessionState{SessionID: r.SessionID, State: desk.StateNotInSession}, nil
}

// deliveries counts the calls of transfer_to_human, of one session or of all.
func (w *world) deliveries(session string) (n int) {
	w.desk.set(func() {
		for _, r := range w.desk.requests {
			if session == "" || r.SessionID == session {
				n++
			}
		}
	})
	return n
}

// Without a token anybody can ask for a person in sessions that he made up.
func TestDoubt_aFloodOfForgedRequests_keepsNoCustomerWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeDesk{slow: 50 * time.Millisecond}
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) {
			o.Global, o.Desk = rules.Rate{Count: 50, Per: time.Second}, knowing{fake}
		})
		w.desk = fake
		w.courier.Start()
		defer w.stop()
		w.put("plain", unproven("early"))
		w.passes(time.Second)
		if w.deliveries("early") != 1 || w.desk.made() != "T" {
			t.Errorf("a single one is delivered like all others: calls %q", w.desk.made())
		}
		for i := range 8400 {
			if err := w.outbox.Put(t.Context(), w.transfer("plain", unproven(fmt.Sprint("forged-", i)))); err != nil {
				t.Fatal(err)
			}
		}
		w.passes(time.Second)
		began := time.Now()
		w.put("plain", unproven("real"))
		for w.deliveries("real") == 0 && time.Since(began) < time.Minute {
			w.passes(10 * time.Millisecond)
		}
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("the customer waited for %s", took)
		}
		before := w.deliveries("")
		w.passes(10 * time.Second)
		if n := w.deliveries("") - before; n > 10*25+25 {
			t.Errorf("%d deliveries of forged requests in 10 s, half of `global` is theirs", n)
		}
		w.passes(2 * time.Minute)
		left, err := w.outbox.List(t.Context())
		if err != nil || len(left) > w.deliveries("") || slices.ContainsFunc(left, func(t *store.Transfer) bool { return t.State != store.GivenUp || t.Calls == 0 }) {
			t.Errorf("%d are left after two minutes, of %d deliveries, %v", len(left), w.deliveries(""), err)
		}
	})
}

// Where somebody has signed, nothing changes: no question, and all go in order.
func TestDoubt_whatIsSigned_isDeliveredAsEver(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 100 {
			w.put("plain", named(fmt.Sprint(i)))
		}
		w.passes(time.Second)
		if got := w.desk.made(); got != strings.Repeat("T", 100) {
			t.Errorf("calls %q", got)
		}
	})
}

// A transfer that may be at Desk already is asked for because of that: what is there is
// ours.
func TestDoubt_whatMayBeAtDeskAlready_isNotTakenForSomebodyElses(t *testing.T) {
	inWorld(t, func(w *world) {
		w.courier.SetRate(rules.Rate{Count: 1, Per: time.Second})
		w.put("plain", unproven("first"))
		w.desk.set(func() { w.desk.states = []answer{in(desk.StateAgent)} })
		w.put("plain", unproven("second"), func(t *store.Transfer) { t.OutcomeUnknown = true })
		w.passes(5 * time.Second)
		w.wantSettled("assigned assigned")
	})
}

// Whom Desk knows comes before all who may be made up, whenever he is tried again.
func TestDoubt_whatDeskKnows_isProven(t *testing.T) {
	inWorld(t, func(w *world) {
		w.courier.SetRate(rules.Rate{Count: 1, Per: time.Second})
		refused := code(60011) // too fast: try again later
		w.desk.set(func() { w.desk.transfers = []answer{{}, refused} })
		w.put("plain", unproven("first"))
		w.put("plain", unproven("second"))
		w.passes(1200 * time.Millisecond)
		list, err := w.outbox.List(t.Context())
		i := slices.IndexFunc(list, func(t *store.Transfer) bool { return t.ID == "second" })
		if err != nil || i < 0 || list[i].Unproven || list[i].VerifyFirst {
			t.Errorf("%+v %v; calls %q", list, err, w.desk.made())
		}
	})
}
