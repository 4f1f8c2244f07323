package bot

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/clock"
	"escalator/bot/delivery"
	"escalator/bot/desk"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestRetry_aGivenUpTransfer_isOnItsWayAgain_onceDeskWasAsked(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(nil, code(141005))
		w.user("转人工")
		w.wantOutcomes("failed")
		time.Sleep(2 * time.Hour) // beyond the horizon of the first try
		if err := w.bot.Retry(t.Context(), "s1", delivery.Operator{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.wantOutcomes("failed assigned")
		w.wantPhase(rules.PhaseHuman)
		w.wantCalls(2, 1)
		if err := w.bot.Retry(t.Context(), "s1", delivery.Operator{}); !errors.Is(err, delivery.ErrNotGivenUp) {
			t.Errorf("Retry of a delivered one = %v", err)
		}
	})
}

func TestRetry_theCustomerIsWithAPersonMeanwhile_sendsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(nil, code(141005))
		w.user("转人工")
		w.desk.state = desk.StateAgent
		if err := w.bot.Retry(t.Context(), "s1", delivery.Operator{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.wantOutcomes("failed already_human")
		w.wantCalls(1, 1)
	})
}

func TestDismiss_givesTheConversationBackToTheBot_butTakesItFromNoPerson(t *testing.T) {
	inWorld(t, func(w *world) { // on its way
		w.desk.answer(nil, code(70009))
		w.user("转人工")
		w.wantPhase(rules.PhaseTransferring)
		if err := w.bot.Dismiss(t.Context(), "s1", delivery.Operator{By: "li"}); err != nil {
			t.Fatal(err)
		}
		w.wantOutcomes("retrying dismissed")
		w.wantPhase(rules.PhaseBot)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.wantOutcomes("retrying dismissed")
		w.user("转人工")
		synctest.Wait()
		w.wantPhase(rules.PhaseHuman)
		if err := w.bot.Dismiss(t.Context(), "s1", delivery.Operator{}); !errors.Is(err, delivery.ErrNoTransfer) {
			t.Errorf("Dismiss of a delivered one = %v", err)
		}
	})
	inWorld(t, func(w *world) { // given up, and the customer is with a person by another way
		w.desk.answer(nil, code(141005))
		w.user("转人工")
		w.handle(w.event("Some.Unknown", "an agent is here", "connectedToAgent"))
		w.wantPhase(rules.PhaseHuman)
		if err := w.bot.Dismiss(t.Context(), "s1", delivery.Operator{}); err != nil {
			t.Fatal(err)
		}
		w.wantOutcomes("failed dismissed")
		w.wantPhase(rules.PhaseHuman)
	})
}

// steppedClock is a clock on the wall that can be set back.
type steppedClock struct{ back atomic.Int64 }

func (c *steppedClock) now() time.Time          { return time.Now().Add(-time.Duration(c.back.Load())) }
func (c *steppedClock) setBack(d time.Duration) { c.back.Add(int64(d)) }

func TestCourier_theClockIsSetBack_transfersStayDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wall := &steppedClock{}
		clock := clock.Of(wall.now)
		w := newWorld(t, memory.NewOutbox(clock.Now), func(o *Options) { o.Clock = clock })
		w.desk.answer(nil, code(141002), code(141002), code(141002))
		w.bot.Start()
		w.user("转人工")
		wall.setBack(24 * time.Hour)
		time.Sleep(3 * time.Minute)
		w.wantOutcomes("retrying retrying retrying assigned")
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestCourier_theClockIsSetBack_whileItWaitsForAnAgent_triesGoOnAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wall := &steppedClock{}
		clock := clock.Of(wall.now)
		w := newWorld(t, memory.NewOutbox(clock.Now), func(o *Options) { o.Clock = clock })
		w.desk.answer(code(141001))
		w.bot.Start()
		w.user("vip") // every minute for five minutes
		time.Sleep(90 * time.Second)
		wall.setBack(24 * time.Hour)
		time.Sleep(10 * time.Minute)
		if list, _ := w.outbox.List(t.Context()); len(list) != 0 {
			t.Errorf("ten minutes later it still waits: %+v", list[0])
		}
		if n := len(w.desk.transfers); n < 2*5 {
			t.Errorf("%d calls", n)
		}
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
