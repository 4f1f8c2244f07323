package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// told makes a callback of Desk about user1 and @service, as raw as it comes.
func (w *world) told(requestID, session, name, key, text string) *desk.Event {
	w.t.Helper()
	query := "SdkAppid=1&CallbackCommand=" + desk.CommandSessionEvent
	if requestID != "" {
		query += "&RequestID=" + requestID
	}
	body := fmt.Sprintf(`{"SessionId":%q,"Event":%q,"ClientUserId":"user1","CustomerServiceId":"@service","MsgKey":%q,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":%q}}]}`,
		session, name, key, text)
	e, err := desk.Decode(desk.ParseQuery(query), []byte(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// fromIM makes plain IM's copy of a message of user1 to @service.
func (w *world) fromIM(command, key, text string) *desk.Event {
	w.t.Helper()
	return im(w, command, key, text, `"From_Account":"jared","To_Account":"@RBT#001"`, `"From_Account":"user1","To_Account":"@service"`)
}

func (w *world) wantProvider(e *desk.Event, provider string) {
	w.t.Helper()
	if got := string(w.handle(e).JSON); !strings.Contains(got, `"AIProvider":`+provider) {
		w.t.Errorf("%s %q: answer %s, want AIProvider %s", e.Command, e.Text, got, provider)
	}
	synctest.Wait()
}

func TestHandle_oneRequestIDWithTwoMessages_bothCount_andOneWarning(t *testing.T) {
	withLinks(t, func(w *linked) {
		w.wantProvider(w.told("r", "s1", desk.EventUserMessage, "k1", "hi"), "1")
		for i := range 3 {
			w.wantProvider(w.told("r", "s2", desk.EventUserMessage, fmt.Sprint("k2", i), "human"), "0")
			time.Sleep(2 * time.Second)
			w.handle(w.told(fmt.Sprint("x", i), "s2", "Session.Over", "", "")) // so that the next one may ask again
		}
		if n := len(w.log.Lines("two callbacks came under one RequestID: both count")); n != 1 {
			t.Errorf("%d warnings", n)
		}
	})
}

func TestHandle_oneMessageUnderThreeRequestIDs_countsOnce(t *testing.T) {
	withLinks(t, func(w *linked) { // three messages call a person
		for _, request := range []string{"a", "b", "c", ""} {
			w.wantProvider(w.told(request, "s1", desk.EventUserMessage, "k", "where is my parcel right now"), "1")
		}
		w.wantOutcomes("")
		if n := len(w.log.Lines("decision")); n != 1 {
			t.Errorf("%d decisions", n)
		}
	})
}

func TestHandle_theCopiesOfIMAndDesk_areOneMessage_eachInItsOwnForm(t *testing.T) {
	for _, order := range []string{"im desk bot", "desk im bot", "bot im desk", "bot desk im", "im bot im desk desk"} {
		t.Run(order, func(t *testing.T) {
			withLinks(t, func(w *linked) {
				for i, text := range []string{"one", "two", "human"} {
					key := fmt.Sprint("k", i)
					for copied := range strings.FieldsSeq(order) {
						switch copied {
						case "im":
							w.wantAnswer(w.fromIM(desk.CommandC2CAfter, key, text))
						case "bot":
							w.wantAnswer(w.fromIM(desk.CommandBotC2C, key, text))
						case "desk":
							w.wantProvider(w.told("", "s1", desk.EventUserMessage, key, text), map[bool]string{true: "0", false: "1"}[text == "human"])
						}
					}
				}
				w.wantOutcomes("assigned")
				if line := w.log.Lines("transfer")[0]; line["rule"] != "human" {
					t.Errorf("messages were counted twice: %v", line)
				}
			})
		})
	}
}

func TestHandle_bothCallbacksOfPlainIM_countOnce(t *testing.T) {
	withLinks(t, func(w *linked) {
		for i := range 2 {
			w.wantAnswer(w.fromIM(desk.CommandBotC2C, fmt.Sprint("k", i), "hello"))
			w.wantAnswer(w.fromIM(desk.CommandC2CAfter, fmt.Sprint("k", i), "hello"))
		}
		w.wantOutcomes("")
	})
}

// heldOutbox stores nothing until it is told how that ends.
type heldOutbox struct {
	*memory.Outbox
	end chan error
}

func (o *heldOutbox) Put(ctx context.Context, t *store.Transfer) error {
	if err := <-o.end; err != nil {
		return err
	}
	return o.Outbox.Put(ctx, t)
}

// TestHandle_desksCopyDuringIMsDecision_waitsForIt: with the same key and with one
// of its own, and where the store then fails, the request is not lost.
func TestHandle_desksCopyDuringIMsDecision_waitsForIt(t *testing.T) {
	for _, key := range []string{"k", "another"} {
		for _, fails := range []bool{false, true} {
			t.Run(fmt.Sprint(key, " fails ", fails), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					outbox := &heldOutbox{Outbox: memory.NewOutbox(nil), end: make(chan error, 2)}
					w := newWorld(t, outbox)
					w.bot.SetPolicy(mustLoad(t, linkRules))
					var all sync.WaitGroup
					all.Go(func() {
						_, err := w.bot.Handle(t.Context(), Request{Event: w.fromIM(desk.CommandC2CAfter, "k", "human")})
						if fails != errors.Is(err, ErrUnavailable) {
							t.Errorf("IM's copy: %v", err)
						}
					})
					synctest.Wait()
					all.Go(func() { w.wantProvider2(w.told("", "s1", desk.EventUserMessage, key, "human"), "0") })
					synctest.Wait()
					if fails {
						outbox.end <- errors.New("no space left on device")
					}
					outbox.end <- nil
					all.Wait()
					if list, _ := outbox.List(t.Context()); len(list) != 1 {
						t.Errorf("%d transfers", len(list))
					}
				})
			})
		}
	}
}

