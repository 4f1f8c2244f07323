package rules

import (
	"slices"
	"time"

	"escalator/rules/lang"
)

// Tried is what became of each rule while a turn was decided. Decide fills it in passing (Turn.Tried); the words are
// made later and on another goroutine perhaps (Stories), so that no customer waits for them. The zero value is ready, and may
// be used for one turn after the other.
type Tried struct {
	// Counters and Phase are those of the conversation after the turn, Before are the counters before it.
	Counters Counters
	Before   Counters
	Phase    Phase

	policy *Policy // nil: no rule was tried
	muted  Muted
	wall   time.Time
	who    string
	facts  facts
	kind   kinds
	over   int  // the rules from this place on were not passed over for want of facts
	open   bool // what is evaluated now is the condition of a rule that is being tried
	rules  []triedRule
	leaves []triedLeaf
	answer triedRule // whose offer was answered; its rule may be nil
}

// triedRule is a rule with the conditions that were looked at for it, which end at leaves.
type triedRule struct {
	rule   *rule
	result string
	reason Reason
	words  lang.Text
	leaves int
}

// triedLeaf is a condition that was looked at. Its words are empty where they can be made without the turn.
type triedLeaf struct {
	cond       *cond
	state      state
	inverted   bool // it stands under a not
	unfit      bool // it does not apply to such turns
	have, need int
	words      lang.Text
}

// late is a leaf that can explain some verdicts without the evaluation: explain is called with nil for these.
type late interface {
	late(e *evaluation, v verdict) bool
}

// Reset forgets the turn and all that belongs to others.
func (t *Tried) Reset() {
	clear(t.rules)
	clear(t.leaves)
	t.Counters.reset()
	t.Before.reset()
	*t = Tried{Counters: t.Counters, Before: t.Before, rules: t.rules[:0], leaves: t.leaves[:0]}
}

// begin notes under which circumstances rules are tried.
func (t *Tried) begin(e *evaluation) {
	if t != nil && e.kind != 0 {
		t.policy, t.muted, t.wall, t.who = e.p, e.t.Muted, e.wall, e.who
	}
}

// found notes how the turn found the conversation.
func (t *Tried) found(e *evaluation) {
	if t != nil {
		e.counters(&t.Before)
	}
}

// know notes the facts of the turn: what a rule that they do not wake says can be told at any time.
func (t *Tried) know(f facts, on kinds) {
	if t != nil {
		t.facts, t.kind, t.over = f, on, len(t.policy.rules)
	}
}

// end notes that the rules below the one at i are not tried, or only some of them, of which there are notes.
func (t *Tried) end(i int) {
	if t != nil {
		t.over = min(t.over, i)
	}
}

// asleep says that the facts did not wake the rule at i, so that it did not hold.
func (t *Tried) asleep(i int) bool {
	return i < t.over && t.facts&t.policy.wakes[t.kind.place()][i] == 0
}

// counted notes what the turn made of the conversation.
func (t *Tried) counted(e *evaluation) {
	if t != nil {
		e.counters(&t.Counters)
		t.Phase = e.c.phase
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

// told is what was put into words of a `says` when its rule was tried: that depends on the message alone, and so holds
// until the end of the turn. "": it was not, or is told otherwise by now.
func (t *Tried) told(k *cond) lang.Text {
	if _, says := k.leaf.(*saysLeaf); t == nil || !says {
		return ""
	}
	for _, l := range slices.Backward(t.leaves) {
		if l.cond == k {
			return l.words
		}
	}
	return ""
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
func (t *Tried) say(words lang.Text) {
	if t != nil && len(t.rules) > 0 {
		t.rules[len(t.rules)-1].words = words
	}
}

// kept is what was noted of rule r, where next is the first note that was not looked at yet; nil: it was not tried.
func (t *Tried) kept(r *rule, next int) *triedRule {
	switch {
	case t.answer.rule == r:
		return &t.answer
	case next < len(t.rules) && t.rules[next].rule == r:
		return &t.rules[next]
	}
	return nil
}

// speaks is what the verdict says for the rule.
func (l *triedLeaf) speaks() state {
	if l.inverted {
		return yes - l.state
	}
	return l.state
}

func (l *triedLeaf) text() lang.Text {
	switch {
	case l.words != "":
		return l.words
	case l.unfit:
		return l.cond.unfitWords()
	}
	return l.cond.leaf.explain(nil, verdict{state: l.state, have: l.have, need: l.need, found: finding{hit: -1}})
}
