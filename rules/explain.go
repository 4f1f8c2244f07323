package rules

import (
	"slices"
	"time"

	"escalator/rules/lang"
)

// Trace is the story of one decision: what was read, and every rule in the order of the file with the reason why it
// did or did not fire.
type Trace struct {
	Role     string   `json:"role"`
	Text     string   `json:"text"`
	Normal   string   `json:"normal"`
	Tokens   []string `json:"tokens"`
	Language string   `json:"language,omitempty"`
	// Phase is the phase in which the turn found the conversation.
	Phase    string      `json:"phase"`
	Counters *Counters   `json:"counters,omitempty"` // nil for what is no turn
	Rules    []RuleTrace `json:"rules"`
	// Summary is the decision in words.
	Summary lang.Text `json:"summary"`

	notes map[string]RuleTrace
}

// RuleTrace says what became of one rule.
type RuleTrace struct {
	ID string `json:"id"`
	// Owner answers for the rule.
	Owner string `json:"owner,omitempty"`
	Mode  Mode   `json:"mode"`
	// Result is fired, suppressed, shadow (would have fired), no, off, muted or not_tried.
	Result string `json:"result"`
	Reason Reason `json:"reason,omitempty"`
	// Why is the story in words.
	Why       lang.Text  `json:"why"`
	Condition *PartTrace `json:"condition,omitempty"`
	Matched   []Match    `json:"matched,omitempty"`
	// Chain is where a rule that fired, or would have, leads: the targets in the order in which they are tried.
	Chain []Stop `json:"chain,omitempty"`
	// Say is what the customer would be told, Offer what they would be asked, in each language that the file has.
	Say   []SpeechText `json:"say,omitempty"`
	Offer []SpeechText `json:"offer,omitempty"`
	// Notify are the teams that are told.
	Notify []string `json:"notify,omitempty"`
}

// Stop is one target of a chain. Closed says which calendar is closed and until when, "" where the target is open.
// LastAgent is the agent who had the customer last, for the step before the target in which only they are asked.
type Stop struct {
	Target    string    `json:"target"`
	Closed    lang.Text `json:"closed,omitempty"`
	LastAgent string    `json:"last_agent,omitempty"`
	// Priority and Agents are those that the rule asks for instead of the target's.
	Priority *int     `json:"priority,omitempty"`
	Agents   []string `json:"agents,omitempty"`
}

// PartTrace says what became of one part of a rule's condition.
type PartTrace struct {
	Name string `json:"name"`
	// Holds is yes, no, or "does not apply" (to this kind of turn).
	Holds lang.Text   `json:"holds"`
	Why   lang.Text   `json:"why,omitempty"`
	Parts []PartTrace `json:"parts,omitempty"`
}

var stateWords = [...]lang.Text{no: "no", unfit: "does not apply", yes: "yes"}

// begin writes down the turn, before any rule is tried.
func (t *Trace) begin(e *evaluation) {
	t.Role, t.Text, t.Normal = e.t.Kind.String(), e.t.Text, e.msg.Normal()
	for i := range e.msg.Tokens() {
		t.Tokens = append(t.Tokens, e.msg.Word(i))
	}
	t.Language, t.Phase = e.c.Language(), e.c.phase.String()
	t.Counters = &Counters{}
	e.counters(t.Counters)
	t.notes = map[string]RuleTrace{}
}

// note writes down what became of a rule, where somebody asks.
func (e *evaluation) note(r *rule, result string, reason Reason) {
	e.tried.note(e, r, result, reason)
	if e.trace == nil {
		return
	}
	part := r.when.trace(e)
	n := RuleTrace{ID: r.id, Mode: r.mode, Result: result, Reason: reason, Condition: &part, Why: part.story()}
	if result == "fired" || result == "shadow" || result == "suppressed" {
		n.Matched = r.when.matches(e)
	}
	if result == "suppressed" {
		n.Why = lang.Say("%s; %s", e.guardWords(r, reason), n.Why)
	}
	e.trace.notes[r.id] = n
}

// noteEffect writes down what a rule that was noted does: where it leads, and what the customer is told.
func (e *evaluation) noteEffect(r *rule, d *Decision) {
	if e.trace == nil {
		return
	}
	n := e.trace.notes[r.id]
	n.Notify = d.Notify
	if r.goal != nil {
		n.Chain = e.stops(r)
	}
	if d.Say != nil {
		n.Say = d.Say.Texts
	}
	if d.Offer != nil {
		n.Offer = d.Offer.Texts
	}
	e.trace.notes[r.id] = n
}

