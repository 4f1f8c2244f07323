package report

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// short is how short a talk with an agent is that helped nobody.
const short = 30 * time.Second

// Report is what became of the sessions of a period. A pointer is nil where nobody knows.
type Report struct {
	// Since and Until bound the beginnings of the sessions; zero: no bound.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`

	Sessions   int `json:"sessions"`
	Running    int `json:"running"`     // they may go on: not in the figures below
	Alone      int `json:"alone"`       // ended without a person
	WithPerson int `json:"with_person"` // a person had the customer
	Unknown    int `json:"unknown"`     // whether a person had the customer is unknown
	// Unruled are those of WithPerson in which no rule called.
	Unruled int `json:"without_rule"`
	// Containment is Alone out of Alone and WithPerson, between 0 and 1.
	Containment *float64 `json:"containment"`

	// Records is how many records of Desk were read; nil: none were given.
	Records *int `json:"records"`
	// Whole is false where there were more records, or more sessions, than are read.
	Whole bool `json:"whole"`

	Rules []Row `json:"rules"` // the rule that called most often first
	All   Row   `json:"all"`   // all rules together
}

// Row is what became of the sessions in which a rule called a person last.
type Row struct {
	Rule       string `json:"rule,omitempty"`
	Called     int    `json:"called"`
	Taken      *int   `json:"taken"`      // by an agent
	Nobody     *int   `json:"nobody"`     // no agent was there
	Unanswered *int   `json:"unanswered"` // in the queue, or with an agent who did not take it
	Failed     *int   `json:"failed"`     // given up
	Unknown    int    `json:"unknown"`    // what became of it is unknown

	// Short are those of Taken that lasted less than 30 s with the agent, out of ShortOf of
	// which that is known.
	Short   *int `json:"ended_within_30s"`
	ShortOf int  `json:"ended_within_30s_of"`
	// Rating is the mean of the stars of Rated sessions.
	Rating *float64 `json:"rating"`
	Rated  int      `json:"rated"`
	// Again are the sessions after whose call the customer asked for a person in another
	// session within 24 hours, out of AgainOf of which that is known.
	Again   *int `json:"asked_again"`
	AgainOf int  `json:"asked_again_of"`

	outcomes [failed + 1]int
	short    int
	stars    int
	again    int
}

// Report reports on the sessions that began in a period; a zero time is no bound.
func (g *Gathering) Report(since, until time.Time) *Report {
	r := &Report{Since: since, Until: until, Rules: []Row{}, Whole: !g.cut && (g.whole || !g.told)}
	if g.told {
		r.Records = &g.rows
	}
	calls := g.callsByUser()
	rows := map[string]*Row{}
	for id, s := range g.sessions {
		if s.first.Before(since) || !until.IsZero() && !s.first.Before(until) {
			continue
		}
		r.Sessions++
		r.contain(s, g)
		if s.at[Called].IsZero() {
			continue
		}
		row := rows[s.rule]
		if row == nil {
			row = &Row{Rule: s.rule}
			rows[s.rule] = row
		}
		for _, row := range []*Row{row, &r.All} {
			row.add(s)
			row.addAgain(askedAgain(id, s, calls[s.user], g.newest))
		}
	}
	if known := r.Alone + r.WithPerson; known > 0 {
		share := float64(r.Alone) / float64(known)
		r.Containment = &share
	}
	for _, rule := range slices.Sorted(maps.Keys(rows)) {
		rows[rule].finish()
		r.Rules = append(r.Rules, *rows[rule])
	}
	slices.SortStableFunc(r.Rules, func(a, b Row) int { return b.Called - a.Called })
	r.All.finish()
	return r
}

// contain counts whether a person had the customer.
func (r *Report) contain(s *session, g *Gathering) {
	had := s.had()
	switch {
	case had == yes:
		r.WithPerson++
		if s.at[Called].IsZero() {
			r.Unruled++
		}
	case s.running(g.newest):
		r.Running++
	case had == no, g.told && g.whole && s.record == nil, slices.Contains([]outcome{nobody, unanswered, failed}, s.outcome()):
		r.Alone++
	default:
		r.Unknown++
	}
}

// add counts a session whose last call was the row's.
func (w *Row) add(s *session) {
	w.Called++
	o := s.outcome()
	w.outcomes[o]++
	if o == taken && s.record != nil && s.record.Duration != nil {
		w.ShortOf++
		if *s.record.Duration < short {
			w.short++
		}
	}
	stars := s.stars
	if s.record != nil && s.record.Rating != nil {
		stars = *s.record.Rating
	}
	if stars > 0 {
		w.Rated++
		w.stars += stars
	}
}

func (w *Row) addAgain(again answer) {
	if again != maybe {
		w.AgainOf++
	}
	if again == yes {
		w.again++
	}
}

// finish makes figures of what was counted. One that would be 0 while some sessions are
// unknown is unknown itself.
func (w *Row) finish() {
	w.Unknown = w.outcomes[unknown]
	for _, f := range []struct {
		into  **int
		count int
		known bool
	}{
		{&w.Taken, w.outcomes[taken], w.Unknown == 0},
		{&w.Nobody, w.outcomes[nobody], w.Unknown == 0},
		{&w.Unanswered, w.outcomes[unanswered], w.Unknown == 0},
		{&w.Failed, w.outcomes[failed], w.Unknown == 0},
		{&w.Short, w.short, w.ShortOf > 0},
		{&w.Again, w.again, w.AgainOf > 0},
	} {
		if f.count > 0 || f.known && w.Called > 0 {
			*f.into = &f.count
		}
	}
	if w.Rated > 0 {
		mean := float64(w.stars) / float64(w.Rated)
		w.Rating = &mean
	}
}

// call is when a rule called a person for a customer.
type call struct {
	at      time.Time
	session string
}

// callsByUser are the calls of each customer in order of time: the first and the last of
// each session.
func (g *Gathering) callsByUser() map[string][]call {
	calls := map[string][]call{}
	for id, s := range g.sessions {
		if s.user == "" || s.called.IsZero() {
			continue
		}
		calls[s.user] = append(calls[s.user], call{s.called, id}, call{s.at[Called], id})
	}
	for _, list := range calls {
		slices.SortFunc(list, func(a, b call) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.session, b.session)) })
	}
	return calls
}

// askedAgain says whether a customer asked for a person in another session within the time.
func askedAgain(id string, s *session, calls []call, newest time.Time) answer {
	if s.user == "" {
		return maybe
	}
	end := s.at[Called].Add(againWithin)
	from, _ := slices.BinarySearchFunc(calls, s.at[Called], func(c call, at time.Time) int { return c.at.Compare(at) })
	for _, c := range calls[from:] {
		if c.at.After(end) {
			break
		}
		if c.session != id && c.at.After(s.at[Called]) {
			return yes
		}
	}
	if newest.Before(end) {
		return maybe
	}
	return no
}
