package desk

import (
	"context"
	"slices"
)

// Reception is what Desk says of its agents and its queue now. A figure that it
// left out is nil.
type Reception struct {
	Free, Busy, Rest *int           // agents by status
	Queue            *int           // customers who wait
	Accepting        *int           // sessions that agents are serving
	Transferring     *int           // sessions that were transferred
	GroupQueues      map[string]int // customers who wait by the id of their group; nil: Desk left them out
}

// Reception asks how many agents there are and how many customers wait. The
// error is an *Error.
func (c *Client) Reception(ctx context.Context) (Reception, error) {
	a, err := c.call(ctx, "describe_reception_realtime_statistics", struct{}{})
	if err != nil {
		return Reception{}, err
	}
	groups, known := a.list("CurrentGroupQueueCnt")
	a = a.data()
	r := Reception{
		Free: a.figure("FreeAgentCnt"), Busy: a.figure("BusyAgentCnt"), Rest: a.figure("RestAgentCnt"),
		Queue: a.figure("CurrentQueueCnt"), Accepting: a.figure("CurrentAgentAcceptCnt"), Transferring: a.figure("CurrentTransferAgentCnt"),
	}
	if !known || !a.get("CurrentGroupQueueCnt").Exists() {
		return r, nil
	}
	r.GroupQueues = map[string]int{}
	for _, g := range groups[:min(len(groups), maxItems)] {
		if id, n := g.text("GroupId"), g.figure("QueueCnt"); id != "" && n != nil {
			r.GroupQueues[id] = *n
		}
	}
	return r, nil
}

// MemberStatistics is what Desk says of one agent now.
type MemberStatistics struct {
	ID, Nickname string
	Status       *int // as Desk writes it: no page that could be read says what the values mean
	Serving      *int // sessions at the moment
}

// Members asks for the agents one by one, all of them or those that are named;
// at most 1,000. The error is an *Error.
func (c *Client) Members(ctx context.Context, ids ...string) (Page[MemberStatistics], error) {
	var all Page[MemberStatistics]
	if len(ids) > maxItems {
		ids, all.Cut = ids[:maxItems], true
	}
	parts := slices.Collect(slices.Chunk(ids, pageSize)) // a request is 12 KB at most
	if len(parts) == 0 {
		parts = [][]string{nil}
	}
	for _, part := range parts {
		page, err := pages(ctx, c, listing[MemberStatistics]{
			op: "describe_member_realtime_statistics", list: "Data", size: pageSize, bound: maxItems,
			request: func(page int) any {
				return struct {
					Limit, Offset int
					MemberIDs     []string `json:"MemberIds,omitempty"`
				}{pageSize, page * pageSize, part}
			},
			decode: func(a answer) MemberStatistics {
				return MemberStatistics{
					ID: a.text("MemberId"), Nickname: a.text("MemberNickName"),
					Status: a.integer("MemberStatus"), Serving: a.figure("CurrentAcceptCnt"),
				}
			},
		})
		if err != nil {
			return Page[MemberStatistics]{}, err
		}
		all.Items, all.Total, all.Cut = append(all.Items, page.Items...), page.Total, all.Cut || page.Cut
	}
	if len(parts) > 1 {
		all.Total = nil // Desk told of each part only
	}
	return all, nil
}
