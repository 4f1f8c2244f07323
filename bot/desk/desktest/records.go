package desktest

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// EndedByAgent is the only EndStatus that a page shows. The others are stand-ins.
const (
	EndedByAgent = "AgentEndedSession"
	endedTimeout = "TimeoutEndedSession"
	endedNobody  = "NoAgentEndedSession"
	endedQueue   = "QueueEndedSession"
)

// Record is what the emulator keeps of a session. Desk's list of records has
// those that have ended and were transferred or begun by an agent.
type Record struct {
	Session   string    `json:"session"`
	User      string    `json:"user"`
	Service   string    `json:"service"`
	Asked     time.Time `json:"asked,omitzero"` // when a person was asked for; zero: never
	Group     int64     `json:"group,omitempty"`
	Agent     string    `json:"agent,omitempty"` // the last one
	Contact   bool      `json:"contact,omitempty"`
	Began     time.Time `json:"began"`
	Took      time.Time `json:"took,omitzero"` // when an agent took it
	Ended     time.Time `json:"ended,omitzero"`
	EndStatus string    `json:"end_status,omitempty"`
	Rating    int       `json:"rating,omitempty"` // stars, 0 for none
}

// transferred notes that a person was asked for, and who it is.
func (r *Record) transferred(at time.Time, w wish, a *Agent) {
	if r.Asked.IsZero() {
		r.Asked = at
	}
	switch {
	case w.Group != nil:
		r.Group = *w.Group
	case a != nil && len(a.Groups) > 0:
		r.Group = a.Groups[0]
	}
	if a != nil {
		r.Agent = a.ID
	}
}

// end closes a record once.
func (r *Record) end(at time.Time, status string) {
	if r.Ended.IsZero() {
		r.Ended, r.EndStatus = at, status
	}
}

// Records returns the records of all sessions in order of their beginning, those
// that are running included.
func (d *Desk) Records() []Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Record, 0, len(d.records))
	for _, r := range d.records {
		all = append(all, *r)
	}
	return all
}

// Rate lets a customer give stars to a session that runs or has ended: the record
// has them, and a session event that carries SatisfactionSelected is sent. Its
// name is that of Options.Events or of WithEvent.
func (d *Desk) Rate(id string, stars int, opts ...Option) Answer {
	d.mu.Lock()
	s := d.sessions[id]
	if s == nil || stars < 1 || stars > 5 {
		d.mu.Unlock()
		return Answer{Skipped: true, Err: fmt.Errorf("no session %q, or %d is not 1 to 5 stars", id, stars)}
	}
	s.record.Rating = stars
	n := d.notice(s, d.o.Events.Rated)
	n.Satisfaction = stars
	for _, o := range opts {
		o(&n)
	}
	sent := d.send(s, n)
	d.mu.Unlock()
	return <-sent
}

// cut returns one page of a list by Limit and Offset; ok is false when they are
// illegal.
func cut[T any](f fields, standard int, all []T) (page []T, ok bool) {
	limit, offset := standard, 0
	if !f.get("Limit", &limit) || !f.get("Offset", &offset) || limit < 1 || limit > 100 || offset < 0 {
		return nil, false
	}
	offset = min(offset, len(all))
	return all[offset:min(len(all), offset+limit)], true
}

// span reads two required times in seconds.
func (f fields) span(from, to string) (begin, end time.Time, ok bool) {
	var a, b int64
	ok = f.has(from) && f.has(to) && f.get(from, &a) && f.get(to, &b) && a <= b
	return time.Unix(a, 0), time.Unix(b+1, 0).Add(-1), ok
}

// within returns the records of sessions that began in a time.
func (d *Desk) within(begin, end time.Time, which func(*Record) bool) []*Record {
	var some []*Record
	for _, r := range d.records {
		if !r.Began.Before(begin) && !r.Began.After(end) && which(r) {
			some = append(some, r)
		}
	}
	return some
}

