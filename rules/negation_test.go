package rules

import (
	"strings"
	"testing"
)

// Words of a list of one's own, refused and not, with the packs as they are shipped.
func TestNegation_refusedWords_doNotCount(t *testing.T) {
	for _, c := range []struct {
		phrase, text string
		fires        bool
	}{
		{"cancel", "I don't want to cancel the class", false},
		{"cancel", "I do not want to cancel", false},
		{"cancel", "I didn't want to cancel my lesson", false},
		{"cancel", "please don't cancel my seat", false},
		{"cancel", "I want to cancel the class", true},
		{"cancel", "why can't I cancel", true},
		{"return", "I don't want to return the shoes", false},
		{"refund", "no refund needed, thanks", false},
		{"refund", "I don't want you to issue a refund", false},
		{"refund", "a refund won't be necessary", false},
		{"refund", "I haven't received my refund", true},
		{"refund", "I was never told about the refund", true},
		{"upgrade", "I don't want to upgrade my room", false},
		{"upgrade", "don't upgrade me", false},
		{"insurance", "I don't want the insurance", false},
		{"insurance", "I don't want to lose time, I need insurance", true},
		{"pay", "I don't want to pay today", false},
		{"invoice", "I don't need your invoice", false},
		{"invoice", "you never sent the invoice", true},
		{"booking", "I didn't ask for a booking", false},
		{"booking", "don't you have my booking?", true},
		{"发票", "不用发票", false},
		{"发票", "不要发票了", false},
		{"发票", "不用给我寄发票", false},
		{"发票", "发票就不用开了", false},
		{"发票", "发票还没收到", true},
		{"发票", "为什么不给我开发票", true},
		{"退保", "退保就不用了", false},
		{"退保", "我没有要退保", false},
		{"退保", "保险公司不同意退保", true},
		{"试听", "我不想试听", false},
		{"试听", "试听课怎么约", true},
		{"看房", "先不看房了", false},
		{"看房", "不用看房", false},
		{"选座", "不想选座", false},
		{"选座", "不能选座吗", true},
		{"回访", "不用回访", false},
		{"回访", "别回访我", false},
		{"点餐", "不用点餐", false},
		{"链接", "别发链接", false},
		{"链接", "链接打不开", true},
		{"不要了", "这件我不要了", true},
		{"不想要了", "我现在不想要了", true},
		{"别寄了", "先别寄了", true},
		{"don't want it", "I really don't want it", true},
		{"不要了", "别说不要了", false},
		{"不买了", "我不买了", true},
		{"不续费了", "那就不续费了", true},
		{"不买了", "别说不买了", false},
	} {
		p := rulesWhen(t, "", "{says: [\""+c.phrase+"\"]}")
		if got := play(t, p, says(c.text)...); got != c.fires {
			t.Errorf("says: [%s], %q: fires %v, want %v", c.phrase, c.text, got, c.fires)
		}
	}
}

// Only what respect would void counts under require, and for the same reason.
func TestNegation_require(t *testing.T) {
	for _, c := range []struct {
		when, text string
		fires      bool
	}{
		{"{any: [robot], negation: require}", "I don't want a robot", true},
		{"{any: [robot], negation: require}", "I want a robot", false},
		{"{any: [robot], negation: require}", "why don't you have a robot", false},
		{"{any: [发票], negation: require}", "不要发票", true},
		{"{any: [发票], negation: require}", "发票就不用了", true},
		{"{any: [发票], negation: require}", "没收到发票", false},
		{"{any: [发票], negation: require}", "为什么不给我发票", false},
		{"{any: [发票], not_part_of: [电子发票], negation: require}", "不要电子发票", false},
		{"{all: [发票, 收据], negation: require}", "不要发票和收据", true},
		{"{all: [发票, 收据], negation: require}", "不要发票，要收据", false},
	} {
		p := rulesWhen(t, "", "{says: "+c.when+"}")
		if got := play(t, p, says(c.text)...); got != c.fires {
			t.Errorf("says: %s, %q: fires %v, want %v", c.when, c.text, got, c.fires)
		}
	}
}

func TestNegation_reasonNamesTheNegator(t *testing.T) {
	p := rulesWhen(t, "", "{says: [转人工]}")
	k := newTalk(t, p)
	if d := k.user("先别转人工"); d.Near != "r" || d.NearReason != ReasonNegated {
		t.Fatalf("decision: %+v", d)
	}
	_, trace := p.Explain(&k.c, Turn{Text: "先别转人工", At: k.now})
	if why := trace.Rules[0].Why; !strings.HasSuffix(why.String(), "转人工 is negated by 别") {
		t.Errorf("explained as %s", why)
	}
}

func TestNegation_formerNameOfThePack(t *testing.T) {
	src := `version: 1
targets: {default: {}}
lists:
  negation_idioms: {add: [何不要]}
rules:
  - {id: a, when: {says: {any: [发票], not_part_of: [$negation_idioms]}}, then: {transfer: default}}
`
	p, r := Load([]byte(src), LoadOptions{})
	if p == nil {
		t.Fatal(r.Errors)
	}
	var lines []int
	for _, w := range r.Warnings {
		if strings.Contains(w.Message.String(), "asking_idioms") {
			lines = append(lines, w.Line)
		}
	}
	if len(lines) != 2 || lines[0]+lines[1] != 10 {
		t.Errorf("warnings at lines %v, want 4 and 6: %+v", lines, r.Warnings)
	}
	if !play(t, p, says("何不要发票")...) {
		t.Error("a form added under the former name does not ask")
	}
}
