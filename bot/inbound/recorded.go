package inbound

import (
	"context"
	"errors"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/replay"
)

// Recorded reads recorded callbacks just as live ones are read, for one policy.
// It remembers what came before, so give it the callbacks in the order in which
// they came. It is for one goroutine.
type Recorded struct {
	policy *rules.Policy
	reader *Reader
	seen   seen
}

// NewRecorded begins a recording that a policy is to decide upon. service names
// accounts of the service that do not begin with @.
func NewRecorded(p *rules.Policy, service []string) *Recorded {
	return &Recorded{policy: p, reader: New(service)}
}

// Decode reads one recorded callback. Any number of Recorded may share it.
func Decode(query string, body []byte) (*desk.Event, error) {
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
func (r *Recorded) Events(e *desk.Event, at time.Time, failed time.Duration) []replay.Event {
	m := r.read(e, at)
	var events []replay.Event
	if m.Turn != nil {
		m.Identify()
	}
	if m.Counts() {
		event := replay.Event{Session: m.Conversation, User: m.Customer(), Agent: m.Agent, At: at, Turn: m.Turn, Ask: m.Ask}
		if m.Change != nil {
			event.Observe = *m.Change
			if m.Turn != nil { // it changes the phase and carries a rating
				change := event
				change.Turn = nil
				events = append(events, change)
			}
		}
		events = append(events, event)
	}
	if failed > 0 && m.Awaited {
		events = append(events, replay.Event{Session: m.Conversation, User: m.Customer(), At: at.Add(failed), Turn: m.Failed().Identify()})
	}
	return events
}

func (r *Recorded) read(e *desk.Event, at time.Time) *Message {
	if key := r.reader.Key(e); key != "" {
		if length, known := r.seen.add(key, len(e.Text), at); known && !r.reader.Grown(e, length) {
			return r.reader.Again(e)
		}
	}
	// One callback after the other: no copy waits for another one.
	m, _ := r.reader.Read(context.Background(), r.policy, e, at, nil)
	m.Commit(false)
	return m
}

// seenFor is at least how long a callback is known.
const seenFor = 10 * time.Minute

// seen knows the callbacks of the last minutes, in two generations, and how long
// the text of each was.
type seen struct {
	young, old map[string]int
	since      time.Time
}

func (s *seen) add(key string, length int, at time.Time) (before int, known bool) {
	if s.young == nil || at.Sub(s.since) > seenFor {
		s.old, s.young, s.since = s.young, map[string]int{}, at
	}
	if before, known = s.young[key]; !known {
		before, known = s.old[key]
	}
	s.young[key] = max(before, length)
	return before, known
}
