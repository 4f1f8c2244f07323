package rules

import (
	"strings"
	"testing"
	"time"
)

// $yes and $no are whole messages, wherever a user's phrases may stand.
func TestAnswers_wholeMessages(t *testing.T) {
	const head = "lists: {ok: [$yes, 行吧就这样], nested: [$ok, 转], either: [$yes, $no]}"
	for _, c := range []struct {
		when, text string
		want       bool
	}{
		{"{says: [$yes]}", "好的", true},
		{"{says: [$yes]}", "好的，谢谢！", true},
		{"{says: [$yes]}", "好的好的，可以的", true},
		{"{says: [$yes]}", "yes please", true},
		{"{says: [$yes]}", "YES!!!", true},
		{"{says: [$yes]}", "ok, yes", true},
		{"{says: [$yes]}", "👍", true},
		{"{says: [$yes]}", "[OK]", true},
		{"{says: [$yes]}", "", false},
		{"{says: [$yes]}", "。。。", false},
		{"{says: [$yes]}", "谢谢", false},
		{"{says: [$yes]}", "好的，我的订单呢", false},
		{"{says: [$yes]}", "你好", false},
		{"{says: [$yes]}", "好评返现", false},
		{"{says: [$yes]}", "yes but where is my order", false},
		{"{says: [$yes]}", "the yes button does nothing", false},
		{"{says: [$yes]}", "不好", false},
		{"{says: [$yes]}", "不用了，谢谢", false},
		{"{says: [$yes]}", "no", false},
		{"{says: [$no]}", "no", true},
		{"{says: [$no]}", "不用了，谢谢", true},
		{"{says: [$no]}", "no thanks", true},
		{"{says: [$no]}", "no problem with the order, it is late though", false},
		{"{says: [$no]}", "不知道", false},
		// A message with both is neither.
		{"{says: [$yes]}", "yes no", false},
		{"{says: [$no]}", "yes no", false},
		{"{says: [$yes, $no]}", "yes no", false},
		{"{says: [$either]}", "yes no", false},
		{"{says: [$either]}", "yes", true},
		{"{says: [$either]}", "no", true},
		// In lists of one's own.
		{"{says: [$ok]}", "好的", true},
		{"{says: [$ok]}", "那行吧就这样", true},
		{"{says: [$ok]}", "好的，我的订单呢", false},
		{"{says: [$nested]}", "嗯嗯", true},
		{"{says: [$nested]}", "转给我", true},
		// With the other options: negation is not looked at, what masks a word of the message takes it back.
		{"{says: {any: [$no], negation: require}}", "不用了", true},
		{"{says: {any: [$yes], negation: require}}", "好的", true},
		{"{says: {any: [$no], negation: ignore}}", "no", true},
		{"{says: {all: [$yes, 好]}}", "好的", true},
		{"{says: {all: [$yes, 好]}}", "行", false},
		{"{says: {any: [$yes], not_part_of: [嗯]}}", "嗯，好的", false},
		{"{says: {any: [$yes], not_part_of: [嗯]}}", "好的", true},
		{"{not: {says: [$yes]}}", "我的订单呢", true},
		{"{said: {any: [$yes], within: 1m}}", "好的", true},
		{"{said: {any: [$yes], within: 1m}}", "好的，我的订单呢", false},
		{"{said: {any: [$ok], within: 1m}}", "👌", true},
	} {
		if got := play(t, rulesWhen(t, head, c.when), Turn{Text: c.text}); got != c.want {
			t.Errorf("%s on %q: %v", c.when, c.text, got)
		}
	}
}

// `said` remembers an answer as it remembers other words.
func TestAnswers_said_isRemembered(t *testing.T) {
	k := newTalk(t, rulesWhen(t, "", "{all: [{said: {any: [$yes], within: 1m}}, {says: [订单]}]}"))
	k.user("👍")
	k.wait(time.Minute)
	expect(t, "in time", k.user("订单"), "transfer r")
	k.c.phase = PhaseBot
	k.wait(time.Millisecond)
	expect(t, "too late", k.user("订单"), "none")
}

// A pack that is added to $yes is part of the answer, also where no rule looks for it in other messages.
func TestAnswers_aFrameIsAPartOfThem(t *testing.T) {
	p := load(t, `lists: {"yes": {add: [$ask_human]}}
rules: [{id: o, when: {says: [refund]}, then: {offer: Shall I connect you?, transfer: default}}]`)
	for text, accepted := range map[string]bool{
		"I want to talk to a human":           true,
		"yes please, connect me to an agent":  true,
		"I want to talk to a human tomorrow?": false,
		"where is my parcel":                  false,
	} {
		k := newTalk(t, p)
		k.user("refund")
		k.p.OfferSent(&k.c, "o", k.now)
		k.wait(time.Second)
		if got := k.user(text).Reason == ReasonOfferAccepted; got != accepted {
			t.Errorf("%q: accepted %v, want %v", text, got, accepted)
		}
	}
}

// An offer and a rule read the same messages as an answer.
func TestAnswers_offerAndSays_readAlike(t *testing.T) {
	offer := load(t, "rules: [{id: o, when: {says: [退款]}, then: {offer: 需要人工吗, transfer: default}}]")
	rule := rulesWhen(t, "", "{says: [$yes]}")
	for _, text := range []string{
		"好的", "好", "嗯", "要", "需要", "可以，谢谢", "行行行", "好的。请问", "yes", "yeah sure", "yes please!", "ok 👍", "👍👍", "[OK]", "oui", "sí por favor", "はい", "네", "да",
		"好的，退货", "yes?no", "no", "不", "谢谢", "", "转", "👎", "ok ok not ok", "> yes\nno", "yes\n> no",
	} {
		k := newTalk(t, offer)
		k.user("退款")
		k.p.OfferSent(&k.c, "o", k.now)
		k.wait(time.Second)
		accepted := k.user(text).Reason == ReasonOfferAccepted
		if says := play(t, rule, Turn{Text: text}); says != accepted {
			t.Errorf("%q: as an answer to an offer %v, in says %v", text, accepted, says)
		}
	}
}

