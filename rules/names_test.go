package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A list or pack may stand anywhere in a phrase: beside words, in a group, behind a gap.
func TestNames_insideAPhrase(t *testing.T) {
	head := "lists: {refund: [退款, 退货, '(send|give) .. back'], things: [$refund, 发票], 的话: [不行]}\n"
	for _, c := range []struct {
		phrase, text string
		want         bool
	}{
		{"想要 $refund", "我想要退款", true},
		{"想要 $refund", "退款", false},
		{"($refund|换货) 吗", "可以退货吗", true},
		{"($refund|换货) 吗", "可以换货吗", true},
		{"问 .. $things", "问一下发票", true},
		{"问 .. $things", "问一下退款", true},
		{"($refund)? 进度", "查进度", true},
		{"$refund? 进度", "查进度", true},
		{"$refund? 进度", "查退款", false},
		{"$refund的事", "退货的事", true}, // a name ends where a known one does
		{"=$refund", "退款", true},
		{"=$refund", "我的退款", false},
		{"would you $refund", "would you give my money back", true},
		{"明天 .. $thanks", "明天再说吧谢谢", true},
		{"明天 .. $thanks", "明天转账", false},
		{"if not $thanks", "if not thank you", true},
	} {
		if got := play(t, rulesWhen(t, head, "{says: {any: ["+quoted(c.phrase)+"], negation: ignore}}"), Turn{Text: c.text}); got != c.want {
			t.Errorf("%s on %q: %v, want %v", c.phrase, c.text, got, c.want)
		}
	}
}

// Frames are no phrases, and stand in none.
func TestNames_framesInsideAPhrase_areRefused(t *testing.T) {
	p, r := Load([]byte("version: 1\ntargets: {default: {}}\nrules: [{id: a, when: {says: ['if not $ask_human']}, then: {keep: true}}]"), LoadOptions{})
	if p != nil || !strings.Contains(r.Errors[0].Message.String(), "no phrase of $ask_human can stand inside another one") {
		t.Errorf("%+v", r.Errors)
	}
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Every wrong phrase is reported where it stands, also in a list that nothing uses; what merely names it is not blamed.
func TestNames_problems_areWhereTheyStand(t *testing.T) {
	src := `version: 1
lists:
  wrong: [退款, "退(货"]
  uses: ["要 $wrong", 发票]
  idle: ["a (", $nobody]
  round: [x $trip]
  trip: [y $round]
  codes: ["/E[0-9]+/"]
targets: {default: {}}
rules:
  - {id: a, when: {says: [想 $wrong, $uses]}, then: {transfer: default}}
  - {id: b, when: {says: ["($codes|x) y", "(a|$nowhere) b"]}, then: {transfer: default}}
`
	_, r := Load([]byte(src), LoadOptions{})
	var got []string
	for _, p := range r.Errors {
		got = append(got, strings.Join([]string{itoa(p.Line), itoa(p.Column), p.Message.String()}, " "))
	}
	want := []string{
		"3 17 this group is not closed",
		"5 13 this group is not closed",
		"5 17 there is no list $nobody",
		"7 12 the list contains itself: $round → $trip → $round",
		"12 29 $codes cannot stand inside a phrase, because it holds /E[0-9]+/",
		"12 47 there is no list $nowhere",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A hit knows the list or pack that it comes from, and the language of a pack.
func TestNames_aHitKnowsItsList(t *testing.T) {
	p := load(t, `
lists: {refund: [退款, "退 .. 钱"], both: [$refund, $thanks]}
rules: [{id: r, when: {says: [$ask_human, $both, 发票, "查 .. 单"]}, then: {keep: true}, cooldown: 0s}]`)
	for _, c := range []struct{ text, list, lang, why string }{
		{"转人工", "ask_human", "zh", "says: asks to be passed to a person: 转 + 人工 ($ask_human, zh)"},
		{"I want to talk to a human", "ask_human", "en", ", en)"},
		{"谢谢", "thanks", "zh", "says: found 谢谢 ($thanks, zh)"},
		{"我要退款", "refund", "", "says: found 退款 ($refund)"},
		{"退我的钱", "refund", "", "says: found 退我的钱 (退 .. 钱, $refund)"},
		{"发票", "", "", "says: found 发票"},
		{"查我的单", "", "", "says: found 查我的单 (查 .. 单)"},
	} {
		d, trace := p.Explain(&Conversation{}, Turn{Text: c.text, At: start})
		if len(d.Matched) == 0 {
			t.Errorf("%q: nothing is found", c.text)
			continue
		}
		if m := d.Matched[0]; m.List != c.list || m.Lang != c.lang || !strings.HasSuffix(trace.Rules[0].Why.String(), c.why) {
			t.Errorf("%q: %q %q, %s", c.text, m.List, m.Lang, trace.Rules[0].Why)
		}
		if m := d.Matched[0]; c.lang != "" && m.Phrase != "$"+c.list {
			t.Errorf("%q: a pack's phrase shows its word classes: %s", c.text, m.Phrase)
		}
	}
}

// As an answer to an offer a phrase counts by each of its alternatives, in the group of a phrase as in a class.
func TestNames_answers_areMadeOfParts(t *testing.T) {
	p := load(t, `
lists: {yes: {add: ["(嗯冲|冲鸭)", "=走起"]}, no: {add: [算了吧亲]}}
rules: [{id: r, when: {says: [退款]}, then: {offer: 转吗, transfer: default}}]`)
	for text, want := range map[string]bool{"嗯冲": true, "冲鸭，走起": true, "好的，嗯冲！": true, "冲鸭算了吧亲": false, "嗯冲我的订单": false, "走起": true} {
		k := newTalk(t, p)
		k.user("退款")
		p.OfferSent(&k.c, "r", k.now)
		if got := k.user(text).Reason == ReasonOfferAccepted; got != want {
			t.Errorf("%q: accepted %v, want %v", text, got, want)
		}
	}
}

// Lists that name each other twice at each step stand for more phrases than there are atoms; reading them must end all
// the same, and soon.
func TestNames_listsThatMultiply_areReadOnce(t *testing.T) {
	for _, step := range []string{"$l%d $l%d", "$l%d$l%d", "(a|$l%d) .. $l%d", "($l%d)? ($l%d|b)"} {
		var b strings.Builder
		b.WriteString("version: 1\ntargets: {default: {}}\nlists:\n")
		for i := range 30 {
			fmt.Fprintf(&b, "  l%d: ["+quoted("转"+step)+"]\n", i, i+1, i+1)
		}
		b.WriteString("  l30: [转, 人工]\nrules:\n  - {id: r, when: {says: [$l0, $l28]}, then: {transfer: default}}\n")
		_, r := Load([]byte(b.String()), LoadOptions{})
		for _, p := range r.Errors {
			if !strings.Contains(p.Message.String(), "longer than") && !strings.Contains(p.Message.String(), "nested too deeply") {
				t.Errorf("%s: %+v", step, p)
			}
		}
	}
}
