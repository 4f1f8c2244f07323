package bot

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const shadowRules = `
version: 1
targets: {default: {}, sales: {}}
rules:
  - {id: gold, mode: shadow, when: {field: {path: ClientUserId, exists: true}, says: [order .. 13800138000]}, then: {transfer: sales}}
  - {id: lost, mode: shadow, when: {turns: {at_least: 1}}, then: {keep: true}}
  - {id: twice, when: {bot_missed: {times: 2, within: 15m}}, then: {transfer: default}}
`

func TestDecisions_line_tellsWhyAndWhatShadowWouldDo(t *testing.T) {
	for mode, want := range map[mask.Mode]struct {
		why, matched string
	}{
		mask.Masked: {`field: ClientUserId is "user1"; says: found order 13800138000 (order .. 13800138000)`, "order ***"},
		mask.None:   {"field; says", ""},
	} {
		inWorld(t, func(w *world) {
			w.bot.LogText = mode
			w.bot.SetPolicy(mustLoad(t, shadowRules))
			w.user("order 13800138000")
			line := w.log.Lines("decision")[0]
			would := map[string]any{"rule": "gold", "outcome": "transfer", "target": "sales"}
			if want.matched != "" {
				would["matched"] = []any{want.matched}
			}
			wantLine := map[string]any{
				"outcome": "shadow", "target": "sales", "shadow": []any{"gold", "lost"}, "why": mode.Text(want.why),
				"would": []any{would, map[string]any{"rule": "lost", "outcome": "keep"}},
			}
			if mode == mask.None {
				wantLine["why"] = want.why
			}
			for name, value := range wantLine {
				if diff := cmp.Diff(value, line[name]); diff != "" {
					t.Errorf("%v: %s (-want +got):\n%s", mode, name, diff)
				}
			}
			w.handle(w.event(desk.EventBotMessage, "sorry", "fallback"))
			line = w.log.Lines("decision")[1]
			if line["near"] != "twice" || line["why"] != "bot_missed: 1 of 2 in 15m" {
				t.Errorf("near miss: %v", line)
			}
		})
	}
}

// A transfer that could be stored nowhere has not fired: its misses are as they were.
func TestDecisions_aFiringThatCouldNotBeStored_spendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &brokenOutbox{Outbox: memory.NewOutbox(nil)}
		w := newWorld(t, outbox)
		w.bot.Start()
		defer func() { _ = w.bot.Stop(t.Context()) }()
		w.user("one")
		w.handle(w.event(desk.EventBotMessage, "sorry", "fallback"))
		w.user("two")
		outbox.broken.Store(true)
		if _, err := w.bot.Handle(t.Context(), Request{Event: w.event(desk.EventBotMessage, "sorry", "fallback")}); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("Handle = %v, want ErrUnavailable", err)
		}
		w.wantPhase(rules.PhaseBot)
		outbox.broken.Store(false)
		w.handle(w.event(desk.EventBotMessage, "sorry", "fallback"))
		synctest.Wait()
		w.wantOutcomes("assigned")
	})
}
