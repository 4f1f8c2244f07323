package bot

import (
	"errors"
	"testing"
	"time"

	"escalator/bot/mute"
	"escalator/rules"
)

// A rule may be muted in the evening and deleted in the morning: its mute is then
// in the way of a rule that gets the same id, and must be ended.
func TestMute_ofARuleThatIsGone_canBeEnded_butNotBegun(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.bot.Policy().Rules()[0].ID
		if _, err := w.bot.Mute(id, time.Hour, "li", "the queue is full"); err != nil {
			t.Fatal(err)
		}
		without, report := rules.Load([]byte("version: 1\ntargets: {default: {}}\nrules:\n  - {id: another, when: {says: [human]}, then: {transfer: default}}\n"), rules.LoadOptions{})
		if without == nil {
			t.Fatal(report.Errors)
		}
		w.bot.SetPolicy(without)
		if _, err := w.bot.Mute(id, time.Hour, "li", "again"); !errors.Is(err, mute.ErrNoSuchRule) {
			t.Errorf("muting a rule that is gone: %v", err)
		}
		if _, err := w.bot.Mute(id, 0, "li", ""); err != nil || len(w.bot.Muted()) != 0 {
			t.Errorf("ending its mute: %v, left %v", err, w.bot.Muted())
		}
		if _, err := w.bot.Mute(id, 0, "li", ""); !errors.Is(err, mute.ErrNoSuchRule) {
			t.Errorf("ending a mute that is none: %v", err)
		}
	})
}
