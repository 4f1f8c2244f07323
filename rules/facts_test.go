package rules

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// attentive is the file's policy with every rule and every recorder looked at, and every hit, on every turn.
func attentive(t testing.TB, src []byte) *Policy {
	p := mustLoad(t, src)
	for i := range p.wakes {
		for k := range p.wakes[i] {
			p.wakes[i][k] = everything
		}
	}
	for i := range p.recording {
		p.recording[i] = factTurn
	}
	for i := range p.factsOf {
		p.factsOf[i] = everything
	}
	return p
}

const factRules = `
version: 1
targets: {default: {}}
lists: {furious: {骗子: 3, 谢谢: -2}, sly: [$yes, 退款]}
rules:
  - {id: off, mode: off, when: {says: [转人工]}, then: {transfer: default}}
  - {id: share, share: 50%, when: {says: [退款]}, then: {offer: 需要人工吗？, transfer: default}, cooldown: 1m}
  - {id: sly, when: {says: [$sly], bot_said: {any: [需要], within: 5m, last: true}}, then: {keep: true}, cooldown: 1m}
  - {id: all, when: {says: {all: [我, 订单], not_part_of: [我们]}, turns: {at_least: 2}}, then: {keep: true}, cooldown: 2m}
  - {id: refuses, when: {says: {any: [人工], negation: require}}, then: {keep: true}, cooldown: 1m}
  - {id: shadow, mode: shadow, when: {any: [{mood: {list: furious, at_least: 3, within: 5m}}, {bot_missed: {times: 2, within: 9m}}]}, then: {transfer: default}}
  - {id: said, when: {not: {says: [怎么]}, said: {any: [骗子], within: 5m}}, then: {keep: true}, cooldown: 3m}
  - {id: stuck, when: {bot_missed: {times: 2, within: 15m, consecutive: false}}, then: {transfer: default}, cooldown: 1m}
  - {id: bot, when: {bot_says: [需要], bot_missed: {times: 1, within: 9m}}, then: {keep: true}, cooldown: 1m}
  - {id: again, when: {repeats: {times: 2, within: 10m}}, then: {keep: true}, cooldown: 1m}
  - {id: ask, when: {rule: bare}, then: {transfer: default}, cooldown: 1m}
  - {id: bare, when: {says: [$ask_human]}, then: {keep: true}}
`

// What is passed over for want of facts would have changed nothing: no decision, no story, nothing that is remembered.
func TestFacts_passingOver_changesNothing(t *testing.T) {
	p, q := mustLoad(t, []byte(factRules)), attentive(t, []byte(factRules))
	texts := rapid.SampledFrom([]string{
		"转人工", "不要转人工", "怎么退款", "好的", "好的好的", "好的不用了", "不用了", "骗子", "谢谢", "需要退款吗", "我的订单到哪里了", "我们的订单", "qwertz 77", "👍", "",
		"I want to talk to a human", "the agent said so yesterday",
	})
	stories, told := NewStories(func(s string) string { return s }), NewStories(func(s string) string { return s })
	rapid.Check(t, func(r *rapid.T) {
		var c, d Conversation
		now := start
		for range rapid.IntRange(1, 12).Draw(r, "turns") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(r, "wait")) * time.Second)
			turn := Turn{Kind: rapid.SampledFrom([]TurnKind{UserTurn, UserTurn, UserTurn, BotTurn, BotTurn, TimerTurn, StartTurn, RatingTurn}).Draw(r, "kind"), At: now, SessionID: "s", WithWhy: true}
			turn.Text = texts.Draw(r, "text")
			turn.Mark = rapid.SampledFrom([]string{"", "", "", "fallback"}).Draw(r, "mark")
			var tried, looked Tried
			turn.Tried = &tried
			got := p.Decide(&c, turn)
			turn.Tried = &looked
			want := q.Decide(&d, turn)
			if got.Rule != want.Rule || got.Outcome != want.Outcome || got.Reason != want.Reason || got.Near != want.Near || got.NearReason != want.NearReason || len(got.Would) != len(want.Would) {
				r.Fatalf("%q: %+v, want %+v", turn.Text, got, want)
			}
			if diff := cmp.Diff(told.Of(&looked, nil), stories.Of(&tried, nil)); diff != "" {
				r.Fatalf("%q: -want +got\n%s", turn.Text, diff)
			}
			one, _ := c.MarshalBinary()
			other, _ := d.MarshalBinary()
			if !bytes.Equal(one, other) {
				r.Fatalf("%q: what is remembered differs\n%x\n%x", turn.Text, one, other)
			}
			if got.Outcome == OutcomeOffer {
				p.OfferSent(&c, got.Rule, now)
				q.OfferSent(&d, got.Rule, now)
			}
			if c.Phase() == PhaseTransferring {
				result := rapid.SampledFrom([]Result{ResultNoAgent, ResultNoAgent, ResultAssigned}).Draw(r, "result")
				p.Settle(&c, nil, got.Rule, result, now)
				q.Settle(&d, nil, got.Rule, result, now)
			}
		}
	})
}
