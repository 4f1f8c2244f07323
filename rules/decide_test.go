package rules

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const askRule = `
rules:
  - {id: ask, when: {says: [转人工, live agent]}, then: {transfer: default}, cooldown: 2m}
`

func TestDecide_firstRuleThatHolds_decides(t *testing.T) {
	p := load(t, `
targets: {default: {}, vip: {group: 7}}
rules:
  - {id: keep, when: {says: [人工费]}, then: {keep: true, say: 很便宜, tag: [price]}}
  - {id: off, mode: off, when: {says: [转人工]}, then: {transfer: vip}}
  - {id: ask, when: {says: [转人工]}, then: {transfer: default, say: 好的}}
  - {id: later, when: {says: [转人工]}, then: {transfer: vip}}
`)
	k := newTalk(t, p)
	d := k.user("人工费多少")
	expect(t, "keep", d, "keep keep")
	if d.Say.For("") != "很便宜" || !slices.Equal(d.Tags, []string{"price"}) {
		t.Errorf("keep says %q with tags %v", d.Say.For(""), d.Tags)
	}
	d = k.user("请转人工")
	expect(t, "ask", d, "transfer ask")
	if d.Target != "default" || len(d.Chain) != 1 || d.Say.For("en") != "好的" {
		t.Errorf("ask goes to %q, chain %v, says %q", d.Target, d.Chain, d.Say.For("en"))
	}
	want := []Match{{Phrase: "转人工", Text: "转人工", Start: 3, End: 12}}
	if diff := cmp.Diff(want, d.Matched); diff != "" {
		t.Errorf("matched (-want +got):\n%s", diff)
	}
	if k.c.Phase() != PhaseTransferring {
		t.Errorf("phase is %s", k.c.Phase())
	}
}

func TestDecide_cooldown_countsFromTheFiring(t *testing.T) {
	k := newTalk(t, load(t, askRule))
	expect(t, "first", k.user("转人工"), "transfer ask")
	expect(t, "while under way", k.user("转人工"), "suppressed ask already_transferring")
	k.settle(ResultFailed)
	k.wait(2*time.Minute - time.Millisecond)
	expect(t, "just before the end", k.user("转人工"), "suppressed ask cooldown")
	k.wait(time.Millisecond)
	expect(t, "at the end", k.user("转人工"), "transfer ask")
}

func TestDecide_nobodyOnline_ownWordsMayTryAgainSoon(t *testing.T) {
	k := newTalk(t, load(t, `
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}, cooldown: 10m}
  - {id: stuck, when: {bot_missed: {times: 1, within: 15m}}, then: {transfer: default}, cooldown: 10m}
`))
	expect(t, "ask", k.user("转人工"), "transfer ask")
	k.wait(time.Minute)
	k.settle(ResultNoAgent)
	k.wait(29 * time.Second)
	expect(t, "too soon", k.user("转人工"), "suppressed ask cooldown")
	k.wait(time.Second)
	expect(t, "after 30s", k.user("转人工"), "transfer ask")
	k.settle(ResultNoAgent)

	expect(t, "stuck", k.miss(), "transfer stuck")
	k.wait(9 * time.Minute)
	k.settle(ResultNoAgent)
	k.user("那怎么办")
	k.wait(time.Minute)
	expect(t, "cooldown begins again with the answer", k.miss(), "suppressed stuck cooldown")
	k.wait(9 * time.Minute)
	expect(t, "and ends", k.miss(), "transfer stuck")
}

func TestDecide_perSession_countsAcceptedTransfersOverSessions(t *testing.T) {
	k := newTalk(t, load(t, "limits: {per_session: 2/24h}\n"+askRule))
	for range 2 {
		expect(t, "ask", k.user("转人工"), "transfer ask")
		k.settle(ResultAssigned)
		k.wait(time.Hour)
		k.observe(EventClosed)
	}
	expect(t, "third", k.user("转人工"), "suppressed ask per_session")
	k.wait(22*time.Hour + time.Second)
	expect(t, "the first has left the day", k.user("转人工"), "transfer ask")
	k.settle(ResultNoAgent)
	k.wait(time.Minute)
	expect(t, "nobody online does not count", k.user("转人工"), "transfer ask")
}

