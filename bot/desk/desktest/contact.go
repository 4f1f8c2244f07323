package desktest

import (
	"fmt"

	"escalator/bot/desk"
)

// either reads a field that the page spells in two ways.
func (f fields) either(name, other string, v *string) bool {
	if !f.has(name) {
		name = other
	}
	return f.get(name, v) && *v != ""
}

// contactUser starts a session from the agents' side. One with the bot becomes
// the agent's; one that is on its way to a person or with one is left alone.
func (d *Desk) contactUser(f fields) reply {
	var service, user, member string
	w := wish{Priority: lowestPriority}
	if !f.either("IMAgentUserId", "IMAgentUserID", &service) || !f.either("ClientUserId", "ClientUserID", &user) ||
		!f.get("GroupId", &w.Group) || !f.get("MemberId", &member) {
		return refuse(141004, "illegal parameters")
	}
	s := d.find(user, service)
	running := s != nil && s.state != desk.StateNotInSession
	if running && s.state != desk.StateChatbot {
		return refuse(141003, "the session cannot be transferred")
	}
	agent, bad := d.whoContacts(w, member)
	if bad != nil {
		return *bad
	}
	if !running {
		d.contacts++
		s = d.begin(&session{id: fmt.Sprintf("contact-session-%d", d.contacts), user: user, service: service, episode: 1})
	}
	s.wish, s.record.Contact = w, true
	d.give(s, agent)
	if !running {
		d.event(s, desk.EventSessionBegin)
	}
	d.accept(s)
	d.ledger.Contacted = append(d.ledger.Contacted, Contacted{s.id, user, service, agent.ID, d.o.Now()})
	answer := success()
	answer.own["MemberId"] = agent.ID
	return answer
}

// whoContacts finds the agent for a contact. The meaning of 141012 is cut off on
// the page after "Agent has": here it is an agent who takes nobody now.
func (d *Desk) whoContacts(w wish, member string) (*Agent, *reply) {
	refused := func(code int, why string) (*Agent, *reply) {
		bad := refuse(code, why)
		return nil, &bad
	}
	if member == "" {
		if agent, _ := d.pick(w); agent != nil {
			return agent, nil
		}
		return refused(141001, "no agent online")
	}
	switch a := d.agents[member]; {
	case a == nil:
		return refused(141010, "no such agent")
	case !a.Online:
		return refused(141011, "the agent is offline")
	case a.status() != "free" || a.full():
		return refused(141012, "the agent has no room")
	default:
		return a, nil
	}
}

// endQueuing takes a session out of the queue. Whether Desk keeps the session is
// not documented: see Options.QueuingEnds.
func (d *Desk) endQueuing(f fields) reply {
	s, bad := d.known(f, "SessionID")
	switch {
	case bad != nil:
		return *bad
	case s.state != desk.StateQueueing:
		return refuse(141027, "the session is not in the queue")
	case d.o.QueuingEnds:
		d.close(s, endedQueue)
	default:
		s.state = desk.StateChatbot
		s.episode++
	}
	return success()
}

// Enqueue puts sessions into the queue of a group, new ones if need be, without
// asking who is free: those who wait are served when somebody gets free.
func (d *Desk) Enqueue(group int64, ids ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		s := d.get(id)
		d.release(s)
		s = d.begin(s)
		s.wish = wish{Group: &group, Priority: lowestPriority}
		d.enqueue(s)
	}
}

// Connect gives a session to an agent who takes it, wherever it stands and
// whether or not the agent has room.
func (d *Desk) Connect(id, agent string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, a := d.sessions[id], d.agents[agent]
	switch {
	case s == nil || s.state == desk.StateNotInSession:
		return fmt.Errorf("no session %q", id)
	case a == nil:
		return fmt.Errorf("no agent %q", agent)
	}
	d.release(s)
	d.assign(s, a)
	if s.state == desk.StateWaiting {
		d.accept(s)
	}
	return nil
}