func (d *Desk) recordList(f fields) reply {
	var user string
	begin, end, ok := f.span("StartTimestamp", "EndTimestamp")
	if !ok || !f.get("ClientUserId", &user) {
		return refuse(141004, "illegal parameters")
	}
	all := d.within(begin, end, func(r *Record) bool {
		return !r.Ended.IsZero() && !r.Asked.IsZero() && (user == "" || r.User == user)
	})
	page, ok := cut(f, 20, all)
	if !ok {
		return refuse(141004, "illegal parameters: Limit, Offset")
	}
	list := make([]map[string]any, 0, len(page))
	for _, r := range page {
		row := map[string]any{
			"SessionId": r.Session, "AgentGroupId": strconv.FormatInt(r.Group, 10), "AgentGroupName": d.nameOf(r.Group), "AgentId": r.Agent,
			"ChannelType": "SDK", "ClientUserId": r.User, "ClientUserNickName": "", "Duration": seconds(r.Took, r.Ended),
			"EndStatus": r.EndStatus, "SatisfactionSelected": r.Rating, "Timestamp": r.Began.Unix(),
		}
		list = append(list, row)
	}
	answer := success()
	answer.own["TotalCount"], answer.own["IMCdrList"] = len(all), list
	return answer
}

// seconds is the time between two moments; 0 where one is missing.
func seconds(from, to time.Time) int64 {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return int64(to.Sub(from) / time.Second)
}

func (d *Desk) sessionStatistics(f fields) reply {
	begin, end, ok := f.span("From", "To")
	byHour := false
	if !ok || !f.get("GroupByHour", &byHour) {
		return refuse(141004, "illegal parameters")
	}
	form := time.DateOnly
	if byHour {
		form = "15:00"
	}
	parts := map[string][]*Record{}
	for _, r := range d.within(begin, end, func(*Record) bool { return true }) {
		at := r.Began.In(d.o.Now().Location()).Format(form)
		parts[at] = append(parts[at], r)
	}
	return d.rows(parts, "Time", f, true)
}

func (d *Desk) agentStatistics(f fields) reply {
	var ids []string
	begin, end, ok := f.span("From", "To")
	if !ok || !f.get("AgentIds", &ids) {
		return refuse(141004, "illegal parameters")
	}
	parts := map[string][]*Record{}
	for id := range d.agents {
		if len(ids) == 0 || slices.Contains(ids, id) {
			parts[id] = d.within(begin, end, func(r *Record) bool { return r.Agent == id })
		}
	}
	return d.rows(parts, "AgentId", f, false)
}

// rows answers with the figures of each part, in order of the parts' names.
func (d *Desk) rows(parts map[string][]*Record, name string, f fields, whole bool) reply {
	rows := make([]map[string]any, 0, len(parts))
	for _, part := range sorted(parts) {
		row := figures(parts[part])
		row[name] = part
		rows = append(rows, row)
	}
	page, ok := rows, true
	if !whole {
		page, ok = cut(f, 100, rows)
	}
	if !ok {
		return refuse(141004, "illegal parameters: Limit, Offset")
	}
	answer := success()
	answer.own["TotalCount"], answer.own["Data"] = len(rows), page
	return answer
}

// figures counts records by the names that both pages of statistics have. What a
// session makes effective is not documented: here it is an agent.
func figures(records []*Record) map[string]any {
	var asked, took, rated, ended int
	var served, waited int64
	stars := [6]int{}
	for _, r := range records {
		if !r.Asked.IsZero() {
			asked++
		}
		if !r.Took.IsZero() {
			took++
			served += seconds(r.Took, r.Ended)
			waited += seconds(r.Asked, r.Took)
		}
		if r.Rating > 0 {
			rated++
			stars[r.Rating]++
		}
		if r.EndStatus == EndedByAgent {
			ended++
		}
	}
	return map[string]any{
		"TotalSessionCnt": len(records), "TransferAgentSessionCnt": asked, "AgentAcceptCnt": took, "EffectiveSessionCnt": took,
		"SatisfactionSelectedCnt": rated, "OneStarSelectedCnt": stars[1], "TwoStarSelectedCnt": stars[2], "ThreeStarSelectedCnt": stars[3],
		"FourStarSelectedCnt": stars[4], "FiveStarSelectedCnt": stars[5], "AgentEndCnt": ended,
		"AvgFirstRespTime": waited / int64(max(took, 1)), "AvgQueueTime": waited / int64(max(took, 1)), "AvgAcceptTime": served / int64(max(took, 1)),
	}
}
