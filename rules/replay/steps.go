package replay

import (
	"maps"
	"strings"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
)

// Pause is the kind of a step that only lets time pass. Unlike a wait nobody asked for it, and an explanation passes
// over it.
const Pause = "pause"

// maxTold bounds the story of a test or an explanation, in rules and parts of their conditions: 100 turns under 500 rules of
// five parts. A few lines of a file may let thousands of timers come due, and each is told under every rule.
const maxTold = 250_000

var errTooLong = lang.Errorf("the explanation is too long: it covers more than %d rules and parts of them", maxTold)

// weight is how much a story tells.
func weight(t *rules.Trace) int {
	n := len(t.Rules)
	for i := range t.Rules {
		if c := t.Rules[i].Condition; c != nil {
			n += parts(c)
		}
	}
	return n
}

func parts(p *rules.PartTrace) int {
	n := 1
	for i := range p.Parts {
		n += parts(&p.Parts[i])
	}
	return n
}

// NewTest returns a player of the steps of a test that begins at a time. Transfers end as the steps tell.
func NewTest(p *rules.Policy, begin time.Time) *Player {
	return &Player{policy: p, user: &rules.User{}, now: begin, told: true}
}

// Carry carries out one step and returns the decisions that it led to, with their stories.
func (p *Player) Carry(s *rules.Step) (led []Step, err error) {
	if s.Reading != nil {
		p.tell(*s.Reading)
	}
	switch s.Kind {
	case "user", "bot":
		t := rules.Turn{Kind: rules.UserTurn, At: p.now, Text: s.Message.Text, Mark: s.Message.Mark, Sends: s.Message.Sends, WithWhy: true}
		if s.Kind == "bot" {
			t.Kind = rules.BotTurn
		}
		if s.Message.Fields != nil {
			t.Fields = s.Message.Fields
		}
		if t.Kind == rules.UserTurn {
			t.Text = p.policy.Words(t.Text, t.Fields)
		}
		led = append(led, p.decide(t, true))
	case "agent":
		p.endOpen()
		p.happen(rules.EventAgentMessage, "")
	case "event":
		p.observe(s.Event)
	case "wait", Pause:
		end := p.now.Add(s.Wait)
		led = p.until(end, true)
		p.now = end
	}
	if p.toldOf > maxTold {
		return led, errTooLong
	}
	if s.Desk == "" {
		return led, nil
	}
	result, ok := rules.ParseResult(s.Desk)
	if !ok || p.rule == "" {
		return led, lang.Errorf("desk: %s, but no transfer was made before", s.Desk)
	}
	p.end(result)
	return led, nil
}

// tell has Desk tell what a step says of agents and queue until another one does: live, the next poll would tell the
// same.
func (p *Player) tell(r rules.Reading) {
	if r.Agents != nil { // who is not among the free ones is known not to be
		r.Agents = maps.Clone(r.Agents)
		for _, a := range p.policy.Asks().Agents {
			if !r.Agents[a] {
				r.Agents[a] = false
			}
		}
	}
	p.desk = func(at time.Time) *rules.Reading {
		now := r
		now.At = at
		return &now
	}
}

// observe takes an event of Desk. One that needs an end of the transfer under way implies that it was assigned.
func (p *Player) observe(k rules.EventKind) {
	if k != rules.EventTransferring && k != rules.EventNoAgent {
		p.endOpen()
	}
	if k == rules.EventNoAgent && p.open {
		p.end(rules.ResultNoAgent)
		return
	}
	p.happen(k, "")
}

// endOpen ends a transfer of which no step tells how it ended: it was assigned.
func (p *Player) endOpen() {
	if p.open {
		p.end(rules.ResultAssigned)
	}
}

// end ends the transfer under way, or one that was tried again after nobody had been online.
func (p *Player) end(r rules.Result) {
	p.policy.Settle(&p.conv, p.user, p.rule, r, p.now)
	if r == rules.ResultQueued && len(p.chain) > 0 {
		p.conv.WaitsFor(p.rule, rules.Written(p.chain)) // nobody waits for one agent
	}
	p.open = false
	if p.conv.Phase() == rules.PhaseHuman {
		p.user.WithAgent(someAgent, p.now)
	}
	if r == rules.ResultNoAgent {
		_, take := rules.IfNobody(p.chain)
		p.await(p.rule, take)
	}
}

// Steps turns a dialogue into the steps of a test that begins at a time. Besides the roles that speak there are wait
// (5m), desk (how the transfer ended) and event (a kind of event, such as closed). Turns that do not tell their time
// follow one another after turnGap, unless a wait lies between.
func Steps(said []Said, begin time.Time) ([]rules.Step, error) {
	var steps []rules.Step
	now, spoken := begin, false
	for i := range said {
		s, err := said[i].step()
		if err != nil {
			return nil, lang.Errorf("turn %d: %w", i+1, err)
		}
		if said[i].Wait != "" {
			wait, known := rules.ParseDuration(said[i].Wait)
			if !known || wait == 0 {
				return nil, lang.Errorf("turn %d: %w", i+1, noWait(said[i].Wait))
			}
			steps = append(steps, rules.Step{Kind: "wait", Wait: wait})
			now, spoken = now.Add(wait), false
		}
		gap := time.Duration(0)
		switch {
		case said[i].At != nil:
			gap = max(0, said[i].At.Sub(now))
		case spoken && said[i].KnownRole():
			gap = turnGap
		}
		if gap > 0 {
			steps = append(steps, rules.Step{Kind: Pause, Wait: gap})
		}
		steps = append(steps, s)
		now = now.Add(gap + s.Wait)
		spoken = said[i].KnownRole() || spoken && s.Kind != "wait"
	}
	return steps, nil
}

func noWait(word string) error {
	return lang.Errorf("wait: %q is not a duration; write for example 30s, 5m or 1h30m", word)
}

// step is one turn as a step of a test.
func (s *Said) step() (rules.Step, error) {
	step := rules.Step{Kind: s.Role}
	var known bool
	var err error
	word := strings.TrimSpace(s.Text)
	switch s.Role {
	case "user", "bot", "agent":
		step.Message = rules.TestMessage{Text: s.Text, Mark: s.Mark, Fields: s.Fields}
		if s.Desk != "" && s.Role != "agent" {
			step.Desk, step.Reading, err = rules.ParseDesk(s.Desk)
		}
		return step, err //nolint:wrapcheck // it says itself what it is about
	case "wait":
		if step.Wait, known = rules.ParseDuration(word); !known || step.Wait == 0 {
			return step, noWait(word)
		}
	case "desk":
		if step.Desk, step.Reading, err = rules.ParseDesk(word); err != nil {
			return step, err //nolint:wrapcheck // it says itself what it is about
		}
	case "event":
		if step.Event, known = rules.ParseEventKind(word); !known {
			return step, unknown("event", word, rules.EventKinds())
		}
	default:
		return step, lang.Errorf("the role %q is none of user, bot, agent, wait, desk, event", s.Role)
	}
	return step, nil
}

func unknown(what lang.Text, word string, known []string) error {
	if hint := rules.DidYouMean(word, known); hint != "" {
		return lang.Errorf("%s: %q is none of %s: %s", what, word, lang.List(", ", known...), hint)
	}
	return lang.Errorf("%s: %q is none of %s", what, word, lang.List(", ", known...))
}
