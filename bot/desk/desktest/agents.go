package desktest

import (
	"cmp"
	"slices"

	"escalator/bot/desk"
)

// Agent is a person at the workbench.
type Agent struct {
	ID       string  `json:"id"` // an e-mail address
	Groups   []int64 `json:"groups"`
	Online   bool    `json:"online"`
	Busy     bool    `json:"busy"`     // is assigned only with AllowAssignBusyMember
	Rest     bool    `json:"rest"`     // has a break: is not assigned
	Capacity int     `json:"capacity"` // sessions at a time; 0 means no limit
	Serving  int     `json:"serving"`  // sessions right now; kept by the emulator
}

// status is the agent's status by the names of Member.EventNotify.
func (a *Agent) status() string {
	switch {
	case !a.Online:
		return "offline"
	case a.Rest:
		return "rest"
	case a.Busy:
		return "notReady"
	}
	return "free"
}

// full tells whether the agent has no room for another session.
func (a *Agent) full() bool { return a.Capacity > 0 && a.Serving >= a.Capacity }

// SetAgent adds an agent or changes one, and gives it sessions that wait.
func (d *Desk) SetAgent(a Agent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a.Groups = slices.Clone(a.Groups)
	kept, known := d.agents[a.ID]
	if !known {
		kept = &Agent{}
		d.agents[a.ID] = kept
	}
	before := kept.status()
	a.Serving = kept.Serving
	*kept = a // sessions point to it
	if !known || kept.status() != before {
		d.statusChanged(kept)
	}
	d.dispatch()
}

// SetOnline sets an agent online or offline. Its sessions stay.
func (d *Desk) SetOnline(id string, online bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.agents[id]; a != nil && a.Online != online {
		a.Online = online
		d.statusChanged(a)
		d.dispatch()
	}
}

// SetWorkingHours says whether it is inside working hours; it is by default.
func (d *Desk) SetWorkingHours(inside bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outside = !inside
}

// Agents returns all agents in order of their ids.
func (d *Desk) Agents() []Agent {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Agent, 0, len(d.agents))
	for _, a := range d.agents {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b Agent) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// knowsGroup tells whether a group has a name or an agent.
func (d *Desk) knowsGroup(group int64) bool { return slices.Contains(d.allGroups(), group) }

// pick finds who could serve a wish: whether anybody fitting is online, and the
// one with the fewest sessions who has room for another, nil if all are full.
func (d *Desk) pick(w wish) (best *Agent, online bool) {
	for _, a := range d.agents {
		fits := (len(w.Agents) == 0 || slices.Contains(w.Agents, a.ID)) &&
			(w.Group == nil || slices.Contains(a.Groups, *w.Group))
		if !a.Online || !fits {
			continue
		}
		online = true
		if a.Rest || (a.Busy && !w.AllowBusy) || a.full() {
			continue
		}
		if best == nil || a.Serving < best.Serving || (a.Serving == best.Serving && a.ID < best.ID) {
			best = a
		}
	}
	return best, online
}

// dispatch gives sessions that wait to agents who are free: priority 0 first,
// then first come, first served.
func (d *Desk) dispatch() {
	waiting := make([]*session, 0, len(d.queue))
	for id, s := range d.queue {
		if s.state == desk.StateQueueing {
			waiting = append(waiting, s)
		} else {
			delete(d.queue, id)
		}
	}
	slices.SortFunc(waiting, func(a, b *session) int {
		return cmp.Or(cmp.Compare(a.wish.Priority, b.wish.Priority), cmp.Compare(a.place, b.place))
	})
	for _, s := range waiting {
		if a, _ := d.pick(s.wish); a != nil {
			d.assign(s, a)
		}
	}
}
