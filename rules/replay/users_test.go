package replay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"escalator/rules"
)

const userRules = `version: 1
targets: {default: {}, sales: {}}
rules:
  - {id: gift, when: {says: [gift]}, then: {keep: true, say: Here it is.}, cooldown: {for: 24h, per: customer}}
  - {id: new, when: {says: [hello], first_contact: true}, then: {keep: true}, cooldown: 0s}
  - {id: again, when: {says: [human], had_agent: {within: 7d}}, then: {transfer: sales, prefer_last_agent: 7d}}
  - {id: ask, when: {says: [human]}, then: {transfer: default}}
  - {id: silent, when: {bot_silent: 30s}, then: {keep: true, say: Still here.}, cooldown: {for: 24h, per: customer}}
`

func loadUsers(t *testing.T) *rules.Policy {
	t.Helper()
	p, r := rules.Load([]byte(userRules), rules.LoadOptions{})
	if p == nil {
		t.Fatal(r.Errors)
	}
	return p
}

// A customer is one and the same in all conversations of a recording; dialogues that name nobody are of one customer each.
func TestReplay_customer_isKnownInTheNextConversation(t *testing.T) {
	for _, c := range []struct{ user, want string }{
		{"u1", "a new keep, a ask transfer, b again transfer, b gift keep, c gift suppressed"},
		{"", "a new keep, a ask transfer, b new keep, b ask transfer, b gift keep, c gift keep"},
	} {
		r, at := New(loadUsers(t)), DefaultTime
		say := func(session, text string) {
			at = at.Add(time.Minute)
			r.Add(Event{Session: session, User: c.user, At: at, Turn: &rules.Turn{Text: text}})
			r.Add(Event{Session: session, User: c.user, At: at, Turn: &rules.Turn{Kind: rules.BotTurn, Text: "fine"}})
		}
		say("a", "hello")
		say("a", "human")
		say("b", "hello")
		say("b", "human")
		r.Add(Event{Session: "b", User: c.user, At: at, Observe: rules.EventClosed})
		say("b", "gift")
		say("c", "gift")
		var got []string
		for _, d := range r.Result().Decisions {
			got = append(got, fmt.Sprint(d.Session, " ", d.Rule, " ", d.Outcome))
		}
		if all := strings.Join(got, ", "); all != c.want {
			t.Errorf("customer %q: %s, want %s", c.user, all, c.want)
		}
	}
}

// The timers of a customer's conversations come due in the order of time, although the conversations are played apart.
func TestReplay_customer_timersOfAllConversationsInOrder(t *testing.T) {
	r, at := New(loadUsers(t)), DefaultTime
	for day, session := range []string{"a", "b", "c"} {
		r.Add(Event{Session: session, User: "u1", At: at.Add(time.Duration(day) * 23 * time.Hour), Turn: &rules.Turn{Text: "x"}})
	}
	r.Finish(at.Add(100 * time.Hour))
	var got []string
	for _, d := range r.Result().Decisions {
		got = append(got, fmt.Sprint(d.Session, " ", d.Outcome, " ", d.At.Sub(at)))
	}
	if all, want := strings.Join(got, ", "), "a keep 30s, b suppressed 23h0m30s, c keep 46h0m30s"; all != want {
		t.Errorf("%s, want %s", all, want)
	}
}

// An event that names the agent says who is asked first the next time.
func TestReplay_customer_agentOfAnEvent(t *testing.T) {
	p, at := NewPlayer(loadUsers(t)), DefaultTime
	p.Play(Event{At: at, Turn: &rules.Turn{Text: "x"}})
	p.Play(Event{At: at, Observe: rules.EventWithHuman, Agent: "chen@example.com"})
	p.Play(Event{At: at, Observe: rules.EventClosed})
	steps := p.Play(Event{At: at.Add(time.Hour), Turn: &rules.Turn{Text: "human"}})
	chain := steps[len(steps)-1].Decision.Chain
	if len(chain) != 2 || !chain[0].LastAgent || chain[0].Agents[0] != "chen@example.com" {
		t.Errorf("the chain is %+v", chain)
	}
}

// A question of Desk counts for nothing, also for the customer.
func TestPlayer_customer_questionsCountForNothing(t *testing.T) {
	p := NewPlayer(loadUsers(t))
	p.Play(Event{At: DefaultTime, Ask: true, Turn: &rules.Turn{Text: "gift"}})
	steps := p.Play(Event{At: DefaultTime, Turn: &rules.Turn{Text: "gift"}})
	if d := steps[0].Decision; d.Outcome != rules.OutcomeKeep {
		t.Errorf("%s: %s", d.Outcome, d.Reason)
	}
}

// Who waits waits for the target and not for the agent who was asked first: its queue_timeout ends the wait.
func TestPlayer_customer_waitsForTheTarget(t *testing.T) {
	src := strings.Replace(userRules, "sales: {}", "sales: {queue_timeout: 5m}", 1)
	policy, r := rules.Load([]byte(src), rules.LoadOptions{})
	if policy == nil {
		t.Fatal(r.Errors)
	}
	p := NewTest(policy, DefaultTime)
	p.user.WithAgent("chen@example.com", DefaultTime)
	if _, err := p.Carry(&rules.Step{Kind: "user", Message: rules.TestMessage{Text: "human"}, Desk: "queued"}); err != nil {
		t.Fatal(err)
	}
	if at, ok := policy.NextTimer(&p.conv); !ok || !at.Equal(DefaultTime.Add(5*time.Minute)) {
		t.Errorf("the wait ends at %s, %v", at, ok)
	}
}
