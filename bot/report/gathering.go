package report

import (
	"slices"
	"strings"
	"time"

	"escalator/bot/desk"
)

const (
	// maxSessions bounds the sessions of a report.
	maxSessions = 200_000
	// endedAfter is how long after its last callback a session counts as ended of which
	// neither an event nor a record says so.
	endedAfter = 30 * time.Minute
	// againWithin is the time in which a customer asks for a person again.
	againWithin = 24 * time.Hour
)

// Kind is what a fact says.
type Kind uint8

// The kinds of facts.
const (
	Seen       Kind = iota // something happened: the session is there
	Called                 // a rule called a person
	Waiting                // Desk has put the customer into the queue, or given them to an agent who has to take them
	Human                  // an agent has the customer
	Nobody                 // no agent was there
	Unanswered             // the customer left the queue, or was left there
	Failed                 // the transfer was given up
	Closed                 // the session ended
)

// Fact is one thing that happened in a session.
type Fact struct {
	At            time.Time
	Session, User string // User may be empty
	Kind          Kind
	Rule          string // of Called
	Stars         int    // of a rating that came along, 0: none
}

// Gathering gathers what is known of sessions. The zero value is empty. It is for one
// goroutine.
type Gathering struct {
	sessions map[string]*session
	newest   time.Time
	cut      bool // there were more sessions than are kept
	told     bool // records were given,
	whole    bool // and all that there are
	rows     int
}

// session is what is known of one session: when each kind of thing happened last.
type session struct {
	user        string
	first, last time.Time
	called      time.Time // first
	rule        string    // that called last
	at          [Closed + 1]time.Time
	stars       int
	record      *desk.SessionRecord
}

// Add takes a fact.
func (g *Gathering) Add(f Fact) {
	s := g.of(f.Session)
	if s == nil {
		return
	}
	if f.At.After(g.newest) {
		g.newest = f.At
	}
	if f.User != "" && f.User != s.user {
		s.user = strings.Clone(f.User) // it may be a piece of a callback's body
	}
	if s.first.IsZero() || f.At.Before(s.first) {
		s.first = f.At
	}
	if f.At.After(s.last) {
		s.last = f.At
	}
	if f.Stars > 0 {
		s.stars = f.Stars
	}
	if f.Kind == Called {
		if s.called.IsZero() || f.At.Before(s.called) {
			s.called = f.At
		}
		if !f.At.Before(s.at[Called]) {
			s.rule = f.Rule
		}
	}
	if f.At.After(s.at[f.Kind]) {
		s.at[f.Kind] = f.At
	}
}

// of finds a session, or makes room for it; nil: there are too many.
func (g *Gathering) of(id string) *session {
	s := g.sessions[id]
	switch {
	case s != nil || id == "":
		return s
	case len(g.sessions) >= maxSessions:
		g.cut = true
		return nil
	case g.sessions == nil:
		g.sessions = map[string]*session{}
	}
	s = &session{}
	g.sessions[id] = s
	return s
}

// Records takes Desk's records, after the facts: one of a session of which there is none
// says nothing. whole says that they are all of the time that the facts are of: only then
// is a session without a record one that no person had.
func (g *Gathering) Records(rows []desk.SessionRecord, whole bool) {
	g.told, g.whole, g.rows = true, whole, g.rows+len(rows)
	for i := range rows {
		r := &rows[i]
		s := g.sessions[r.SessionID]
		if s == nil {
			continue
		}
		if s.record == nil || r.At.After(s.record.At) {
			s.record = r
		}
		if s.user == "" {
			s.user = r.UserID
		}
		if !r.At.IsZero() && r.At.Before(s.first.Add(-time.Second)) { // it has whole seconds
			s.first = r.At
		}
	}
}

// outcome is what became of the last call of a session.
type outcome uint8

const (
	unknown outcome = iota
	taken
	nobody
	unanswered
	failed
)

// outcome tells what became of the last call.
func (s *session) outcome() outcome {
	since := func(k Kind) bool { return !s.at[k].IsZero() && !s.at[k].Before(s.at[Called]) }
	latest := func(k Kind) bool {
		return since(k) && !slices.ContainsFunc([]Kind{Waiting, Nobody, Unanswered, Failed}, func(o Kind) bool { return s.at[o].After(s.at[k]) })
	}
	switch {
	case s.had() == yes && (s.record != nil && s.recorded() == yes || since(Human)):
		return taken
	case latest(Nobody):
		return nobody
	case latest(Unanswered), since(Waiting) && latest(Waiting) && since(Closed) && !s.at[Closed].Before(s.at[Waiting]):
		return unanswered
	case latest(Failed):
		return failed
	case s.record != nil && s.recorded() == no:
		return unanswered
	}
	return unknown
}

// answer is yes, no, or nobody knows.
type answer uint8

const (
	maybe answer = iota
	yes
	no
)

// had says whether an agent had the customer at any time, as far as the session itself
// tells.
func (s *session) had() answer {
	if !s.at[Human].IsZero() {
		return yes
	}
	if s.record != nil {
		return s.recorded()
	}
	return maybe
}

// recorded says what the record tells of that. Duration is taken for the time with the
// agent: who was given to an agent and was never served has none.
func (s *session) recorded() answer {
	r := s.record
	switch {
	case r.NoAgent:
		return no
	case r.AgentID == "":
		return maybe
	case r.Duration != nil && *r.Duration == 0:
		return no
	case r.Duration != nil, r.EndStatus == desk.EndedByAgent:
		return yes
	}
	return maybe
}

// running says that a session may go on after the last that is known of any.
func (s *session) running(newest time.Time) bool {
	if s.record != nil || !s.at[Closed].IsZero() && !s.at[Closed].Before(s.last) {
		return false
	}
	return newest.Sub(s.last) < endedAfter
}
