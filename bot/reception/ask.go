package reception

import (
	"context"
	"fmt"

	"escalator/bot/desk"
	"escalator/rules"
)

// ask asks Desk for agents and queue, and for the status of those agents who are named,
// or of everybody.
func (w *Watcher) ask(ctx context.Context, agents []string, everybody bool) (*rules.Reading, error) {
	told, err := w.Desk.Reception(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for agents and queue: %w", err)
	}
	r := &rules.Reading{
		At: w.Clock.Now(), Free: told.Free, Busy: told.Busy, Rest: told.Rest, Queue: told.Queue, Groups: told.GroupQueues,
	}
	var members []desk.MemberStatistics
	if len(agents) > 0 || everybody {
		page, err := w.Desk.Members(ctx, agents...)
		if err != nil { // the figures are worth having alone
			w.noMembers(err)
		} else {
			w.membersTold()
			members = page.Items
		}
	}
	w.know(r, members)
	return r, nil
}

// know adds to a reading who is free: what Desk has reported, and what the statuses of
// the agents mean as far as it was learned.
func (w *Watcher) know(r *rules.Reading, members []desk.MemberStatistics) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.Agents = map[string]bool{}
	recent := w.heard.since(r.At.Add(-rules.ReadingFor))
	for agent, heard := range recent {
		if !heard.learned {
			r.Agents[agent] = heard.Free
		}
	}
	for _, m := range members {
		if m.Status == nil {
			continue
		}
		if heard, ok := recent[m.ID]; ok && !heard.learned && r.At.Sub(heard.at) >= soonest {
			w.statuses.learn(*m.Status, heard.Free)
			heard.learned = true // from now on its status says more: it may change without a report
			w.heard.of[m.ID] = heard
		}
		if free, known := w.statuses.means(*m.Status); known {
			r.Agents[m.ID] = free
		}
	}
	if len(r.Agents) == 0 {
		r.Agents = nil
	}
}

// noMembers tells once that Desk does not tell the agents one by one.
func (w *Watcher) noMembers(err error) {
	w.mu.Lock()
	first := !w.membersMissing
	w.membersMissing = true
	w.mu.Unlock()
	if first {
		w.Log.WithError(err).Warn("Desk does not list its agents: only those whose status changes it reports are known to be free or not")
	}
}

func (w *Watcher) membersTold() {
	w.mu.Lock()
	w.membersMissing = false
	w.mu.Unlock()
}

// statuses are what the numbers mean that Desk has for the status of an agent: how
// often agents with it were free, and were not.
type statuses map[int]votes

type votes struct {
	Free int `json:"free"`
	Not  int `json:"not"`
}

const (
	// maxStatuses bounds the numbers that are told apart.
	maxStatuses = 32
	// A status means something when so many times more agents said so than the
	// contrary: now and then a report and an answer cross each other.
	majority = 3
	// maxVotes keeps what was learned open to change.
	maxVotes = 50
)

// learn notes that an agent who has a status is free, or is not.
func (s statuses) learn(status int, free bool) {
	v, known := s[status]
	if !known && len(s) >= maxStatuses {
		return
	}
	if free {
		v.Free++
	} else {
		v.Not++
	}
	if v.Free+v.Not > maxVotes {
		v.Free, v.Not = v.Free/2, v.Not/2
	}
	s[status] = v
}

// means says whether agents who have a status are free.
func (s statuses) means(status int) (free, known bool) {
	v := s[status]
	switch {
	case v.Free > majority*v.Not:
		return true, true
	case v.Not > majority*v.Free:
		return false, true
	}
	return false, false
}
