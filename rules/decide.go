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
func (p *Policy) Decide(c *Conversation, t Turn) (d Decision) {
	e := p.begin(c, &t)
	e.decide(&d)
	e.tried.counted(e)
	d.Unanswered = e.lapsed
	e.end()
	return d
}

// Explain is Decide with the story: every rule in order and why it did or did not fire.
func (p *Policy) Explain(c *Conversation, t Turn) (d Decision, trace Trace) {
	e := p.begin(c, &t)
	e.trace = &trace
	e.decide(&d)
	d.Unanswered = e.lapsed
	trace.finish(e, d)
	e.end()
	return d, trace
}

// decide is RULES.md 6: the rules from top to bottom, then the answer to a pending offer, then words that are left.
func (e *evaluation) decide(d *Decision) {
	e.count()
	if e.trace != nil {
		e.trace.begin(e)
	}
	e.tried.begin(e)
	if e.kind == 0 { // a start
		return
	}
	e.search(d)
	// A rule that was stopped has not fired: the very rule that made the offer often still holds when the answer comes.
	if d.Rule == "" || d.Outcome == OutcomeSuppressed {
		e.answerOffer(d)
	}
	if d.Rule == "" || d.Outcome == OutcomeSuppressed {
		e.takeWords(d)
	}
	if d.Rule != "" {
		return
	}
	if len(d.Would) > 0 {
		first := &d.Would[0]
		d.Outcome, d.Target, d.Matched, d.Why = OutcomeShadow, first.Target, first.Matched, first.Why
	}
	e.nearMiss(d)
}

// fate is what becomes of one rule.
type fate uint8

const (
	fails   fate = iota
	rests        // it holds, but its cooldown runs or its offer was made: rules below may speak for the customer
	stopped      // it holds, but the phase or per_session allows nothing
	fires
)

// search tries the rules until one decides. In a file that is itself in shadow all rules take part as if they acted;
// otherwise a shadow rule stands alone among those that act. Below a rule at rest only those are tried that hold by
// `says`: nobody who asks in own words is silenced by it. Below one that its phase stops, only those that no phase stops.
func (e *evaluation) search(d *Decision) {
	var resting, halted *rule
	var rest, halt Reason
	known, wakes := e.facts(), e.p.wakes[e.kind.place()]
	e.tried.know(known, e.kind)
	for i, r := range e.p.rules {
		if known&wakes[i] == 0 && halted == nil {
			continue
		}
		if r.mode == ModeOff || e.muted(r) || r.absent(e.wall, e.who) != present || !e.concerns(r) || halted != nil && (halt == ReasonPerSession || !r.exempt()) {
			continue
		}
		fate, reason, verify := e.try(r, resting)
		switch acts := r.mode == ModeEnforce; {
		case fate == fires && acts:
			e.fire(r, verify, d)
		case fate == fires:
			e.imagine(r, d)
		}
		switch leads := r.mode == e.p.mode; {
		case leads && fate == fires:
			e.tried.end(i)
			return
		case leads && fate == stopped && halted == nil:
			e.tried.end(i)
			halted, halt = r, reason
		case leads && fate == rests && resting == nil:
			resting, rest = r, reason
		}
	}
	if halted != nil {
		resting, rest = halted, halt
	}
	if resting != nil && resting.mode == ModeEnforce {
		e.suppress(resting, rest, d)
	}
}

// concerns says whether a rule is tried on this turn at all. A rating, and the time that passes in the queue, are for the
// rules that ask about them: the bot is not there, and no other rule waits for such a turn.
func (e *evaluation) concerns(r *rule) bool {
	switch {
	case e.kind == onRating:
		return r.rates
	case e.kind == onTimer && e.c.phase == PhaseQueued:
		return r.queues
	}
	return true
}

// exempt says that the phase does not stop the rule where it holds by what it asks about.
func (r *rule) exempt() bool { return r.queues || r.rates }

// try says what becomes of a rule that has resting, if it is not nil, above it. verify says that Desk must be asked for
// the session's state first.
func (e *evaluation) try(r, resting *rule) (f fate, reason Reason, verify bool) {
	e.rule = r
	if !e.holds(r) {
		e.note(r, "no", "")
		return fails, "", false
	}
	if r.offer != nil && !e.reaches(r) {
		e.noteClosed(r)
		return fails, "", false
	}
	bySays := r.when.bySays(e)
	if resting != nil && !bySays {
		e.notePassed(r, resting)
		return fails, "", false
	}
	if reason, verify = e.phaseStops(r); reason != "" {
		f = stopped
	} else if reason = e.rests(r, bySays); reason != "" {
		f = rests
	} else if r.goal != nil && e.overLimit() {
		f, reason = stopped, ReasonPerSession
	} else {
		return fires, "", verify
	}
	e.note(r, "suppressed", reason)
	return f, reason, false
}

