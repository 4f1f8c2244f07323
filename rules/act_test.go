package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// texts are the customer's words among matches.
func texts(matches []Match) (words []string) {
	for _, m := range matches {
		words = append(words, m.Text)
	}
	return words
}

func TestDecide_matched_holdsOnlyWordsThatMadeTheDecision(t *testing.T) {
	p := load(t, `
rules:
  - id: r
    when:
      any:
        - {not: {says: [weather]}, says: [tomorrow]}
        - {all: [{says: [invoice]}, {turns: {at_least: 9}}]}
        - {says: [cancel]}
        - {rule: helper}
    then: {keep: true}
    cooldown: 0s
  - {id: helper, when: {all: [{says: [helper]}, {not: {says: [weather]}}]}, then: {keep: true}}
  - {id: furious, when: {not: {hours: night}, says: [ugly]}, then: {keep: true}}`+"\ncalendars: {night: {tz: UTC, open: [mon-sun 22:00-23:00]}}")
	for text, want := range map[string][]string{
		"cancel the invoice":           {"cancel"},
		"cancel, and weather tomorrow": {"cancel"},
		"tomorrow, invoice":            {"tomorrow"},
		"my helper, cancel":            {"cancel", "helper"},
		"ugly weather":                 {"ugly"},
		"weather":                      nil,
	} {
		if diff := cmp.Diff(want, texts(newTalk(t, p).user(text).Matched)); diff != "" {
			t.Errorf("%s: matched (-want +got):\n%s", text, diff)
		}
	}
}

func TestDecide_would_saysWhatEachShadowRuleWouldDo(t *testing.T) {
	p := load(t, `
targets: {default: {}, sales: {}}
routes: {desk: [{when: {says: [price]}, to: sales}, {to: default}]}
rules:
  - {id: go, mode: shadow, when: {says: [agent]}, then: {transfer: desk}}
  - {id: stay, mode: shadow, when: {turns: {at_least: 1}}, then: {keep: true}}
  - {id: real, when: {says: [refund]}, then: {offer: Shall I?, transfer: default}}`)
	d := newTalk(t, p).user("price of an agent")
	expect(t, "only shadow rules", d, "shadow")
	want := []Would{
		{Rule: "go", Outcome: OutcomeTransfer, Target: "sales", Matched: []Match{{Phrase: "agent", Text: "agent", Start: 12, End: 17}}},
		{Rule: "stay", Outcome: OutcomeKeep},
	}
	if diff := cmp.Diff(want, d.Would, cmpopts.IgnoreFields(Would{}, "Why")); diff != "" {
		t.Errorf("would (-want +got):\n%s", diff)
	}
	if d.Target != "sales" || !slices.Equal(texts(d.Matched), []string{"agent"}) || !strings.Contains(plain(d), "found agent") {
		t.Errorf("the line is not the first shadow rule's: target %q, matched %v, why %q", d.Target, d.Matched, plain(d))
	}
	if d.Chain != nil || d.Say != nil || d.Offer != nil {
		t.Errorf("a shadow decision does something: %+v", d)
	}
	d = newTalk(t, p).user("agent, refund")
	expect(t, "beside a rule that acts", d, "offer real")
	if len(d.Would) != 2 || d.Target != "" || !slices.Equal(texts(d.Matched), []string{"refund"}) {
		t.Errorf("would %v, target %q, matched %v", d.Would, d.Target, d.Matched)
	}
}

func plain(d Decision) string { return d.Why.Text(func(s string) string { return s }) }

