package desktest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"escalator/bot/desk"
)

// Entry is a consultation entry: the account that customers write to.
type Entry struct {
	ID        string                    `json:"id"`
	Name      string                    `json:"name"`
	Robot     bool                      `json:"robot"`      // a robot answers
	RobotType int                       `json:"robot_type"` // desk.RobotBuiltIn, …
	RobotID   string                    `json:"robot_id"`
	Group     int64                     `json:"group"`
	Texts     map[string]map[string]any `json:"texts"` // language → settings by the names of MultilingualSettings
}

func defaultEntry() *Entry {
	return &Entry{
		ID: DefaultService, Name: "Service", Robot: true, RobotType: desk.RobotBuiltIn, RobotID: "@RBT#DeskDefaultRobot",
		Texts: map[string]map[string]any{"zh": {
			"WelcomeMessage": "您好,很高兴为您服务!", "WelcomeMessageDisabled": 0,
			"TransferToHumanPrompt": "正在为您转接,请稍候", "TransferToHumanPromptDisabled": 0,
			"TransferToHumanSuccessPrompt": "客服${StaffNickName}为您服务", "TransferToHumanSuccessPromptDisabled": 0,
			"TransferToHumanFailPrompt": "抱歉,当前无客服在线", "TransferToHumanFailPromptDisabled": 0,
			"QueueingPrompt": "您目前排在第${QueuePosition}位,前面还有${WaitNo}人", "NotWorkTimePrompt": "现在是休息时间",
			"EndPrompt": "本次服务已结束", "TimeoutEndPrompt": "本次服务已自动结束", "WorkTimeConfig": map[string]any{"Type": 0},
		}},
	}
}

func defaultRobot() map[string]any {
	return map[string]any{
		"WelcomeCardEnable": 0, "ToAgentEnable": 0, "DirectAnsweringReaches": 0.8, "ChitchatEnable": 0, "ChitchatReaches": "0.8",
		"ClarifyEnable": 0, "ClarifyReaches": "0.6", "ClarifyMessage": "", "ClarifyNumber": 5, "FallbackMsg": "Sorry, I did not understand.",
	}
}

// SetEntry adds a consultation entry or changes one.
func (d *Desk) SetEntry(e Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.entry(e.ID); old != nil {
		*old = e
		return
	}
	d.entries = append(d.entries, &e)
}

func (d *Desk) entry(id string) *Entry {
	if i := slices.IndexFunc(d.entries, func(e *Entry) bool { return e.ID == id }); i >= 0 {
		return d.entries[i]
	}
	return nil
}

// SetRobot changes fields of what desc_robot_config answers.
func (d *Desk) SetRobot(named map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.Copy(d.robot, named)
}

// SetGroup names a group of agents, and makes it one even without agents.
func (d *Desk) SetGroup(id int64, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.groups[id] = name
}

// allGroups returns the ids of all groups in order.
func (d *Desk) allGroups() []int64 {
	ids := slices.Collect(maps.Keys(d.groups))
	for _, a := range d.agents {
		ids = append(ids, a.Groups...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (d *Desk) nameOf(group int64) string {
	return cmp.Or(d.groups[group], fmt.Sprintf("Group %d", group))
}

// robotConfig knows one language, whichever is asked for.
func (d *Desk) robotConfig(f fields) reply {
	var language string
	if !f.get("LanguageTag", &language) {
		return refuse(141004, "illegal parameters: LanguageTag")
	}
	return reply{own: maps.Clone(d.robot)}
}

// conversationSettings has one setting for each entry, with the entry's texts.
func (d *Desk) conversationSettings(f fields) reply {
	settings := make([]map[string]any, 0, len(d.entries))
	for i, e := range d.entries {
		settings = append(settings, map[string]any{"ConversationSettingId": i + 1, "MultilingualSettings": e.Texts})
	}
	return d.numbered(f, "PageNumber", 10, "Data", settings)
}

// numbered answers with one page of a list, whose pages count from 0.
func (d *Desk) numbered(f fields, number string, most int, name string, all []map[string]any) reply {
	size, page := most, 0
	if !f.get("PageSize", &size) || !f.get(number, &page) || size < 1 || size > most || page < 0 {
		return refuse(141004, "illegal parameters: PageSize, "+number)
	}
	from := min(page*size, len(all))
	answer := success()
	answer.own[name], answer.own["Total"] = all[from:min(len(all), from+size)], len(all)
	return answer
}

func (d *Desk) entryList(f fields) reply {
	var ids []string
	if !f.get("IMAgentUserIDList", &ids) {
		return refuse(141004, "illegal parameters: IMAgentUserIDList")
	}
	list := []map[string]any{}
	for _, e := range d.entries {
		if len(ids) > 0 && !slices.Contains(ids, e.ID) {
			continue
		}
		disabled := 1
		if e.Robot {
			disabled = 0
		}
		list = append(list, map[string]any{
			"IMAgentUserID": e.ID, "IMAgentNick": e.Name, "IMAgentAvatarUrl": "", "ChatbotDisabled": disabled, "AgentGroupId": e.Group,
			"RobotId": e.RobotID, "GroupChatMode": 0, "MultilingualSettings": e.Texts,
		})
	}
	answer := success()
	answer.own["Data"] = list
	return answer
}

// entriesByID fails altogether for one id that it does not know, as the page says.
func (d *Desk) entriesByID(f fields) reply {
	var ids []string
	if !f.get("IMAgentUserIDList", &ids) || len(ids) == 0 || len(ids) > 100 {
		return refuse(141004, "illegal parameters: IMAgentUserIDList")
	}
	list := []map[string]any{}
	for _, id := range ids {
		e := d.entry(id)
		if e == nil {
			return refuse(141004, "illegal parameters: no such IMAgentUserID")
		}
		enabled := 0
		if e.Robot {
			enabled = 1
		}
		list = append(list, map[string]any{
			"IMAgentUserID": e.ID, "IMAgentNick": e.Name, "RobotEnable": enabled, "RobotType": e.RobotType, "RobotId": e.RobotID,
		})
	}
	answer := success()
	answer.own["Data"] = list
	return answer
}