// wantProvider2 is wantProvider for a goroutine beside the test's.
func (w *world) wantProvider2(e *desk.Event, provider string) {
	a, err := w.bot.Handle(w.t.Context(), Request{Event: e})
	if err != nil || !strings.Contains(string(a.JSON), `"AIProvider":`+provider) {
		w.t.Errorf("answer %s, %v", a.JSON, err)
	}
}

// TestHandle_aStreamedExcuse: each callback of a streamed message holds more of it.
func TestHandle_aStreamedExcuse_isOneMiss_judgedByItsWholeText(t *testing.T) {
	const rulesOfMisses = `
version: 1
lists: {sorry: [do not understand]}
targets: {default: {}}
signals: {bot_missed: {says: [$sorry]}}
rules:
  - {id: stuck, when: {bot_missed: {times: 3, within: 1h}}, then: {transfer: default}}
`
	inWorld(t, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, rulesOfMisses))
		for i, question := range []string{"where is it", "when does it come", "who brings it"} {
			w.wantOutcomes("")
			w.handle(w.told("", "s1", desk.EventUserMessage, fmt.Sprint("q", i), question))
			for _, text := range []string{"Sorry", "Sorry, I do not", "Sorry, I do", "Sorry, I do not understand", "Sorry, I do not understand"} {
				stream := fmt.Sprintf(`{"SessionId":"s1","Event":"ChatBot.RobotSendMsg","ClientUserId":"user1","CustomerServiceId":"@service","MsgKey":"a%d","MsgBody":[{"MsgType":"TIMStreamElem","MsgContent":{"Chunks":[{"EventType":"data","Index":1,"Markdown":%q}],"CompatibleText":"%s"}}]}`, i, text, text)
				w.handle(w.raw(desk.CommandSessionEvent, stream))
			}
			synctest.Wait()
		}
		w.wantOutcomes("assigned")
	})
}

