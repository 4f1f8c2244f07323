package rules

import (
	"strings"
	"testing"
	"time"
)

func TestBotSaid_holds(t *testing.T) {
	bot := func(text string) Turn { return Turn{Kind: BotTurn, Text: text} }
	user := func(text string) Turn { return Turn{Text: text} }
	const ever, last = "{bot_said: {any: [转人工], within: 10m}}", "{bot_said: {any: [转人工], within: 10m, last: true}}"
	for _, c := range []struct {
		name, when string
		turns      []Turn
		want       bool
	}{
		{"said before", ever, []Turn{bot("需要转人工吗"), user("好")}, true},
		{"never said", ever, []Turn{bot("您好"), user("好")}, false},
		{"the message of this turn", ever, []Turn{bot("需要转人工吗")}, true},
		{"said, and something else since", ever, []Turn{bot("需要转人工吗"), bot("您好"), user("好")}, true},
		{"the customer's own words", ever, []Turn{user("转人工")}, false},
		{"refused by the bot: it is said all the same", ever, []Turn{bot("不用转人工"), user("好")}, true},
		{"unless the file looks at negation", "{bot_said: {any: [转人工], within: 10m, negation: respect}}", []Turn{bot("不用转人工"), user("好")}, false},
		{"masked", "{bot_said: {any: [人工], not_part_of: [人工智能], within: 10m}}", []Turn{bot("我是人工智能"), user("好")}, false},
		{"each of two", "{bot_said: {all: [转人工, 需要], within: 10m}}", []Turn{bot("需要转人工吗"), user("好")}, true},
		{"each of two, in two messages", "{bot_said: {all: [转人工, 需要], within: 10m}}", []Turn{bot("需要"), bot("转人工"), user("好")}, false},
		{"on a timer", "{all: [" + ever + ", {bot_silent: 30s}]}", []Turn{bot("需要转人工吗"), user("好"), {Kind: TimerTurn}}, true},

		{"last: said just before", last, []Turn{bot("需要转人工吗"), user("好")}, true},
		{"last: the message of this turn", last, []Turn{bot("您好"), bot("需要转人工吗")}, true},
		{"last: something else since", last, []Turn{bot("需要转人工吗"), bot("您好"), user("好")}, false},
		{"last: a picture since", last, []Turn{bot("需要转人工吗"), {Kind: BotTurn, Sends: SendsImage}, user("好")}, true},
		{"last: blanks since", last, []Turn{bot("需要转人工吗"), bot(" \n"), user("好")}, true},
		{"last: it failed to answer since", last, []Turn{bot("需要转人工吗"), user("嗯"), {Kind: BotTurn, Failed: true}, user("好")}, true},
		{"last: the customer wrote in between", last, []Turn{bot("需要转人工吗"), user("等一下"), user("好")}, true},
		{"last: asked again", last, []Turn{bot("需要转人工吗"), bot("您好"), bot("需要转人工吗"), user("好")}, true},
	} {
		if got := play(t, rulesWhen(t, "", c.when), c.turns...); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// The time runs from the message, to the millisecond.
func TestBotSaid_within(t *testing.T) {
	for wait, want := range map[time.Duration]string{time.Minute: "transfer r", time.Minute + time.Millisecond: "none"} {
		k := newTalk(t, rulesWhen(t, "", "{all: [{says: [好]}, {bot_said: {any: [转人工], within: 1m, last: true}}]}"))
		k.bot("需要转人工吗")
		k.wait(wait)
		expect(t, wait.String(), k.user("好"), want)
	}
}

// It is remembered as `said` is: by its own words, whatever else of the file changes, and over the store.
func TestBotSaid_memoryOverAReload(t *testing.T) {
	const rule = "rules: [{id: %s, then: {transfer: default}, when: {says: [好], bot_said: %s}}]"
	file := func(id, said string) *Policy {
		return load(t, strings.NewReplacer("%s, then", id+", then", "%s}", said+"}").Replace(rule))
	}
	for _, c := range []struct {
		name  string
		after *Policy
		want  bool
	}{
		{"another rule", file("b", "{any: [转人工, agent], within: 10m, last: true}"), true},
		{"another order and window", file("a", "{any: [agent, 转人工], within: 5m, last: true}"), true},
		{"other words", file("a", "{any: [agent], within: 10m, last: true}"), false},
		{"what the customer said", load(t, "rules: [{id: a, then: {transfer: default}, when: {says: [好], said: {any: [转人工, agent], negation: ignore, within: 10m}}}]"), false},
	} {
		k := newTalk(t, file("a", "{any: [转人工, agent], within: 10m, last: true}"))
		k.bot("需要转人工吗")
		kept, err := k.c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		k.c = Conversation{}
		if err := k.c.UnmarshalBinary(kept); err != nil {
			t.Fatal(err)
		}
		k.p = c.after
		if got := k.user("好").Outcome == OutcomeTransfer; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestBotSaid_explain_namesThePack(t *testing.T) {
	p := rulesWhen(t, "", "{says: [$yes], bot_said: {any: [$bot_offers], within: 1m, last: true}}")
	k := newTalk(t, p)
	if _, trace := p.Explain(&k.c, Turn{Kind: BotTurn, Text: "Shall I connect you to a colleague?", At: k.now}); !strings.Contains(trace.Rules[0].Condition.Parts[1].Why.String(), "($bot_offers, en)") {
		t.Errorf("the bot asks: %+v", trace.Rules[0].Condition)
	}
	k.wait(time.Second)
	if _, trace := p.Explain(&k.c, Turn{Text: "yes please", At: k.now}); !strings.Contains(trace.Rules[0].Why.String(), "bot_said: said 1s ago ($bot_offers)") {
		t.Error(trace.Rules[0].Why)
	}
}

func TestBotSaid_explain(t *testing.T) {
	p := rulesWhen(t, "", "{says: [好], bot_said: {any: [转人工], within: 1m, last: true}}")
	for _, c := range []struct{ bot, want string }{
		{"需要转人工吗", "bot_said: said 1s ago"},
		{"您好", "bot_said: its last message says none of it"},
	} {
		k := newTalk(t, p)
		k.bot(c.bot)
		k.wait(time.Second)
		if _, trace := p.Explain(&k.c, Turn{Text: "好", At: k.now}); !strings.Contains(trace.Rules[0].Why.String(), c.want) {
			t.Errorf("%s: %s", c.bot, trace.Rules[0].Why)
		}
	}
}

// What a rule above holds by, a rule below must not wait for.
func TestBotSaid_implies(t *testing.T) {
	leaf := func(when string) leaf { return rulesWhen(t, "", "{"+when+"}").rules[0].when.leaf }
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"bot_said: {any: [转人工], within: 5m, last: true}", "bot_said: {any: [转人工], within: 10m}", true},
		{"bot_said: {any: [转人工], within: 5m}", "bot_said: {any: [转人工], within: 10m, last: true}", false},
		{"bot_said: {any: [转人工], within: 15m}", "bot_said: {any: [转人工], within: 10m}", false},
		{"bot_says: [转人工]", "bot_said: {any: [转人工], within: 10m, last: true}", true},
		{"says: [转人工]", "bot_said: {any: [转人工], negation: respect, within: 10m}", false},
		{"said: {any: [转人工], within: 5m}", "bot_said: {any: [转人工], negation: respect, within: 10m}", false},
	} {
		if got := leaf(c.a).implies(leaf(c.b)); got != c.want {
			t.Errorf("%s implies %s: %v", c.a, c.b, got)
		}
	}
}
