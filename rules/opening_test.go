package rules

import (
	"strings"
	"testing"
	"time"
)

func TestCalendar_opens_tellsTheNextOpening(t *testing.T) {
	p := load(t, `
calendars:
  night: {tz: Asia/Shanghai, open: [mon-fri 22:00-06:00], closed: [2026-01-06..2026-01-07], extra: [2026-01-11 10:00-12:00]}
targets: {default: {}}
rules: [{id: r, when: {says: [x], hours: night}, then: {transfer: default}}]
`)
	for at, want := range map[string]string{
		"2026-01-05T10:00:00+08:00": "night is closed until Mon 2026-01-05 22:00 CST",
		"2026-01-05T02:00:00Z":      "night is closed until Mon 2026-01-05 22:00 CST",
		"2026-01-06T06:00:00+08:00": "night is closed until Thu 2026-01-08 22:00 CST", // two days of which are holidays
		"2026-01-10T06:00:00+08:00": "night is closed until Sun 2026-01-11 10:00 CST", // a working day all the same
		"2026-01-11T12:00:00+08:00": "night is closed until Mon 2026-01-12 22:00 CST",
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		var c Conversation
		_, trace := p.Explain(&c, Turn{Text: "x", At: when})
		if why := trace.Rules[0].Why; !strings.HasSuffix(why.String(), want) {
			t.Errorf("%s: %s, want %s", at, why, want)
		}
	}
	if p.Zone().String() != "Asia/Shanghai" {
		t.Errorf("zone %v", p.Zone())
	}
}

func TestCalendar_opens_neverAgain(t *testing.T) {
	k := &calendar{name: "fair", zone: time.UTC, extra: []extraDay{{day: 20260101, hours: hours{540, 600}}}}
	if got := k.closedWords(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)).String(); got != "fair is closed" {
		t.Error(got)
	}
}

func TestExplain_anOfferThatNobodyCouldKeep_saysWhichCalendarIsClosed(t *testing.T) {
	p := load(t, `
calendars: {office: {tz: UTC, open: [mon-fri 09:00-18:00]}}
targets: {default: {}, sales: {open: office}}
rules: [{id: r, when: {says: [help]}, then: {offer: Shall I?, transfer: sales}}]
`)
	var c Conversation
	d, trace := p.Explain(&c, Turn{Text: "help", At: time.Date(2026, 1, 3, 10, 0, 0, 0, time.UTC)})
	want := "makes no offer: office is closed until Mon 2026-01-05 09:00 UTC; says: found help"
	if r := trace.Rules[0]; d.Outcome != OutcomeNone || r.Result != "no" || r.Why.String() != want || len(r.Chain) != 1 {
		t.Errorf("%s: %+v", d.Outcome, r)
	}
}

func TestExplain_matched_holdsOnlyWordsThatMadeTheDecision(t *testing.T) {
	p := rulesWhen(t, "", "{any: [{not: {says: [xxx]}}, {says: [yyy]}]}")
	var c Conversation
	d, trace := p.Explain(&c, Turn{Text: "xxx yyy", At: DefaultTestTime})
	for _, matched := range [][]Match{d.Matched, trace.Rules[0].Matched} {
		if len(matched) != 1 || matched[0].Text != "yyy" || matched[0].Start != 4 || matched[0].End != 7 {
			t.Errorf("%+v", matched)
		}
	}
}

func TestExplain_aForgivenTypingError_isNamed(t *testing.T) {
	p := rulesWhen(t, "", "{says: [(human|live) agent, representative]}")
	for text, want := range map[string]string{
		"human agnet please": "says: found human agnet ((human|live) agent); agnet read as agent",
		"humna agnet":        "says: found humna agnet ((human|live) agent); humna read as human; agnet read as agent",
		"a representtive":    "says: found representtive (representative); representtive read as representative",
		"HUMAN AGENTTTT":     "says: found HUMAN AGENTTTT ((human|live) agent)",
		"human agent":        "says: found human agent ((human|live) agent)",
	} {
		var c Conversation
		_, trace := p.Explain(&c, Turn{Text: text, At: DefaultTestTime})
		if got := trace.Rules[0].Why; got.String() != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
