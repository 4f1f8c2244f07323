package messages

import (
	"errors"
	"slices"

	"escalator/bot/desk"
	"escalator/rules"
)

// round is one reading, and whom it may still serve.
type round struct {
	*Keeper
	reading *rules.Reading
	free    int             // agents who have got no customer of this round
	empty   map[string]bool // targets that have nobody
	given   map[string]bool // agents who have got a customer
	served  map[string]bool // customers, with the account of the service, who have got an agent
}

// contactAll has the customers contacted who wait, the oldest first, one for each
// agent whom a reading shows free.
func (k *Keeper) contactAll(messages []*Message, reading *rules.Reading) {
	if reading = reading.Fresh(k.Clock.Now()); reading == nil || reading.Free == nil {
		return
	}
	r := &round{k, reading, *reading.Free, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, m := range messages {
		if r.free <= 0 || k.taking.Err() != nil {
			return
		}
		if m.State == Waiting && !k.Clock.Now().After(m.Until) && !r.contact(m) {
			return
		}
	}
}

// contact has one customer contacted, if somebody is there who may. False ends the
// round: Desk is not fit for more.
func (r *round) contact(m *Message) bool {
	target := r.target(m.Target)
	if target == nil || r.empty[target.ID] || r.served[pairOf(m.User, m.Service)] || !target.IsOpen(r.Clock.Wall()) || r.OnItsWay(r.working, m.Conversation) {
		return true
	}
	agent, some := r.agent(target, m.Tried)
	if !some {
		return true
	}
	state, err := r.Desk.SessionState(r.working, desk.StateRequest{UserID: m.User, ServiceID: m.Service})
	switch {
	case err != nil:
		return r.unasked(m, err)
	case state.State == desk.StateAgent || state.State == desk.StateWaiting:
		r.end(m.record.Name, Done, func(m *Message) bool {
			m.Agent = state.AgentID
			return m.State == Waiting
		})
		r.serves(m)
		return true
	case state.State == desk.StateQueueing: // on the way to a person: another look will tell
		return true
	}
	calling, err := r.change(m.record.Name, func(m *Message) bool {
		if m.State != Waiting {
			return false
		}
		m.State = Calling
		m.Tried++
		return true
	})
	if err != nil || calling == nil {
		return err == nil
	}
	r.free--
	r.given[agent] = true
	got, err := r.Desk.ContactUser(r.working, desk.ContactRequest{ServiceID: m.Service, UserID: m.User, GroupID: target.Group, AgentID: agent})
	return r.answered(calling, target, got, err)
}

// target is that of the rules in force, or what everybody goes to.
func (r *round) target(name string) *rules.Target {
	if t := r.Target(name); t != nil {
		return t
	}
	return r.Target("default")
}

// agent chooses one of the agents whom a target names: one who is free, else one of
// whom nobody knows. "" leaves it to Desk, false says that none of them may get
// anybody now.
func (r *round) agent(t *rules.Target, tried int) (agent string, some bool) {
	if len(t.Agents) == 0 {
		return "", true
	}
	unknown := slices.Clone(t.Agents)
	unknown = slices.DeleteFunc(unknown, func(a string) bool { _, known := r.reading.Agents[a]; return known || r.given[a] })
	for _, a := range t.Agents {
		if r.reading.Agents[a] && !r.given[a] {
			return a, true
		}
	}
	if len(unknown) == 0 {
		return "", false
	}
	return unknown[tried%len(unknown)], true
}

// unasked is what follows where Desk did not say where the customer is.
func (r *round) unasked(m *Message, err error) (goOn bool) {
	failed, ok := errors.AsType[*desk.Error](err)
	if !ok || failed.Verdict() != desk.GiveUp {
		return false // it is not about this customer
	}
	r.end(m.record.Name, GivenUp, func(m *Message) bool {
		m.Code, m.Error = failed.Code, failed.Error()
		return m.State == Waiting
	})
	return true
}

// answered stores what Desk said to a contact.
func (r *round) answered(m *Message, t *rules.Target, agent string, err error) (goOn bool) {
	next, failed := Contacted, &desk.Error{}
	if err != nil {
		if !errors.As(err, &failed) {
			failed = &desk.Error{Err: err}
		}
		next = afterRefusal(failed)
	}
	stored, err := r.change(m.record.Name, func(m *Message) bool {
		if m.State != Calling {
			return false
		}
		m.State, m.Agent, m.Code, m.Error = next, agent, failed.Code, ""
		if next != Contacted {
			m.Error = failed.Error()
		}
		return true
	})
	if err == nil && stored != nil && (next != Waiting || !refusedBefore(m, stored)) {
		r.ended(stored)
	}
	if next == Contacted {
		r.serves(m)
	}
	if next == Waiting && failed.Verdict() == desk.NextTarget {
		r.empty[t.ID] = len(t.Agents) == 0
		return true
	}
	return next != Waiting
}

// serves notes that a customer has got an agent: whatever the same one left in other
// sessions is no reason for another contact.
func (r *round) serves(m *Message) {
	r.served[pairOf(m.User, m.Service)] = true
	r.Reached(m.Conversation, m.User, m.Service)
}

// refusedBefore reports whether Desk refused for now as it did before: that goes on with
// each reading, and is told once.
func refusedBefore(before, now *Message) bool { return before.Error != "" && before.Code == now.Code }

// afterRefusal says where a customer stands whom Desk did not take.
func afterRefusal(e *desk.Error) State {
	switch {
	case e.Err != nil && !e.Unsent():
		return Unknown
	case e.Verdict() == desk.GiveUp:
		return GivenUp
	default:
		return Waiting
	}
}