func TestDecide_queuedOrHuman_isVerifiedWhenConfirmedLongAgo(t *testing.T) {
	for _, c := range []struct {
		result Result
		reason string
	}{{ResultQueued, "already_queued"}, {ResultAssigned, "already_human"}} {
		k := newTalk(t, load(t, askRule))
		k.user("转人工")
		k.settle(c.result)
		k.wait(59 * time.Second)
		expect(t, "confirmed just now", k.user("转人工"), "suppressed ask "+c.reason)
		k.wait(2 * time.Minute)
		expect(t, "uncertain message", k.turn(Turn{Text: "转人工", Unsure: true}), "suppressed ask "+c.reason)
		d := k.user("转人工")
		expect(t, "confirmed long ago", d, "transfer ask")
		if !d.Verify || k.c.Phase() != PhaseTransferring {
			t.Errorf("verify %v, phase %s", d.Verify, k.c.Phase())
		}
		k.settle(ResultAlreadyHuman)
		expect(t, "confirmed again", k.user("转人工"), "suppressed ask already_human")
	}
}

func TestDecide_twoShadowRules_reportWhatEnforcingWouldDo(t *testing.T) {
	k := newTalk(t, load(t, `
rules:
  - {id: s, mode: shadow, when: {says: [转人工]}, then: {transfer: default}, cooldown: 1m}
  - {id: sk, mode: shadow, when: {says: [你好]}, then: {keep: true}, cooldown: 1m}
  - {id: ask, when: {says: [急]}, then: {transfer: default}, cooldown: 1m}
`))
	d := k.user("你好，转人工")
	expect(t, "only shadow", d, "shadow")
	if !slices.Equal(d.Shadow, []string{"s", "sk"}) {
		t.Errorf("shadow %v", d.Shadow)
	}
	k.wait(2 * time.Minute)
	d = k.user("你好，转人工，很急")
	expect(t, "beside an enforcing rule", d, "transfer ask")
	if !slices.Equal(d.Shadow, []string{"sk"}) {
		t.Errorf("a transfer would have been made before: shadow %v", d.Shadow)
	}
	d = k.user("你好，转人工")
	if len(d.Shadow) > 0 {
		t.Errorf("while transferring: shadow %v", d.Shadow)
	}
	k.settle(ResultFailed)
	k.wait(2 * time.Minute)
	if d = k.user("转人工"); !slices.Equal(d.Shadow, []string{"s"}) {
		t.Errorf("in a new bot phase: shadow %v", d.Shadow)
	}
}

func TestDecide_modeOfTheFile_winsWhenMoreCareful(t *testing.T) {
	p := load(t, "mode: shadow\n"+`
rules:
  - {id: a, mode: enforce, when: {says: [转人工]}, then: {transfer: default}}
  - {id: b, mode: off, when: {says: [转人工]}, then: {transfer: default}}
`)
	d := newTalk(t, p).user("转人工")
	expect(t, "shadow file", d, "shadow")
	if !slices.Equal(d.Shadow, []string{"a"}) {
		t.Errorf("shadow %v", d.Shadow)
	}
}

func TestDecide_mutedRule_isOff(t *testing.T) {
	k := newTalk(t, load(t, askRule))
	muted := Muted{"ask": {Until: start.Add(time.Hour), By: "ana", Why: "outage"}}
	d := k.turn(Turn{Text: "转人工", Muted: muted})
	expect(t, "muted", d, "none")
	if d.Near != "ask" || d.NearReason != ReasonMuted {
		t.Errorf("near %q %q", d.Near, d.NearReason)
	}
	k.wait(time.Hour)
	expect(t, "mute is over", k.turn(Turn{Text: "转人工", Muted: muted}), "transfer ask")
}

func TestDecide_offer(t *testing.T) {
	body := `
lists:
  yes: {add: [好的呀]}
  no: {add: [不用了]}
rules:
  - {id: q, when: {says: [怎么]}, then: {offer: 需要人工吗？, say: 马上, transfer: default}, cooldown: 1m}
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}}
`
	p := load(t, body)
	offered := func() *talkTo {
		k := newTalk(t, p)
		d := k.user("怎么退货")
		expect(t, "offer", d, "offer q")
		if d.Offer.For("zh") != "需要人工吗？" || k.c.Phase() != PhaseBot {
			t.Errorf("offer %q in phase %s", d.Offer.For("zh"), k.c.Phase())
		}
		return k
	}
	k := offered()
	expect(t, "not sent yet", k.user("好的呀"), "none")

	k = offered()
	p.OfferSent(&k.c, "q", k.now)
	expect(t, "asked again", k.user("怎么退货"), "suppressed q offer_pending")
	d := k.user("好的呀。")
	expect(t, "yes", d, "transfer q offer_accepted")
	if d.Say.For("") != "马上" {
		t.Errorf("says %q", d.Say.For(""))
	}

	k = offered()
	p.OfferSent(&k.c, "q", k.now)
	expect(t, "no", k.user("不用了"), "none q offer_declined")
	k.wait(2 * time.Minute)
	expect(t, "once in a phase", k.user("怎么退货"), "suppressed q offer_declined")
	expect(t, "later rules are tried", k.user("怎么转人工"), "transfer ask")

	k = offered()
	p.OfferSent(&k.c, "q", k.now)
	k.user("这个东西")
	k.user("还有那个")
	expect(t, "third message", k.user("好的呀"), "transfer q offer_accepted")

	k = offered()
	p.OfferSent(&k.c, "q", k.now)
	k.user("这个东西")
	k.user("还有那个")
	k.user("上面的")
	expect(t, "fourth message", k.user("好的呀"), "none")

	k = offered()
	p.OfferSent(&k.c, "q", k.now)
	k.wait(5*time.Minute + time.Millisecond)
	expect(t, "too late", k.user("好的呀"), "none")

	k = offered()
	p.OfferFailed(&k.c, "q")
	k.wait(time.Minute)
	expect(t, "offered again after a failure", k.user("怎么退货"), "offer q")
}

