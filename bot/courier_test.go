package bot

import (
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store"
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
