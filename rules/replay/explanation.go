package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/text"
)

// DefaultTime is when an explained or scored message is said unless the caller
// says otherwise: the Monday morning of RULES.md 5, so that calendars answer
// alike every day.
var DefaultTime = rules.DefaultTestTime

// Explanation is the story of a short conversation, as `escalator explain
// --json` and POST /api/explain give it.
type Explanation struct {
	Turns []ExplainedTurn `json:"turns"`
}

// ExplainedTurn is what one turn did: its trace, and the decision. The role of one that nobody spoke is timer, wait,
// desk or event.
type ExplainedTurn struct {
	At time.Time `json:"at"`
	rules.Trace
	Decision ExplainedDecision `json:"decision"`
}

// ExplainedDecision is a decision as scripts read it.
type ExplainedDecision struct {
	Rule    string        `json:"rule"`
	Outcome rules.Outcome `json:"outcome"`
	Target  string        `json:"target"`
	Reason  rules.Reason  `json:"reason"`
	Matched []rules.Match `json:"matched"`
	Shadow  []string      `json:"shadow,omitempty"`
	Would   []rules.Would `json:"would,omitempty"`
	Tags    []string      `json:"tags,omitempty"`
	Notify  []string      `json:"notify,omitempty"`
	Near    string        `json:"near,omitempty"`
	// Why says what made the rule hold, or what came near.
	Why lang.Text `json:"why,omitempty"`
	// Chain is where the rule leads. Say and Offer are what the customer is told and asked, in each language of the file.
	Chain []rules.Stop       `json:"chain,omitempty"`
	Say   []rules.SpeechText `json:"say,omitempty"`
	Offer []rules.SpeechText `json:"offer,omitempty"`
}

// Setting is in what a conversation is explained.
type Setting struct {
	// Begin is when it begins.
	Begin time.Time
	Muted rules.Muted
	// User is the customer, of whom shares are asked; "": everybody is in every share.
	User string
}

// To returns the explanation for a reader of a language.
func (x Explanation) To(l lang.Language) Explanation {
	x.Turns = slices.Clone(x.Turns)
	for i := range x.Turns {
		t := &x.Turns[i]
		t.Trace, t.Decision.Why, t.Decision.Chain = t.To(l), t.Decision.Why.To(l), rules.StopsTo(t.Decision.Chain, l)
	}
	return x
}

// Explain plays the steps of a conversation from its beginning, and tells of every turn why it did what it did. The error
// is that of a step which cannot be, of a story that is too long, or of ctx; what came before is told.
func Explain(ctx context.Context, p *rules.Policy, steps []rules.Step, in Setting) (Explanation, error) {
	x := Explanation{Turns: []ExplainedTurn{}}
	player := NewTest(p, in.Begin)
	player.muted, player.userID = in.Muted, in.User
	for i := range steps {
		if ctx.Err() != nil {
			return x, context.Cause(ctx)
		}
		if err := x.step(player, &steps[i]); err != nil {
			return x, err
		}
	}
	return x, nil
}

// ExplainEvents tells the story of recorded events, as a replay plays them.
func ExplainEvents(p *rules.Policy, events []Event, desk Readings) Explanation {
	x := Explanation{Turns: []ExplainedTurn{}}
	player := NewPlayer(p)
	player.desk = desk.at
	for _, e := range events {
		steps := player.Explain(e)
		if e.Turn == nil {
			last := len(steps) - 1
			x.add(steps[:last])
			role, words := "event", e.Observe.String()
			if e.Observe == rules.EventAgentMessage {
				role, words = "agent", e.Words
			}
			x.Turns = append(x.Turns, happened(role, words, steps[last].At, steps[last].Phase, player))
			continue
		}
		x.add(steps)
	}
	return x
}