func TestDecide_why_tellsWhatHeldOrCameNear(t *testing.T) {
	p := load(t, `
calendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}}
lists: {furious: {骗子: 3}}
rules:
  - {id: gold, when: {field: {path: C.level, equals: gold}, says: [cancel]}, then: {transfer: default}, cooldown: 1h}
  - {id: stuck, when: {bot_missed: {times: 2, within: 15m}}, then: {keep: true}}
  - {id: angry, when: {mood: {list: furious, at_least: 3, within: 10m}}, then: {keep: true}}
  - {id: masked, when: {says: {any: [人工], not_part_of: [人工智能]}}, then: {keep: true}}
  - {id: later, when: {not: {hours: office}}, then: {keep: true}}`)
	gold := TestFields{"C.level": "gold"}
	k := newTalk(t, p)
	for _, c := range []struct {
		turn          Turn
		outcome, want string
	}{
		{Turn{Text: "please cancel", Fields: gold}, "transfer gold", `field: C.level is "gold"; says: found cancel`},
		{Turn{Text: "please cancel", Fields: gold}, "suppressed gold already_transferring", `field: C.level is "gold"; says: found cancel`},
	} {
		d := k.turn(c.turn)
		expect(t, c.want, d, c.outcome)
		if plain(d) != c.want {
			t.Errorf("%s: why %q, want %q", c.outcome, plain(d), c.want)
		}
	}
	k = newTalk(t, p)
	for _, c := range []struct {
		d          Decision
		near, want string
	}{
		{k.user("a"), "", ""},
		{k.miss(), "stuck", "bot_missed: 1 of 2 in 15m"},
		{k.user("人工智能"), "masked", "says: 人工 is masked by 人工智能"},
		{k.miss(), "", "bot_missed: 2 of 2 in 15m"},
		{k.user("骗子"), "", "mood: $furious at 3 of 3 in 10m"},
		{k.user("人工"), "", "says: found 人工"},
	} {
		if c.d.Near != c.near || plain(c.d) != c.want {
			t.Errorf("%s: near %q, why %q, want %q", c.want, c.d.Near, plain(c.d), c.want)
		}
	}
	k.now = start.Add(10 * time.Hour)
	if d := k.user("x"); !strings.HasPrefix(plain(d), "not: (hours: office is closed") {
		t.Errorf("a rule that holds because something is not so: %q", plain(d))
	}
}

func TestWhy_text_hidesWordsOnly(t *testing.T) {
	p := load(t, `rules: [{id: r, when: {says: [refund], turns: {at_least: 1}}, then: {keep: true}}]`)
	d := newTalk(t, p).user("refund")
	if got := d.Why.Text(func(string) string { return "" }); got != "says; turns: 1 of 1" {
		t.Errorf("without the customer's words: %q", got)
	}
}

// What a rule would have done in shadow is forgotten once it acts, and the other way round.
func TestDecide_reload_keepsWhatBelongsToTheModeAndTheId(t *testing.T) {
	rule := func(mode string) *Policy {
		return load(t, `rules: [{id: ask, mode: `+mode+`, when: {says: [转人工]}, then: {transfer: default}, cooldown: 10m}, {id: o, when: {says: [退款]}, then: {offer: 需要吗, transfer: default}}]`)
	}
	k := newTalk(t, rule("shadow"))
	expect(t, "in shadow", k.user("转人工"), "shadow")
	k.p = rule("enforce")
	expect(t, "enforcing now", k.user("转人工"), "transfer ask")
	k.settle(ResultFailed)
	k.p = load(t, `
lists: {yes: {add: [可以]}}
rules:
  - {id: new, when: {says: [你好]}, then: {keep: true}}
  - {id: ask, when: {says: [找客服, 转人工]}, then: {transfer: default}, cooldown: 10m}
  - {id: o, when: {says: [退货]}, then: {offer: 要转吗, transfer: default}}`)
	expect(t, "the cooldown goes on by the rule's id", k.user("找客服"), "suppressed ask cooldown")
	expect(t, "an offer", k.user("退货"), "offer o")
	k.p.OfferSent(&k.c, "o", k.now)
	k.p = load(t, `
lists: {yes: {add: [可以]}}
rules:
  - {id: o, when: {says: [退钱]}, then: {offer: 找人吗, transfer: default}}`)
	expect(t, "is answered under the next file", k.user("可以"), "transfer o offer_accepted")
}

func TestOfferSent_afterItsBotPhase_opensNothing(t *testing.T) {
	p := load(t, `
lists: {yes: {add: [可以]}}
rules: [{id: o, when: {says: [退货]}, then: {offer: 要转吗, transfer: default}}]`)
	k := newTalk(t, p)
	expect(t, "offer", k.user("退货"), "offer o")
	k.observe(EventSessionBegin)
	p.OfferSent(&k.c, "o", k.now)
	expect(t, "a yes in the next session", k.user("可以"), "none")
}

func TestOfferSent_anotherOffer_takesThePlaceOfTheFirst(t *testing.T) {
	p := load(t, `
lists: {yes: {add: [可以]}}
targets: {default: {}, second: {}}
rules:
  - {id: a, when: {says: [退货]}, then: {offer: 要转吗, transfer: default}, cooldown: 0s}
  - {id: b, when: {says: [发票]}, then: {offer: 找人吗, transfer: second}, cooldown: 0s}`)
	k := newTalk(t, p)
	for _, text := range []string{"退货", "发票"} {
		p.OfferSent(&k.c, k.user(text).Rule, k.now)
	}
	expect(t, "the first is over", k.user("退货"), "suppressed a offer_declined")
	expect(t, "the second is answered", k.user("可以"), "transfer b offer_accepted")
	if k.last.Target != "second" {
		t.Errorf("target %q", k.last.Target)
	}
}
