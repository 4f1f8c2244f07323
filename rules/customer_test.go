package rules

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// session is one more session of the same customer, at the same time.
func (k *talkTo) session() *talkTo { return &talkTo{t: k.t, p: k.p, now: k.now, customer: k.customer} }

func newCustomer(t testing.TB, rules string) *talkTo {
	k := newTalk(t, load(t, rules))
	k.customer = &User{}
	return k
}

func TestTurns_atMost(t *testing.T) {
	for _, c := range []struct {
		when  string
		turns int
		want  bool
	}{
		{"{turns: {at_most: 2}}", 2, true},
		{"{turns: {at_most: 2}}", 3, false},
		{"{turns: {at_least: 2, at_most: 3}}", 1, false},
		{"{turns: {at_least: 2, at_most: 3}}", 3, true},
		{"{turns: {at_least: 2, at_most: 3}}", 4, false},
		{"{not: {turns: {at_most: 2}}}", 3, true},
	} {
		if got := play(t, rulesWhen(t, "", c.when), says(strings.Split(strings.Repeat("a ", c.turns-1)+"a", " ")...)...); got != c.want {
			t.Errorf("%s at turn %d: %v", c.when, c.turns, got)
		}
	}
}

func TestAge_countsFromTheBeginOfTheBotPhase(t *testing.T) {
	k := newTalk(t, load(t, `
rules:
  - {id: old, when: {age: {at_least: 5m}}, then: {transfer: default}, cooldown: 0s}
  - {id: young, when: {age: {at_most: 1m}}, then: {keep: true}, cooldown: 0s}`))
	expect(t, "at once", k.user("a"), "keep young")
	k.wait(time.Minute)
	expect(t, "after a minute", k.user("b"), "keep young")
	k.wait(time.Millisecond)
	expect(t, "a little later", k.user("c"), "none")
	k.wait(4 * time.Minute)
	expect(t, "after five", k.user("d"), "transfer old")
	k.wait(10 * time.Minute)
	k.settle(ResultNoAgent)
	expect(t, "back with the bot", k.user("e"), "keep young")
	k.wait(time.Hour)
	k.observe(EventClosed)
	k.wait(time.Hour)
	expect(t, "after a close nothing had begun", k.user("f"), "keep young")
	k.wait(10 * time.Minute)
	k.turn(Turn{Kind: StartTurn})
	k.wait(time.Second)
	expect(t, "in a new session", k.user("g"), "keep young")
}

func TestAge_survivesARestart(t *testing.T) {
	k := newTalk(t, load(t, "rules: [{id: old, when: {age: {at_least: 5m}}, then: {transfer: default}}]"))
	k.user("a")
	k.restart()
	k.wait(5 * time.Minute)
	expect(t, "after a restart", k.user("b"), "transfer old")
}

// restart lets the conversation and what is kept of the customer go through their encoded form.
func (k *talkTo) restart() {
	k.t.Helper()
	data, err := k.c.MarshalBinary()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.c.UnmarshalBinary(data); err != nil {
		k.t.Fatal(err)
	}
	if k.customer != nil {
		u := ParseUser(k.customer.Encode())
		k.customer = &u
	}
}

const firstRules = "rules: [{id: new, when: {says: [hello], first_contact: true}, then: {transfer: default}, cooldown: 0s}]"

func TestFirstContact_holdsForTheWholeFirstSession(t *testing.T) {
	k := newCustomer(t, firstRules)
	expect(t, "the first message", k.user("hello"), "transfer new")
	k.settle(ResultNoAgent)
	k.wait(time.Minute)
	expect(t, "one more, the customer is known by now", k.user("hello"), "transfer new")
	k.settle(ResultFailed)
	k.restart()
	k.wait(time.Minute)
	expect(t, "after a restart", k.user("hello"), "transfer new")
	k.settle(ResultAssigned)
	k.observe(EventClosed)
	expect(t, "in the next session", k.user("hello"), "none")
}

func TestFirstContact_sessionThatDeskBegins(t *testing.T) {
	k := newCustomer(t, firstRules)
	k.turn(Turn{Kind: StartTurn})
	k.bot("welcome")
	expect(t, "in the session that began", k.user("hello"), "transfer new")
	other := k.session()
	expect(t, "in another one at the same time", other.user("hello"), "none")
}

func TestFirstContact_afterThirtyDaysWithoutContact(t *testing.T) {
	k := newCustomer(t, firstRules)
	k.user("hi")
	k.wait(UserKeptFor + time.Minute)
	expect(t, "nothing is kept any more", k.session().user("hello"), "transfer new")
}

// Of a customer whom nobody knows neither the condition nor its not can be said.
func TestCustomerConditions_unknownCustomer_neitherHoldsNorNot(t *testing.T) {
	for _, when := range []string{"{first_contact: true}", "{not: {first_contact: true}}", "{had_agent: {within: 7d}}", "{not: {had_agent: {within: 7d}}}"} {
		if play(t, rulesWhen(t, "", when), says("a")...) {
			t.Errorf("%s holds for a customer whom nobody knows", when)
		}
	}
	p := rulesWhen(t, "", "{not: {first_contact: true}}")
	_, trace := p.Explain(&Conversation{}, Turn{Text: "a", At: start})
	if why := trace.Rules[0].Why; !strings.Contains(why.String(), "nobody knows who the customer is") {
		t.Errorf("explained as %q", why)
	}
}

