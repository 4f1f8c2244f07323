package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The model of a cooldown per customer is a list of what happened, written from RULES.md 6.3 and 7 alone: it knows of no
// record that is kept, and of no conversation beyond whom the customer is with.

type customerRule struct {
	id     string
	wait   time.Duration
	person bool // its action is a transfer
	shadow bool
}

type customerPast struct {
	rule, customer int
	at             time.Time
	nobody         bool
}

type customerTalk struct {
	c        Conversation
	customer int
	under    int // the rule whose transfer is under way, -1: none
	imagined []int
	seen     time.Time
}

// forgetAfter is the session_ttl of the file: an imagined transfer ends with the bot phase, and so with a longer silence.
const forgetAfter = time.Hour

type customerModel struct {
	rules []customerRule
	past  []customerPast
}

// rests says whether a rule is at rest for a customer: everything here is said by the customer in own words.
func (m *customerModel) rests(rule, customer int, now time.Time) bool {
	for _, p := range slices.Backward(m.past) {
		if p.rule == rule && p.customer == customer {
			wait := m.rules[rule].wait
			if p.nobody {
				wait = min(wait, 30*time.Second)
			}
			return now.Before(p.at.Add(wait))
		}
	}
	return false
}

func drawCustomerRules(t *rapid.T) (rules []customerRule, file string) {
	var b strings.Builder
	fmt.Fprintf(&b, "limits: {per_session: 16/1s}\ndefaults: {session_ttl: %dh}\nrules:\n", forgetAfter/time.Hour)
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		r := customerRule{
			id: fmt.Sprint("r", i), wait: rapid.SampledFrom([]time.Duration{10 * time.Second, 2 * time.Minute, 3 * time.Hour, 48 * time.Hour}).Draw(t, "wait"),
			person: rapid.Bool().Draw(t, "transfer"), shadow: rapid.IntRange(0, 3).Draw(t, "shadow") == 0,
		}
		then, mode := "keep: true", "enforce"
		if r.person {
			then = "transfer: default"
		}
		if r.shadow {
			mode = "shadow"
		}
		fmt.Fprintf(&b, "  - {id: %s, mode: %s, when: {says: [%s]}, then: {%s}, cooldown: {for: %ds, per: customer}}\n", r.id, mode, modelWords[i], then, int(r.wait.Seconds()))
		rules = append(rules, r)
	}
	return rules, b.String()
}

// Whatever sessions two customers have, and whatever becomes of their transfers, a rule fires for a customer when the list
// of what happened says so.
func TestCooldownPerCustomer_equalsAList(t *testing.T) {
	fired, rested := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		m := &customerModel{}
		var file string
		m.rules, file = drawCustomerRules(rt)
		p, now := load(t, file), start
		users := []*User{{}, {}}
		var talks []*customerTalk
		for i := range 4 {
			talks = append(talks, &customerTalk{customer: i % 2, under: -1})
		}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			talk := rapid.SampledFrom(talks).Draw(rt, "session")
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, 15 * time.Second, 31 * time.Second, 5 * time.Minute, 2 * time.Hour, 24 * time.Hour}).Draw(rt, "wait"))
			if rapid.IntRange(0, 3).Draw(rt, "restart") == 0 {
				u := ParseUser(users[talk.customer].Encode())
				users[talk.customer] = &u
			}
			if talk.c.Phase() != PhaseBot {
				m.settle(rt, p, talk, users[talk.customer], now)
				continue
			}
			rule := rapid.IntRange(0, len(m.rules)-1).Draw(rt, "rule")
			want := !m.rests(rule, talk.customer, now)
			if now.Sub(talk.seen) > forgetAfter {
				talk.imagined = nil
			}
			if m.rules[rule].shadow && m.rules[rule].person && len(talk.imagined) > 0 {
				continue // its imagined transfer goes on
			}
			talk.seen = now
			d := p.Decide(&talk.c, Turn{Text: modelWords[rule], At: now, User: users[talk.customer]})
			got := d.Outcome == OutcomeTransfer || d.Outcome == OutcomeKeep || d.Outcome == OutcomeShadow
			if got != want {
				rt.Fatalf("%s for customer %d at %s: fired %v, want %v (%s %s)\n%+v", m.rules[rule].id, talk.customer, now.Sub(start), got, want, d.Outcome, d.Reason, m.past)
			}
			if !want {
				rested++
				continue
			}
			fired++
			m.past = append(m.past, customerPast{rule: rule, customer: talk.customer, at: now})
			switch {
			case d.Outcome == OutcomeTransfer:
				talk.under = rule
			case m.rules[rule].person:
				talk.imagined = append(talk.imagined, rule)
			}
		}
	})
	if fired < 50 || rested < 50 {
		t.Errorf("fired %d times and rested %d: the walk is lopsided", fired, rested)
	}
}

// settle ends a transfer, or what came after it: the session is closed.
func (m *customerModel) settle(rt *rapid.T, p *Policy, talk *customerTalk, u *User, now time.Time) {
	talk.seen = now
	if talk.under < 0 {
		talk.c.Observe(EventClosed, now, time.Time{})
		talk.imagined = nil
		return
	}
	r := rapid.SampledFrom([]Result{ResultNoAgent, ResultNoAgent, ResultAssigned, ResultFailed, ResultQueued}).Draw(rt, "result")
	p.Settle(&talk.c, u, m.rules[talk.under].id, r, now)
	if r == ResultNoAgent {
		for _, rule := range append(talk.imagined, talk.under) {
			m.past = append(m.past, customerPast{rule: rule, customer: talk.customer, at: now, nobody: true})
		}
	}
	talk.under, talk.imagined = -1, nil
}
