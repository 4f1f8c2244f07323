package rules

import "time"

// Tried is what became of each rule while a turn was decided. Decide fills it in passing (Turn.Tried); the words are
// made when somebody asks for them, later and on another goroutine perhaps, so that no customer waits for them. The zero
// value is ready, and may be used for one turn after the other.
type Tried struct {
	// Counters and Phase are those of the conversation after the turn.
	Counters Counters
	Phase    Phase

	policy *Policy // nil: no rule was tried
	muted  Muted
	wall   time.Time
	who    string
	open   bool // what is evaluated now is the condition of a rule that is being tried
	rules  []triedRule
	leaves []triedLeaf
	answer triedRule // whose offer was answered; its rule may be nil
}

// TriedRule says what became of one rule. Result and Reason are those of RuleTrace; Why is what spoke for it, or against.
type TriedRule struct {
	ID     string
	Result string
	Reason Reason
	Why    Why
}

// triedRule is a rule with the conditions that were looked at for it, which end at leaves.
type triedRule struct {
	rule   *rule
	result string
	reason Reason
	words  string
	leaves int
}

// triedLeaf is a condition that was looked at. Its words are empty where they can be made without the turn.
type triedLeaf struct {
	cond       *cond
	state      state
	inverted   bool // it stands under a not
	unfit      bool // it does not apply to such turns
	have, need int
	words      string
}

// late is a leaf that can explain some verdicts without the evaluation: explain is called with nil for these.
type late interface {
	late(e *evaluation, v verdict) bool
}

// Reset forgets the turn and all that belongs to others.
func (t *Tried) Reset() {
	clear(t.rules)
	clear(t.leaves)
	*t = Tried{rules: t.rules[:0], leaves: t.leaves[:0]}
}

// begin notes under which circumstances rules are tried.
func (t *Tried) begin(e *evaluation) {
	if t != nil && e.kind != 0 {
		t.policy, t.muted, t.wall, t.who = e.p, e.t.Muted, e.wall, e.who
	}
}

// end notes what the turn made of the conversation.
func (t *Tried) end(e *evaluation) {
	if t != nil {
		t.Counters, t.Phase = e.counters(), e.c.phase
	}
}

// leaf notes a verdict. Most say no, and can be put into words at any time.
func (t *Tried) leaf(e *evaluation, k *cond, v verdict) {
	l := triedLeaf{cond: k, state: v.state, inverted: e.inverted, unfit: k.applies&e.kind == 0, have: v.have, need: v.need}
	if !l.unfit {
		if d, ok := k.leaf.(late); !ok || !d.late(e, v) {
			l.words = k.leaf.explain(e, v)
		}
	}
	t.leaves = append(t.leaves, l)
}

// note notes what became of a rule.
func (t *Tried) note(e *evaluation, r *rule, result string, reason Reason) {
	if t == nil {
		return
	}
	n := triedRule{rule: r, result: result, reason: reason, leaves: len(t.leaves)}
	if result == "suppressed" {
		n.words = e.guardWords(r, reason)
	}
	t.rules = append(t.rules, n)
}

// say adds words to the rule that was noted last.
func (t *Tried) say(words string) {
	if t != nil && len(t.rules) > 0 {
		t.rules[len(t.rules)-1].words = words
	}
}

// Rules returns what became of each rule, in the order of the file. It is empty for the start of a session.
func (t *Tried) Rules() []TriedRule {
	if t.policy == nil {
		return nil
	}
	all := make([]TriedRule, 0, len(t.policy.rules))
	next, from := 0, 0
	for _, r := range t.policy.rules {
		n := TriedRule{ID: r.id, Result: "not_tried"}
		switch m, muted := t.muted[r.id]; {
		case t.answer.rule == r:
			n.Result, n.Reason, n.Why = t.answer.result, t.answer.reason, Why{{Condition: "offer", Words: t.answer.words}}
		case next < len(t.rules) && t.rules[next].rule == r:
			tried := &t.rules[next]
			n.Result, n.Reason, n.Why = tried.result, tried.reason, tried.why(t.leaves[from:tried.leaves])
		case r.mode == ModeOff:
			n.Result = "off"
		case r.absent(t.wall, t.who) != present:
			n.Result, n.Why = "off", Why{{Condition: r.absent(t.wall, t.who).key(), Words: r.absent(t.wall, t.who).words(r)}}
		case muted && t.wall.Before(m.Until):
			n.Result, n.Reason, n.Why = "muted", ReasonMuted, Why{{Condition: "mute", Words: m.wordsAt(t.wall)}}
		}
		if next < len(t.rules) && t.rules[next].rule == r {
			from = t.rules[next].leaves
			next++
		}
		all = append(all, n)
	}
	return all
}

// why says what decided: of a rule that does not hold the conditions that are not so, else those that are.
func (n *triedRule) why(leaves []triedLeaf) (why Why) {
	if n.words != "" {
		why = append(why, Ground{Condition: n.result, Words: n.words})
	}
	decisive := yes
	if n.result == "no" && n.reason != ReasonClosed {
		decisive = unfit
		for i := range leaves {
			decisive = min(decisive, leaves[i].speaks())
		}
	}
	for i := range leaves {
		l := &leaves[i]
		if l.speaks() != decisive {
			continue
		}
		g := Ground{Condition: l.cond.name, Words: l.text()}
		if l.inverted {
			g.Condition = "not " + g.Condition
		}
		_, g.Quotes = l.cond.leaf.(quoting)
		why = append(why, g)
	}
	return why
}

// speaks is what the verdict says for the rule.
func (l *triedLeaf) speaks() state {
	if l.inverted {
		return yes - l.state
	}
	return l.state
}

func (l *triedLeaf) text() string {
	switch {
	case l.words != "":
		return l.words
	case l.unfit:
		return l.cond.unfitWords()
	}
	return l.cond.leaf.explain(nil, verdict{state: l.state, have: l.have, need: l.need, found: finding{hit: -1}})
}
