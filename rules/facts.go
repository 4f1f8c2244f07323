package rules

import (
	"cmp"
	"math/bits"

	"escalator/rules/text"
)

// facts are what a turn and its conversation hold that conditions hold by. They are known at once, so that the rules that
// a quiet message cannot make hold are passed over without a look at them.
type facts uint64

const (
	// The lowest bits say that the message has a hit of a set of phrases; several sets may share one.
	factSets = 48
	// factKinds is where the kind of the turn begins.
	factKinds = factSets
)

const (
	factMiss       facts = 1 << (factKinds + 4 + iota) // misses are remembered
	factMood                                           // what messages did to a mood is remembered
	factAnswer                                         // the whole message may be a yes or a no
	factNoLanguage                                     // the language is not known
	factLook       facts = 1 << 62                     // every rule is to be looked at
	factTurn       facts = 1 << 63                     // every turn has it
	everything           = ^facts(0)

	factUser = facts(onUser) << factKinds
)

// passive is a leaf that says no, and no more than that, where none of some facts is there.
type passive interface {
	wakes() facts
	asleep() verdict // what it says then
}

// asleep looks at the condition on a kind of turn without the turn: it gives the facts that wake it, and where none of them
// is there what it says and what looking at it would have noted.
func (k *cond) asleep(on kinds, inverted bool, noted []triedLeaf) (wakes facts, says state, _ []triedLeaf) {
	p, isPassive := k.leaf.(passive)
	switch {
	case k.leaf != nil && k.applies&on == 0:
		return 0, unfit, append(noted, triedLeaf{cond: k, state: unfit, inverted: inverted, unfit: true})
	case isPassive:
		v := p.asleep()
		return p.wakes(), no, append(noted, triedLeaf{cond: k, inverted: inverted, have: v.have, need: v.need})
	case k.leaf != nil:
		return everything, no, noted
	case k.name == "not":
		wakes, says, noted = k.kids[0].asleep(on, !inverted, noted)
		return wakes, yes - says, noted
	}
	join, ends := func(a, b state) state { return min(a, b) }, no
	if says = yes; k.name == "any" {
		join, ends, says = func(a, b state) state { return max(a, b) }, yes, no
	}
	for _, kid := range k.kids {
		var w facts
		var s state
		w, s, noted = kid.asleep(on, inverted, noted)
		wakes |= w
		if says = join(says, s); says == ends {
			break
		}
	}
	return wakes, says, noted
}

// wakes are the facts of which one must be there on a kind of turn, or the rule does not hold and nothing comes near.
func (r *rule) wakes(on kinds) facts {
	switch wakes, says, _ := r.when.asleep(on, false, nil); {
	case r.mode == ModeOff:
		return 0
	case r.partial() || says == yes:
		return everything
	default:
		return wakes | factLook
	}
}

// place is where a kind of turn stands among all.
func (k kinds) place() int { return bits.TrailingZeros8(uint8(k)) }

// phrased is a leaf that looks for phrases in the messages of some.
type phrased interface {
	sets() []*matchSet
	in() kinds
}

// findFacts finds out which facts each phrase is, and which of them wake each rule.
func (l *loader) findFacts() {
	p, n := l.policy, 0
	p.factsOf = make([]facts, 0, l.book.count)
	number := func(s *matchSet) {
		if s == nil || s.fact != 0 {
			return
		}
		s.fact = 1 << (n % factSets)
		n++
		for _, g := range s.groups {
			for id := range g.weights {
				p.addFact(id, s.fact)
				if _, void := p.matcher.Voided(id + 1); void {
					p.addFact(id+1, s.fact)
				}
			}
		}
	}
	for _, w := range l.wanted() {
		number(w.set)
	}
	for _, s := range []*matchSet{p.polite, p.yes, p.no} {
		if number(s); s != nil {
			p.answers |= s.fact
		}
	}
	for _, r := range p.recorders {
		p.recording = append(p.recording, cmp.Or(r.wakes(), factTurn))
	}
	for i := range p.wakes {
		for _, r := range p.rules {
			p.wakes[i] = append(p.wakes[i], r.wakes(1<<i))
		}
	}
}

func (p *Policy) addFact(id text.PhraseID, f facts) {
	for int(id) >= len(p.factsOf) {
		p.factsOf = append(p.factsOf, 0)
	}
	p.factsOf[id] |= f
}

// notePhrases notes which sets of phrases have hits, and whether the whole message may be a yes or a no: it begins and ends
// with such a phrase, or has no words at all.
func (e *evaluation) notePhrases() {
	e.found = 0
	last := int32(len(e.msg.Tokens()))
	begins, ends := last == 0, last == 0
	for i := range e.hits {
		h := &e.hits[i]
		if int(h.Phrase) >= len(e.p.factsOf) {
			continue
		}
		f := e.p.factsOf[h.Phrase]
		e.found |= f
		if f&e.p.answers != 0 {
			begins, ends = begins || h.First == 0, ends || h.Last == last
		}
	}
	if begins && ends {
		e.found |= factAnswer
	}
}

// lacks says that the message has no hit of a set. It cannot tell of a set that has no fact.
func (e *evaluation) lacks(s *matchSet) bool { return s.fact != 0 && e.found&s.fact == 0 }

// turnFacts are those of the turn by itself.
func (e *evaluation) turnFacts() facts { return e.found | facts(e.kind)<<factKinds | factTurn }

// facts are those of the turn and of its conversation, once it was counted. Who asks for the whole story has every rule looked at; so has, for
// simplicity, a turn on which some rules are not to be tried at all.
func (e *evaluation) facts() facts {
	c := e.c
	if e.trace != nil || len(e.t.Muted) > 0 || e.kind == onRating || e.kind == onTimer && c.phase == PhaseQueued {
		return everything
	}
	f := e.turnFacts()
	if m := c.memory; m != nil {
		if len(m.misses) > 0 {
			f |= factMiss
		}
		if len(m.moods) > 0 {
			f |= factMood
		}
	}
	if c.exchange == exchangeMissed {
		f |= factMiss
	}
	if c.lang[0] == 0 {
		f |= factNoLanguage
	}
	return f
}

func (l *saysLeaf) sets() []*matchSet { return l.test.sets() }
func (l *saidLeaf) sets() []*matchSet { return l.test.sets() }

func (l *saysLeaf) in() kinds { return l.by }
func (l *saidLeaf) in() kinds { return l.by }

// wakes: without a hit of the set that is looked for first, nothing is found. Where the language is not known, the story may
// be that no pack has it.
func (l *saysLeaf) wakes() facts {
	return l.test.wakes() | factNoLanguage
}

// wakes are the facts without which nothing is found.
func (s *phraseTest) wakes() facts {
	first := s.sets()[0]
	if first.answers != 0 {
		return first.fact | factAnswer
	}
	return first.fact
}

func (l *saysLeaf) asleep() verdict { return verdict{} }
