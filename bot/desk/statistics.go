package desk

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// EndedByAgent is the only EndStatus that a page shows.
const EndedByAgent = "AgentEndedSession"

// SessionRecord is Desk's record of a session that was with an agent, or should
// have been.
type SessionRecord struct {
	SessionID, UserID  string
	AgentID            string
	NoAgent            bool // Desk says that it had no agent; AgentID is empty also where Desk left it out
	GroupID, GroupName string
	EndStatus          string         // EndedByAgent, …; the list of values is not documented
	Duration           *time.Duration // nil: unknown
	Rating             *int           // stars, 1 to 5; nil: not rated, or unknown
	At                 time.Time      // zero: unknown
}

// Records asks for the records of sessions between two times, of one user unless
// that is empty; at most 10,000. The error is an *Error.
func (c *Client) Records(ctx context.Context, from, to time.Time, user string) (Page[SessionRecord], error) {
	return pages(ctx, c, listing[SessionRecord]{
		op: "describe_im_cdr_list", list: "IMCdrList", size: pageSize, bound: maxRecords,
		request: func(page int) any {
			return struct {
				StartTimestamp, EndTimestamp int64
				ClientUserID                 string `json:"ClientUserId,omitempty"`
				Limit, Offset                int
			}{from.Unix(), to.Unix(), user, pageSize, page * pageSize}
		},
		decode: sessionRecord,
	})
}

// ParseSessionRecord reads one record as Desk writes it.
func ParseSessionRecord(data []byte) (SessionRecord, error) {
	root, err := parse(string(data))
	if err != nil {
		return SessionRecord{}, err
	}
	r := sessionRecord(answer{root})
	if r.SessionID == "" {
		return r, errors.New("the record has no SessionId")
	}
	return r, nil
}

func sessionRecord(a answer) SessionRecord {
	r := SessionRecord{
		SessionID: a.text("SessionId"), UserID: a.text("ClientUserId"), AgentID: a.text("AgentId"),
		GroupID: a.text("AgentGroupId"), GroupName: a.text("AgentGroupName"), EndStatus: a.text("EndStatus"),
		At: a.moment("Timestamp"),
	}
	r.NoAgent = r.AgentID == "" && a.get("AgentId").Type == gjson.String
	if n := a.figure("Duration"); n != nil && *n < int(maxDuration/time.Second) {
		d := time.Duration(*n) * time.Second
		r.Duration = &d
	}
	if n := a.figure("SatisfactionSelected"); n != nil && *n >= 1 && *n <= 5 {
		r.Rating = n
	}
	return r
}

// maxDuration is longer than any session: more is an error of whoever wrote it.
const maxDuration = 10 * 365 * 24 * time.Hour

// Statistics is a row of Desk's statistics: of a day or an hour, or of an agent.
type Statistics struct {
	Time    string // "2025-04-06" or "09:00"
	AgentID string // of AgentStatistics only

	figures map[string]float64 // by name in lower case
}

// Figure returns a figure by the name that Desk's page has for it, such as
// "TransferAgentSessionCnt"; times are in seconds. It is false when Desk left
// the figure out.
func (s Statistics) Figure(name string) (float64, bool) {
	f, ok := s.figures[strings.ToLower(name)]
	return f, ok
}

// maxFigures bounds the figures of a row; the pages list 26 at most.
const maxFigures = 100

func statistics(a answer) Statistics {
	s := Statistics{Time: a.text("Time"), AgentID: a.text("AgentId"), figures: map[string]float64{}}
	a.root.ForEach(func(key, _ gjson.Result) bool {
		switch name := strings.ToLower(key.Str); name {
		case "time", "agentid", "agentnickname":
		default:
			if f := a.number(key.Str); f != nil && *f >= 0 {
				s.figures[name] = *f
			}
		}
		return len(s.figures) < maxFigures
	})
	return s
}

// SessionStatistics asks for the sessions' figures between two times, by the
// hour or by the day. The error is an *Error.
func (c *Client) SessionStatistics(ctx context.Context, from, to time.Time, byHour bool) ([]Statistics, error) {
	a, err := c.call(ctx, "describe_session_statistics", struct {
		From, To    int64
		GroupByHour bool
	}{from.Unix(), to.Unix(), byHour})
	if err != nil {
		return nil, err
	}
	rows, _ := a.list("Data")
	all := make([]Statistics, 0, min(len(rows), maxItems))
	for _, row := range rows[:cap(all)] {
		all = append(all, statistics(row))
	}
	return all, nil
}

// AgentStatistics asks for the agents' figures of whole days, of all agents or
// of those that are named (100 at most). The error is an *Error.
func (c *Client) AgentStatistics(ctx context.Context, from, to time.Time, ids ...string) (Page[Statistics], error) {
	return pages(ctx, c, listing[Statistics]{
		op: "describe_agent_statistics", list: "Data", size: pageSize, bound: maxItems,
		request: func(page int) any {
			return struct {
				From, To      int64
				AgentIDs      []string `json:"AgentIds,omitempty"`
				Limit, Offset int
			}{from.Unix(), to.Unix(), ids, pageSize, page * pageSize}
		},
		decode: statistics,
	})
}