func TestHandle_anExcuseBeforeAPicture_isAMiss(t *testing.T) {
	inWorld(t, func(w *world) { // its rules want two misses
		for i, question := range []string{"where is it", "when does it come"} {
			w.handle(w.told("", "s1", desk.EventUserMessage, fmt.Sprint("q", i), question))
			w.handle(w.event(desk.EventBotMessage, "抱歉，我没有理解您的意思", ""))
			w.handle(w.raw(desk.CommandSessionEvent, fmt.Sprintf(`{"SessionId":"s1","Event":"ChatBot.RobotSendMsg","ClientUserId":"user1","CustomerServiceId":"@service","MsgKey":"p%d","MsgBody":[{"MsgType":"TIMImageElem","MsgContent":{}}]}`, i)))
			synctest.Wait()
		}
		w.wantOutcomes("assigned")
	})
}

func TestHandle_aLongEventName_isCutBetweenCharacters(t *testing.T) {
	inWorld(t, func(w *world) {
		for range 3 {
			w.wantAnswer(w.event(strings.Repeat("会", 43), "", ""))
		}
		if n := len(w.log.Lines("unknown event: acknowledged and ignored; map it under events: in the rule file")); n != 1 {
			t.Errorf("%d lines", n)
		}
	})
}

func TestQuestions_countForNothing(t *testing.T) {
	withCallbacks(t, func(w *world) {
		for range 5 {
			w.wantAnswer(w.raw(desk.CommandTaskFlow, `{"Body":{"SystemClientUserID":"u","SystemSessionID":"q1","question":"I want a human"}}`), `"escalated":"true"`)
			w.wantAnswer(w.raw(desk.CommandAssignHuman, `{"SessionId":"q2","ClientUserId":"u"}`), `"AgentGroupId":1`)
		}
		for _, line := range w.log.Lines("decision") {
			if line["outcome"] != "asked" {
				t.Errorf("decision %v", line)
			}
		}
		if s := w.bot.Stats().Rule("human"); s.Fired != 0 || s.LastFired != nil {
			t.Errorf("%+v", s)
		}
		if n := w.bot.Conversations.(*memory.Conversations).Live(); n != 0 {
			t.Errorf("%d conversations", n)
		}
		w.wantCalls(0, 0)
	})
}

func TestSetPolicy_aRuleOfSilence_wakesThoseWhoWaitAlready(t *testing.T) {
	inWorld(t, func(w *world) {
		w.user("where is it")
		time.Sleep(10 * time.Second)
		w.bot.SetPolicy(mustLoad(t, "version: 1\ntargets: {default: {}}\nrules:\n  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}}\n"))
		w.bot.Conversations.(*memory.Conversations).Replan()
		time.Sleep(19 * time.Second)
		w.wantOutcomes("")
		time.Sleep(2 * time.Second)
		w.wantOutcomes("assigned")
		line := w.log.Lines("decision")
		if last := line[len(line)-1]; last["event"] != "timer" || last["session"] != "s1" {
			t.Errorf("decision %v", last)
		}
	})
}

// TestHandle_aNewProcessOverTheSameStore_takesARepeatForOne: what the store kept of a callback, it kept with
// the conversation; a new process over the same store takes a repeat for one.
func TestHandle_aNewProcessOverTheSameStore_takesARepeatForOne(t *testing.T) {
	inWorld(t, func(w *world) {
		e := w.told("a", "s1", desk.EventUserMessage, "k", "转人工")
		w.wantProvider(e, "0")
		w.wantPhase(rules.PhaseHuman)
		if err := w.bot.Stop(w.t.Context()); err != nil {
			t.Error(err)
		}
		w.bot = New(w.bot.Options)
		w.bot.Start()
		again := w.told("b", "s1", desk.EventUserMessage, "k", "转人工")
		w.wantProvider(again, "0")
		w.wantCalls(1, 0)
	})
}
