package rules

import (
	"testing"
	"time"
)

// rulesWhen is a file of one rule `r` with this condition.
func rulesWhen(t testing.TB, head, when string) *Policy {
	t.Helper()
	return load(t, head+"\nrules: [{id: r, when: "+when+", then: {transfer: default}, cooldown: 0s}]\n")
}

// play says each message in a new conversation and reports whether the last one fires.
func play(t testing.TB, p *Policy, turns ...Turn) bool {
	k := newTalk(t, p)
	var d Decision
	for _, turn := range turns {
		if turn.Kind == TimerTurn {
			at, ok := p.NextTimer(&k.c)
			if !ok {
				return false
			}
			k.now = at
		}
		d = k.turn(turn)
		k.c.phase = PhaseBot // each turn is judged alone
		k.wait(time.Second)
	}
	return d.Outcome == OutcomeTransfer
}

func says(texts ...string) []Turn {
	var turns []Turn
	for _, text := range texts {
		turns = append(turns, Turn{Text: text})
	}
	return turns
}

func TestConditions_words(t *testing.T) {
	head := `
lists:
  refund: [退款, 退货, "(send|give) .. back"]
  coupon: {phrases: [优惠券], typos: off}
  all_of_them: [$refund, $coupon]
  negators: {add: [甭], without: [别人]}
`
	for _, c := range []struct {
		name, when string
		text       string
		want       bool
	}{
		{"one of a list", "{says: [$refund]}", "我要退货", true},
		{"a list in a list", "{says: [$all_of_them]}", "我要退货", true},
		{"a gap", "{says: [$refund]}", "please give my money back", true},
		{"none", "{says: [$refund]}", "你好", false},
		{"a name within a phrase", "{says: [想要 $refund]}", "我想要退款", true},
		{"a name within a phrase, without the rest", "{says: [想要 $refund]}", "退款", false},
		{"all of them", "{says: {all: [$refund, 马上]}}", "马上退货", true},
		{"all of them, one missing", "{says: {all: [$refund, 马上]}}", "退货", false},
		{"any and all", "{says: {any: [请], all: [$refund, 马上]}}", "请马上退货", true},
		{"any and all, any missing", "{says: {any: [请], all: [$refund, 马上]}}", "马上退货", false},
		{"masked", "{says: {any: [人工], not_part_of: [人工智能]}}", "人工智能是什么", false},
		{"masked, and once more outside", "{says: {any: [人工], not_part_of: [人工智能]}}", "不懂人工智能，转人工", true},
		{"masked by a list", "{says: {any: [人工, 款], not_part_of: [$refund]}}", "退款", false},
		{"negated", "{says: [$coupon]}", "不要优惠券", false},
		{"negation ignored", "{says: {any: [$coupon], negation: ignore}}", "不要优惠券", true},
		{"negation required", "{says: {any: [$coupon], negation: require}}", "不要优惠券", true},
		{"negation required but absent", "{says: {any: [$coupon], negation: require}}", "优惠券好", false},
		{"a negator of the file", "{says: [$coupon]}", "甭优惠券", false},
		{"two keys mean both", "{says: [$refund], turns: {at_least: 2}}", "退款", false},
		{"raw text of a number", "{says: [12315]}", "我打12315", true},
		{"raw text of a word of YAML", "{says: [no]}", "no", true},
	} {
		if got := play(t, rulesWhen(t, head, c.when), says(c.text)...); got != c.want {
			t.Errorf("%s: %s on %q: %v, want %v", c.name, c.when, c.text, got, c.want)
		}
	}
}

