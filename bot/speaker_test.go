package bot

import (
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const speakingRules = `
version: 1
targets:
  default: {say_if_queued: {zh: 排队中, en: You are in the queue}, say_if_no_agent: 没有人在线, say_if_failed: 转接失败}
  plain: {}
rules:
  - {id: human, when: {says: [human, 转人工]}, then: {transfer: default, say: {en: One moment, zh: 请稍等}}}
  - {id: ask, when: {says: [help]}, then: {offer: Shall I get a person?, transfer: plain}}
  - {id: hello, when: {says: [hello]}, then: {keep: true, say: Hi there}, cooldown: 1s}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: plain}}
`

// speaking runs test with rules that speak.
func speaking(t *testing.T, test func(w *world)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, speakingRules))
		test(w)
	})
}

// said returns the texts that Desk was given.
func (w *world) said() (texts []string) {
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	for _, m := range w.desk.said {
		if m.CloudCustomData != ownWords || m.MsgRandom == 0 || m.SessionID != "s1" {
			w.t.Errorf("message %+v", m)
		}
		texts = append(texts, m.Text)
	}
	return texts
}

func (w *world) wantSaid(want ...string) {
	w.t.Helper()
	got := w.said()
	if len(got) != len(want) {
		w.t.Fatalf("said %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			w.t.Errorf("said %q, want %q", got, want)
		}
	}
}

func TestSpeak_beforeATransfer_inTheCustomersLanguage(t *testing.T) {
	speaking(t, func(w *world) {
		w.user("转人工")
		w.wantSaid("请稍等")
		w.wantOutcomes("assigned")
	})
	speaking(t, func(w *world) {
		w.desk.queued = true
		w.user("I want a human please, this is taking far too long")
		w.wantSaid("One moment", "You are in the queue")
	})
}

func TestSpeak_delaysATransferByASecondAtMost(t *testing.T) {
	speaking(t, func(w *world) {
		w.desk.sayErr = code(141002) // again and again
		begin := time.Now()
		w.user("转人工")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		w.wantOutcomes("assigned")
		if took := w.desk.sentAt()[0].Sub(begin); took > 1100*time.Millisecond {
			t.Errorf("the transfer waited %s", took)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if lines := w.log.Lines("say"); len(lines) != 1 || lines[0]["outcome"] != "dropped" {
			t.Errorf("say lines %v", lines)
		}
	})
}

func TestSpeak_repeatsKeepTheirNumber(t *testing.T) {
	speaking(t, func(w *world) {
		w.desk.sayErr = errLostAnswer
		w.user("hello")
		w.desk.mu.Lock()
		w.desk.sayErr = nil
		w.desk.mu.Unlock()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		w.wantSaid("Hi there")
	})
}

func TestSpeak_nobodyOnline_ownWordsInThePlaceOfDesksTip(t *testing.T) {
	speaking(t, func(w *world) {
		w.desk.answer(code(141001))
		w.user("转人工")
		w.wantSaid("请稍等", "没有人在线")
		if w.desk.sent()[0].TipIfNoAgent {
			t.Error("Desk was asked for its tip too")
		}
	})
}

func TestSpeak_aTransferThatFailedForGood_isNotSilent(t *testing.T) {
	speaking(t, func(w *world) {
		w.desk.answer(code(141004))
		w.user("转人工")
		w.wantSaid("请稍等", "转接失败")
	})
}

func TestOffer_acceptedDeclinedAndLeftOpen(t *testing.T) {
	speaking(t, func(w *world) {
		w.user("help")
		w.wantSaid("Shall I get a person?")
		w.wantCalls(0, 0)
		w.user("yes")
		w.wantOutcomes("assigned")
		line := w.log.Lines("decision")[1]
		if line["rule"] != "ask" || line["reason"] != "offer_accepted" {
			t.Errorf("decision %v", line)
		}
	})
	speaking(t, func(w *world) {
		w.user("help")
		w.user("no")
		w.user("yes")
		w.wantCalls(0, 0)
	})
}

func TestOffer_thatWasNotSent_isNotPending(t *testing.T) {
	speaking(t, func(w *world) {
		w.desk.sayErr = code(141004)
		w.user("help")
		w.user("yes")
		w.wantCalls(0, 0)
	})
}

func TestTimers_theBotIsSilent(t *testing.T) {
	speaking(t, func(w *world) {
		w.user("where is it")
		time.Sleep(29 * time.Second)
		synctest.Wait()
		w.wantOutcomes("")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.wantOutcomes("assigned")
		line := w.log.Lines("transfer")[0]
		if line["rule"] != "silent" {
			t.Errorf("transfer %v", line)
		}
	})
}

func TestTimers_anAnswerStopsThem(t *testing.T) {
	speaking(t, func(w *world) {
		w.user("where is it")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		w.handle(w.event(desk.EventBotMessage, "It is on its way", ""))
		time.Sleep(time.Hour)
		synctest.Wait()
		w.wantOutcomes("")
		if n := len(w.bot.timers.byID); n != 0 {
			t.Errorf("%d alarms are left", n)
		}
	})
}

func TestTimers_fireInTheirOrder_forManyConversations(t *testing.T) {
	speaking(t, func(w *world) {
		for i := range 50 {
			e := w.event(desk.EventUserMessage, "where is it", "")
			e.SessionID = string(rune('A' + i))
			w.handle(e)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.desk.sent()) != 50 {
			t.Errorf("%d transfers", len(w.desk.sent()))
		}
		for i, r := range w.desk.sent() {
			if r.SessionID != string(rune('A'+i)) {
				t.Errorf("transfer %d is of %s", i, r.SessionID)
			}
		}
	})
}

func TestTimers_afterARestart_areMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.bot.SetPolicy(mustLoad(t, speakingRules))
		w.user("where is it") // the bot is not started: this is the earlier process
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		left := new(rules.Conversation)
		if err := w.bot.Conversations.View(t.Context(), "s1", func(c *rules.Conversation) { left.CopyFrom(c) }); err != nil {
			t.Fatal(err)
		}
		w = newWorld(t, w.outbox)
		w.bot.SetPolicy(mustLoad(t, speakingRules))
		w.bot.Conversations.(*memory.Conversations).Restore(map[string]*rules.Conversation{"s1": left})
		w.bot.Start()
		w.bot.Wake([]string{"s1"})
		time.Sleep(time.Minute)
		synctest.Wait()
		w.wantOutcomes("assigned")
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
