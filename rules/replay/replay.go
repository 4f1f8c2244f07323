package replay

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"escalator/rules"
)

// Result is what a policy did with the recorded conversations.
type Result struct {
	Conversations int `json:"conversations"`
	Turns         int `json:"turns"`
	// ByRule has an entry for every rule of the file, also for one that never did anything.
	ByRule    map[string]*Counts `json:"by_rule"`
	Decisions []Decided          `json:"decisions"`
	// Near holds the turns on which no rule decided, and one came near. The JSON has their number (ByRule) and what is new
	// of them (Difference).
	Near []Decided `json:"-"`
}

// Counts is how often a rule did what. A customer who accepts an offer is Called as well.
type Counts struct {
	Called     int `json:"called"`
	Offered    int `json:"offered,omitempty"`
	Accepted   int `json:"accepted,omitempty"`
	Kept       int `json:"kept,omitempty"` // kept with the bot, with words or without
	Said       int `json:"said,omitempty"` // those of Kept in which the customer was told something
	Closed     int `json:"closed,omitempty"`
	Messages   int `json:"messages,omitempty"` // asked to leave words
	Left       int `json:"left,omitempty"`     // words that were left then
	Asked      int `json:"asked,omitempty"`    // named in the answer to a question of Desk
	Suppressed int `json:"suppressed,omitempty"`
	Shadow     int `json:"shadow,omitempty"`
	Near       int `json:"near,omitempty"`
}

// Never reports whether the rule never did anything, nor came near it.
func (c *Counts) Never() bool { return *c == Counts{} }

// Decided is a decision that did something: a transfer, an offer, a keep, or
// one that was stopped, only watched, or near.
type Decided struct {
	Session string        `json:"session"`
	Turn    int           `json:"turn"` // counted from 1 in its conversation
	At      time.Time     `json:"at"`
	Rule    string        `json:"rule,omitempty"`
	Outcome rules.Outcome `json:"outcome"`
	Reason  rules.Reason  `json:"reason,omitempty"`
	Target  string        `json:"target,omitempty"`
	Say     string        `json:"say,omitempty"`  // what the customer is told, or asked
	Left    bool          `json:"left,omitempty"` // the text was kept as words that the customer leaves
	Shadow  []string      `json:"shadow,omitempty"`
	Text    string        `json:"text,omitempty"` // what was said in that turn
}

// Replay plays the events of many conversations, in the order in which they
// come.
type Replay struct {
	policy  *rules.Policy
	players map[string]*track
	users   map[string][]*track // the conversations of a customer, who is one and the same in all
	desk    Readings
	result  Result
}

// track is one conversation under way.
type track struct {
	session string
	player  *Player
	turns   int
}

// New returns a replay that has played nothing yet.
func New(p *rules.Policy) *Replay {
	r := &Replay{policy: p, players: map[string]*track{}, users: map[string][]*track{}, result: Result{ByRule: map[string]*Counts{}, Decisions: []Decided{}, Near: []Decided{}}}
	for _, rule := range p.Rules() {
		r.result.ByRule[rule.ID] = &Counts{}
	}
	return r
}

// Add plays one event.
func (r *Replay) Add(e Event) {
	t := r.players[e.Session]
	if t == nil {
		t = &track{session: e.Session, player: NewPlayer(r.policy)}
		t.player.desk = r.desk.at
		r.players[e.Session] = t
	}
	r.know(t, &e)
	steps := t.player.Play(e)
	last := len(steps) - 1
	for _, timer := range steps[:last] {
		r.add(e.Session, t.turns, "", timer) // it belongs to the turn before
	}
	text := ""
	if e.speaks() {
		t.turns++
		r.result.Turns++
	}
	if e.Turn != nil {
		text = e.Turn.Text
	}
	r.add(e.Session, t.turns, text, steps[last])
}

// Told takes what Desk told of its agents and its queue at a time.
func (r *Replay) Told(at time.Time, told rules.Reading) { r.desk.Add(at, told) }

// know has the conversations of one customer share what is kept of them, and lets the timers of the others come due that
// lie before the event.
func (r *Replay) know(t *track, e *Event) {
	if e.User == "" {
		return
	}
	of := r.users[e.User]
	if !slices.Contains(of, t) {
		if len(of) > 0 {
			t.player.user = of[0].player.user
		}
		of = append(of, t)
		r.users[e.User] = of
	}
	for _, other := range of {
		if other != t {
			r.timers(other, e.At)
		}
	}
}

// timers lets the timers of a conversation come due that lie before a time.
func (r *Replay) timers(t *track, end time.Time) {
	for _, timer := range t.player.until(end, false) {
		r.add(t.session, t.turns, "", timer)
	}
}

// Finish lets time go on to the end of the recording in every conversation, so
// that the timers that are left come due.
func (r *Replay) Finish(end time.Time) {
	for _, session := range slices.Sorted(maps.Keys(r.players)) {
		r.timers(r.players[session], end)
	}
}

func (r *Replay) add(session string, turn int, text string, s Step) {
	d := s.Decision
	done := Decided{
		Session: session, Turn: turn, At: s.At, Rule: d.Rule, Outcome: d.Outcome, Reason: d.Reason,
		Target: d.Target, Say: cmp.Or(d.Offer.For(s.Language), d.Say.For(s.Language)), Left: d.Left != nil, Shadow: d.Shadow, Text: text,
	}
	for _, id := range d.Shadow {
		r.result.ByRule[id].Shadow++
	}
	switch d.Outcome {
	case rules.OutcomeNone:
		if d.Near != "" {
			done.Rule, done.Reason = d.Near, d.NearReason
			r.result.ByRule[d.Near].Near++
			r.result.Near = append(r.result.Near, done)
		}
		return
	case rules.OutcomeShadow: // the rules are in Shadow
	case rules.OutcomeAsked:
		if d.Rule != "" {
			r.result.ByRule[d.Rule].count(&done)
		}
	default:
		r.result.ByRule[d.Rule].count(&done)
	}
	r.result.Decisions = append(r.result.Decisions, done)
}

// count adds a decision of the rule.
func (c *Counts) count(d *Decided) {
	switch d.Outcome {
	case rules.OutcomeTransfer:
		c.Called++
		if d.Reason == rules.ReasonOfferAccepted {
			c.Accepted++
		}
	case rules.OutcomeOffer:
		c.Offered++
	case rules.OutcomeKeep:
		c.Kept++
		if d.Say != "" {
			c.Said++
		}
	case rules.OutcomeClosed:
		c.Closed++
	case rules.OutcomeMessage:
		if d.Left {
			c.Left++
		} else {
			c.Messages++
		}
	case rules.OutcomeAsked:
		c.Asked++
	default:
		c.Suppressed++
	}
}

// Result returns what was done so far.
func (r *Replay) Result() *Result {
	r.result.Conversations = len(r.players)
	return &r.result
}