// Where it cannot be read as an answer of the customer, it is an error at that word.
func TestAnswers_elsewhere_areErrors(t *testing.T) {
	for body, want := range map[string]string{
		"rules: [{id: r, then: {transfer: default}, when: {bot_says: [$yes]}}]":                                                   "`$yes` cannot stand in bot_says",
		"rules: [{id: r, then: {transfer: default}, when: {bot_says: {all: [$no]}}}]":                                             "`$no` cannot stand in bot_says",
		"rules: [{id: r, then: {transfer: default}, when: {bot_said: {any: [hi, $yes], within: 1m}}}]":                            "`$yes` cannot stand in bot_said",
		"rules: [{id: r, then: {transfer: default}, when: {says: {any: [hi], not_part_of: [$no]}}}]":                              "`$no` cannot stand in not_part_of",
		"rules: [{id: r, then: {transfer: default}, when: {said: {any: [hi], not_part_of: [$ok], within: 1m}}}]":                  "`$ok`, which holds $yes, cannot stand in not_part_of",
		"signals: {bot_missed: {says: [$no]}}\nrules: [{id: r, then: {transfer: default}, when: {says: [hi]}}]":                   "`$no` cannot stand in signals",
		"signals: {bot_missed: {says: [$ok]}}\nrules: [{id: r, then: {transfer: default}, when: {says: [hi]}}]":                   "`$ok`, which holds $yes, cannot stand in signals",
		"lists: {w: {$yes: 2}}\nrules: [{id: r, then: {transfer: default}, when: {says: [$w]}}]":                                  "`$yes` cannot stand in a list with weights",
		"lists: {w: {phrases: {$ok: 2}}, ok: [$yes]}\nrules: [{id: r, then: {transfer: default}, when: {says: [$w]}}]":            "`$ok`, which holds $yes, cannot stand in a list with weights",
		"rules: [{id: r, then: {transfer: default}, when: {mood: {list: ok, at_least: 2, within: 1m}}}]":                          "the list `ok` holds a whole message, $yes",
		"rules: [{id: r, then: {transfer: default}, when: {mood: {list: $no, at_least: 2, within: 1m}}}]":                         "the list `no` holds a whole message, $no",
		"lists: {thanks: {add: [$yes]}}\nrules: [{id: r, then: {transfer: default}, when: {says: [$thanks]}}]":                    "`$yes` cannot stand in a change of the pack $thanks",
		"lists: {ask_human: {add: [x], without: [$no]}}\nrules: [{id: r, then: {transfer: default}, when: {says: [$ask_human]}}]": "`$no` cannot stand in a change of the pack $ask_human",
		"lists: {ask_human.person: {add: [$yes]}}\nrules: [{id: r, then: {transfer: default}, when: {says: [$ask_human]}}]":       "`$yes` cannot stand in a role",
	} {
		if !strings.Contains(body, "lists:") {
			body = "lists: {ok: [行, $inner], inner: [$yes]}\n" + body
		}
		src := []byte("version: 1\ntargets: {default: {}}\n" + body)
		_, r := Load(src, LoadOptions{})
		if len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message.String(), want) {
			t.Errorf("%s\nwant %q, got %+v", body, want, r.Errors)
			continue
		}
		if e := r.Errors[0]; !strings.HasPrefix(strings.TrimPrefix(skipRunes(strings.Split(string(src), "\n")[e.Line-1], e.Column-1), "$"), strings.Trim(strings.Fields(strings.TrimPrefix(want, "the list "))[0], "`,$")) {
			t.Errorf("%s\nthe error stands in line %d, column %d", body, e.Line, e.Column)
		}
	}
}

func TestAnswers_explain(t *testing.T) {
	p := rulesWhen(t, "lists: {ok: [$yes, 转]}", "{says: {any: [$ok], not_part_of: [嗯]}}")
	for text, want := range map[string]string{
		"好的": "says: the whole message is $yes", "嗯，好的": "$yes is masked by 嗯", "转我": "says: found 转", "好的，订单": "the whole message is no answer that it looks for",
	} {
		if _, trace := p.Explain(&Conversation{}, Turn{Text: text, At: start}); !strings.Contains(trace.Rules[0].Why.String(), want) {
			t.Errorf("%q: %s", text, trace.Rules[0].Why)
		}
	}
	d := p.Decide(&Conversation{}, Turn{Text: "好的，谢谢", At: start})
	if len(d.Matched) != 1 || d.Matched[0].Phrase != "$yes" || d.Matched[0].Text != "好的，谢谢" {
		t.Errorf("%+v", d.Matched)
	}
}

// The lint on rules that are never reached knows what an answer implies.
func TestAnswers_lintReach(t *testing.T) {
	for _, c := range []struct {
		first, second string
		warned        bool
	}{
		{"[$yes, 转]", "[$yes]", true},
		{"[$yes]", "[$yes, 转]", false},
		{"[$yes]", "[$no]", false},
		{"[好]", "[$yes]", false},
		{"[$yes]", "[好]", false},
	} {
		got := lintOf(t, "rules: [{id: a, when: {says: "+c.first+"}, then: {transfer: default}, cooldown: 0s}, {id: b, when: {says: "+c.second+"}, "+rest+"]")
		never := strings.Contains(strings.Join(got, "\n"), "never reached")
		if never != c.warned {
			t.Errorf("%s before %s: %v", c.first, c.second, got)
		}
	}
}
