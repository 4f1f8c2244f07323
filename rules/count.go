package rules

import "strings"

// count books a turn in the conversation. Everything that rules count is counted here, before any rule is tried, so
// that trying rules changes nothing.
func (e *evaluation) count() {
	c, t := e.c, e.t
	if c.seen != 0 && e.now-c.seen > e.p.lifetime(c) {
		c.fresh()
	}
	e.tried.found(e)
	c.see(t.At)
	if k, ok := MarkEvent(t.Mark); ok {
		e.lapsed = c.Observe(k, t.At, t.Sent)
	}
	switch t.Kind {
	case StartTurn:
		e.lapsed = c.Observe(EventSessionBegin, t.At, t.Sent)
		e.remember()
	case UserTurn:
		e.countUser()
	case BotTurn:
		e.countBot()
		e.remember()
	case TimerTurn:
		c.timer = max(c.timer, e.now)
		e.lapsed = c.lapse(e.now, false, false)
	case RatingTurn: // it is no part of the talk
	}
	if c.began == 0 {
		c.began = e.now
	}
	e.meet()
}

// meet brings what is kept of the customer up to date with the turn. A conversation in which the clock may speak
// remembers who that is: after a restart nobody else could tell.
func (e *evaluation) meet() {
	u := e.t.User
	if u == nil {
		return
	}
	u.age(e.t.At)
	e.c.first = e.c.first || !u.Known()
	if e.t.Kind == UserTurn || e.t.Kind == StartTurn {
		u.see(e.t.At)
	}
	if e.t.UserID != "" && len(e.p.silences)+len(e.p.waits) > 0 && e.c.UserID() != e.t.UserID {
		e.c.own().userID = strings.Clone(e.t.UserID)
	}
}

// uncertain says that the message may belong to a phase in which the bot is not asked, so it counts for nothing.
func (e *evaluation) uncertain() bool {
	return e.t.Unsure && (e.c.phase == PhaseQueued || e.c.phase == PhaseHuman)
}

func (e *evaluation) countUser() {
	c := e.c
	if lang := languageAfter(&e.msg, c.Language()); lang != "" {
		c.lang = [2]byte{lang[0], lang[1]}
	}
	if e.uncertain() {
		return
	}
	e.counted |= countedUser
	c.closeExchange()
	c.turns++
	c.waiting = e.now
	if c.memory != nil {
		if m := c.memory.rare; m != nil {
			m.userFields = m.userFields[:0]
		}
		if c.memory.offer.rule != "" {
			e.countOffer()
		}
	}
	e.remember()
}

// remember lets the conditions keep what they need of the turn. What a field of an earlier message held is gone by then.
func (e *evaluation) remember() {
	known := e.turnFacts()
	for i, wakes := range e.p.recording {
		if known&wakes != 0 {
			e.p.recorders[i].record(e)
		}
	}
}

// countOffer ends a pending offer that was open for too long.
func (e *evaluation) countOffer() {
	o := &e.c.memory.offer
	if o.left == 0 || e.now-o.at > offerOpen.Milliseconds() {
		e.c.endOffer()
		return
	}
	o.left--
}

// countBot books a message of the bot. Whatever it is, it ends the bot's silence, but only one with text tells whether
// the bot knew an answer; a mark of a miss tells it by itself.
func (e *evaluation) countBot() {
	c := e.c
	switch {
	case e.t.Failed:
	case e.p.missMark(e.t.Mark):
		c.waiting = 0
	case noAnswer[e.t.Mark]:
		return
	default:
		c.waiting = 0
		if e.msg.Blank() {
			return
		}
		if e.p.missSays == nil || !e.p.missSays.find(e).ok {
			c.answered()
			return
		}
	}
	if c.miss(e.now) {
		e.counted |= countedMiss
	}
}
