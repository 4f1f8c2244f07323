package rules

import (
	"time"

	"escalator/rules/text"
)

// evaluation is one turn while it is being decided: the message, what the matcher found in it, and the conversation
// after the turn was counted. Evaluations are pooled, so that a turn on which nothing fires allocates nothing.
type evaluation struct {
	p    *Policy
	c    *Conversation
	t    *Turn // = &turn: a copy, because the caller's turn must not escape to the heap
	turn Turn
	now  int64
	wall time.Time // the turn's Wall, else its At
	kind kinds
	rule *rule // the one that is being tried: misses are spent for each rule by itself

	msg     text.Message
	hits    []text.Hit
	bigrams []uint32

	// roleHits are the hits that matter to negation; the last place is free for the hit in question. roleIndex says
	// where each stands in hits. negatedBy remembers the answer for each hit.
	roleHits  []text.Hit
	roleIndex []int32
	roles     bool
	negatedBy []int32

	// counted says what this turn added to, so that a counter one short is reported once and not on every turn.
	counted counters
	// near is set when a condition missed by little; lenient makes such conditions hold, to see what would follow.
	near       bool
	lenient    bool
	nearReason Reason

	trace *Trace
}

// counters are the things that a turn can add to.
type counters uint8

const (
	countedMiss counters = 1 << iota
	countedPrint
	countedUser
)

// kinds is a set of kinds of turns.
type kinds uint8

const (
	onUser kinds = 1 << iota
	onBot
	onTimer
	onAll = onUser | onBot | onTimer
	// asThere is for a condition that stands for another: it applies where that does.
	asThere kinds = 0
)

// words names the kinds for messages.
func (k kinds) words() []string {
	var w []string
	for i, name := range []string{"a user message", "a bot message", "a timer"} {
		if k&(1<<i) != 0 {
			w = append(w, name)
		}
	}
	return w
}

func kindOf(k TurnKind) kinds {
	switch k {
	case UserTurn:
		return onUser
	case BotTurn:
		return onBot
	case TimerTurn:
		return onTimer
	default: // a start: no condition applies
		return 0
	}
}

// begin takes an evaluation from the pool and reads the message.
func (p *Policy) begin(c *Conversation, t *Turn) *evaluation {
	e, _ := p.pool.Get().(*evaluation)
	if e == nil {
		e = &evaluation{}
	}
	e.turn = *t
	e.p, e.c, e.t, e.now, e.kind = p, c, &e.turn, t.At.UnixMilli(), kindOf(t.Kind)
	if e.wall = t.Wall; e.wall.IsZero() {
		e.wall = t.At
	}
	e.hits, e.negatedBy = e.hits[:0], e.negatedBy[:0]
	e.roles, e.near, e.lenient, e.counted, e.nearReason, e.trace = false, false, false, 0, "", nil
	if t.Kind == UserTurn {
		e.msg.ResetCustomer(t.Text)
	} else {
		e.msg.Reset(t.Text)
	}
	if t.Text != "" && p.matcher != nil {
		e.hits = p.matcher.Find(&e.msg, e.hits)
	}
	return e
}

// end gives the evaluation back, without what belongs to the caller.
func (e *evaluation) end() {
	p := e.p
	e.p, e.c, e.turn, e.rule, e.trace = nil, nil, Turn{}, nil, nil
	e.msg.Reset("")
	p.pool.Put(e)
}

// has says that a phrase belongs to the set.
func (s *matchSet) has(id text.PhraseID) bool {
	for i := range s.groups {
		if s.groups[i].ids.Has(id) {
			return true
		}
	}
	return false
}

// weight is the weight of a phrase of the set.
func (s *matchSet) weight(id text.PhraseID) int {
	for i := range s.groups {
		if w, ok := s.groups[i].weights[id]; ok {
			return w
		}
	}
	return 0
}

