package bot

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestCourier_doesWhatEachAnswerAsksFor(t *testing.T) {
	for name, c := range map[string]struct {
		script   []error
		state    desk.State
		outcomes string
		phase    rules.Phase
		calls    [2]int // transfer_to_human, get_session_state
		givenUp  bool
	}{
		"assigned":                               {nil, "", "assigned", rules.PhaseHuman, [2]int{1, 0}, false},
		"no agent":                               {[]error{code(141001)}, "", "no_agent", rules.PhaseBot, [2]int{1, 0}, false},
		"internal error, then assigned":          {[]error{code(141002), code(60008)}, "", "retrying retrying assigned", rules.PhaseHuman, [2]int{3, 0}, false},
		"not transferable, an agent has it":      {[]error{code(141003)}, desk.StateAgent, "assigned", rules.PhaseHuman, [2]int{1, 1}, false},
		"not transferable, in the queue":         {[]error{code(141003)}, desk.StateQueueing, "queued", rules.PhaseQueued, [2]int{1, 1}, false},
		"not transferable, session over":         {[]error{code(141003)}, desk.StateNotInSession, "session_gone", rules.PhaseBot, [2]int{1, 1}, true},
		"not transferable, still with the bot":   {[]error{code(141003)}, desk.StateChatbot, "retrying assigned", rules.PhaseHuman, [2]int{2, 1}, false},
		"no such session":                        {[]error{code(141005)}, "", "failed", rules.PhaseBot, [2]int{1, 0}, true},
		"a code that nobody knows":               {[]error{code(141777)}, "", "failed", rules.PhaseBot, [2]int{1, 0}, true},
		"body too large":                         {[]error{code(93000)}, "", "failed", rules.PhaseBot, [2]int{1, 0}, true},
		"answer lost, it was carried out":        {[]error{errLostAnswer}, desk.StateWaiting, "retrying assigned", rules.PhaseHuman, [2]int{1, 1}, false},
		"answer lost, it was not carried out":    {[]error{errLostAnswer}, desk.StateChatbot, "retrying assigned", rules.PhaseHuman, [2]int{2, 1}, false},
		"answer lost, the session ended":         {[]error{errLostAnswer}, desk.StateNotInSession, "retrying session_gone", rules.PhaseBot, [2]int{1, 1}, true},
		"answer lost twice, then carried out":    {[]error{errLostAnswer, errLostAnswer}, desk.StateChatbot, "retrying retrying assigned", rules.PhaseHuman, [2]int{3, 2}, false},
		"wrong key, mended, assigned":            {[]error{code(70009), code(70009)}, "", "retrying retrying assigned", rules.PhaseHuman, [2]int{3, 0}, false},
		"signature refused, clock set, assigned": {[]error{code(70001)}, "", "retrying assigned", rules.PhaseHuman, [2]int{2, 0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk.answer(nil, c.script...)
				if c.state != "" {
					w.desk.state = c.state
				}
				w.user("转人工")
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				w.wantOutcomes(c.outcomes)
				w.wantPhase(c.phase)
				w.wantCalls(c.calls[0], c.calls[1])
				kept, err := w.outbox.Get(t.Context(), "s1")
				if c.givenUp != (err == nil && kept.State == store.GivenUp) {
					t.Errorf("in the outbox: %+v, %v; want given up: %v", kept, err, c.givenUp)
				}
			})
		})
	}
}

func TestCourier_queued_isNotHumanYet(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.queued = true
		w.user("转人工")
		w.wantOutcomes("queued")
		w.wantPhase(rules.PhaseQueued)
		w.handle(w.event("Agent.Said", "你好", ""))
		w.wantPhase(rules.PhaseHuman)
		w.handle(w.event("Session.Over", "", ""))
		w.wantPhase(rules.PhaseBot)
	})
}

func TestCourier_walksTheChain_andAsksForTheTipOnlyAtItsEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(code(141001))
		w.user("vip")
		w.wantOutcomes("no_agent no_agent")
		first, last := w.desk.sent()[0], w.desk.sent()[1]
		if first.AgentGroupID == nil || *first.AgentGroupID != 2473 || first.TipIfNoAgent || len(first.AgentIDs) != 1 {
			t.Errorf("first target: %+v", first)
		}
		if last.AgentGroupID != nil || !last.TipIfNoAgent || last.AgentIDs != nil {
			t.Errorf("last target: %+v", last)
		}
	})
}

func TestCourier_unlistedCode_meansNextTargetWhereQueuingIsForbidden(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(nil, code(141051))
		w.user("vip")
		w.wantOutcomes("no_agent assigned")
		w.wantPhase(rules.PhaseHuman)
	})
}

func TestCourier_retriesSilentlyForAnAgent_thenStops(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(code(141001))
		w.user("vip")
		w.wantPhase(rules.PhaseBot) // the bot goes on meanwhile
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := len(w.desk.sent()); got != 2*6 { // at once and after 1, 2, 3, 4 and 5 minutes, two targets each
			t.Errorf("%d calls", got)
		}
		for _, r := range w.desk.sent()[2:] {
			if r.TipIfNoAgent {
				t.Error("a silent try asked for Desk's tip")
			}
		}
		if _, err := w.outbox.Get(t.Context(), "s1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("still in the outbox: %v", err)
		}
	})
}