// stops is the whole chain of a rule, closed targets too.
func (e *evaluation) stops(r *rule) (stops []Stop) {
	first := e.destination(r)
	for t := first; t != nil; t = t.next {
		s := Stop{Target: t.ID, Priority: r.priority}
		if t == first {
			s.Agents = r.agents
		}
		if !t.IsOpen(e.wall) {
			s.Closed = t.calendar.closedWords(e.wall)
		}
		stops = append(stops, s)
	}
	if chain := e.chain(r); len(chain) > 0 && chain[0].LastAgent {
		stops = slices.Insert(stops, 0, Stop{Target: chain[0].ID, LastAgent: chain[0].Agents[0]})
	}
	return stops
}

// noteClosed writes down that a rule holds and makes no offer, because everybody to whom it would lead is closed.
func (e *evaluation) noteClosed(r *rule) {
	e.note(r, "no", ReasonClosed)
	if e.trace == nil && e.tried == nil {
		return
	}
	chain := e.stops(r)
	var closed []lang.Text
	for _, s := range chain {
		closed = append(closed, s.Closed)
	}
	words := lang.Say("makes no offer: %s", lang.Join(", ", slices.Compact(closed)...))
	e.tried.say(words)
	if e.trace != nil {
		n := e.trace.notes[r.id]
		n.Chain, n.Why = chain, lang.Say("%s; %s", words, n.Why)
		e.trace.notes[r.id] = n
	}
}

// notePassed writes down that a rule holds but is passed over, because one above it rests and says would be needed.
func (e *evaluation) notePassed(r, resting *rule) {
	e.note(r, "not_tried", "")
	if e.trace == nil && e.tried == nil {
		return
	}
	words := lang.Say("%s is at rest, and below it only rules that hold by `says` are", resting.id)
	e.tried.say(words)
	if e.trace != nil {
		n := e.trace.notes[r.id]
		n.Why = lang.Say("not tried: %s; %s", words, n.Why)
		e.trace.notes[r.id] = n
	}
}

// noteAnswer writes down what the customer's yes or no to a rule's offer led to.
func (e *evaluation) noteAnswer(r *rule, d *Decision) {
	if e.trace == nil && e.tried == nil {
		return
	}
	n := RuleTrace{ID: r.id, Mode: r.mode, Result: "fired", Reason: d.Reason, Why: "the customer accepted its offer", Matched: d.Matched}
	switch d.Reason {
	case ReasonOfferDeclined:
		n.Result, n.Why = "no", "the customer declined its offer"
	case ReasonPerSession:
		n.Result, n.Why = "suppressed", lang.Say("%s, but %s", n.Why, e.guardWords(r, d.Reason))
	case ReasonClosed:
		n.Why = lang.Say("%s, but every target is closed", n.Why)
	}
	if e.tried != nil {
		e.tried.answer = triedRule{rule: r, result: n.Result, reason: n.Reason, words: n.Why}
	}
	if e.trace != nil {
		e.trace.notes[r.id] = n
		e.noteEffect(r, d)
	}
}

// guardWords says in words what stopped a rule that held.
func (e *evaluation) guardWords(r *rule, reason Reason) lang.Text {
	switch reason {
	case ReasonAlreadyTransferring, ReasonOfferPending, ReasonOfferDeclined:
		if r.mode == ModeShadow && e.c.phase == PhaseBot {
			return "it held in this phase before, and enforcing would have acted then"
		}
	}
	switch reason {
	case ReasonCooldown:
		left := time.Duration(e.cooldownEnd(r, r.when.bySays(e))-e.now) * time.Millisecond
		end := clockAt(e.wall.Add(left), e.wall)
		if r.perCustomer {
			return lang.Say("cooldown of this customer until %s", end)
		}
		return lang.Say("cooldown until %s", end)
	case ReasonPerSession:
		return lang.Say("per_session: all %d transfers in %s are used up", e.p.perSession.Count, formatDuration(e.p.perSession.Per))
	case ReasonAlreadyTransferring:
		return "the conversation is being transferred already"
	case ReasonAlreadyQueued:
		return "the customer waits in the queue already"
	case ReasonAlreadyHuman:
		return "the customer is with a person already"
	case ReasonOfferPending:
		return "its offer is still open"
	case ReasonOfferDeclined:
		return "its offer was made in this phase and not accepted"
	}
	return reason.Words()
}

// clockAt writes a time as the clock of a turn shows it: the day only when it is another one.
func clockAt(at, wall time.Time) string {
	at = at.In(wall.Location())
	layout := "15:04"
	if at.Second() != 0 || at.Nanosecond() != 0 {
		layout = "15:04:05"
	}
	if dayOf(at) != dayOf(wall) {
		layout = "2006-01-02 " + layout
	}
	return at.Format(layout)
}

