package rules

import "time"

const (
	// confirmedFor is how long Desk's word that a conversation is queued or with a human is trusted when the customer
	// writes to the bot all the same.
	confirmedFor = time.Minute
	// offerOpen and offerMessages are how long an offer may be answered.
	offerOpen     = 5 * time.Minute
	offerMessages = 3
	// askAgain is after how long a customer's own request is tried again when nobody was online.
	askAgain = 30 * time.Second
)

// Decide counts one turn into a conversation and says what to do about it. When a rule fires, its cooldown starts and
// (for a transfer) the conversation is transferring: a caller that cannot keep the transfer undoes both with the copy
// that it took before (Conversation.CopyFrom).
func (p *Policy) Decide(c *Conversation, t Turn) Decision {
	e := p.begin(c, &t)
	d := e.decide()
	e.end()
	return d
}

// Explain is Decide with the story: every rule in order and why it did or did not fire.
func (p *Policy) Explain(c *Conversation, t Turn) (Decision, Trace) {
	var trace Trace
	e := p.begin(c, &t)
	e.trace = &trace
	d := e.decide()
	trace.finish(e, d)
	e.end()
	return d, trace
}

// decide is RULES.md 6: shadow rules beside, the first enforcing rule that holds decides, then a pending offer.
func (e *evaluation) decide() Decision {
	e.count()
	if e.trace != nil {
		e.trace.begin(e)
	}
	var d Decision
	if e.t.Kind == StartTurn || e.kind == 0 {
		return d
	}
	shadow := e.shadows()
	decided := e.enforce(&d)
	// A rule that was stopped has not fired: the very rule that made the offer often still holds when the answer comes.
	if !decided || d.Outcome == OutcomeSuppressed {
		decided = e.answerOffer(&d) || decided
	}
	d.Shadow = shadow
	if !decided {
		if len(shadow) > 0 {
			d.Outcome = OutcomeShadow
		}
		e.nearMiss(&d)
	}
	return d
}

// enforce lets the first enforcing rule that holds decide.
func (e *evaluation) enforce(d *Decision) bool {
	var spent Decision
	for _, r := range e.p.rules {
		if r.mode != ModeEnforce || e.muted(r) {
			continue
		}
		if r.when.eval(e) != yes {
			e.note(r, "no", "", nil)
			continue
		}
		*d = Decision{Rule: r.id, Mode: string(r.mode), Tags: r.tags, Matched: r.when.appendMatches(e, nil)}
		if reason := e.offerSpent(r); reason != "" && reason != ReasonOfferPending {
			// The offer was made in this phase and came to nothing. The rule has nothing left to do, later ones may.
			e.note(r, "suppressed", reason, nil)
			if spent.Rule == "" {
				spent = *d
				spent.Outcome, spent.Reason = OutcomeSuppressed, reason
			}
			continue
		}
		e.fire(r, d)
		return true
	}
	*d = spent
	return spent.Rule != ""
}

// muted says that an operator silenced the rule.
func (e *evaluation) muted(r *rule) bool {
	m, ok := e.t.Muted[r.id]
	return ok && e.t.At.Before(m.Until)
}

// fire puts a rule that holds into effect, or says what stops it.
func (e *evaluation) fire(r *rule, d *Decision) {
	reason, verify := e.phaseStops(r)
	if reason == "" {
		reason = e.guardStops(r, len(d.Matched) > 0)
	}
	if reason != "" {
		d.Outcome, d.Reason = OutcomeSuppressed, reason
		e.note(r, "suppressed", reason, d)
		return
	}
	e.c.ownRule(r.id).fired = e.now
	d.Say = r.say
	switch {
	case r.goal == nil:
		d.Outcome = OutcomeKeep
	case r.offer != nil:
		e.offer(r, d)
	default:
		e.transfer(r, d)
		d.Verify = verify && d.Outcome == OutcomeTransfer
	}
	e.note(r, "fired", d.Reason, d)
}

// phaseStops says whether the phase forbids what the rule would do. A customer who writes to the bot although Desk's
// word about an agent is old may be with the bot again: then Desk must be asked first.
func (e *evaluation) phaseStops(r *rule) (reason Reason, verify bool) {
	c := e.c
	if c.phase == PhaseBot {
		return "", false
	}
	if c.phase == PhaseTransferring {
		return ReasonAlreadyTransferring, false
	}
	if e.kind == onUser && !e.t.Unsure && r.action() == "transfer" && e.now-c.confirmed >= confirmedFor.Milliseconds() {
		return "", true
	}
	if c.phase == PhaseQueued {
		return ReasonAlreadyQueued, false
	}
	return ReasonAlreadyHuman, false
}