// holds evaluates the condition of a rule that is tried.
func (e *evaluation) holds(r *rule) bool {
	if e.tried == nil {
		return r.when.eval(e) == yes
	}
	e.tried.open = true
	holds := r.when.eval(e) == yes
	e.tried.open = false
	return holds
}

// muted says that an operator silenced the rule.
func (e *evaluation) muted(r *rule) bool {
	if len(e.t.Muted) == 0 {
		return false
	}
	m, ok := e.t.Muted[r.id]
	return ok && e.wall.Before(m.Until)
}

// phaseStops says whether the phase forbids what the rule would do. A customer who writes to the bot although Desk's
// word about an agent is old may be with the bot again: then Desk must be asked first.
func (e *evaluation) phaseStops(r *rule) (reason Reason, verify bool) {
	c := e.c
	switch {
	case r.rates && r.when.holdsBy(e, ratingCondition.key):
		return "", false
	case r.queues && c.phase == PhaseQueued && r.when.holdsBy(e, queuedForCondition.key):
		if r.goal != nil && c.recall().leftQueue {
			return ReasonAlreadyQueued, false // once per session
		}
		return "", false
	case c.phase == PhaseTransferring || r.mode == ModeShadow && e.away(r):
		return ReasonAlreadyTransferring, false
	case c.phase == PhaseBot:
		return "", false
	case e.kind == onUser && !e.t.Unsure && r.action() == "transfer" && e.now-c.recall().confirmed >= confirmedFor.Milliseconds():
		return "", true
	case c.phase == PhaseQueued:
		return ReasonAlreadyQueued, false
	}
	return ReasonAlreadyHuman, false
}

// rests says why a rule that holds is at rest, "" if it is not. bySays says that the customer's own words made it hold.
func (e *evaluation) rests(r *rule, bySays bool) Reason {
	if reason := e.offerSpent(r); reason != "" {
		return reason
	}
	if e.now < e.cooldownEnd(r, bySays) {
		return ReasonCooldown
	}
	return ""
}

// cooldownEnd is when the rule may fire again. When nobody was online the cooldown starts again from that answer, but
// a request in the customer's own words need not wait longer than askAgain.
func (e *evaluation) cooldownEnd(r *rule, bySays bool) int64 {
	last, nobody := e.lastFired(r)
	if last == 0 {
		return 0
	}
	wait := r.cooldown
	if nobody && bySays {
		wait = min(wait, askAgain)
	}
	return last + wait.Milliseconds()
}

// lastFired is when the rule fired last, or (nobody) when its transfer found nobody online; 0 for never. What belongs to
// the customer is looked up there, and in the conversation too: it knows of firings while the other could not be kept.
func (e *evaluation) lastFired(r *rule) (at int64, nobody bool) {
	if s := e.state(r); s != nil {
		at, nobody = max(s.fired, s.noAgent), s.noAgent != 0 && s.noAgent >= s.fired
	}
	if u := e.t.User; u != nil && r.perCustomer {
		if c := u.cooldown(r.userKey); c != nil && c.at >= at {
			at, nobody = c.at, c.nobody
		}
	}
	return at, nobody
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

// state is what happened to a rule in its mode, nil if nothing did; ownState the same to write.
func (e *evaluation) state(r *rule) *ruleState    { return e.c.rule(r.id, r.mode == ModeShadow) }
func (e *evaluation) ownState(r *rule) *ruleState { return e.c.ownRule(r.id, r.mode == ModeShadow) }

// nearMiss names the first rule that came near when none decided.
func (e *evaluation) nearMiss(d *Decision) {
	if e.c.phase != PhaseBot || !e.near && len(e.t.Muted) == 0 {
		return
	}
	for _, r := range e.p.rules {
		if r.mode != e.p.mode || r.mode == ModeOff || r.absent(e.wall, e.who) != present || !e.concerns(r) {
			continue
		}
		muted := e.muted(r)
		e.rule, e.lenient, e.nearReason = r, !muted, ""
		if r.when.eval(e) == yes {
			d.Near, d.NearReason = r.id, e.nearReason
			if muted {
				d.NearReason = ReasonMuted
			}
			if d.Why == nil { // else a shadow rule has said why it held
				d.Why = e.why(r)
			}
		}
		if e.lenient = false; d.Near != "" {
			return
		}
	}
}

// NextTimer says when a condition on the bot's silence or on the time in the queue could next hold, or a wait there
// exceeds its queue_timeout; false when no timer is needed.
func (p *Policy) NextTimer(c *Conversation) (time.Time, bool) {
	if c.phase == PhaseQueued {
		return p.nextWait(c)
	}
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
