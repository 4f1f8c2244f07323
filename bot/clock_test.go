package bot

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// wall is a clock on the wall that somebody sets.
type wall struct{ ahead atomic.Int64 }

func (w *wall) now() time.Time      { return time.Now().Add(time.Duration(w.ahead.Load())) }
func (w *wall) set(d time.Duration) { w.ahead.Add(int64(d)) }

const clockRules = `
version: 1
lists: {person: [human], talk: [talk]}
targets: {default: {}}
limits: {per_session: 16/1h}
rules:
  - {id: human, when: {says: [$person]}, then: {transfer: default}, cooldown: 10s}
  - {id: talk, when: {says: [$talk]}, then: {keep: true, say: "yes?"}, cooldown: 5m}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}, cooldown: 1s}
`

// everyStep runs test in worlds whose wall is set back or forward.
func everyStep(t *testing.T, test func(w *world, step func())) {
	t.Helper()
	for _, by := range []time.Duration{-24 * time.Hour, -5 * time.Minute, 5 * time.Minute, 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hand := &wall{}
				c := clock.Of(hand.now)
				outbox := memory.NewOutbox(c.Now)
				w := newWorld(t, outbox, func(o *Options) {
					o.Clock, o.Dedup = c, memory.NewDedup(memory.DedupOptions{Keep: 10 * time.Minute, Max: 1000, Now: c.Now})
				})
				w.bot.Conversations = memory.NewConversations(memory.ConversationsOptions{
					Outbox: outbox, Max: 1000, Alarms: w.alarms(), Now: c.Now,
					Expires: func(c *rules.Conversation) time.Time { return w.bot.Policy().Expiry(c) },
				})
				w.bot.SetPolicy(mustLoad(t, clockRules))
				w.bot.Start()
				test(w, func() { hand.set(by) })
				if err := w.bot.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func (w *world) says(n int, text string) string {
	w.t.Helper()
	answer := string(w.handle(w.told("", "s1", desk.EventUserMessage, fmt.Sprint("k", n), text)).JSON)
	synctest.Wait()
	return answer
}

func TestClock_aCooldown_lastsAsLongAsItIs(t *testing.T) {
	everyStep(t, func(w *world, step func()) {
		said := func() int { return len(w.desk.said) }
		reply := func(n int) { w.handle(w.told("", "s1", desk.EventBotMessage, fmt.Sprint("b", n), "fine")) }
		w.says(1, "talk")
		reply(1)
		step()
		time.Sleep(4 * time.Minute)
		if w.says(2, "talk"); said() != 1 {
			t.Errorf("%d times after four of five minutes", said())
		}
		reply(2)
		time.Sleep(time.Minute)
		if w.says(3, "talk"); said() != 2 {
			t.Errorf("%d times after five minutes", said())
		}
	})
}

func TestClock_aCustomerWhoWaits_isTransferredInTime_andNoSooner(t *testing.T) {
	everyStep(t, func(w *world, step func()) {
		w.says(1, "where is it")
		time.Sleep(10 * time.Second)
		step()
		time.Sleep(19 * time.Second)
		w.wantOutcomes("")
		time.Sleep(2 * time.Second)
		w.wantOutcomes("assigned")
	})
}

func TestClock_theMinuteOfDesksWord_isAMinute(t *testing.T) {
	everyStep(t, func(w *world, step func()) {
		w.says(1, "human")
		w.wantPhase(rules.PhaseHuman)
		step()
		time.Sleep(50 * time.Second)
		w.says(2, "human")
		w.wantCalls(1, 0)
		time.Sleep(11 * time.Second)
		w.says(3, "human") // Desk is asked, and says that the robot has it back
		w.wantCalls(2, 1)
	})
}

func TestClock_aRepeat_getsTheSameAnswer(t *testing.T) {
	everyStep(t, func(w *world, step func()) {
		w.says(1, "human")
		step()
		if got := w.says(1, "human"); got != string(answerSelf) {
			t.Errorf("answer %s", got)
		}
		time.Sleep(9 * time.Minute)
		if got := w.says(1, "human"); got != string(answerSelf) {
			t.Errorf("after nine minutes: %s", got)
		}
		w.wantOutcomes("assigned")
	})
}

func TestClock_aCopyOfIM_isKnownForItsMinute(t *testing.T) {
	everyStep(t, func(w *world, step func()) {
		w.handle(w.fromIM(desk.CommandC2CAfter, "k1", "human"))
		synctest.Wait()
		step()
		time.Sleep(30 * time.Second)
		if got := string(w.handle(w.told("", "s1", desk.EventUserMessage, "another key", "human")).JSON); got != string(answerSelf) {
			t.Errorf("answer %s", got)
		}
		w.wantOutcomes("assigned")
	})
}

func TestClock_peopleReadTheWall(t *testing.T) {
	everyStep(t, func(w *world, step func()) {
		step()
		w.says(1, "human")
		at := w.decisions(1)[0].At
		if d := w.bot.Clock.Wall().Sub(at); d < 0 || d > time.Second {
			t.Errorf("the decision stands at %v, the wall shows %v", at, w.bot.Clock.Wall())
		}
	})
}
