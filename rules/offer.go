package rules

import "time"

// offer asks the customer first. It is pending only once OfferSent says that the question went out, but it is made
// once in a phase from the moment of the decision.
func (e *evaluation) offer(r *rule, d *Decision) {
	d.Outcome, d.Offer, d.Say = OutcomeOffer, r.offer, nil
	s := e.c.ownRule(r.id)
	s.offeredIn, s.offerOver = e.c.epoch+1, false
}

// offerSpent says why a rule's offer is not made again in this phase, "" if it may be made.
func (e *evaluation) offerSpent(r *rule) Reason {
	s := e.c.rule(r.id)
	switch {
	case r.offer == nil || s == nil || s.offeredIn != e.c.epoch+1:
		return ""
	case !s.offerOver && e.now-s.fired <= offerOpen.Milliseconds():
		return ReasonOfferPending
	}
	return ReasonOfferDeclined
}

// endOffer forgets the pending offer: it was answered, or was open for too long.
func (c *Conversation) endOffer() {
	if m := c.memory; m != nil && m.offer.rule != "" {
		c.ownRule(m.offer.rule).offerOver = true
		m.offer = pendingOffer{}
	}
}

// answerOffer looks whether the whole message is a yes or a no to a pending offer; if so it decides.
func (e *evaluation) answerOffer(d *Decision) bool {
	r := e.offering()
	if r == nil {
		return false
	}
	answer := Decision{Rule: r.id, Mode: string(r.mode), Tags: r.tags}
	switch {
	case e.isWholly(e.p.no):
		e.c.endOffer()
		answer.Reason = ReasonOfferDeclined
	case e.isWholly(e.p.yes):
		e.acceptOffer(r, &answer)
	default:
		return false
	}
	*d = answer
	e.noteAnswer(r, d)
	return true
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

func (e *evaluation) acceptOffer(r *rule, d *Decision) {
	d.Matched = []Match{e.wholeMatch()}
	e.c.endOffer()
	if e.overLimit() {
		d.Outcome, d.Reason = OutcomeSuppressed, ReasonPerSession
		return
	}
	e.c.ownRule(r.id).fired = e.now
	d.Say = r.say
	e.transfer(r, d)
	if d.Outcome == OutcomeTransfer {
		d.Reason = ReasonOfferAccepted
	}
}

// isWholly says that the message is made of phrases of the set and polite words and of nothing else: "yes please",
// 好的，可以的. A message with a yes and a no in it is neither.
func (e *evaluation) isWholly(set *matchSet) bool {
	some := false
	for at, end := int32(0), int32(len(e.msg.Tokens())); at < end; {
		next, inSet := e.covered(set, at)
		if next == at {
			return false
		}
		at, some = next, some || inSet
	}
	return some
}

// covered gives where the longest hit of the set that covers a token ends, failing that the longest polite word.
func (e *evaluation) covered(set *matchSet, at int32) (next int32, inSet bool) {
	polite := at
	next = at
	for i := range e.hits {
		h := &e.hits[i]
		switch {
		case h.First > at || h.Last <= at:
		case set.has(h.Phrase) && e.masked(set, i) < 0:
			next = max(next, h.Last)
		case e.p.roles.Polite.Has(h.Phrase):
			polite = max(polite, h.Last)
		}
	}
	if next > at {
		return next, true
	}
	return polite, false
}

// wholeMatch describes the whole message as a yes.
func (e *evaluation) wholeMatch() Match {
	start, end := e.msg.OrigSpan(0, len(e.msg.Tokens()))
	return Match{Phrase: "$yes", Text: e.t.Text[start:end], Start: start, End: end}
}

// OfferSent makes a rule's offer pending: send_msg succeeded.
func (p *Policy) OfferSent(c *Conversation, ruleID string, at time.Time) {
	if c.phase != PhaseBot {
		return
	}
	c.own().offer = pendingOffer{rule: ruleID, at: at.UnixMilli(), left: offerMessages}
}

// OfferFailed takes a rule's offer back: send_msg failed, so it may be made again in this phase.
func (p *Policy) OfferFailed(c *Conversation, ruleID string) {
	if s := c.rule(ruleID); s != nil {
		s.offeredIn, s.offerOver = 0, false
	}
	if m := c.memory; m != nil && m.offer.rule == ruleID {
		m.offer = pendingOffer{}
	}
}
