package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const countedRules = `
targets: {default: {}}
rules:
  - {id: again, when: {repeats: {times: 3, within: 10m}}, then: {transfer: default}}
  - {id: fast, when: {rate: {messages: 9, within: 1m}}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}
  - {id: refund, when: {says: [退款]}, then: {offer: 需要人工吗？, transfer: default}, cooldown: 5m}
`

// A person who asks why a turn did not escalate sees what was counted before it and after.
func TestTried_countsBeforeAndAfter(t *testing.T) {
	k := newTalk(t, load(t, countedRules))
	var tried Tried
	turn := func(turn Turn) { turn.Tried = &tried; k.turn(turn) }
	turn(Turn{Text: "我的订单到哪里了"})
	turn(Turn{Kind: BotTurn, Mark: "fallback", Text: "抱歉"})
	if tried.Before.MissesInARow != 0 || tried.Counters.MissesInARow != 1 || tried.Counters.Misses != 1 {
		t.Errorf("a miss: %+v to %+v", tried.Before, tried.Counters)
	}
	turn(Turn{Text: "我的订单到哪里了"})
	if tried.Before.UserMessages != 1 || tried.Counters.UserMessages != 2 || tried.Counters.Repeats != 2 || tried.Counters.LastMinute != 2 {
		t.Errorf("the same again: %+v to %+v", tried.Before, tried.Counters)
	}
	turn(Turn{Text: "我要退款"})
	if diff := cmp.Diff([]Cooldown{{"refund", 300}}, tried.Counters.Cooldowns); diff != "" || len(tried.Before.Cooldowns) != 0 {
		t.Errorf("a rule that fired rests: %s, before %v", diff, tried.Before.Cooldowns)
	}
	k.p.OfferSent(&k.c, "refund", k.now)
	k.now = k.now.Add(time.Minute)
	turn(Turn{Kind: BotTurn, Text: "好的，请稍等"})
	if tried.Counters.Offer != "refund" || tried.Counters.MissesInARow != 0 || tried.Counters.Misses != 1 {
		t.Errorf("an open offer: %+v", tried.Counters)
	}
	if words := tried.Counters.String(); !strings.HasSuffix(words, "misses in all 1, messages in the last minute 3, open offer of refund, cooldown left: refund 4m") {
		t.Error(words)
	}
}