// The rule that made an offer mostly still holds when the customer answers; that must not keep the answer from counting.
func TestDecide_offer_isAnsweredThoughItsRuleStillHolds(t *testing.T) {
	p := load(t, `
lists: {yes: {add: [要的]}, no: {add: [不用了]}}
rules: [{id: stuck, when: {bot_missed: {times: 2, within: 15m}}, then: {offer: 需要人工吗？, transfer: default}}]`)
	for answer, want := range map[string]string{"要的": "transfer stuck offer_accepted", "不用了": "none stuck offer_declined", "什么": "none"} {
		k := newTalk(t, p)
		k.user("怎么退货")
		k.miss()
		k.user("退货怎么退")
		expect(t, "offer", k.miss(), "offer stuck")
		p.OfferSent(&k.c, "stuck", k.now)
		expect(t, answer, k.user(answer), want)
	}
}

func TestDecide_closedTargets_areSkipped(t *testing.T) {
	p := load(t, `
calendars:
  office: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}
  late: {tz: Asia/Shanghai, open: [mon-sun 18:00-02:00]}
targets:
  default: {open: office, say_if_closed: 明天九点, else: night}
  night: {open: late}
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}, cooldown: 1m}
`)
	for _, c := range []struct {
		at      string
		outcome string
		chain   []string
	}{
		{"2026-01-05T10:00:00+08:00", "transfer ask", []string{"default"}},
		{"2026-01-05T20:00:00+08:00", "transfer ask", []string{"night"}},
		{"2026-01-06T01:59:00+08:00", "transfer ask", []string{"night"}},
		{"2026-01-06T04:00:00+08:00", "closed ask closed", nil},
	} {
		k := newTalk(t, p)
		k.now, _ = time.Parse(time.RFC3339, c.at)
		d := k.user("转人工")
		expect(t, c.at, d, c.outcome)
		var chain []string
		for _, target := range d.Chain {
			chain = append(chain, target.ID)
		}
		if diff := cmp.Diff(c.chain, chain); diff != "" {
			t.Errorf("%s: chain (-want +got):\n%s", c.at, diff)
		}
		if d.Outcome == OutcomeClosed && (d.Say.For("") != "明天九点" || k.c.Phase() != PhaseBot) {
			t.Errorf("%s: says %q in phase %s", c.at, d.Say.For(""), k.c.Phase())
		}
		if d.Outcome == OutcomeClosed {
			expect(t, "closed once", k.user("转人工"), "suppressed ask cooldown")
		}
	}
}

func TestDecide_routes_firstLineThatHolds(t *testing.T) {
	p := load(t, `
targets: {default: {}, sales: {}, english: {}}
routes:
  desk:
    - {when: {said: {any: [退款, refund], within: 15m}}, to: sales}
    - {when: {language: [en]}, to: other}
    - {to: default}
  other:
    - {when: {turns: {at_least: 1}}, to: english}
rules:
  - {id: ask, when: {says: [转人工, agent]}, then: {transfer: desk}}
`)
	for _, c := range []struct {
		texts  []string
		target string
	}{
		{[]string{"转人工"}, "default"},
		{[]string{"我要退款", "转人工"}, "sales"},
		{[]string{"I would like to talk with an agent please"}, "english"},
	} {
		k := newTalk(t, p)
		for _, text := range c.texts {
			k.user(text)
		}
		if k.last.Target != c.target {
			t.Errorf("%v goes to %q, want %q", c.texts, k.last.Target, c.target)
		}
	}
}
