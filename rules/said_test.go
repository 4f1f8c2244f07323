package rules

import (
	"testing"
	"time"
)

// What was said is remembered by its words, as the file writes them: a rule may be rebuilt without losing it, and other
// words know nothing of it.
func TestSaid_memoryOverAReload(t *testing.T) {
	const calendars = "calendars: {always: {tz: UTC, open: [mon-sun 00:00-24:00]}}\nlists: {refund: [refund], same: [refund]}\n"
	const id = "rules: [{id: r, cooldown: 0s, then: {transfer: default}, when: "
	before := load(t, calendars+id+"{all: [{said: {any: [refund, 退款], within: 10m}}, {bot_missed: {times: 1, within: 10m}}]}}]")
	for _, c := range []struct {
		name, after string
		want        bool
	}{
		{"nothing changed", id + "{all: [{said: {any: [refund, 退款], within: 10m}}, {bot_missed: {times: 1, within: 10m}}]}}]", true},
		{"a condition before it", id + "{all: [{hours: always}, {said: {any: [refund, 退款], within: 10m}}, {bot_missed: {times: 1, within: 10m}}]}}]", true},
		{"keys for all", id + "{said: {any: [refund, 退款], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", true},
		{"another rule's id", "rules: [{id: other, then: {transfer: default}, when: {said: {any: [refund, 退款], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", true},
		{"another window", id + "{said: {any: [refund, 退款], within: 5m}, bot_missed: {times: 1, within: 10m}}}]", true},
		{"another order", id + "{said: {any: [退款, refund], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", true},
		{"a phrase twice", id + "{said: {any: [退款, refund, 退款], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", true},
		{"a route", id + "{bot_missed: {times: 1, within: 10m}}}]\nroutes: {desk: [{when: {said: {any: [refund, 退款], within: 10m}}, to: default}]}", true},
		{"the default of negation written out", id + "{said: {any: [refund, 退款], negation: respect, within: 10m}, bot_missed: {times: 1, within: 10m}}}]", true},
		{"other words", id + "{said: {any: [invoice], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", false},
		{"more words", id + "{said: {any: [refund, 退款, invoice], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", false},
		{"all for any", id + "{said: {all: [refund, 退款], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", false},
		{"another negation", id + "{said: {any: [refund, 退款], negation: ignore, within: 10m}, bot_missed: {times: 1, within: 10m}}}]", false},
		{"a mask", id + "{said: {any: [refund, 退款], not_part_of: [refund desk], within: 10m}, bot_missed: {times: 1, within: 10m}}}]", false},
	} {
		k := newTalk(t, before)
		k.user("I want a refund")
		k.p = load(t, calendars+c.after)
		k.wait(time.Second)
		if got := k.miss().Outcome == OutcomeTransfer; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSaid_remembersAListByItsName(t *testing.T) {
	const rule = "rules: [{id: r, then: {transfer: default}, when: {said: {any: [$refund], within: 10m}, bot_missed: {times: 1, within: 10m}}}]"
	k := newTalk(t, load(t, "lists: {refund: [refund]}\n"+rule))
	k.user("refund")
	k.p = load(t, "lists: {refund: [invoice]}\n"+rule)
	expect(t, "the list holds other words now", k.miss(), "transfer r")
}

func TestMood_remembersAListByItsName(t *testing.T) {
	k := newTalk(t, load(t, "lists: {furious: {骗子: 3}}\nrules: [{id: a, then: {transfer: default}, when: {all: [{turns: {at_least: 9}}, {mood: {list: furious, at_least: 9, within: 10m}}]}}]"))
	k.user("骗子")
	k.p = load(t, "lists: {furious: {骗子: 3, 垃圾: 1}}\nrules: [{id: b, then: {transfer: default}, when: {mood: {list: $furious, at_least: 4, within: 10m}}}]")
	k.wait(time.Second)
	expect(t, "3 before and 1 now", k.user("垃圾"), "transfer b")
}

// A customer who only says thanks takes no memory, however often.
func TestMood_whatCalms_isKeptOnlyWhereThereIsAMood(t *testing.T) {
	k := newTalk(t, load(t, "lists: {furious: {骗子: 3, 谢谢: -2}}\nrules: [{id: a, then: {transfer: default}, when: {mood: {list: furious, at_least: 3, within: 10m}}}]"))
	k.user("谢谢，我的快递到哪了")
	if moods := k.c.recall().moods; len(moods) > 0 {
		t.Errorf("kept of thanks alone: %+v", moods)
	}
	expect(t, "angry", k.user("骗子"), "transfer a")
	k.user("谢谢，我的快递到哪了")
	if sum := k.c.mood(k.c.recall().moods[0].key, k.now.UnixMilli(), time.Hour.Milliseconds()); sum != 1 {
		t.Errorf("the mood is %d after thanks, want 1", sum)
	}
}

// A phrase that calms is in the list for its weight: whoever says it has not said what the list is about.
func TestSays_phrasesWithoutWeight_doNotCount(t *testing.T) {
	head := "lists: {furious: {骗子: 3, 谢谢: -2, 算了: 0}, wrapped: {$furious: -1, 垃圾: 1}}\n"
	for _, c := range []struct {
		when, text string
		want       bool
	}{
		{"{says: [$furious]}", "骗子", true},
		{"{says: [$furious]}", "谢谢", false},
		{"{says: [$furious]}", "算了", false},
		{"{says: {all: [$furious]}}", "谢谢", false},
		{"{said: {any: [$furious], within: 1m}}", "谢谢", false},
		{"{says: [$wrapped]}", "骗子", false},
		{"{says: [$wrapped]}", "垃圾", true},
		{"{says: {any: [哈], not_part_of: [$furious]}}", "哈谢谢", true},
		{"{says: {any: [谢], not_part_of: [$furious]}}", "谢谢", false},
	} {
		if got := play(t, rulesWhen(t, head, c.when), Turn{Text: c.text}); got != c.want {
			t.Errorf("%s on %q: %v, want %v", c.when, c.text, got, c.want)
		}
	}
}
