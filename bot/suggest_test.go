package bot

import (
	"errors"
	"testing"
	"time"

	"escalator/bot/decisions"
	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/rules"
)

// What a person says of a message counts, not what is guessed of its conversation, which would be a false alarm of the same words.
func TestSuggest_aLabelIsMoreThanAGuess(t *testing.T) {
	set := rules.Set{Main: "rules.yaml", Files: rules.Files{"rules.yaml": []byte(testRules)}}
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		begin := time.Now()
		for _, session := range []string{"s2", "s3"} {
			e := w.event(desk.EventUserMessage, "the lighthouse warden if you can", "")
			e.SessionID, e.UserID = session, "of "+session
			w.handle(e)
		}
		w.passes(time.Second)
		quiet, err := w.bot.Decisions().Page(w.t.Context(), &decisions.Filter{Outcomes: []string{"none"}, Since: begin}, 10, "")
		if err != nil || len(quiet.Decisions) != 2 {
			t.Fatalf("%+v, %v", quiet, err)
		}
		for _, d := range quiet.Decisions {
			if _, err := w.bot.Decisions().SetLabel(w.t.Context(), d.ID, decisions.Label{Label: decisions.Wrong, By: "li"}); err != nil {
				t.Fatal(err)
			}
		}
		found, err := w.bot.Suggest(w.t.Context(), set, begin, 5)
		if err != nil || found.From.Missed != 2 || len(found.Suggestions) == 0 || found.Suggestions[0].Catches != 2 || found.Suggestions[0].FalseAlarms != 0 {
			t.Errorf("%+v, %v", found, err)
		}
	})
}

// A customer who asked for somebody in words that the rules do not know, and then again in those they do: what was said first is proposed.
func TestSuggest_learnsFromTheHistoryAndFromLabels(t *testing.T) {
	set := rules.Set{Main: "rules.yaml", Files: rules.Files{"rules.yaml": []byte(testRules)}}
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		begin := time.Now()
		for range 3 {
			w.user("get me the lighthouse warden")
			w.passes(time.Second)
			w.handle(w.event("Agent.Said", "hello, this is Li", ""))
			w.handle(w.event("Session.Over", "", ""))
			w.passes(time.Minute)
		}
		found, err := w.bot.Suggest(w.t.Context(), set, begin, 5)
		if err != nil {
			t.Fatal(err)
		}
		if found.From.Missed != 3 || !found.Whole || len(found.Suggestions) != 0 {
			t.Errorf("what one customer says is their own: %+v", found)
		}
		e := w.event(desk.EventUserMessage, "get me the lighthouse warden", "")
		e.SessionID, e.UserID = "s2", "user2"
		w.handle(e)
		e = w.event("Agent.Said", "hello", "")
		e.SessionID, e.UserID = "s2", "user2"
		w.handle(e)
		w.passes(time.Second)
		if found, err = w.bot.Suggest(w.t.Context(), set, begin, 5); err != nil || len(found.Suggestions) == 0 || found.Suggestions[0].Catches != 4 || found.Suggestions[0].Source == "" {
			t.Errorf("what two say is proposed: %+v, %v", found, err)
		}
		if found, err = w.bot.Suggest(w.t.Context(), set, time.Now(), 5); err != nil || found.From.Conversations != 0 {
			t.Errorf("of no time: %+v, %v", found, err)
		}
	})
	w := newWorld(t, nil)
	if _, err := w.bot.Suggest(t.Context(), set, time.Now(), 5); !errors.Is(err, ErrNoHistory) {
		t.Error(err)
	}
}