func (x *Explanation) step(p *Player, s *rules.Step) error {
	at, phase := p.now, p.conv.Phase()
	led, err := p.Carry(s)
	if err != nil {
		return err
	}
	words := map[string]string{"agent": s.Message.Text, "event": s.Event.String(), "wait": waited(s.Wait)}
	if said, silent := words[s.Kind]; silent {
		turn := happened(s.Kind, said, at, phase, p)
		if s.Kind == "wait" {
			turn.Summary = lang.Say("until %s", p.now.Format("15:04:05"))
		}
		x.Turns = append(x.Turns, turn)
	}
	if s.Reading != nil {
		x.Turns = append(x.Turns, happened("desk", told(s.Reading), at, phase, p))
	}
	x.add(led)
	if s.Desk != "" {
		turn := happened("desk", s.Desk, p.now, phase, p)
		turn.Decision.Say = p.afterwards(s.Desk)
		x.Turns = append(x.Turns, turn)
	}
	return nil
}

func (x *Explanation) add(steps []Step) {
	for _, s := range steps {
		x.Turns = append(x.Turns, explained(s))
	}
}

// happened stands for what moves the phase while no rule is tried: a person's message, an event, an end of a transfer.
func happened(role, said string, at time.Time, phase rules.Phase, p *Player) ExplainedTurn {
	return explained(Step{At: at, Phase: phase, Trace: rules.Trace{
		Role: role, Text: said, Normal: text.Normalize(said), Phase: phase.String(), Language: p.conv.Language(),
		Rules: []rules.RuleTrace{}, Summary: nowWith[p.conv.Phase()],
	}})
}

// told writes what Desk tells of agents and queue as a step does.
func told(r *rules.Reading) string {
	var parts []string
	if r.Free != nil {
		parts = append(parts, fmt.Sprintf("agents: %d", *r.Free))
	}
	if r.Queue != nil {
		parts = append(parts, fmt.Sprintf("queue: %d", *r.Queue))
	}
	for _, group := range slices.Sorted(maps.Keys(r.Groups)) {
		parts = append(parts, fmt.Sprintf("group %s: %d", group, r.Groups[group]))
	}
	if parts == nil {
		return "unknown"
	}
	return strings.Join(parts, ", ")
}

// nowWith says who has the conversation in a phase.
var nowWith = map[rules.Phase]lang.Text{
	rules.PhaseBot: "the bot has the conversation", rules.PhaseHuman: "a person has the conversation",
	rules.PhaseQueued: "the customer waits in the queue", rules.PhaseTransferring: "the conversation is being transferred",
}

// waited writes a length of time as files do.
func waited(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// afterwards is what the customer is told when the transfer has ended.
func (p *Player) afterwards(desk string) []rules.SpeechText {
	var said *rules.Speech
	switch {
	case desk == "no_agent":
		said, _ = rules.IfNobody(p.chain)
	case len(p.chain) == 0:
	case desk == "queued": // the first target has taken it,
		said = p.chain[0].SayIfQueued
	case desk == "failed": // or failed
		said = p.chain[0].SayIfFailed
	}
	if said == nil {
		return nil
	}
	return said.Texts
}

func explained(s Step) ExplainedTurn {
	d := s.Decision
	x := ExplainedTurn{At: s.At, Trace: s.Trace, Decision: ExplainedDecision{
		Rule: d.Rule, Outcome: d.Outcome, Target: d.Target, Reason: d.Reason, Matched: d.Matched,
		Shadow: d.Shadow, Would: d.Would, Tags: d.Tags, Near: d.Near,
		Why: d.Why.Words(),
	}}
	for _, r := range s.Trace.Rules {
		if r.ID == d.Rule {
			x.Decision.Chain, x.Decision.Say, x.Decision.Offer, x.Decision.Notify = r.Chain, r.Say, r.Offer, r.Notify
		}
	}
	if x.Tokens == nil {
		x.Tokens = []string{}
	}
	if x.Decision.Matched == nil {
		x.Decision.Matched = []rules.Match{}
	}
	if d.Reason == rules.ReasonNone {
		x.Decision.Reason = d.NearReason
	}
	return x
}
