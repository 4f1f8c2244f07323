package rules

import (
	"testing"
	"time"
)

// A clock that is set back must not stretch what runs: stamps later than the turn are read as the turn's time.
func TestDecide_clockSetBack_cooldownRunsFromNow(t *testing.T) {
	k := newTalk(t, load(t, askRule))
	k.user("转人工")
	k.settle(ResultFailed)
	k.wait(-24 * time.Hour)
	expect(t, "just after", k.user("转人工"), "suppressed ask cooldown")
	k.wait(2*time.Minute - time.Millisecond)
	expect(t, "before its end", k.user("转人工"), "suppressed ask cooldown")
	k.wait(time.Millisecond)
	expect(t, "at its end", k.user("转人工"), "transfer ask")
	k.settle(ResultNoAgent)
	k.wait(-time.Hour)
	k.user("你好")
	k.wait(30 * time.Second)
	expect(t, "30 s after nobody was there", k.user("转人工"), "transfer ask")
}

func TestDecide_clockSetBack_countersStayInTheirWindow(t *testing.T) {
	k := newTalk(t, load(t, `
rules:
  - {id: stuck, when: {bot_missed: {times: 2, within: 1m}}, then: {keep: true}, cooldown: 0s}
  - {id: said, when: {said: {any: [退款], within: 1m}, says: [人工]}, then: {keep: true}, cooldown: 0s}
  - {id: fast, when: {rate: {messages: 5, within: 1m}}, then: {keep: true}, cooldown: 0s}`))
	k.user("退款")
	k.miss()
	k.wait(-time.Hour)
	k.user("在吗")
	k.wait(time.Minute)
	expect(t, "two misses", k.miss(), "keep stuck")
	expect(t, "said", k.user("人工"), "keep said")
	k.wait(time.Millisecond)
	expect(t, "said too long ago", k.user("人工"), "none")
	expect(t, "three messages of the minute", k.user("人工"), "none")
	expect(t, "four", k.user("人工"), "none")
	expect(t, "five", k.user("人工"), "keep fast")
}

func TestNextTimer_clockSetBack_comesAfterTheSilence(t *testing.T) {
	p := load(t, `rules: [{id: silent, when: {bot_silent: 30s}, then: {keep: true}, cooldown: 1m}]`)
	k := newTalk(t, p)
	k.user("在吗")
	now := k.now.Add(-24 * time.Hour)
	k.c.SetBack(now)
	if at, ok := p.NextTimer(&k.c); !ok || !at.Equal(now.Add(30*time.Second)) {
		t.Errorf("the alarm is at %s, %v; want 30 s after %s", at, ok, now)
	}
	k.now = now.Add(30 * time.Second)
	expect(t, "silent", k.turn(Turn{Kind: TimerTurn}), "keep silent")
}

func TestDecide_clockSetBack_confirmationEnds(t *testing.T) {
	k := newTalk(t, load(t, askRule))
	k.user("转人工")
	k.settle(ResultAssigned)
	k.wait(-24 * time.Hour)
	expect(t, "confirmed just now", k.user("转人工"), "suppressed ask already_human")
	k.wait(2 * time.Minute)
	if d := k.user("转人工"); !d.Verify {
		t.Errorf("two minutes later Desk is not asked: %s", d.words())
	}
}

// Opening hours and mutes go by the clock on the wall, windows and cooldowns by the time that only goes on.
func TestDecide_wall_isForCalendarsAndMutes(t *testing.T) {
	p := load(t, `
calendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-18:00]}}
targets: {default: {open: office}}
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}, cooldown: 1m}
  - {id: late, when: {says: [在吗], not: {hours: office}}, then: {keep: true}, cooldown: 1m}`)
	evening := start.Add(10 * time.Hour)
	k := newTalk(t, p)
	expect(t, "the target's hours", k.turn(Turn{Text: "转人工", Wall: evening}), "closed ask closed")
	expect(t, "the condition's hours", k.turn(Turn{Text: "在吗", Wall: evening}), "keep late")
	k.wait(time.Minute - time.Millisecond)
	expect(t, "the cooldown", k.turn(Turn{Text: "转人工", Wall: evening.Add(time.Hour)}), "suppressed ask cooldown")
	k.wait(time.Millisecond)
	mute := Muted{"ask": {Until: start.Add(time.Hour)}}
	expect(t, "muted by the wall's time", k.turn(Turn{Text: "转人工", Wall: start.Add(time.Hour - 1), Muted: mute}), "none")
	expect(t, "no longer", k.turn(Turn{Text: "转人工", Wall: start.Add(time.Hour), Muted: mute}), "transfer ask")
}
