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
	Conversations int            `json:"conversations"`
	Turns         int            `json:"turns"`
	ByRule        map[string]int `json:"by_rule"` // transfers and offers
	Decisions     []Decided      `json:"decisions"`
}

// Decided is a decision that did something: a transfer, an offer, a keep, or
// one that was stopped or only watched.
type Decided struct {
	Session string        `json:"session"`
	Turn    int           `json:"turn"` // counted from 1 in its conversation
	At      time.Time     `json:"at"`
	Rule    string        `json:"rule,omitempty"`
	Outcome rules.Outcome `json:"outcome"`
	Reason  rules.Reason  `json:"reason,omitempty"`
	Target  string        `json:"target,omitempty"`
	Shadow  []string      `json:"shadow,omitempty"`
	Text    string        `json:"text,omitempty"` // what was said in that turn
}

// escalates reports whether the decision calls a person, or asks whether to.
func (d *Decided) escalates() bool {
	return d.Outcome == rules.OutcomeTransfer || d.Outcome == rules.OutcomeOffer
}

// Replay plays the events of many conversations, in the order in which they
// come.
type Replay struct {
	policy  *rules.Policy
	players map[string]*track
	result  Result
}

// track is one conversation under way.
type track struct {
	player *Player
	turns  int
}

// New returns a replay that has played nothing yet.
func New(p *rules.Policy) *Replay {
	return &Replay{policy: p, players: map[string]*track{}, result: Result{ByRule: map[string]int{}, Decisions: []Decided{}}}
}

// Add plays one event.
func (r *Replay) Add(e Event) {
	t := r.players[e.Session]
	if t == nil {
		t = &track{player: NewPlayer(r.policy)}
		r.players[e.Session] = t
	}
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

// Finish lets time go on to the end of the recording in every conversation, so
// that the timers that are left come due.
func (r *Replay) Finish(end time.Time) {
	for _, session := range slices.Sorted(maps.Keys(r.players)) {
		t := r.players[session]
		for _, timer := range t.player.until(end, false) {
			r.add(session, t.turns, "", timer)
		}
	}
}

func (r *Replay) add(session string, turn int, text string, s Step) {
	d := s.Decision
	if d.Outcome == rules.OutcomeNone {
		return
	}
	done := Decided{
		Session: session, Turn: turn, At: s.At, Rule: d.Rule, Outcome: d.Outcome, Reason: d.Reason,
		Target: d.Target, Shadow: d.Shadow, Text: text,
	}
	if done.escalates() {
		r.result.ByRule[d.Rule]++
	}
	r.result.Decisions = append(r.result.Decisions, done)
}

// Result returns what was done so far.
func (r *Replay) Result() *Result {
	r.result.Conversations = len(r.players)
	return &r.result
}

// Difference is what one policy does otherwise than another.
type Difference struct {
	Gained  []Change `json:"gained"`  // conversations that go to a person only now
	Lost    []Change `json:"lost"`    // that went to a person only before
	Changed []Change `json:"changed"` // by another rule, to another target, or at another turn
}

// Change is one conversation that goes another way. Before or After is nil
// where it did not go to a person.
type Change struct {
	Session string   `json:"session"`
	Before  *Decided `json:"before,omitempty"`
	After   *Decided `json:"after,omitempty"`
}

// Compare compares, conversation by conversation, when and where each went to a
// person first.
func Compare(before, after *Result) Difference {
	d := Difference{Gained: []Change{}, Lost: []Change{}, Changed: []Change{}}
	old, now := firstEscalations(before), firstEscalations(after)
	for session, a := range now {
		b, both := old[session]
		switch {
		case !both:
			d.Gained = append(d.Gained, Change{Session: session, After: a})
		case a.Rule != b.Rule || a.Target != b.Target || a.Turn != b.Turn || a.Outcome != b.Outcome:
			d.Changed = append(d.Changed, Change{Session: session, Before: b, After: a})
		}
	}
	for session, b := range old {
		if now[session] == nil {
			d.Lost = append(d.Lost, Change{Session: session, Before: b})
		}
	}
	for _, list := range [][]Change{d.Gained, d.Lost, d.Changed} {
		slices.SortFunc(list, func(a, b Change) int { return cmp.Compare(a.Session, b.Session) })
	}
	return d
}

func firstEscalations(r *Result) map[string]*Decided {
	first := map[string]*Decided{}
	for i := range r.Decisions {
		d := &r.Decisions[i]
		if d.escalates() && first[d.Session] == nil {
			first[d.Session] = d
		}
	}
	return first
}
