package rules

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// chainFile has a chain of two targets with all that must not reach the step before them.
const chainFile = `
calendars: {never: {tz: UTC, open: [mon 00:00-00:01]}}
targets:
  default: {}
  sales: {group: 7, priority: 5, queue_timeout: 5m, end_session_if_no_agent: false, check_working_hours: true, prompt_outside_working_hours: true, say_if_no_agent: Nobody., retry_if_no_agent: {every: 1m, for: 5m}, else: all}
  all: {agents: [zhao@example.com]}
  night: {group: 9, open: never, else: sales}
  shut: {open: never}
routes: {desk: [{when: {turns: {at_least: 9}}, to: all}, {to: sales}]}
rules:
  - {id: r, when: {says: [person]}, then: {%s}, cooldown: 0s}
`

// chainOf shows the chain of a decision: the name, group, agents and priority of each target.
func chainOf(d Decision) string {
	var stops []string
	for _, t := range d.Chain {
		s := t.ID
		if t.LastAgent {
			s = "last agent of " + s
		}
		if t.Group != nil {
			s += fmt.Sprint(" ", *t.Group)
		}
		if t.Agents != nil {
			s += fmt.Sprint(" ", t.Agents)
		}
		if t.Priority != nil {
			s += fmt.Sprint(" p", *t.Priority)
		}
		stops = append(stops, s)
	}
	return strings.Join(stops, ", ")
}

func TestThen_changesTheChain(t *testing.T) {
	for _, c := range []struct{ then, want, target string }{
		{"transfer: sales", "sales 7 p5, all [zhao@example.com]", "sales"},
		{"transfer: sales, priority: 0", "sales 7 p0, all [zhao@example.com] p0", "sales"},
		{"transfer: sales, agents: [li@example.com, wang@example.com]", "sales [li@example.com wang@example.com] p5, all [zhao@example.com]", "sales"},
		{"transfer: desk, agents: [li@example.com], priority: 1", "sales [li@example.com] p1, all [zhao@example.com] p1", "sales"},
		{"transfer: night, agents: [li@example.com]", "sales 7 p5, all [zhao@example.com]", "sales"}, // who is closed is passed over with the agents
		{"transfer: sales, prefer_last_agent: 7d", "last agent of sales [chen@example.com] p5, sales 7 p5, all [zhao@example.com]", "sales"},
		{"transfer: night, prefer_last_agent: 7d", "last agent of sales [chen@example.com] p5, sales 7 p5, all [zhao@example.com]", "sales"},
		{"transfer: sales, prefer_last_agent: 7d, agents: [li@example.com], priority: 0", "last agent of sales [chen@example.com] p0, sales [li@example.com] p0, all [zhao@example.com] p0", "sales"},
		{"transfer: sales, prefer_last_agent: 1h", "sales 7 p5, all [zhao@example.com]", "sales"},
		{"transfer: shut, prefer_last_agent: 7d", "", ""},
	} {
		k := newCustomer(t, fmt.Sprintf(chainFile, c.then))
		k.customer.WithAgent("chen@example.com", k.now)
		k.wait(2 * time.Hour)
		d := k.user("person")
		if got := chainOf(d); got != c.want || d.Target != c.target {
			t.Errorf("%s: %s to %q, want %s to %q", c.then, got, d.Target, c.want, c.target)
		}
		if got := k.p.Target("sales"); got.Group == nil || *got.Priority != 5 || got.Agents != nil {
			t.Fatalf("%s: the file's own target was changed: %+v", c.then, got)
		}
	}
}

func TestPreferLastAgent_withoutOne_isTheTargetAlone(t *testing.T) {
	p := load(t, fmt.Sprintf(chainFile, "transfer: sales, prefer_last_agent: 7d"))
	for name, u := range map[string]*User{
		"nobody knows the customer": nil, "never with a person": {}, "with one whom Desk did not name": {First: start, Last: start, AgentAt: start},
	} {
		k := newTalk(t, p)
		k.customer = u
		if got := chainOf(k.user("person")); got != "sales 7 p5, all [zhao@example.com]" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// The step asks for one agent alone: nothing of it may tell the customer anything, end the session or let them wait.
func TestPreferLastAgent_step_isAloneAndSilent(t *testing.T) {
	k := newCustomer(t, fmt.Sprintf(chainFile, "transfer: sales, prefer_last_agent: 7d"))
	k.customer.WithAgent("chen@example.com", k.now)
	data, err := json.Marshal(k.user("person").Chain[0]) // as the outbox keeps it
	if err != nil {
		t.Fatal(err)
	}
	var step Target
	if err := json.Unmarshal(data, &step); err != nil {
		t.Fatal(err)
	}
	yes, five := true, 5
	want := Target{
		ID: "sales", LastAgent: true, Agents: []string{"chen@example.com"}, DisableQueuing: &yes, CheckWorkingHours: &yes, Priority: &five,
		SayIfNoAgent: k.p.Target("sales").SayIfNoAgent, SayIfFailed: builtinFailure, Retry: k.p.Target("sales").Retry,
	}
	if diff := cmp.Diff(want, step, cmp.AllowUnexported(Target{})); diff != "" {
		t.Error(diff)
	}
}

func TestThen_countsForAnOfferThatIsAccepted(t *testing.T) {
	k := newCustomer(t, fmt.Sprintf(chainFile, "offer: Shall I?, transfer: desk, prefer_last_agent: 7d, priority: 2"))
	k.customer.WithAgent("chen@example.com", k.now)
	k.user("person")
	k.p.OfferSent(&k.c, "r", k.now)
	k.restart()
	d := k.user("yes")
	expect(t, "the answer", d, "transfer r offer_accepted")
	if got := chainOf(d); got != "last agent of sales [chen@example.com] p2, sales 7 p2, all [zhao@example.com] p2" {
		t.Error(got)
	}
}

func TestPreferLastAgent_explained(t *testing.T) {
	k := newCustomer(t, fmt.Sprintf(chainFile, "transfer: sales, prefer_last_agent: 7d"))
	k.customer.WithAgent("chen@example.com", k.now)
	_, trace := k.p.Explain(&k.c, Turn{Text: "person", At: k.now, User: k.customer})
	want := []Stop{{Target: "sales", LastAgent: "chen@example.com"}, {Target: "sales"}, {Target: "all"}}
	if diff := cmp.Diff(want, trace.Rules[0].Chain); diff != "" {
		t.Error(diff)
	}
}

// An operator's retry goes to the target of that name as the rules in force have it, with the rule's own words.
func TestPolicyChain_keepsWhatTheRuleAsksFor(t *testing.T) {
	p := load(t, fmt.Sprintf(chainFile, "transfer: sales, agents: [li@example.com], priority: 1, prefer_last_agent: 7d"))
	for _, c := range []struct{ rule, target, want string }{
		{"r", "sales", "sales [li@example.com] p1, all [zhao@example.com] p1"},
		{"r", "all", "all [zhao@example.com] p1"}, // it went there because sales was closed
		{"gone", "sales", "sales 7 p5, all [zhao@example.com]"},
		{"r", "nowhere", ""},
	} {
		if got := chainOf(Decision{Chain: p.Chain(c.rule, c.target, start)}); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.rule, c.target, got, c.want)
		}
	}
}