// trace evaluates a condition part by part.
func (k *cond) trace(e *evaluation) PartTrace {
	part := PartTrace{Name: k.name, Holds: stateWords[k.eval(e)]}
	for _, kid := range k.kids {
		part.Parts = append(part.Parts, kid.trace(e))
	}
	if k.leaf != nil {
		if k.applies&e.kind == 0 {
			part.Why = k.unfitWords()
		} else {
			part.Why = k.leaf.explain(e, k.evalLeaf(e))
		}
	}
	return part
}

// unfitWords says to which turns the condition applies.
func (k *cond) unfitWords() lang.Text {
	return lang.Say("applies to %s only", lang.Join(" and ", k.applies.words()...))
}

// story tells in one line why a condition is as it is: the parts that decided, by their words.
func (p PartTrace) story() lang.Text {
	if len(p.Parts) == 0 {
		return lang.Say("%s: %s", p.Name, p.Why)
	}
	var parts []lang.Text
	for _, part := range p.Parts {
		if p.Name == "not" || part.Holds == p.Holds {
			parts = append(parts, part.story())
		}
	}
	if p.Name == "not" {
		return lang.Say("not (%s)", lang.Join("; ", parts...))
	}
	return lang.Join("; ", parts...)
}

// finish puts the rules into the order of the file and adds those that were not tried.
func (t *Trace) finish(e *evaluation, d Decision) {
	for _, r := range e.p.rules {
		n, tried := t.notes[r.id]
		if !tried {
			n = RuleTrace{ID: r.id, Mode: r.mode, Result: "not_tried", Why: lang.Say("not tried: %s decided", d.Rule)}
			switch {
			case d.Outcome == OutcomeSuppressed:
				n.Why = lang.Say("not tried: %s was stopped", d.Rule)
			case d.Rule == "" && len(d.Shadow) > 0:
				n.Why = lang.Say("not tried: %s would have decided", d.Shadow[0])
			}
			switch {
			case e.kind == 0:
				n.Why = "not tried: a session begins"
			case r.mode == ModeOff:
				n.Result, n.Why = "off", "switched off in the file"
			case r.absent(e.wall, e.who) != present:
				n.Result, n.Why = "off", r.absent(e.wall, e.who).words(r)
			case e.muted(r):
				n.Result, n.Reason, n.Why = "muted", ReasonMuted, e.t.Muted[r.id].wordsAt(e.wall)
			case !e.concerns(r):
				n.Why = "not tried: only rules that ask about the time in the queue are"
				if e.kind == onRating {
					n.Why = "not tried: only rules that ask about the rating are"
				}
			}
		}
		n.Owner = r.owner
		t.Rules = append(t.Rules, n)
	}
	t.notes = nil
	t.Summary = d.words()
}

// wordsAt says of a mute who wants it, until when and why, as the clock of a turn shows it.
func (m Mute) wordsAt(wall time.Time) lang.Text {
	until := clockAt(m.Until, wall)
	words := lang.Say("muted until %s", until)
	if m.By != "" {
		words = lang.Say("muted by %s until %s", m.By, until)
	}
	if m.Why != "" {
		words = lang.Say("%s: %s", words, m.Why)
	}
	return words
}

// words tells the decision in one line.
func (d Decision) words() lang.Text {
	target := d.Target
	if d.Outcome == OutcomeShadow || d.Outcome == OutcomeMessage {
		target = ""
	}
	words := deed(d.Outcome, target)
	if d.Rule != "" {
		words = lang.Say("%s by %s", words, d.Rule)
	}
	if d.Reason != "" && d.Outcome != OutcomeClosed {
		words = lang.Say("%s (%s)", words, d.Reason.Words())
	}
	if d.LeaveQueue {
		words = lang.Say("%s, after taking the customer out of the queue", words)
	}
	if d.Verify {
		words = lang.Say("%s, after asking Desk for the session's state", words)
	}
	if len(d.Would) > 0 {
		would := make([]lang.Text, len(d.Would))
		for i, w := range d.Would {
			would[i] = lang.Say("%s (%s)", w.Rule, deed(w.Outcome, w.Target))
		}
		words = lang.Say("%s; shadow: %s", words, lang.Join(", ", would...))
	}
	switch {
	case d.Near != "" && d.NearReason != "":
		words = lang.Say("%s; near: %s (%s)", words, d.Near, d.NearReason.Words())
	case d.Near != "":
		words = lang.Say("%s; near: %s (one short)", words, d.Near)
	}
	return words
}

// deed names an outcome, and where it leads.
func deed(o Outcome, target string) lang.Text {
	if target == "" {
		return o.Words()
	}
	return lang.Say("%s to %s", o.Words(), target)
}
