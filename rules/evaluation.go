package rules

import (
	"cmp"
	"time"

	"escalator/rules/lang"
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
	who  string    // the customer, else the session; "" where nobody is known
	kind kinds
	rule *rule // the one that is being tried: misses are spent for each rule by itself

	msg     text.Message
	hits    []text.Hit
	bigrams []uint32
	pairs   pairSet // of the bigrams

	negation text.Negation // of hits
	found    facts         // the sets of phrases of which there are hits

	// answered is what the whole message answers, once it was asked for.
	answered   answer
	answerRead bool

	// again and its hits are a clause of the message as it is read once more, for small talk.
	again     text.Message
	againHits []text.Hit

	// counted says what this turn added to, so that a counter one short is reported once and not on every turn.
	counted counters
	// near is set when a condition missed by little; lenient makes such conditions hold, to see what would follow.
	near       bool
	lenient    bool
	nearReason Reason

	lapsed *Wait // the wait that ends with this turn, and nobody answered
	trace  *Trace
	tried  *Tried
	// inverted says that what is evaluated stands under a not.
	inverted bool
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
	onRating
	onAll        = onUser | onBot | onTimer | onRating
	kindsOfTurns = 4
	// asThere is for a condition that stands for another: it applies where that does.
	asThere kinds = 0
)

// words names the kinds for messages.
func (k kinds) words() []lang.Text {
	var w []lang.Text
	for i, name := range []lang.Text{"a user message", "a bot message", "a timer", "a rating"} {
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
	case RatingTurn:
		return onRating
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
	e.who = cmp.Or(t.UserID, c.UserID(), t.SessionID)
	e.hits = e.hits[:0]
	e.near, e.lenient, e.counted, e.nearReason, e.lapsed, e.trace, e.answerRead = false, false, 0, "", nil, nil, false
	if e.tried = t.Tried; e.tried != nil {
		e.tried.Reset()
	}
	if t.Kind == UserTurn {
		e.msg.ResetCustomer(t.Text)
	} else {
		e.msg.Reset(t.Text)
	}
	switch {
	case t.Text == "" || p.matcher == nil:
	case len(c.recall().moods) > 0: // what calms matters now
		e.hits = p.matcher.FindAll(&e.msg, e.hits)
	default:
		e.hits = p.matcher.Find(&e.msg, e.hits)
	}
	e.notePhrases()
	e.negation.Reset(&e.msg, e.hits, &p.roles)
	return e
}

// end gives the evaluation back, without what belongs to the caller.
func (e *evaluation) end() {
	p := e.p
	e.who = ""
	e.p, e.c, e.turn, e.rule, e.trace, e.tried = nil, nil, Turn{}, nil, nil, nil
	e.msg.Reset("")
	p.pool.Put(e)
}

// has says that a phrase belongs to the set.
func (s *matchSet) has(id text.PhraseID) bool {
	for i := range s.groups {
		if s.groups[i].Phrases.Has(id) {
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

// masked gives the hit that masks hit i in a set, -1 if the hit counts.
func (e *evaluation) masked(s *matchSet, i int) int { return text.Masked(e.hits, i, s.text) }

// match describes a hit of a set for decisions and traces.
func (e *evaluation) match(set *matchSet, i int) Match {
	m := e.matchOf(i)
	for g := range set.groups {
		if group := &set.groups[g]; group.Phrases.Has(e.hits[i].Phrase) {
			m.List, m.Lang = group.list, group.langs[e.hits[i].Phrase]
			if f, ok := e.msg.Framed(e.hits[i]); ok {
				m.Lang = f.Lang
			}
			if m.Lang != "" || group.frames { // a pack's phrase is made of word classes that mean nothing to a reader
				m.Phrase = "$" + m.List
			}
			break
		}
	}
	return m
}

func (e *evaluation) matchOf(i int) Match {
	h := e.hits[i]
	start, end := e.msg.OrigSpan(int(h.First), int(h.Last))
	start, end = max(0, min(start, len(e.t.Text))), max(0, min(end, len(e.t.Text)))
	return Match{Phrase: e.p.phrase(h.Phrase), Text: e.t.Text[start:max(start, end)], Start: start, End: max(start, end)}
}

// respelled adds which typing errors of a hit were forgiven.
func (e *evaluation) respelled(i int, found lang.Text) lang.Text {
	for _, r := range e.p.matcher.Respelled(&e.msg, e.hits[i]) {
		found = lang.Say("%s; %s read as %s", found, r.Typed, r.Meant)
	}
	return found
}

// words is the part of the message that a hit covers.
func (e *evaluation) words(i int) string { return e.matchOf(i).Text }