func TestConditions_overTurns(t *testing.T) {
	user := func(s string) Turn { return Turn{Text: s} }
	bot := func(s string) Turn { return Turn{Kind: BotTurn, Text: s} }
	marked := func(m string) Turn { return Turn{Kind: BotTurn, Text: "…", Mark: m} }
	failed := Turn{Kind: BotTurn, Failed: true}
	head := `
lists: {furious: {骗子: 3, 垃圾: 2, 谢谢: -2}}
signals: {bot_missed: {marks: [fallback], says: [没有学会]}}
`
	miss := bot("抱歉，我还没有学会")
	for _, c := range []struct {
		name, when string
		turns      []Turn
		want       bool
	}{
		{"said before", "{all: [{says: [人工]}, {said: {any: [退款], within: 1m}}]}", says("退款", "人工"), true},
		{"said now", "{said: {any: [退款], within: 1m}}", says("退款"), true},
		{"said, on a bot turn", "{all: [{said: {any: [退款], within: 1m}}, {bot_says: [抱歉]}]}", []Turn{user("退款"), bot("抱歉")}, true},
		{"said too long ago", "{all: [{says: [人工]}, {said: {any: [退款], within: 1s}}]}", says("退款", "啊", "人工"), false},
		{"said, negated", "{said: {any: [退款], within: 1m}}", says("不要退款"), false},
		{"missed by its words", "{bot_missed: {times: 2, within: 1m}}", []Turn{user("a"), miss, user("b"), miss}, true},
		{"missed by its mark", "{bot_missed: {times: 1, within: 1m}}", []Turn{user("a"), marked("fallback")}, true},
		{"failed to answer", "{bot_missed: {times: 1, within: 1m}}", []Turn{user("a"), failed}, true},
		{"another mark", "{bot_missed: {times: 1, within: 1m}}", []Turn{user("a"), marked("clarify")}, false},
		{"one miss per message", "{bot_missed: {times: 2, within: 1m}}", []Turn{user("a"), miss, miss, miss}, false},
		{"a good answer takes a miss back", "{bot_missed: {times: 2, within: 1m}}", []Turn{user("a"), miss, bot("好"), user("b"), miss}, false},
		{"a miss after a good answer counts", "{bot_missed: {times: 2, within: 1m}}", []Turn{user("a"), bot("好"), miss, user("b"), miss}, true},
		{"in a row", "{bot_missed: {times: 2, within: 1m}}", []Turn{user("a"), miss, user("b"), bot("好"), user("c"), miss}, false},
		{"not in a row", "{bot_missed: {times: 2, within: 1m, consecutive: false}}", []Turn{user("a"), miss, user("b"), bot("好"), user("c"), miss}, true},
		{"a mark that is no answer", "{bot_missed: {times: 2, within: 1m}}", []Turn{user("a"), miss, user("b"), marked("thinking"), user("c"), miss}, true},
		{"too long ago", "{bot_missed: {times: 2, within: 1s}}", []Turn{user("a"), miss, user("b"), miss}, false},
		{"repeats", "{repeats: {times: 3, within: 1m}}", says("我的快递到哪里了", "我的快递到哪里了？", "我的快递到哪里了！"), true},
		{"repeats, other words between", "{repeats: {times: 2, within: 1m}}", says("我的快递到哪里了", "你好啊朋友们", "我的快递到哪里了"), true},
		{"repeats, not alike", "{repeats: {times: 2, within: 1m}}", says("我的快递到哪里了", "我想修改收货地址"), false},
		{"repeats, too short", "{repeats: {times: 2, within: 1m}}", says("你好", "你好"), false},
		{"mood", "{mood: {list: furious, at_least: 5, within: 1m}}", says("骗子", "垃圾"), true},
		{"mood, calmed", "{mood: {list: furious, at_least: 5, within: 1m}}", says("骗子", "谢谢", "垃圾"), false},
		{"mood never below zero", "{mood: {list: furious, at_least: 3, within: 1m}}", says("谢谢谢谢谢谢", "骗子"), true},
		{"mood, with $", "{mood: {list: $furious, at_least: 3, within: 1m}}", says("骗子"), true},
		{"rate", "{rate: {messages: 3, within: 2s}}", says("a", "b", "c"), true},
		{"rate, too slow", "{rate: {messages: 3, within: 1s}}", says("a", "b", "c"), false},
		{"turns", "{turns: {at_least: 3}}", says("a", "b", "c"), true},
		{"turns, too few", "{turns: {at_least: 3}}", says("a", "b"), false},
		{"silent", "{bot_silent: 30s}", []Turn{user("a"), {Kind: TimerTurn}}, true},
		{"silent, answered", "{bot_silent: 30s}", []Turn{user("a"), bot("好"), {Kind: TimerTurn}}, false},
		{"silent, still thinking", "{bot_silent: 30s}", []Turn{user("a"), marked("thinking"), {Kind: TimerTurn}}, true},
		{"silent, a miss is a reply", "{bot_silent: 30s}", []Turn{user("a"), miss, {Kind: TimerTurn}}, false},
		{"silent, failed", "{bot_silent: 30s}", []Turn{user("a"), failed, {Kind: TimerTurn}}, true},
		{"sends", "{sends: [image, video]}", []Turn{{Sends: SendsVideo}}, true},
		{"sends something else", "{sends: [image, video]}", []Turn{{Sends: SendsFile}}, false},
		{"not, on another kind of turn", "{not: {says: [a]}}", []Turn{bot("b")}, false},
		{"not, on its kind of turn", "{not: {says: [退款]}}", says("你好"), true},
		{"not of a part that does not apply", "{all: [{turns: {at_least: 1}}, {not: {any: [{says: [退款]}, {turns: {at_least: 9}}]}}]}", []Turn{user("a"), bot("b")}, false},
	} {
		if got := play(t, rulesWhen(t, head, c.when), c.turns...); got != c.want {
			t.Errorf("%s: %s: %v, want %v", c.name, c.when, got, c.want)
		}
	}
}

