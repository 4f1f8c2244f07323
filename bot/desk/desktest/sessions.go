package desktest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"escalator/bot/desk"
)

// The marks of system prompts that the emulator sends.
const (
	markConnecting = "connectingToAgent"
	markConnected  = "connectedToAgent"
	markQueuing    = "queuing"
	markNoAgent    = "failedToConnectAgent"
	markClosed     = "proactiveClosure"
	markAfterHours = "automaticReplyAfterWorkingHours"
)

// Session is the public view of a session.
type Session struct {
	ID      string     `json:"id"`
	User    string     `json:"user"`
	Service string     `json:"service"`
	State   desk.State `json:"state"`
	Agent   string     `json:"agent,omitempty"`
}

type session struct {
	id, user, service string
	state             desk.State
	agent             *Agent
	episode           int // counts stays with the bot; a transfer ends one
	wish              wish
	place             int // in the queue
	seq               int // of messages
	randoms           map[uint32]bool
	record            *Record // of its latest run

	line line // of its callbacks
}

// wish is what a transfer asked for.
type wish struct {
	Agents    []string
	Group     *int64
	AllowBusy bool
	Priority  int
}

// lowestPriority is that of a transfer which names none.
const lowestPriority = 9

// get returns a session, made in the bot's hands if it is new.
func (d *Desk) get(id string) *session {
	s := d.sessions[id]
	if s == nil {
		s = d.begin(&session{id: id, user: "user-" + id, service: DefaultService})
	}
	return s
}

// begin gives a session to the bot and opens a record for it, unless it has been
// with the bot all the time.
func (d *Desk) begin(s *session) *session {
	d.sessions[s.id] = s
	s.state = desk.StateChatbot
	if s.record != nil && !s.record.Asked.IsZero() {
		s.record.end(d.o.Now(), endedTimeout)
	}
	if s.record == nil || !s.record.Ended.IsZero() {
		s.record = &Record{Session: s.id, User: s.user, Service: s.service, Began: d.o.Now()}
		d.records = append(d.records, s.record)
	}
	return s
}

// Sessions returns all sessions in order of their ids.
func (d *Desk) Sessions() []Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Session, 0, len(d.sessions))
	for _, s := range d.sessions {
		all = append(all, s.view())
	}
	slices.SortFunc(all, func(a, b Session) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Session returns one session; a session that was never seen is not in session.
func (d *Desk) Session(id string) Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sessions[id]; s != nil {
		return s.view()
	}
	return Session{ID: id, State: desk.StateNotInSession}
}

// SessionOf returns the session of a customer with an account of the service,
// whoever of the two is named first.
func (d *Desk) SessionOf(user, service string) Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	if isService(user) {
		user, service = service, user
	}
	if s := d.find(user, service); s != nil {
		return s.view()
	}
	return Session{User: user, Service: service, State: desk.StateNotInSession}
}

func (s *session) view() Session {
	v := Session{ID: s.id, User: s.user, Service: s.service, State: s.state}
	if s.agent != nil {
		v.Agent = s.agent.ID
	}
	return v
}

// SetState puts a session into a state without any callback, for tests that
// begin in the middle. An agent is named for the states that have one.
func (d *Desk) SetState(id string, state desk.State, agent string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.get(id)
	d.release(s)
	s.state = state
	if state == desk.StateQueueing {
		d.queue[s.id] = s
	}
	if a := d.agents[agent]; a != nil {
		d.give(s, a)
	}
	switch state { //nolint:exhaustive // the others leave the record alone
	case desk.StateChatbot:
		s.episode++
	case desk.StateAgent:
		s.record.Took = d.o.Now()
	case desk.StateNotInSession:
		d.end(s, endedTimeout)
	}
}

// Accept lets the assigned agent take the session.
func (d *Desk) Accept(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sessions[id]; s != nil && s.state == desk.StateWaiting {
		d.accept(s)
	}
}

// Expire ends a session silently, as Desk does in the end with each of them.
func (d *Desk) Expire(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sessions[id]; s != nil {
		d.end(s, endedTimeout)
	}
}

// give makes a session an agent's.
func (d *Desk) give(s *session, a *Agent) {
	s.agent = a
	a.Serving++
	s.record.transferred(d.o.Now(), s.wish, a)
}

// assign gives a session to an agent, which has to take it yet.
func (d *Desk) assign(s *session, a *Agent) {
	d.give(s, a)
	s.state = desk.StateWaiting
	d.prompt(s, markConnecting, "Connecting you to an agent.")
	d.event(s, d.o.Events.Transferring)
	if d.o.AnswerAtOnce {
		d.accept(s)
	}
}

func (d *Desk) accept(s *session) {
	s.state = desk.StateAgent
	s.record.Took = d.o.Now()
	d.prompt(s, markConnected, "You are now connected to an agent.")
	d.event(s, d.o.Events.WithHuman)
}

func (d *Desk) enqueue(s *session) {
	d.queued++
	s.place, s.state = d.queued, desk.StateQueueing
	d.queue[s.id] = s
	s.record.transferred(d.o.Now(), s.wish, nil)
	d.prompt(s, markQueuing, "All agents are busy, please wait.")
	d.event(s, d.o.Events.Transferring)
}

// release takes a session from its agent and tells whether it had one, who is
// free for the next.
func (d *Desk) release(s *session) (freed bool) {
	if s.agent == nil {
		return false
	}
	s.agent.Serving--
	s.agent = nil
	return true
}

// end ends a session without a word, and its record with it.
func (d *Desk) end(s *session, status string) {
	freed := d.release(s)
	s.state = desk.StateNotInSession
	s.randoms = nil
	s.record.end(d.o.Now(), status)
	if freed {
		d.dispatch()
	}
}

// close ends a session as Desk tells of it.
func (d *Desk) close(s *session, status string) {
	d.end(s, status)
	d.prompt(s, markClosed, "The session was closed.")
	d.event(s, d.o.Events.Closed)
}

// prompt sends a system prompt as Desk's bot would, if that is switched on.
func (d *Desk) prompt(s *session, mark, text string) {
	if !d.o.Prompts {
		return
	}
	d.send(s, d.message(s, desk.EventBotMessage, textBody(text), promptData(mark)))
}

func (d *Desk) event(s *session, name string) {
	if name != "" {
		d.send(s, d.notice(s, name))
	}
}

func promptData(mark string) string {
	return fmt.Sprintf(`{"messageType":%q,"role":"robot"}`, mark)
}

func textBody(text string) json.RawMessage {
	b, _ := json.Marshal([]any{map[string]any{"MsgType": "TIMTextElem", "MsgContent": map[string]any{"Text": text}}})
	return b
}