func TestCourier_anAgentComesOnline_duringTheSilentTries(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(nil, code(141001), code(141001), code(141001), code(141001))
		w.user("vip")
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		w.wantOutcomes("no_agent no_agent no_agent no_agent assigned")
		w.wantPhase(rules.PhaseHuman)
	})
}

func TestCourier_aNewRequestDuringTheSilentTries_isTriedAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(nil, code(141001), code(141001))
		w.user("vip")
		time.Sleep(40 * time.Second)
		synctest.Wait()
		w.user("转人工")
		w.wantOutcomes("no_agent no_agent assigned")
		w.wantPhase(rules.PhaseHuman)
	})
}

func TestCourier_givesUpAfterTheHorizon(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(code(141002))
		w.user("转人工")
		time.Sleep(29 * time.Minute)
		synctest.Wait()
		w.wantPhase(rules.PhaseTransferring)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		kept, err := w.outbox.Get(t.Context(), "s1")
		if err != nil || kept.State != store.GivenUp {
			t.Fatalf("in the outbox: %+v, %v", kept, err)
		}
		w.wantPhase(rules.PhaseBot)
		calls := len(w.desk.sent())
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(w.desk.sent()) != calls {
			t.Error("it is tried after it was given up")
		}
	})
}

func TestCourier_held_probesWithOneTransferOnly(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(code(70009))
		for _, id := range []string{"a", "b", "c", "d"} {
			e := w.event(desk.EventUserMessage, "转人工", "")
			e.SessionID = id
			w.handle(e)
		}
		synctest.Wait()
		begun := len(w.desk.sent())
		time.Sleep(4 * time.Minute) // probes after 5, 10, 20, 40, 60, 60 s
		synctest.Wait()
		if probes := len(w.desk.sent()) - begun; probes != 6 {
			t.Errorf("%d probes", probes)
		}
		if len(w.log.lines("courier held: Desk refuses every transfer; transfers are kept until the settings are mended")) != 1 {
			t.Error("want one alert")
		}
		w.desk.answer(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if list, _ := w.outbox.List(t.Context()); len(list) != 0 {
			t.Errorf("%d transfers are left after the settings were mended", len(list))
		}
	})
}

func TestCourier_openBreaker_burnsNoAttempts(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.answer(errLostAnswer)
		w.desk.stateErr = errLostAnswer
		for i := range 20 {
			e := w.event(desk.EventUserMessage, "转人工", "")
			e.SessionID = string(rune('a' + i))
			w.handle(e)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		// One probe each breakerPause once it is open: 200 and a few, not 20
		// transfers times all their back-offs.
		if calls := len(w.desk.sent()) + w.desk.asked(); calls > 250 {
			t.Errorf("%d calls in ten minutes", calls)
		}
		w.desk.mu.Lock()
		w.desk.forever, w.desk.stateErr = nil, nil
		w.desk.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if list, _ := w.outbox.List(t.Context()); len(list) != 0 {
			t.Errorf("%d transfers are left after Desk came back", len(list))
		}
	})
}

func TestCourier_obeysGlobal(t *testing.T) {
	inWorld(t, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, testRules+"limits: {global: 10/s}\n"))
		begin := time.Now()
		for i := range 30 {
			e := w.event(desk.EventUserMessage, "转人工", "")
			e.SessionID = string(rune('a' + i))
			w.handle(e)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.desk.sentAt()) != 30 {
			t.Fatalf("%d delivered", len(w.desk.sentAt()))
		}
		// Up to ten at once (the burst), the others at ten a second.
		if took := w.desk.sentAt()[29].Sub(begin); took < 1900*time.Millisecond || took > 3100*time.Millisecond {
			t.Errorf("30 transfers at 10/s took %s", took)
		}
	})
}

func TestCourier_stop_finishesWhatIsUnderWay_andKeepsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.slow = 2 * time.Second
		w.bot.Start()
		w.user("转人工")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := w.bot.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		w.wantOutcomes("assigned")
		w.handle(w.event(desk.EventSessionBegin, "", ""))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		w.user("转人工")
		time.Sleep(time.Minute)
		synctest.Wait()
		if list, _ := w.outbox.List(t.Context()); len(list) != 1 {
			t.Errorf("%d transfers wait for the next start, want 1", len(list))
		}
	})
}

func TestCourier_stop_cutsOffWhatTakesTooLong_andKeepsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.slow = time.Minute
		w.bot.Start()
		w.user("转人工")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := w.bot.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
		kept, err := w.outbox.Get(t.Context(), "s1")
		if err != nil || !kept.OutcomeUnknown || kept.State != store.Pending {
			t.Errorf("in the outbox: %+v, %v; want it pending and unsure", kept, err)
		}
	})
}
