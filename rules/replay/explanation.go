package replay

import (
	"time"

	"escalator/rules"
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

// ExplainedTurn is what one turn did: its trace, and the decision.
type ExplainedTurn struct {
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
	Tags    []string      `json:"tags,omitempty"`
	Near    string        `json:"near,omitempty"`
}

// Explain plays a conversation from its beginning, with the rules that muted
// silences, and tells of every turn why it did what it did.
func Explain(p *rules.Policy, turns []Said, begin time.Time, muted rules.Muted) Explanation {
	rec := Record{Turns: turns}
	x := Explanation{Turns: []ExplainedTurn{}}
	player := NewPlayer(p)
	player.muted = muted
	for i, e := range rec.Events("", begin) {
		if e.Turn == nil {
			for _, s := range player.Explain(e) {
				if s.Trace.Role == "" {
					s.Trace = agentTrace(turns[i].Text, s.Phase)
				}
				x.Turns = append(x.Turns, explained(s))
			}
			continue
		}
		for _, s := range player.Explain(e) {
			x.Turns = append(x.Turns, explained(s))
		}
	}
	return x
}

// agentTrace stands for a message of a person: it moves the phase and no rule
// is tried.
func agentTrace(said string, phase rules.Phase) rules.Trace {
	return rules.Trace{
		Role: "agent", Text: said, Normal: text.Normalize(said), Phase: phase.String(),
		Rules: []rules.RuleTrace{}, Summary: "a person has the conversation",
	}
}

func explained(s Step) ExplainedTurn {
	d := s.Decision
	x := ExplainedTurn{Trace: s.Trace, Decision: ExplainedDecision{
		Rule: d.Rule, Outcome: d.Outcome, Target: d.Target, Reason: d.Reason, Matched: d.Matched,
		Shadow: d.Shadow, Tags: d.Tags, Near: d.Near,
	}}
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