func TestHadAgent_inAnEarlierSession(t *testing.T) {
	k := newCustomer(t, `
rules:
  - {id: again, when: {says: [hello], had_agent: {within: 7d}}, then: {keep: true}, cooldown: 0s}
  - {id: ask, when: {says: [hello]}, then: {transfer: default}, cooldown: 0s}`)
	expect(t, "never before", k.user("hello"), "transfer ask")
	k.settle(ResultAssigned)
	k.customer.WithAgent("li", k.now)
	k.observe(EventClosed)
	k.wait(7 * 24 * time.Hour)
	k.restart()
	expect(t, "a week later", k.user("hello"), "keep again")
	k.wait(time.Millisecond)
	expect(t, "and a little more", k.user("hello"), "transfer ask")
}

const onceADay = "defaults: {session_ttl: 1h}\nrules: [{id: gift, when: {says: [gift]}, then: {keep: true, say: Here it is.}, cooldown: {for: 24h, per: customer}}]"

func TestCooldownPerCustomer_nothingButTimeEndsIt(t *testing.T) {
	k := newCustomer(t, onceADay)
	expect(t, "the first time", k.user("gift"), "keep gift")
	expect(t, "in another session", k.session().user("gift"), "suppressed gift cooldown")
	k.observe(EventClosed)
	expect(t, "after a close", k.user("gift"), "suppressed gift cooldown")
	k.turn(Turn{Kind: StartTurn})
	k.restart()
	expect(t, "in a new session, after a restart", k.user("gift"), "suppressed gift cooldown")
	k.wait(24*time.Hour - time.Millisecond)
	expect(t, "shortly before the day is over", k.session().user("gift"), "suppressed gift cooldown")
	k.wait(time.Millisecond)
	expect(t, "a day later", k.session().user("gift"), "keep gift")
}

func TestCooldownPerCustomer_unknownCustomer_restsInTheConversation(t *testing.T) {
	k := newTalk(t, load(t, onceADay))
	expect(t, "the first time", k.user("gift"), "keep gift")
	expect(t, "in this conversation", k.user("gift"), "suppressed gift cooldown")
	expect(t, "in another one", k.session().user("gift"), "keep gift")
}

// What fired while nothing of the customer could be read still counts in its conversation.
func TestCooldownPerCustomer_firedWhileUnknown_restsInTheConversation(t *testing.T) {
	k := newTalk(t, load(t, onceADay))
	k.user("gift")
	k.customer = &User{}
	expect(t, "once the customer is known again", k.user("gift"), "suppressed gift cooldown")
}

// 6.3: nobody was online, so it counts from there, and a request in own words may try again after 30 seconds, from any session.
func TestCooldownPerCustomer_nobodyOnline_startsAgain(t *testing.T) {
	k := newCustomer(t, `
rules:
  - {id: ask, when: {says: [person]}, then: {transfer: default}, cooldown: {for: 24h, per: customer}}
  - {id: many, when: {turns: {at_least: 1}}, then: {transfer: default}, cooldown: {for: 24h, per: customer}}`)
	expect(t, "the rule of words", k.user("person"), "transfer ask")
	k.wait(time.Hour)
	k.settle(ResultNoAgent)
	other := k.session()
	other.wait(30*time.Second - time.Millisecond)
	expect(t, "too early", other.user("person"), "suppressed ask cooldown")
	other.wait(time.Millisecond)
	expect(t, "after 30 seconds", other.user("person"), "transfer ask")

	k = k.session()
	expect(t, "the rule without words", k.user("x"), "transfer many")
	k.wait(time.Hour)
	k.settle(ResultNoAgent)
	k.wait(24*time.Hour - time.Millisecond)
	expect(t, "a day after the firing", k.session().user("x"), "suppressed many cooldown")
	k.wait(time.Millisecond)
	expect(t, "a day after the answer", k.session().user("x"), "transfer many")
}

// 6.1: below a rule at rest those are tried that hold by the customer's own words.
func TestCooldownPerCustomer_atRest_rulesBySaysAreTried(t *testing.T) {
	k := newCustomer(t, `
rules:
  - {id: many, when: {turns: {at_least: 1}}, then: {keep: true}, cooldown: {for: 24h, per: customer}}
  - {id: mood, when: {said: {any: [person], within: 5m}}, then: {keep: true}}
  - {id: ask, when: {says: [person]}, then: {transfer: default}}`)
	k.user("x")
	expect(t, "in the next session", k.session().user("person"), "transfer ask")
}

// A rule's past in shadow is its own.
func TestCooldownPerCustomer_shadow_isItsOwn(t *testing.T) {
	k := newCustomer(t, strings.Replace(onceADay, "id: gift", "id: gift, mode: shadow", 1))
	if d := k.user("gift"); !slices.Contains(d.Shadow, "gift") {
		t.Errorf("would not have fired: %+v", d)
	}
	if d := k.session().user("gift"); len(d.Shadow) > 0 {
		t.Error("would have fired twice in a day")
	}
	k.p = load(t, onceADay)
	expect(t, "once it acts", k.session().user("gift"), "keep gift")
}

func TestCooldownPerCustomer_explained(t *testing.T) {
	k := newCustomer(t, onceADay)
	k.user("gift")
	_, trace := k.p.Explain(&Conversation{}, Turn{Text: "gift", At: k.now, User: k.customer})
	if why := trace.Rules[0].Why; !strings.Contains(why.String(), "cooldown of this customer until") {
		t.Errorf("explained as %q", why)
	}
}

// A conversation whose turns by the clock come from nobody knows its customer; others need not.
func TestConversation_remembersItsCustomer_whereTheClockSpeaks(t *testing.T) {
	for rules, want := range map[string]string{
		"rules: [{id: a, when: {bot_silent: 30s}, then: {keep: true, say: Wait}, cooldown: {for: 24h, per: customer}}]": "u1",
		onceADay: "",
	} {
		k := newCustomer(t, rules)
		k.turn(Turn{Text: "x", UserID: "u1"})
		k.restart()
		if got := k.c.UserID(); got != want {
			t.Errorf("the customer is %q, want %q", got, want)
		}
	}
}
