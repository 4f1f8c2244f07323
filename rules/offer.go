package rules

import (
	"time"

	"escalator/rules/lang"
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
	words := e.wholeMessage(said)
	*d = Decision{
		Rule: r.id, Mode: string(r.mode), Tags: r.tags, Matched: []Match{words},
		Shadow: d.Shadow, Would: d.Would,
	}
	if e.t.WithWhy {
		d.Why = Why{{"offer", lang.Say("answered with %s", words.Text), true}}
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
