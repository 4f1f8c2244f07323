package desktest

import (
	"maps"
	"slices"

	"escalator/bot/desk"
)

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// receptionNow counts agents by their status, whether or not they have room.
func (d *Desk) receptionNow(fields) reply {
	status, state, waiting := map[string]int{}, map[desk.State]int{}, map[int64]int{}
	for _, a := range d.agents {
		status[a.status()]++
	}
	for _, s := range d.sessions {
		state[s.state]++
		if s.state == desk.StateQueueing && s.wish.Group != nil {
			waiting[*s.wish.Group]++
		}
	}
	groups := []map[string]any{}
	for _, id := range d.allGroups() {
		groups = append(groups, map[string]any{"GroupId": id, "GroupName": d.nameOf(id), "QueueCnt": waiting[id]})
	}
	answer := success()
	answer.own["Data"] = map[string]any{
		"FreeAgentCnt": status["free"], "BusyAgentCnt": status["notReady"], "RestAgentCnt": status["rest"],
		"CurrentQueueCnt": state[desk.StateQueueing], "CurrentAgentAcceptCnt": state[desk.StateAgent],
		"CurrentTransferAgentCnt": state[desk.StateQueueing] + state[desk.StateWaiting] + state[desk.StateAgent],
		"CurrentGroupQueueCnt":    groups,
	}
	return answer
}

// membersNow lists agents, offline ones too.
func (d *Desk) membersNow(f fields) reply {
	var ids []string
	if !f.get("MemberIds", &ids) {
		return refuse(141004, "illegal parameters: MemberIds")
	}
	list := []map[string]any{}
	number := map[string]int{"free": memberFree, "notReady": memberBusy, "rest": memberRest, "offline": memberOffline}
	for _, id := range sorted(d.agents) {
		if a := d.agents[id]; len(ids) == 0 || slices.Contains(ids, id) {
			list = append(list, map[string]any{
				"MemberId": id, "MemberNickName": id, "MemberStatus": number[a.status()], "CurrentAcceptCnt": a.Serving,
			})
		}
	}
	page, ok := cut(f, 100, list)
	if !ok {
		return refuse(141004, "illegal parameters: Limit, Offset")
	}
	answer := success()
	answer.own["TotalCount"], answer.own["Data"] = len(list), page
	return answer
}

func (d *Desk) groupList(f fields) reply {
	list := []map[string]any{}
	for _, id := range d.allGroups() {
		list = append(list, map[string]any{
			"MemberGroupID": id, "MemberGroupName": d.nameOf(id), "ReceptionLimit": 0, "GroupMemberCount": len(d.membersOf(id)),
		})
	}
	return d.numbered(f, "PageNumber", 100, "MemberGroupList", list)
}

func (d *Desk) groupMembers(f fields) reply {
	var group int64
	if !f.has("MemberGroupID") || !f.get("MemberGroupID", &group) || !d.knowsGroup(group) {
		return refuse(141004, "illegal parameters: MemberGroupID")
	}
	return d.numbered(f, "PageNum", 100, "MemberList", d.membersOf(group))
}

func (d *Desk) membersOf(group int64) []map[string]any {
	list := []map[string]any{}
	for _, id := range sorted(d.agents) {
		if a := d.agents[id]; slices.Contains(a.Groups, group) {
			list = append(list, map[string]any{
				"MemberMail": id, "NickName": id, "RoleIDList": []int{}, "MemberGroupIDList": a.Groups, "MemberReceptionLimit": a.Capacity,
			})
		}
	}
	return list
}
