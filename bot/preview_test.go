package bot

import (
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/mask"
)

// What a mute would have stopped: the customer's own words are then caught by another rule, or
// by none; the agent who came because of the transfer would not have come.
func TestPreview_saysWhatWouldHaveBecomeOfEachDecision(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		begin := time.Now()
		w.user("vip")
		w.passes(time.Second)
		w.handle(w.event("Agent.Said", "hello, this is Li", ""))
		w.handle(w.event("Session.Over", "", ""))
		w.passes(time.Minute)
		w.user("vip, a human please, call 13800138000")
		w.passes(time.Second)
		w.handle(w.event(desk.EventBotMessage, "good", ""))
		p, err := w.bot.Preview(w.t.Context(), "vip", begin)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(map[string]int{"none": 1, "transfer": 1}, p.Without); diff != "" || p.Count != 2 || p.Again != 2 || p.Masked != 1 || !p.Whole {
			t.Errorf("%s: %+v", diff, p)
		}
		if d := p.Decisions; len(d) != 2 || d[0].Rule != "vip" || d[0].At.Before(d[1].At) {
			t.Errorf("%+v", p.Decisions)
		}
		if p, err = w.bot.Preview(w.t.Context(), "vip", time.Now().Add(-30*time.Second)); err != nil || p.Count != 1 {
			t.Errorf("of the last half minute: %+v, %v", p, err)
		}
	})
	w := newWorld(t, nil)
	if _, err := w.bot.Preview(t.Context(), "vip", time.Now()); !errors.Is(err, ErrNoHistory) {
		t.Error(err)
	}
}
