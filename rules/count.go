package rules

import "strings"

// count books a turn in the conversation. Everything that rules count is counted here, before any rule is tried, so
// that trying rules changes nothing.
func (e *evaluation) count() {
	c, t := e.c, e.t
	if c.seen != 0 && e.now-c.seen > e.p.lifetime(c) {
		c.fresh()
	}
	c.seen = max(c.seen, e.now)
	if k, ok := MarkEvent(t.Mark); ok {
		c.Observe(k, t.At, t.Sent)
	}
	switch t.Kind {
	case StartTurn:
		c.Observe(EventSessionBegin, t.At, t.Sent)
		e.keepFields(true)
	case UserTurn:
		e.countUser()
	case BotTurn:
		e.countBot()
	case TimerTurn:
		c.timer = max(c.timer, e.now)
	}
}

// uncertain says that the message may belong to a phase in which the bot is not asked, so it counts for nothing.
func (e *evaluation) uncertain() bool {
	return e.t.Unsure && (e.c.phase == PhaseQueued || e.c.phase == PhaseHuman)
}

func (e *evaluation) countUser() {
	c := e.c
	if lang := detectLanguage(&e.msg); lang != "" {
		c.lang = [2]byte{lang[0], lang[1]}
	}
	if e.uncertain() {
		return
	}
	e.counted |= countedUser
	c.closeExchange()
	c.turns++
	c.waiting = e.now
	e.keepFields(false)
	if e.p.countsUsers {
		t := c.ownTalk()
		t.users = pushStamp(t.users, e.now)
	}
	if e.p.countsRepeats {
		e.countPrint()
	}
	if c.recall().offer.rule != "" {
		e.countOffer()
	}
	if len(e.hits) > 0 {
		e.countSaid()
		e.countMoods()
	}
}

func (e *evaluation) countPrint() {
	chars := countChars(e.t.Text)
	if chars < e.p.minChars {
		return
	}
	e.bigrams = e.msg.Bigrams(e.bigrams[:0])
	if len(e.bigrams) > 0 {
		e.c.ownTalk().addPrint(e.now, e.bigrams, chars)
		e.counted |= countedPrint
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

func (e *evaluation) countSaid() {
	for _, l := range e.p.said {
		if l.test.find(e).ok {
			e.c.own().stampSaid(l.key, e.now, e.p.sessionTTL.Milliseconds())
		}
	}
}

// stampSaid keeps when a condition last held; stamps that no window reaches any more make room.
func (m *memory) stampSaid(key uint64, now, longest int64) {
	kept := m.said[:0]
	for _, s := range m.said {
		if s.key != key && now-s.at <= longest {
			kept = append(kept, s)
		}
	}
	m.said = append(kept, saidStamp{key, now})
}

func (e *evaluation) countMoods() {
	for _, l := range e.p.moods {
		if s, some := e.moodOf(l.set); some {
			s.key, s.at = l.key, e.now
			e.c.own().addMood(s)
		}
	}
}

func (e *evaluation) countBot() {
	c := e.c
	switch {
	case e.t.Failed || e.p.missMark(e.t.Mark):
	case noAnswer[e.t.Mark]:
		return
	case e.p.missSays != nil && e.p.missSays.find(e).ok:
	default:
		c.waiting = 0
		c.answered()
		return
	}
	if !e.t.Failed {
		c.waiting = 0
	}
	if c.miss(e.now) {
		e.counted |= countedMiss
	}
}

// maxFieldLength bounds a value that is kept for `field`.
const maxFieldLength = 256

// keepFields keeps the values of the paths that rules ask for: of the start, or of the last user message.
func (e *evaluation) keepFields(start bool) {
	if len(e.p.paths) == 0 || e.t.Fields == nil {
		if !start && e.c.memory != nil {
			e.c.memory.userFields = e.c.memory.userFields[:0]
		}
		return
	}
	m := e.c.own()
	fields := &m.userFields
	if start {
		fields = &m.startFields
	}
	*fields = (*fields)[:0]
	for _, path := range e.p.paths {
		if v, ok := e.t.Fields.Field(path); ok {
			*fields = append(*fields, fieldValue{path, strings.Clone(v[:min(len(v), maxFieldLength)])})
		}
	}
}
