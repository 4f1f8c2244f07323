package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/mask"
	"escalator/bot/messages"
	"escalator/bot/store"
	"escalator/rules"
)

const panelRules = `version: 1
panel: {fields: {Level: CloudCustomData.level, Type: CloudCustomData.messageType}}
targets: {default: {}}
rules:
  - {id: ask, about: Who asks for a person gets one., when: {says: [a human]}, then: {transfer: default}}
  - {id: stuck, when: {says: [it hangs]}, then: {offer: 'A person?', transfer: default}}
`

func TestPanel_saysWhyTheCustomerIsHere(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, panelRules))
		for range panelTurns {
			w.user("my number is 13800138000")
		}
		w.handle(w.event("ChatBot.UserSendMsg", "a human please", "card"))
		synctest.Wait()
		w.wantPhase(rules.PhaseHuman)
		p := w.bot.Panel(w.t.Context(), "s1", "")
		if !p.Known || p.User != "user1" || p.Phase == "" || p.Missing != nil || !p.Older || len(p.Turns) != panelTurns {
			t.Errorf("%+v", p)
		}
		if p.Why == nil || p.Why.Rule != "ask" || p.Why.About != "Who asks for a person gets one." || p.Why.Target != "default" ||
			cmp.Diff([]string{"a human"}, p.Why.Matched) != "" || !strings.Contains(p.Why.Why, "a human") {
			t.Errorf("why: %+v", p.Why)
		}
		if p.Counters == nil || p.Counters.UserMessages != panelTurns+1 {
			t.Errorf("counters: %+v", p.Counters)
		}
		if last := p.Turns[panelTurns-1]; last.Role != "user" || last.Text != "a human please" || p.Turns[0].Text != "my number is ***" {
			t.Errorf("turns: %+v", p.Turns)
		}
		if diff := cmp.Diff([]rules.PanelField{{Name: "Level"}, {Name: "Type", Value: "card"}}, p.Fields); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPanel_anAcceptedOffer_showsWhatWasSaidBeforeIt(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, panelRules))
		w.user("it hangs again")
		w.user("yes please")
		p := w.bot.Panel(w.t.Context(), "s1", "")
		if p.Why == nil || p.Why.Reason != "offer_accepted" || cmp.Diff([]string{"it hangs"}, p.Why.Matched) != "" {
			t.Errorf("%+v", p.Why)
		}
		asked := slices.ContainsFunc(p.Turns, func(turn PanelTurn) bool { return turn.Role == "escalator" && turn.Text == "A person?" })
		if len(p.Turns) != 3 || !asked {
			t.Errorf("%+v", p.Turns)
		}
	})
}

// Who knows only whom he looks for learns nothing of those who talk to the bot.
func TestPanel_aUserAlone_isShownOnlyOnTheWayToAPerson(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, panelRules))
		nothing := func(when string) {
			t.Helper()
			if diff := cmp.Diff(&Panel{}, w.bot.Panel(w.t.Context(), "", "user1")); diff != "" {
				t.Errorf("%s: %s", when, diff)
			}
		}
		nothing("unknown")
		w.user("hello")
		nothing("with the bot")
		w.desk.answer(nil)
		w.handle(w.event("ChatBot.UserSendMsg", "a human please", ""))
		for _, session := range []string{"", "another name for it"} {
			if p := w.bot.Panel(w.t.Context(), session, "user1"); !p.Known || p.Session != "s1" || p.Why == nil {
				t.Errorf("being transferred, session %q: %+v", session, p)
			}
		}
		w.user("are you there?")
		if p := w.bot.Panel(w.t.Context(), "", "user1"); !p.Known || p.Phase != "human" {
			t.Errorf("with a person: %+v", p)
		}
		w.handle(w.event("SessionBegin", "", ""))
		nothing("with the bot again")
		if p := w.bot.Panel(w.t.Context(), "s1", "user1"); !p.Known {
			t.Errorf("by the session: %+v", p)
		}
		if diff := cmp.Diff(&Panel{}, w.bot.Panel(w.t.Context(), "", "")); diff != "" {
			t.Error(diff)
		}
	})
}

// Who is contacted because of what he left comes in another session.
func TestPanel_wordsLeft_showWhatWasSaidBeforeThem(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, panelRules+"  - {id: later, when: {says: [call me]}, then: {take_message: {say: 'What is it?'}}}\n"))
		for _, words := range []string{"please call me", "my parcel is broken", "and it is late"} {
			w.user(words)
			synctest.Wait()
		}
		p := w.bot.Panel(w.t.Context(), "s1", "")
		if p.Why == nil || p.Why.Rule != "later" || p.Why.Outcome != "message" || cmp.Diff([]string{"call me"}, p.Why.Matched) != "" || len(p.Words) != 2 {
			t.Errorf("%+v, words %v", p.Why, p.Words)
		}
	})
}

func TestPanel_wordsLeftInAnotherSession_areShownUnmasked(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.user("hello")
		for session, left := range map[string]string{"s0": "user1 call 13800138000", "s7": "user2 other words"} {
			user, text, _ := strings.Cut(left, " ")
			r, _, err := messages.Add(store.Record{Kind: store.KindWords, Name: session}, &messages.Left{Conversation: session, User: user, Text: text, At: time.Now()})
			if err == nil {
				err = w.bot.Records.PutRecords(w.t.Context(), r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		p := w.bot.Panel(w.t.Context(), "s1", "")
		if len(p.Words) != 1 || p.Words[0].Text != "call 13800138000" {
			t.Errorf("%+v", p.Words)
		}
		if p := w.bot.Panel(w.t.Context(), "s7", ""); !p.Known || len(p.Words) != 1 || p.Words[0].Text != "other words" || p.Why != nil {
			t.Errorf("by the session: %+v", p)
		}
	})
}

// unreadable are conversations that cannot be read.
type unreadable struct{ store.Conversations }

func (unreadable) View(context.Context, string, func(*rules.Conversation)) error {
	return errors.New("planted: the store is away")
}

func TestPanel_whatCannotBeRead_isNamed(t *testing.T) {
	inWorld(t, func(w *world) { // no history is kept
		w.user("hello")
		if p := w.bot.Panel(w.t.Context(), "s1", ""); !p.Known || cmp.Diff([]string{"no_history"}, p.Missing) != "" {
			t.Errorf("%+v", p)
		}
		if p := w.bot.Panel(w.t.Context(), "", "user1"); p.Known || cmp.Diff([]string{"no_history"}, p.Missing) != "" {
			t.Errorf("%+v", p)
		}
	})
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.user("hello")
		w.bot.Conversations = unreadable{w.bot.Conversations}
		w.bot.History.Close()
		p := w.bot.Panel(w.t.Context(), "s1", "")
		if p.Known || cmp.Diff([]string{"conversation", "history"}, p.Missing) != "" || !strings.Contains(w.log.String(), "the panel shows less") {
			t.Errorf("%+v", p)
		}
	})
}
