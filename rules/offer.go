package rules

import (
	"time"
	"unicode"
)

// offerSpent says why a rule's offer is not made again in this phase, "" if it may be made. It is made from the moment of
// the decision, and pending while it is on its way to the customer and while it may be answered.
func (e *evaluation) offerSpent(r *rule) Reason {
	s := e.state(r)
	if r.offer == nil || s == nil || s.offeredIn != e.c.phaseNumber() {
		return ""
	}
	since := s.fired
	if o := e.c.recall().offer; o.rule == r.id {
		since = max(since, o.at)
	}
	if !s.offerOver && e.now-since <= offerOpen.Milliseconds() {
		return ReasonOfferPending
	}
	return ReasonOfferDeclined
}

// endOffer forgets the pending offer: it was answered, or was open for too long.
func (c *Conversation) endOffer() {
	if m := c.memory; m != nil && m.offer.rule != "" {
		c.ownRule(m.offer.rule, false).offerOver = true
		m.offer = pendingOffer{}
	}
}

// answerOffer looks whether the whole message is a yes or a no to a pending offer; if so it decides.
func (e *evaluation) answerOffer(d *Decision) {
	r := e.offering()
	if r == nil {
		return
	}
	e.rule = r
	said := e.answer()
	if said == noAnswerGiven {
		return
	}
	words := e.wholeMessage(map[bool]string{true: "$yes", false: "$no"}[said == answerYes])
	*d = Decision{
		Rule: r.id, Mode: string(r.mode), Tags: r.tags, Matched: []Match{words},
		Shadow: d.Shadow, Would: d.Would,
	}
	if e.t.WithWhy {
		d.Why = Why{{"offer", "answered with " + words.Text, true}}
	}
	e.c.endOffer()
	switch {
	case said == answerNo:
		d.Reason = ReasonOfferDeclined
	case e.overLimit():
		d.Outcome, d.Reason = OutcomeSuppressed, ReasonPerSession
	default:
		if e.route(r, d); d.Outcome == OutcomeTransfer {
			d.Reason = ReasonOfferAccepted
			e.leaveBot()
		}
		e.book(r, d)
	}
	e.noteAnswer(r, d)
}

// offering gives the rule whose offer this turn may answer, nil if there is none.
func (e *evaluation) offering() *rule {
	id := e.c.recall().offer.rule
	if id == "" || e.kind != onUser || e.c.phase != PhaseBot || e.p.yes == nil {
		return nil
	}
	r := e.p.findRule(id)
	if r == nil || r.offer == nil || r.mode != ModeEnforce || e.muted(r) {
		return nil
	}
	return r
}

// answer is what a message, or a part of it, says to an offer.
type answer uint8

const (
	noAnswerGiven answer = iota
	answerPolite         // a word of $yes that is a polite one too, as in "ok, no thanks": a yes if nothing else is said
	answerYes
	answerNo
	answerBoth
)

// and joins what two parts of a message say.
func (a answer) and(b answer) answer {
	if min(a, b) <= answerPolite || a == b {
		return max(a, b)
	}
	return answerBoth
}

// answer reads the whole message as an answer: it is made of phrases of $yes or of $no, of polite words, and of nothing
// else ("yes please", 好的，可以的). One with both a yes and a no in it is neither.
func (e *evaluation) answer() answer {
	end := int32(len(e.msg.Tokens()))
	if end == 0 && isThumb(e.t.Text) {
		return answerYes
	}
	said := noAnswerGiven
	for at := int32(0); at < end; {
		next, part := e.covered(at)
		if next == at {
			return noAnswerGiven
		}
		at, said = next, said.and(part)
	}
	switch said {
	case answerPolite, answerYes:
		return answerYes
	case answerNo:
		return answerNo
	default:
		return noAnswerGiven
	}
}

// covered gives where the longest yes or no that covers a token ends and which it is, failing that the longest polite
// word.
func (e *evaluation) covered(at int32) (next int32, part answer) {
	next = at
	polite := at
	for i := range e.hits {
		h := &e.hits[i]
		if h.First > at || h.Last <= at {
			continue
		}
		if e.p.polite.has(h.Phrase) {
			polite = max(polite, h.Last)
		}
		switch {
		case h.Last <= next:
		case e.p.no.has(h.Phrase) && e.masked(e.p.no, i) < 0:
			next, part = h.Last, answerNo
		case e.p.yes.has(h.Phrase) && e.masked(e.p.yes, i) < 0:
			next, part = h.Last, answerYes
		}
	}
	switch {
	case part == noAnswerGiven:
		return polite, part
	case part == answerYes && polite >= next:
		return polite, answerPolite
	}
	return next, part
}

// isThumb says that a message without words is a sign of consent.
func isThumb(s string) bool {
	some := false
	for _, r := range s {
		switch {
		case r == '👍' || r == '👌':
			some = true
		case r >= '🏻' && r <= '🏿', r == '\uFE0F': // the colour of the skin, and how it is shown
		case !unicode.IsSpace(r) && !unicode.IsPunct(r):
			return false
		}
	}
	return some
}

// wholeMessage describes the whole message as an answer from a pack.
func (e *evaluation) wholeMessage(pack string) Match {
	start, end := 0, len(e.t.Text)
	if n := len(e.msg.Tokens()); n > 0 {
		start, end = e.msg.OrigSpan(0, n)
	}
	return Match{Phrase: pack, Text: e.t.Text[start:end], Start: start, End: end}
}

// OfferSent makes a rule's offer pending: send_msg succeeded. It is of no use any more when the bot phase in which the
// offer was made is over.
func (p *Policy) OfferSent(c *Conversation, ruleID string, at time.Time) {
	s := c.rule(ruleID, false)
	if c.phase != PhaseBot || s == nil || s.offeredIn != c.phaseNumber() {
		return
	}
	now := c.see(at)
	if c.own().offer.rule != ruleID {
		c.endOffer() // one question at a time
	}
	c.memory.offer = pendingOffer{rule: ruleID, at: now, left: offerMessages}
}

// OfferFailed takes a rule's offer back: send_msg failed, so it may be made again in this phase.
func (p *Policy) OfferFailed(c *Conversation, ruleID string) {
	if s := c.rule(ruleID, false); s != nil {
		s.offeredIn, s.offerOver = 0, false
	}
	if m := c.memory; m != nil && m.offer.rule == ruleID {
		m.offer = pendingOffer{}
	}
}
