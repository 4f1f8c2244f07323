package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/rules/lang"
)

func TestPolicy_survey_tellsWhatTheFileSaysAndNames(t *testing.T) {
	p := load(t, `
calendars:
  day: {tz: Asia/Shanghai, open: [mon-fri 13:00-18:00 09:00-12:00, sat 22:00-02:00, sun 09:00-18:00], closed: [sun]}
targets:
  default: {say_if_closed: closed, open: day, agents: [li@example.com]}
  sales: {take_message: {say: leave words}}
ai_provider: {default: desk, "@shop": self, "@trial": {self: 20%, else: desk}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default, say: wait, agents: [wu@example.com, li@example.com]}}
  - {id: angry, when: {says: [bad]}, then: {transfer: sales, offer: "a person?"}}
  - {id: hello, when: {says: [hi]}, then: {keep: true, say: hello}}
  - {id: gone, mode: off, when: {says: [bye]}, then: {transfer: sales, say: never}}
`)
	var words []string
	for _, w := range p.OwnWords() {
		line := w.Of.String() + " " + w.Key + ": " + w.Speech.For("")
		if w.Calls {
			line += ", calls"
		}
		words = append(words, line)
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"words", words, []string{"rule ask say: wait, calls", "rule angry offer: a person?", "rule hello say: hello", "target default say_if_closed: closed", "target sales take_message: leave words"}},
		{"agents", p.NamedAgents(), []NamedAgent{{lang.Say("target %s", "default"), "li@example.com"}, {lang.Say("rule %s", "ask"), "wu@example.com"}}},
		{"entries", p.Entries(), []string{"@shop", "@trial"}},
		{"answers at an entry", p.Answerers("@shop"), []string{ProviderSelf}},
		{"answers by a share", p.Answerers("@trial"), []string{ProviderSelf, ProviderDesk}},
		{"answers elsewhere", p.Answerers("@other"), []string{ProviderDesk}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s:\n%s", c.what, diff)
		}
	}
	w := p.Target("default").Week()
	office := []Span{{540, 720}, {780, 1080}}
	want := [7][]Span{time.Sunday: {{0, 120}}, time.Saturday: {{1320, 1440}}}
	for day := time.Monday; day <= time.Friday; day++ {
		want[day] = office
	}
	if diff := cmp.Diff(want, w.Days); diff != "" || w.Calendar != "day" {
		t.Errorf("the week of %s:\n%s", w.Calendar, diff)
	}
	if p.Target("sales").Week() != nil {
		t.Error("a target without `open` has a week")
	}
}

func TestPolicy_CallsMiss_asksTheSignals(t *testing.T) {
	const counting = "targets: {default: {}}\nrules: [{id: stuck, when: {bot_missed: {times: 2, within: 5m}}, then: {transfer: default}}]\n"
	for _, c := range []struct {
		source, words string
		miss, known   bool
	}{
		{counting, "抱歉，我没有理解您的问题", true, true},
		{counting, "Your parcel is on its way.", false, true},
		{counting + "signals: {bot_missed: {says: [bananas]}}\n", "Bananas!", true, true},
		{counting + "signals: {bot_missed: {says: []}}\n", "抱歉，我没有理解您的问题", false, false},
		{strings.Replace(counting, "bot_missed: {times: 2, within: 5m}", "says: [human]", 1), "抱歉，我没有理解您的问题", false, false},
	} {
		if miss, known := load(t, c.source).CallsMiss(c.words); miss != c.miss || known != c.known {
			t.Errorf("%q: %t, %t, want %t, %t", c.words, miss, known, c.miss, c.known)
		}
	}
}
