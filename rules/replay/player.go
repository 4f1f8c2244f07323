package replay

import (
	"time"

	"escalator/rules"
)

// Event is one thing that happened in a conversation: a turn, or a change of
// phase that Desk reported.
type Event struct {
	Session string
	User    string // the customer; "": one of the session's own
	Agent   string // who has the customer, where Desk says it
	At      time.Time
	Turn    *rules.Turn // its At is set by the player
	Observe rules.EventKind
	Words   string // of a person
	Ask     bool   // the turn asks what the rules say; it counts for nothing
}

// speaks reports whether somebody said something: only that counts as a turn.
func (e *Event) speaks() bool {
	if e.Turn == nil {
		return e.Observe == rules.EventAgentMessage
	}
	return e.Turn.Kind != rules.StartTurn && !e.Turn.Failed && !e.Ask
}

// Player plays one conversation after the other of one customer: recorded events, or the steps of a test. Nothing is kept
// of the customer when it begins.
type Player struct {
	policy *rules.Policy
	conv   rules.Conversation
	user   *rules.User
	now    time.Time
	muted  rules.Muted
	// desk is what was known of agents and queue at a time; nil: nothing ever.
	desk func(at time.Time) *rules.Reading
	// userID and session are those of the last turn that named them; "": everybody is in every share.
	userID, session string

	// told: a transfer ends as a later step tells. Otherwise it ends with an agent at once.
	told  bool
	rule  string          // whose transfer was made last
	chain []*rules.Target // of that transfer
	open  bool            // it has not ended

	toldOf int // the weight of all stories
}

// NewPlayer returns a player at the beginning of a conversation.
func NewPlayer(p *rules.Policy) *Player { return &Player{policy: p, user: &rules.User{}} }

// Mute silences rules.
func (p *Player) Mute(m rules.Muted) { p.muted = m }

// Step is what one event, or a timer that came due before it, led to.
type Step struct {
	At       time.Time
	Phase    rules.Phase // before it
	Language string      // of the conversation, after it
	Decision rules.Decision
	Trace    rules.Trace // only where Explain was asked for
}

// Play plays one event and returns what the timers before it and the event
// itself led to, the event's own step last. An event is never played earlier
// than the one before it.
func (p *Player) Play(e Event) []Step { return p.play(e, false) }

// Explain is Play with the story of each decision.
func (p *Player) Explain(e Event) []Step { return p.play(e, true) }

func (p *Player) play(e Event, explain bool) []Step {
	steps := p.until(e.At, explain)
	if e.At.After(p.now) {
		p.now = e.At
	}
	if e.Turn == nil {
		phase := p.conv.Phase()
		p.happen(e.Observe, e.Agent)
		return append(steps, Step{At: p.now, Phase: phase})
	}
	turn := *e.Turn
	turn.At = p.now
	if turn.UserID != "" || turn.SessionID != "" {
		p.userID, p.session = turn.UserID, turn.SessionID
	}
	if e.Ask {
		return append(steps, p.ask(turn, explain))
	}
	return append(steps, p.decide(turn, explain))
}

// someAgent stands for the agent of whom nobody tells the name.
const someAgent = "agent"

// happen moves the phase, and notes it if a person has the customer now.
func (p *Player) happen(k rules.EventKind, agent string) {
	p.conv.Observe(k, p.now, time.Time{})
	if p.conv.Phase() == rules.PhaseHuman {
		p.user.WithAgent(agent, p.now)
	}
}

// ask decides upon copies of the conversation and of what is kept of the customer.
func (p *Player) ask(t rules.Turn, explain bool) Step {
	var copied rules.Conversation
	copied.CopyFrom(&p.conv)
	p.equip(&t)
	user := rules.ParseUser(p.user.Encode())
	t.User = &user
	s := Step{At: t.At, Phase: p.conv.Phase()}
	s.decide(p.policy, &copied, t, explain)
	s.Decision.Outcome = rules.OutcomeAsked
	return s
}

// equip gives a turn what the service knows beside it.
func (p *Player) equip(t *rules.Turn) {
	t.Muted, t.User = p.muted, p.user
	t.UserID, t.SessionID = p.userID, p.session
	if p.desk != nil {
		t.Desk = p.desk(t.At)
	}
}

// decide lets the rules decide, with the story of it where that is asked for.
func (s *Step) decide(p *rules.Policy, c *rules.Conversation, t rules.Turn, explain bool) {
	if explain {
		s.Decision, s.Trace = p.Explain(c, t)
	} else {
		s.Decision = p.Decide(c, t)
	}
	s.Language = c.Language()
}

// until lets the timers come due that lie before a time.
func (p *Player) until(end time.Time, explain bool) (steps []Step) {
	if p.now.IsZero() {
		return nil
	}
	for {
		at, ok := p.policy.NextTimer(&p.conv)
		if !ok || at.After(end) || p.toldOf > maxTold && p.told {
			return steps
		}
		if at.After(p.now) {
			p.now = at.In(end.Location())
		}
		steps = append(steps, p.decide(rules.Turn{Kind: rules.TimerTurn, At: p.now}, explain))
	}
}

// decide takes a turn and does at once what the service would do about it: an
// offer or a request for words is sent, a transfer ends with an agent unless a step will tell.
func (p *Player) decide(t rules.Turn, explain bool) Step {
	s := Step{At: t.At, Phase: p.conv.Phase()}
	p.equip(&t)
	s.decide(p.policy, &p.conv, t, explain)
	p.toldOf += weight(&s.Trace)
	switch s.Decision.Outcome {
	case rules.OutcomeTransfer:
		p.rule, p.chain, p.open = s.Decision.Rule, s.Decision.Chain, true
		if s.Decision.LeaveQueue {
			p.conv.LeftQueue(t.At)
		}
		if !p.told {
			p.end(rules.ResultAssigned)
		}
	case rules.OutcomeOffer:
		p.policy.OfferSent(&p.conv, s.Decision.Rule, t.At)
	default:
		p.await(s.Decision.Rule, s.Decision.Take)
	}
	return s
}

// await notes that the customer was asked for words, if so.
func (p *Player) await(rule string, take *rules.TakeMessage) {
	if take != nil {
		p.conv.AwaitWords(rule, take, p.now)
	}
}