// guardStops applies the rule's cooldown, its open offer and the limit of the conversation. byWords says that the
// customer's own words made the rule hold.
func (e *evaluation) guardStops(r *rule, byWords bool) Reason {
	switch {
	case e.offerSpent(r) != "":
		return e.offerSpent(r)
	case e.now < e.cooldownEnd(r, byWords):
		return ReasonCooldown
	case r.goal != nil && e.overLimit():
		return ReasonPerSession
	}
	return ""
}

// cooldownEnd is when the rule may fire again. When nobody was online the cooldown starts again from that answer, but
// a request in the customer's own words need not wait longer than askAgain.
func (e *evaluation) cooldownEnd(r *rule, byWords bool) int64 {
	s := e.c.rule(r.id)
	if s == nil || s.fired == 0 && s.noAgent == 0 {
		return 0
	}
	wait := r.cooldown
	if s.noAgent >= s.fired && s.noAgent != 0 {
		if byWords && e.kind == onUser {
			wait = min(wait, askAgain)
		}
		return s.noAgent + wait.Milliseconds()
	}
	return s.fired + wait.Milliseconds()
}

// overLimit says that the conversation has had all the transfers that per_session allows.
func (e *evaluation) overLimit() bool {
	n := 0
	for _, at := range e.c.recall().accepted {
		if e.now-at < e.p.perSession.Per.Milliseconds() {
			n++
		}
	}
	return n >= e.p.perSession.Count
}

// transfer finds the targets and commits the conversation to them.
func (e *evaluation) transfer(r *rule, d *Decision) {
	first := r.goal.resolve(e)
	if first == nil {
		first = e.p.fallback()
	}
	d.Chain = first.chain(e.t.At)
	if len(d.Chain) == 0 {
		d.Outcome, d.Reason, d.Say = OutcomeClosed, ReasonClosed, first.closedText()
		return
	}
	d.Outcome, d.Target = OutcomeTransfer, d.Chain[0].ID
	e.c.phase = PhaseTransferring
	e.c.endOffer()
	if !e.t.Sent.IsZero() {
		e.c.sent = max(e.c.sent, e.t.Sent.UnixMilli())
	}
}

// fallback is where a route leads of which no line holds.
func (p *Policy) fallback() *Target {
	if t := p.targets["default"]; t != nil {
		return t
	}
	return anywhere
}

// shadows tries the shadow rules, each with its own cooldown, and once in a phase for those that would have taken the
// conversation away from the bot or asked for it.
func (e *evaluation) shadows() []string {
	var held []string
	for _, r := range e.p.rules {
		if r.mode != ModeShadow || e.muted(r) {
			continue
		}
		if r.when.eval(e) != yes {
			e.note(r, "no", "", nil)
			continue
		}
		if reason := e.shadowStops(r); reason != "" {
			e.note(r, "suppressed", reason, nil)
			continue
		}
		s := e.c.ownRule(r.id)
		s.shadow = e.now
		if r.goal != nil {
			s.shadowIn = e.c.epoch + 1
		}
		held = append(held, r.id)
		e.note(r, "shadow", "", nil)
	}
	return held
}

func (e *evaluation) shadowStops(r *rule) Reason {
	if reason, verify := e.phaseStops(r); reason != "" || verify {
		if reason == "" {
			reason = ReasonAlreadyHuman
		}
		return reason
	}
	s := e.c.rule(r.id)
	switch {
	case s == nil:
	case s.shadowIn == e.c.epoch+1 && r.offer != nil:
		return ReasonOfferPending
	case s.shadowIn == e.c.epoch+1:
		return ReasonAlreadyTransferring
	case s.shadow != 0 && e.now < s.shadow+r.cooldown.Milliseconds():
		return ReasonCooldown
	}
	if r.goal != nil && e.overLimit() {
		return ReasonPerSession
	}
	return ""
}

// nearMiss names the first rule that came near when none decided.
func (e *evaluation) nearMiss(d *Decision) {
	if e.c.phase != PhaseBot || !e.near && len(e.t.Muted) == 0 {
		return
	}
	for _, r := range e.p.rules {
		switch {
		case r.mode != ModeEnforce:
		case e.muted(r):
			if r.when.eval(e) == yes {
				d.Near, d.NearReason = r.id, ReasonMuted
				return
			}
		default:
			e.lenient, e.nearReason = true, ""
			held := r.when.eval(e) == yes
			e.lenient = false
			if held {
				d.Near, d.NearReason = r.id, e.nearReason
				return
			}
		}
	}
}

// Timed says that some rule asks about the bot's silence: only then do conversations want turns by the clock.
func (p *Policy) Timed() bool { return len(p.silences) > 0 }

// NextTimer says when a condition on the bot's silence could next hold; false when no timer is needed.
func (p *Policy) NextTimer(c *Conversation) (time.Time, bool) {
	if c.phase != PhaseBot || c.waiting == 0 {
		return time.Time{}, false
	}
	for _, d := range p.silences {
		if at := c.waiting + d.Milliseconds(); at > c.timer {
			return time.UnixMilli(at), true
		}
	}
	return time.Time{}, false
}