// masked gives the hit that masks hit i in a set, -1 if the hit counts. It counts if one group that holds its phrase
// has no mask over it.
func (e *evaluation) masked(s *matchSet, i int) int32 {
	by := int32(-1)
	for g := range s.groups {
		group := &s.groups[g]
		if !group.ids.Has(e.hits[i].Phrase) {
			continue
		}
		if !group.masked {
			return -1
		}
		j := e.overlapping(&group.masks, i)
		if j < 0 {
			return -1
		}
		by = j
	}
	return by
}

// overlapping finds a hit of the given phrases that overlaps hit i, -1 if there is none.
func (e *evaluation) overlapping(phrases *text.PhraseSet, i int) int32 {
	for j := range e.hits {
		if phrases.Has(e.hits[j].Phrase) && text.Overlaps(e.hits[i], e.hits[j]) {
			return int32(j)
		}
	}
	return -1
}

// negation gives the hit that negates hit i, -1 if none does. Answers are remembered: several rules look for the same
// phrases.
func (e *evaluation) negation(i int) int32 {
	const unknown = -2
	if !e.roles {
		e.findRoles()
		e.negatedBy = e.negatedBy[:0]
		for range e.hits {
			e.negatedBy = append(e.negatedBy, unknown)
		}
	}
	if len(e.roleIndex) == 0 {
		return -1
	}
	if e.negatedBy[i] == unknown {
		e.negatedBy[i] = -1
		scratch := append(e.roleHits, e.hits[i])
		if by, negated := text.Negated(&e.msg, scratch, len(scratch)-1, &e.p.roles); negated {
			e.negatedBy[i] = int32(i)
			if by >= 0 && by < len(e.roleIndex) {
				e.negatedBy[i] = e.shortestNegator(e.roleIndex[by])
			}
		}
	}
	return e.negatedBy[i]
}

// shortestNegator gives the shortest negator within another one, which names the reason best: 别 rather than 先别.
func (e *evaluation) shortestNegator(by int32) int32 {
	outer := e.hits[by]
	for _, i := range e.roleIndex {
		h := e.hits[i]
		if e.p.roles.Negators.Has(h.Phrase) && h.First >= outer.First && h.Last <= outer.Last && longer(e.hits[by], h) {
			by = i
		}
	}
	return by
}

// findRoles collects the negators, idioms and polite words of the message, without those that a `without` masks.
func (e *evaluation) findRoles() {
	e.roles = true
	e.roleHits, e.roleIndex = e.roleHits[:0], e.roleIndex[:0]
	negators := false
	for i := range e.hits {
		role := e.p.roleSet(e.hits[i].Phrase)
		if role == nil || e.masked(role, i) >= 0 {
			continue
		}
		negators = negators || role == e.p.negators
		e.roleHits = append(e.roleHits, e.hits[i])
		e.roleIndex = append(e.roleIndex, int32(i))
	}
	if !negators {
		e.roleHits, e.roleIndex = e.roleHits[:0], e.roleIndex[:0]
	}
}

// match describes a hit of a set for decisions and traces.
func (e *evaluation) match(set *matchSet, i int32) Match {
	m := e.matchOf(i)
	for g := range set.groups {
		if group := &set.groups[g]; group.ids.Has(e.hits[i].Phrase) {
			m.List, m.Lang = group.list, group.langs[e.hits[i].Phrase]
			break
		}
	}
	return m
}

func (e *evaluation) matchOf(i int32) Match {
	h := e.hits[i]
	start, end := e.msg.OrigSpan(int(h.First), int(h.Last))
	start, end = max(0, min(start, len(e.t.Text))), max(0, min(end, len(e.t.Text)))
	return Match{Phrase: e.p.phrase(h.Phrase), Text: e.t.Text[start:max(start, end)], Start: start, End: max(start, end)}
}

// words is the part of the message that a hit covers.
func (e *evaluation) words(i int32) string { return e.matchOf(i).Text }