func TestConditions_field(t *testing.T) {
	gold := TestFields{"C.level": "gold", "C.n": "3", "C.vip": "true"}
	for _, c := range []struct {
		when  string
		turns []Turn
		want  bool
	}{
		{"{field: {path: C.level, equals: gold}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.level, equals: silver}}", []Turn{{Text: "a", Fields: gold}}, false},
		{"{field: {path: C.level, in: [black, gold]}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.n, equals: 3}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.n, equals: 3.0}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.n, equals: '3.0'}}", []Turn{{Text: "a", Fields: gold}}, false},
		{"{field: {path: C.n, at_least: 3, at_most: 3}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.n, at_least: 4}}", []Turn{{Text: "a", Fields: gold}}, false},
		{"{field: {path: C.uid, equals: 7205759403792794627}}", []Turn{{Text: "a", Fields: TestFields{"C.uid": "7205759403792794627"}}}, true},
		{"{field: {path: C.uid, equals: 7205759403792794627}}", []Turn{{Text: "a", Fields: TestFields{"C.uid": "7205759403792794628"}}}, false},
		{"{field: {path: C.uid, in: [18014398509481985]}}", []Turn{{Text: "a", Fields: TestFields{"C.uid": "18014398509481984"}}}, false},
		{"{field: {path: C.uid, at_least: 18014398509481985}}", []Turn{{Text: "a", Fields: TestFields{"C.uid": "18014398509481984"}}}, false},
		{"{field: {path: C.uid, equals: 42}}", []Turn{{Text: "a", Fields: TestFields{"C.uid": "0042"}}}, false},
		{"{field: {path: C.uid, at_least: 1}}", []Turn{{Text: "a", Fields: TestFields{"C.uid": "Inf"}}}, false},
		{"{field: {path: C.level, at_least: 0}}", []Turn{{Text: "a", Fields: gold}}, false},
		{"{field: {path: C.vip, equals: true}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.level, matches: ^go}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.level, exists: true}}", []Turn{{Text: "a", Fields: gold}}, true},
		{"{field: {path: C.level, exists: false}}", []Turn{{Text: "a", Fields: gold}}, false},
		{"{field: {path: C.level, exists: false}}", []Turn{{Text: "a"}}, true},
		{"{field: {path: C.level, equals: gold}}", []Turn{{Text: "a", Fields: gold}, {Kind: BotTurn, Text: "b"}}, true},
		{"{field: {path: C.level, equals: gold}}", []Turn{{Text: "a", Fields: gold}, {Text: "b", Fields: TestFields{}}}, false},
		{"{field: {path: C.level, equals: gold}}", []Turn{{Kind: StartTurn, Fields: gold}, {Text: "b", Fields: TestFields{}}}, true},
	} {
		if got := play(t, rulesWhen(t, "", c.when), c.turns...); got != c.want {
			t.Errorf("%s on %d turns: %v, want %v", c.when, len(c.turns), got, c.want)
		}
	}
}

func TestConditions_language(t *testing.T) {
	for _, c := range []struct {
		texts []string
		lang  string
	}{
		{[]string{"你好，我想问一下"}, "zh"},
		{[]string{"我的 iPhone 15 Pro Max 坏了怎么办呢"}, "zh"},
		{[]string{"I would like to talk to somebody please"}, "en"},
		{[]string{"quiero hablar con una persona por favor"}, "es"},
		{[]string{"ich möchte bitte mit einem Mitarbeiter sprechen"}, "de"},
		{[]string{"je voudrais parler à un conseiller"}, "fr"},
		{[]string{"オペレーターと話したいです"}, "ja"},
		{[]string{"상담원 연결해 주세요"}, "ko"},
		{[]string{"хочу поговорить с оператором"}, "ru"},
		{[]string{"12345"}, ""},
		{[]string{"你好，我想问一下", "12345"}, "zh"},
		{[]string{"你好，我想问一下", "I would like to talk to somebody please"}, "en"},
	} {
		k := newTalk(t, load(t, askRule))
		for _, text := range c.texts {
			k.user(text)
		}
		if got := k.c.Language(); got != c.lang {
			t.Errorf("%q is %q, want %q", c.texts, got, c.lang)
		}
	}
	if play(t, rulesWhen(t, "", "{language: [en, zh]}"), says("12345")...) {
		t.Error("an unknown language matches")
	}
}

func TestConditions_ruleReference(t *testing.T) {
	p := load(t, `
rules:
  - {id: a, mode: off, when: {said: {any: [退款], within: 1m}}, then: {transfer: default}}
  - {id: b, when: {all: [{rule: a}, {says: [人工]}]}, then: {transfer: default}}
`)
	if !play(t, p, says("退款", "人工")...) || play(t, p, says("人工")...) {
		t.Error("a reference to the condition of another rule fails")
	}
}
