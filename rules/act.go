package rules

// fire puts a rule into effect.
func (e *evaluation) fire(r *rule, verify bool, d *Decision) {
	e.c.endMessage()
	e.plan(r, d)
	e.note(r, "fired", d.Reason)
	e.noteEffect(r, d)
	e.book(r, d)
	if d.Outcome == OutcomeTransfer {
		d.Verify = verify
		if d.LeaveQueue {
			e.c.own().leftQueue = true // the phase changes when Desk has let go
		} else {
			e.leaveBot()
		}
	}
}

// imagine notes what a shadow rule would have done. A transfer that it would have made keeps it silent until the real
// one of the conversation ends, or else the bot phase.
func (e *evaluation) imagine(r *rule, d *Decision) {
	var w Decision
	e.plan(r, &w)
	e.note(r, "shadow", w.Reason)
	e.noteEffect(r, &w)
	e.book(r, &w)
	if w.Outcome == OutcomeTransfer {
		e.ownState(r).awayIn = e.c.phaseNumber()
	}
	d.Shadow = append(d.Shadow, r.id)
	d.Would = append(d.Would, Would{Rule: r.id, Outcome: w.Outcome, Target: w.Target, Matched: w.Matched, Why: w.Why})
}

// away says that a shadow rule, or in a shadow file any rule, would have made a transfer in this phase.
func (e *evaluation) away(r *rule) bool {
	if e.p.mode != ModeShadow {
		s := e.state(r)
		return s != nil && s.awayIn == e.c.phaseNumber()
	}
	for _, s := range e.c.recall().rules {
		if s.shadow && s.awayIn == e.c.phaseNumber() {
			return true
		}
	}
	return false
}

// suppress decides for a rule that holds and may not act.
func (e *evaluation) suppress(r *rule, reason Reason, d *Decision) {
	e.about(r, d)
	d.Outcome, d.Reason = OutcomeSuppressed, reason
}

// about begins the decision of a rule that holds: what the rule is, and why it holds.
func (e *evaluation) about(r *rule, d *Decision) {
	e.rule = r
	d.Rule, d.Mode, d.Tags = r.id, string(r.mode), r.tags
	d.Matched, d.Why = r.when.matches(e), e.why(r)
}

// plan is what a rule does when it fires. It changes nothing yet.
func (e *evaluation) plan(r *rule, d *Decision) {
	e.about(r, d)
	d.Notify = r.notify
	switch {
	case r.take != nil:
		d.Outcome, d.Target, d.Take, d.Say = OutcomeMessage, r.take.Target, r.take, r.take.Say
	case r.goal == nil:
		d.Outcome, d.Say = OutcomeKeep, r.say
	case r.offer != nil:
		d.Outcome, d.Offer = OutcomeOffer, r.offer
	default:
		e.route(r, d)
	}
}

// route finds the targets of a transfer.
func (e *evaluation) route(r *rule, d *Decision) {
	d.Chain = e.chain(r)
	leaves := e.c.phase == PhaseQueued && r.queues && e.kind == onTimer
	if len(d.Chain) == 0 {
		d.Outcome, d.Reason = OutcomeClosed, ReasonClosed
		if !leaves { // who stays in the queue is not the bot's
			d.Say, d.Take = e.destination(r).ifClosed()
		}
		return
	}
	d.LeaveQueue = leaves
	d.Outcome, d.Target, d.Say = OutcomeTransfer, d.Chain[0].ID, r.say
}

// destination is the target to which a rule's transfer leads first.
func (e *evaluation) destination(r *rule) *Target {
	if t := r.goal.resolve(e); t != nil {
		return t
	}
	return e.p.targets[anywhere.ID] // no line of its route holds
}

// reaches says that somewhere in the rule's chain is open: else an offer would promise what cannot be kept.
func (e *evaluation) reaches(r *rule) bool {
	for t := e.destination(r); t != nil; t = t.next {
		if t.IsOpen(e.wall) {
			return true
		}
	}
	return false
}

// book starts the rule's cooldown and spends the misses so far, whatever becomes of what it does.
func (e *evaluation) book(r *rule, d *Decision) {
	s := e.ownState(r)
	s.fired = e.now
	if u := e.t.User; u != nil && r.perCustomer {
		u.rest(userCooldown{key: r.userKey, at: e.now}, e.p.userKeys)
	}
	e.c.spend(s)
	if d.Outcome == OutcomeOffer {
		s.offeredIn, s.offerOver = e.c.phaseNumber(), false
	}
}

// leaveBot commits the conversation to a transfer.
func (e *evaluation) leaveBot() {
	e.c.phase = PhaseTransferring
	e.c.endOffer()
	e.c.endMessage()
	if !e.t.Sent.IsZero() {
		e.c.sent = max(e.c.sent, e.t.Sent.UnixMilli())
	}
}
