package reception

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

const (
	// maxHeard and maxHeardBytes bound the agents whose last change is remembered, and
	// their names together: the oldest goes first. Whoever can reach a service without a
	// callback token can make agents up; what is kept of them must fit into a record.
	maxHeard      = 400
	maxHeardBytes = 16 << 10
	// heardPrefix begins the names of the records with what each process was told.
	heardPrefix = "heard "
)

// report is a change of an agent's status that Desk reported.
type report struct {
	Free bool `json:"free"`
	// Wall is when, by the clock on the wall: by it processes tell whose report is newer.
	Wall    time.Time `json:"at"`
	at      time.Time // by the process's own clock
	number  int       // among all reports
	learned bool      // the status of the agent was looked up since
}

// reports are what Desk reported last of each agent. The zero value is ready.
type reports struct {
	of    map[string]report
	bytes int       // of the agents' names
	last  time.Time // the newest was heard then
	news  bool      // this process was told something that the others were not
	count int       // reports so far
}

// add takes the newest report of an agent.
func (h *reports) add(agent string, r report) {
	if h.of == nil {
		h.of = map[string]report{}
	}
	if _, known := h.of[agent]; !known {
		h.bytes += len(agent)
	}
	h.count++
	r.number = h.count
	h.of[agent] = r
	if r.at.After(h.last) {
		h.last = r.at
	}
	for len(h.of) > maxHeard || h.bytes > maxHeardBytes {
		h.forgetOldest()
	}
}

func (h *reports) forgetOldest() {
	oldest, found := "", false
	for agent, r := range h.of {
		if !found || r.number < h.of[oldest].number {
			oldest, found = agent, true
		}
	}
	h.bytes -= len(oldest)
	delete(h.of, oldest)
}

// since returns what was reported from a time on, by agent.
func (h *reports) since(at time.Time) map[string]report {
	some := maps.Clone(h.of)
	maps.DeleteFunc(some, func(_ string, r report) bool { return r.at.Before(at) })
	return some
}

// MemberChanged takes Desk's word that an agent is free, or is not: the reading knows
// it at once, and Desk is asked for the rest soon.
func (w *Watcher) MemberChanged(agent string, free bool) {
	w.mu.Lock()
	w.heard.add(agent, report{Free: free, Wall: w.Clock.Wall(), at: w.Clock.Now()})
	w.heard.news = true
	w.mu.Unlock()
	w.soon()
}

// Reading returns the last reading, nil where there is none, with what was reported
// since. It may be too old to count, and must not be changed.
func (w *Watcher) Reading() *rules.Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Clock.Now()
	told := w.told.Fresh(now)
	if now.Sub(w.heard.last) > rules.ReadingFor || told != nil && w.heard.last.Before(told.At) {
		return w.told // as with nearly all messages
	}
	if w.count != w.heard.count || w.reading.Fresh(now) == nil {
		w.reading, w.count = w.withHeard(told, now), w.heard.count
	}
	return w.reading
}

// withHeard is a reading with what was reported since; told nil: with nothing else.
func (w *Watcher) withHeard(told *rules.Reading, now time.Time) *rules.Reading {
	r := rules.Reading{At: now}
	if told != nil {
		r = *told
	}
	agents := maps.Clone(r.Agents)
	if agents == nil {
		agents = map[string]bool{}
	}
	from := now.Add(-rules.ReadingFor)
	if told != nil {
		from = told.At
	}
	for agent, heard := range w.heard.since(from) {
		agents[agent] = heard.Free
		if told == nil && heard.at.Before(r.At) {
			r.At = heard.at // it counts until the first of them does not
		}
	}
	r.Agents = agents
	return &r
}

// passOn tells the process that asks Desk what this one was told of agents.
func (w *Watcher) passOn(ctx context.Context) {
	now := w.Clock.Now()
	w.mu.Lock()
	news, some := w.heard.news, w.heard.since(now.Add(-rules.ReadingFor))
	w.heard.news = false
	w.mu.Unlock()
	if !news || len(some) == 0 {
		return
	}
	value, err := json.Marshal(some)
	if err != nil {
		return // plain texts
	}
	err = store.UpdateRecord(ctx, w.Records, store.KindReading, heardPrefix+w.lease.Owner, func(r *store.Record) (bool, error) {
		r.Value, r.Until = value, now.Add(2*rules.ReadingFor)
		return true, nil
	})
	if err != nil {
		w.alone(ctx, err)
	}
}

// hearOthers takes what the other processes were told of agents.
func (w *Watcher) hearOthers(ctx context.Context) {
	records, err := w.Records.Records(ctx, store.KindReading)
	if err != nil {
		return // the reading could not be read either: that was told
	}
	now, wall := w.Clock.Now(), w.Clock.Wall()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range records {
		var some map[string]report
		if r.Name == recordName || r.Name == heardPrefix+w.lease.Owner || json.Unmarshal(r.Value, &some) != nil {
			continue
		}
		for agent, heard := range some {
			if known, ok := w.heard.of[agent]; !ok || heard.Wall.After(known.Wall) {
				heard.at = now.Add(-max(0, wall.Sub(heard.Wall)))
				w.heard.add(agent, heard)
			}
		}
	}
}
