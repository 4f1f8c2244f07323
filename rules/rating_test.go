package rules

import (
	"strings"
	"testing"
)

const ratingRules = `
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}}
  - {id: gold, when: {field: {path: CloudCustomData.level, equals: gold}}, then: {transfer: default}}
  - {id: bad, when: {rating: {at_most: 2}}, then: {tag: [bad]}, cooldown: 0s}
  - {id: fair, when: {rating: {at_least: 3, at_most: 4}}, then: {tag: [fair]}, cooldown: 0s}
`

func stars(n string) TestFields { return TestFields{RatingField: n} }

func TestRating_actsInEveryPhase(t *testing.T) {
	for phase := PhaseBot; phase <= PhaseHuman; phase++ {
		k := newTalk(t, load(t, ratingRules))
		k.c.phase = phase
		d := k.turn(Turn{Kind: RatingTurn, Fields: stars("1")})
		expect(t, phase.String(), d, "keep bad")
		if len(d.Tags) != 1 || d.Tags[0] != "bad" || k.c.Phase() != phase {
			t.Errorf("%s: tags %v, now in phase %s", phase, d.Tags, k.c.Phase())
		}
	}
}

func TestRating_isThatOfTheCallback(t *testing.T) {
	for value, want := range map[string]string{
		"1": "keep bad", "2": "keep bad", "3": "keep fair", "4": "keep fair", "5": "none",
		"0": "none", "6": "none", "-1": "none", "": "none", "good": "none", "2.5": "none",
	} {
		k := newTalk(t, load(t, ratingRules))
		expect(t, value+" stars", k.turn(Turn{Kind: RatingTurn, Fields: stars(value)}), want)
		expect(t, value+" stars with a message", k.turn(Turn{Text: "你好", Fields: stars(value)}), want)
		expect(t, value+" stars with the bot's message", k.turn(Turn{Kind: BotTurn, Text: "你好", Fields: stars(value)}), want)
		expect(t, "no rating in the message after it", k.turn(Turn{Text: "你好", Fields: TestFields{}}), "none")
		expect(t, "no fields at all", k.turn(Turn{Text: "你好"}), "none")
	}
}

// A rating is no message: no other rule waits for it, and nothing is counted.
func TestRating_isForNoOtherRule(t *testing.T) {
	k := newTalk(t, load(t, ratingRules+"  - {id: second, when: {turns: {at_least: 2}}, then: {transfer: default}}\n"))
	gold := TestFields{RatingField: "5", "CloudCustomData.level": "gold"}
	expect(t, "a good rating of a gold customer", k.turn(Turn{Kind: RatingTurn, Fields: gold}), "none")
	k.user("一")
	k.turn(Turn{Kind: RatingTurn, Fields: gold})
	expect(t, "one message so far", k.last, "none")
	expect(t, "the second message", k.user("二"), "transfer second")
}

// RULES.md 6.2: what would fire in that phase is stopped, and a rule that holds by `rating` acts all the same.
func TestRating_isNotStoppedByARuleAbove(t *testing.T) {
	k := newTalk(t, load(t, ratingRules))
	k.observe(EventWithHuman)
	d := k.turn(Turn{Text: "转人工", Unsure: true, Fields: stars("2")})
	expect(t, "words and a rating", d, "keep bad")
	d = k.turn(Turn{Text: "转人工", Unsure: true, Fields: stars("5")})
	expect(t, "words and a good rating", d, "suppressed ask already_human")
}

func TestRating_joinsOtherConditions(t *testing.T) {
	k := newTalk(t, load(t, "rules: [{id: r, when: {all: [{rating: {at_most: 2}}, {field: {path: CloudCustomData.level, equals: gold}}]}, then: {tag: [t]}, cooldown: 0s}]"))
	expect(t, "silver", k.turn(Turn{Kind: RatingTurn, Fields: TestFields{RatingField: "1", "CloudCustomData.level": "silver"}}), "none")
	expect(t, "gold", k.turn(Turn{Kind: RatingTurn, Fields: TestFields{RatingField: "1", "CloudCustomData.level": "gold"}}), "keep r")
}

func TestRating_mayOnlyNotifyAndTag(t *testing.T) {
	for _, then := range []string{
		"{transfer: default}", "{keep: true}", "{keep: true, say: sorry, tag: [t]}", "{offer: a person?, transfer: default}", "{tag: [t], transfer: default}",
	} {
		for _, when := range []string{"{rating: {at_most: 2}}", "{any: [{rating: {at_most: 2}}, {says: [hello]}]}", "{rule: bad}"} {
			src := "version: 1\ntargets: {default: {}}\nrules:\n  - {id: bad, when: {rating: {at_most: 1}}, then: {tag: [t]}}\n  - {id: r, when: " + when + ", then: " + then + "}\n"
			if _, r := Load([]byte(src), LoadOptions{}); r.OK() || !strings.Contains(r.Errors[0].Message.String(), "may only notify and tag") {
				t.Errorf("%s with %s: %v", when, then, r.Errors)
			}
		}
	}
	for body, want := range map[string]bool{ratingRules: true, "rules: [{id: r, when: {says: [hello]}, then: {tag: [t]}}]": false} {
		if got := load(t, body).Rates(); got != want {
			t.Errorf("asks for ratings: %v, want %v", got, want)
		}
	}
}
