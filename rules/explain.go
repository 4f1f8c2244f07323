package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"
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
	Summary string `json:"summary"`

	notes map[string]RuleTrace
}

// Counters are the conversation's counters after the turn was counted.
type Counters struct {
	UserMessages int `json:"user_messages"`
	MissesInARow int `json:"misses_in_a_row"`
	Transfers    int `json:"transfers"`
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
	Why       string     `json:"why"`
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
	Target    string `json:"target"`
	Closed    string `json:"closed,omitempty"`
	LastAgent string `json:"last_agent,omitempty"`
	// Priority and Agents are those that the rule asks for instead of the target's.
	Priority *int     `json:"priority,omitempty"`
	Agents   []string `json:"agents,omitempty"`
}

// PartTrace says what became of one part of a rule's condition.
type PartTrace struct {
	Name string `json:"name"`
	// Holds is yes, no, or "does not apply" (to this kind of turn).
	Holds string      `json:"holds"`
	Why   string      `json:"why,omitempty"`
	Parts []PartTrace `json:"parts,omitempty"`
}

var stateWords = [...]string{no: "no", unfit: "does not apply", yes: "yes"}

// begin writes down the turn, before any rule is tried.
func (t *Trace) begin(e *evaluation) {
	t.Role, t.Text, t.Normal = e.t.Kind.String(), e.t.Text, e.msg.Normal()
	for i := range e.msg.Tokens() {
		t.Tokens = append(t.Tokens, e.msg.Word(i))
	}
	t.Language, t.Phase = e.c.Language(), e.c.phase.String()
	counters := e.counters()
	t.Counters = &counters
	t.notes = map[string]RuleTrace{}
}

// counters are those of the conversation.
func (e *evaluation) counters() Counters {
	return Counters{
		UserMessages: int(e.c.turns),
		MissesInARow: e.c.missed(e.now, e.p.sessionTTL.Milliseconds(), true, nil),
		Transfers:    len(e.c.recall().accepted),
	}
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
		n.Why = e.guardWords(r, reason) + "; " + n.Why
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
	var closed []string
	for _, s := range chain {
		closed = append(closed, s.Closed)
	}
	words := "makes no offer: " + strings.Join(slices.Compact(closed), ", ")
	e.tried.say(words)
	if e.trace != nil {
		n := e.trace.notes[r.id]
		n.Chain, n.Why = chain, words+"; "+n.Why
		e.trace.notes[r.id] = n
	}
}

// notePassed writes down that a rule holds but is passed over, because one above it rests and says would be needed.
func (e *evaluation) notePassed(r, resting *rule) {
	e.note(r, "not_tried", "")
	if e.trace == nil && e.tried == nil {
		return
	}
	words := resting.id + " is at rest, and below it only rules that hold by `says` are"
	e.tried.say(words)
	if e.trace != nil {
		n := e.trace.notes[r.id]
		n.Why = "not tried: " + words + "; " + n.Why
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
		n.Result, n.Why = "suppressed", n.Why+", but "+e.guardWords(r, d.Reason)
	case ReasonClosed:
		n.Why += ", but every target is closed"
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
func (e *evaluation) guardWords(r *rule, reason Reason) string {
	switch reason {
	case ReasonAlreadyTransferring, ReasonOfferPending, ReasonOfferDeclined:
		if r.mode == ModeShadow && e.c.phase == PhaseBot {
			return "it held in this phase before, and enforcing would have acted then"
		}
	}
	switch reason {
	case ReasonCooldown:
		left := time.Duration(e.cooldownEnd(r, r.when.bySays(e))-e.now) * time.Millisecond
		whose := ""
		if r.perCustomer {
			whose = " of this customer"
		}
		return "cooldown" + whose + " until " + clockAt(e.wall.Add(left), e.wall)
	case ReasonPerSession:
		return fmt.Sprintf("per_session: all %d transfers in %s are used up", e.p.perSession.Count, formatDuration(e.p.perSession.Per))
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
	return string(reason)
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
func (k *cond) unfitWords() string {
	return "applies to " + strings.Join(k.applies.words(), " and ") + " only"
}

// story tells in one line why a condition is as it is: the parts that decided, by their words.
func (p PartTrace) story() string {
	if len(p.Parts) == 0 {
		return p.Name + ": " + p.Why
	}
	var parts []string
	for _, part := range p.Parts {
		if p.Name == "not" || part.Holds == p.Holds {
			parts = append(parts, part.story())
		}
	}
	if p.Name == "not" {
		return "not (" + strings.Join(parts, "; ") + ")"
	}
	return strings.Join(parts, "; ")
}

// finish puts the rules into the order of the file and adds those that were not tried.
func (t *Trace) finish(e *evaluation, d Decision) {
	for _, r := range e.p.rules {
		n, tried := t.notes[r.id]
		if !tried {
			n = RuleTrace{ID: r.id, Mode: r.mode, Result: "not_tried", Why: "not tried: " + d.Rule + " decided"}
			switch {
			case d.Outcome == OutcomeSuppressed:
				n.Why = "not tried: " + d.Rule + " was stopped"
			case d.Rule == "" && len(d.Shadow) > 0:
				n.Why = "not tried: " + d.Shadow[0] + " would have decided"
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
				n.Why = "not tried: only rules that ask about the " + map[bool]string{true: "rating", false: "time in the queue"}[e.kind == onRating] + " are"
			}
		}
		n.Owner = r.owner
		t.Rules = append(t.Rules, n)
	}
	t.notes = nil
	t.Summary = d.words()
}

// wordsAt says of a mute who wants it, until when and why, as the clock of a turn shows it.
func (m Mute) wordsAt(wall time.Time) string {
	words := "muted"
	if m.By != "" {
		words += " by " + m.By
	}
	words += " until " + clockAt(m.Until, wall)
	if m.Why != "" {
		words += ": " + m.Why
	}
	return words
}

// words tells the decision in one line.
func (d Decision) words() string {
	var b strings.Builder
	b.WriteString(d.Outcome.String())
	if d.Target != "" && d.Outcome != OutcomeShadow && d.Outcome != OutcomeMessage {
		b.WriteString(" to " + d.Target)
	}
	if d.Rule != "" {
		b.WriteString(" by " + d.Rule)
	}
	if d.Reason != "" && d.Outcome != OutcomeClosed {
		b.WriteString(" (" + string(d.Reason) + ")")
	}
	if d.LeaveQueue {
		b.WriteString(", after taking the customer out of the queue")
	}
	if d.Verify {
		b.WriteString(", after asking Desk for the session's state")
	}
	for i, w := range d.Would {
		b.WriteString([]string{"; shadow: ", ", "}[min(i, 1)] + w.Rule + " (" + strings.TrimSuffix(w.Outcome.String()+" to "+w.Target, " to ") + ")")
	}
	if d.Near != "" {
		b.WriteString("; near: " + d.Near)
		if d.NearReason != "" {
			b.WriteString(" (" + string(d.NearReason) + ")")
		} else {
			b.WriteString(" (one short)")
		}
	}
	return b.String()
}
