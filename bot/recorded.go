package bot

import (
	"errors"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/replay"
)

// Recordings understands recorded callbacks just as live ones are understood.
// It remembers which conversations of plain IM and Desk sessions are the same,
// so give it the callbacks in the order in which they came.
type Recordings struct {
	policy *rules.Policy
	links  links
}

// NewRecordings begins a recording that a policy is to decide upon.
func NewRecordings(p *rules.Policy) *Recordings { return &Recordings{policy: p} }

// ReadRecorded reads one recorded callback.
func ReadRecorded(query string, body []byte) (*desk.Event, error) {
	e, err := desk.Decode(desk.ParseQuery(query), body)
	if err != nil {
		return nil, err
	}
	if e.Command == desk.CommandSessionEvent && e.SessionID == "" {
		return nil, errors.New("the callback has no SessionId")
	}
	return e, nil
}

// Events turns a callback that came at a time into what it was for its
// conversation: nothing where the service had nothing to count. Where the bot
// behind the service failed it, failed says after how long: a miss at that time.
func (r *Recordings) Events(e *desk.Event, at time.Time, failed time.Duration) []replay.Event {
	s, ask := r.understand(e, at)
	var events []replay.Event
	if id := conversationID(e); id != "" && !s.empty() && !ours(e) {
		event := replay.Event{Session: id, At: at, Turn: s.turn, Ask: ask}
		if s.observe != nil {
			event.Observe = *s.observe
		}
		events = append(events, event)
	}
	if failed > 0 && fromCustomer(e) {
		events = append(events, replay.Event{
			Session: conversationID(e), At: at.Add(failed), Turn: &rules.Turn{Kind: rules.BotTurn, Failed: true},
		})
	}
	return events
}

// understand is what dispatch does for a live callback; ask is set where the
// rules are asked and nothing is counted.
func (r *Recordings) understand(e *desk.Event, at time.Time) (s step, ask bool) {
	switch e.Command {
	case desk.CommandSessionEvent:
		s, _, _ = r.links.session(r.policy, e, at)
	case desk.CommandBotC2C, desk.CommandC2CAfter:
		s = r.links.message(e, at)
	case desk.CommandAssignHuman, desk.CommandAssignAgent:
		e.Conversation = r.links.of(e)
		return step{turn: question(e, "")}, true
	case desk.CommandTaskFlow:
		e.Conversation = r.links.of(e)
		return step{turn: question(e, taskFlowText(r.policy, e))}, true
	}
	return s, false
}
