package desk

import (
	"context"
	"strings"

	"github.com/tidwall/gjson"
)

// RobotConfig is how Desk's own robot is set up. Thresholds are between 0 and 1.
type RobotConfig struct {
	Fallback                   string   // what it says when it did not understand
	Clarify                    string   // what it says above its guesses
	ToAgent                    *bool    // it tells by itself who wants a person; nil: unknown
	AnswersAt, ChatsAt, AsksAt *float64 // the least likeness for an answer, for small talk, for a guess
}

// RobotConfig asks for the robot's setup in a language, "" for the default one.
// The error is an *Error.
func (c *Client) RobotConfig(ctx context.Context, language string) (RobotConfig, error) {
	a, err := c.call(ctx, "desc_robot_config", struct{ LanguageTag string }{language})
	if err != nil {
		return RobotConfig{}, err
	}
	a = a.data()
	return RobotConfig{
		Fallback: a.text("FallbackMsg"), Clarify: a.text("ClarifyMessage"), ToAgent: a.flag("ToAgentEnable"),
		AnswersAt: a.number("DirectAnsweringReaches"), ChatsAt: a.number("ChitchatReaches"), AsksAt: a.number("ClarifyReaches"),
	}, nil
}

// Texts is what Desk says by itself in one language, and when it is open.
type Texts struct {
	ByName   map[string]string // by Desk's names: "WelcomeMessage", "QueueingPrompt", "NotWorkTimePrompt", …
	Disabled map[string]bool   // whether a text is switched off, by the same names; absent: unknown
	Hours    Hours
}

// Hours is Desk's WorkTimeConfig. Which values Type and Day may have is not
// documented, so they are kept as they are.
type Hours struct {
	Type    *int
	Periods []Period
}

// Period is a time of a day in which Desk is open.
type Period struct{ Day, Start, End string }

const (
	maxLanguages = 100 // of one setting
	maxTexts     = 100 // of one language
)

// texts reads MultilingualSettings: language → settings.
func (a answer) texts() map[string]Texts {
	all := map[string]Texts{}
	enter(a.get("MultilingualSettings")).ForEach(func(language, v gjson.Result) bool {
		if v = enter(v); v.IsObject() && language.Str != "" {
			all[strings.Clone(language.Str)] = textsOf(answer{v})
		}
		return len(all) < maxLanguages
	})
	return all
}

func textsOf(a answer) Texts {
	t := Texts{ByName: map[string]string{}, Disabled: map[string]bool{}, Hours: a.hours()}
	a.root.ForEach(func(key, v gjson.Result) bool {
		name := strings.Clone(key.Str)
		if of, ok := strings.CutSuffix(name, "Disabled"); ok {
			if off := a.flag(name); off != nil {
				t.Disabled[of] = *off
			}
		} else if v.Type == gjson.String {
			t.ByName[name] = a.text(name)
		}
		return len(t.ByName)+len(t.Disabled) < maxTexts
	})
	return t
}

func (a answer) hours() Hours {
	config := answer{enter(a.get("WorkTimeConfig"))}
	h := Hours{Type: config.integer("Type")}
	days, _ := config.list("Periods")
	for _, day := range days {
		spans, _ := day.list("PeriodsWithinOneDay")
		for _, s := range spans {
			if len(h.Periods) < maxItems {
				h.Periods = append(h.Periods, Period{day.text("Day"), s.text("Start"), s.text("End")})
			}
		}
	}
	return h
}

// ConversationSetting is a set of texts and hours that entries share.
type ConversationSetting struct {
	ID    string
	Texts map[string]Texts // by language
}

// settingsPage is the most settings that Desk gives at once.
const settingsPage = 10

// ConversationSettings asks for all sets of texts and hours, at most 1,000. The
// error is an *Error.
func (c *Client) ConversationSettings(ctx context.Context) (Page[ConversationSetting], error) {
	return pages(ctx, c, listing[ConversationSetting]{
		op: "get_channel_specific_conversation_settings", list: "Data", size: settingsPage, bound: maxItems, anyBase: true,
		request: func(page int) any { return struct{ PageNumber, PageSize int }{page, settingsPage} },
		decode: func(a answer) ConversationSetting {
			return ConversationSetting{ID: a.text("ConversationSettingId"), Texts: a.texts()}
		},
	})
}

// Kinds of Entry.RobotType.
const (
	RobotBuiltIn    = 0 // Desk's own
	RobotThirdParty = 1 // one's own; not in the standard edition
	RobotADP        = 2 // of Tencent's agent platform; not in the standard edition
)

// Entry is a consultation entry: the account that customers write to.
type Entry struct {
	ID, Name  string
	Robot     *bool  // a robot answers; nil: unknown
	RobotType *int   // RobotBuiltIn, …; of EntriesByID only
	RobotID   string // "@RBT#DeskDefaultRobot"
	GroupID   string // of the agents who serve it; "" or "0": any
	Texts     map[string]Texts
}

// Entries asks for all entries with their texts, at most 1,000. The error is an
// *Error.
func (c *Client) Entries(ctx context.Context) ([]Entry, error) {
	return c.entries(ctx, "get_im_agent_list_multilingual", nil)
}

// EntriesByID asks for entries by the newer call, which alone tells whose robot
// answers. One id that Desk does not know fails the call. At most 100. The error
// is an *Error.
func (c *Client) EntriesByID(ctx context.Context, ids ...string) ([]Entry, error) {
	return c.entries(ctx, "get_desk_im_agent_list", ids[:min(len(ids), pageSize)])
}

func (c *Client) entries(ctx context.Context, op string, ids []string) ([]Entry, error) {
	a, err := c.call(ctx, op, struct {
		IDs []string `json:"IMAgentUserIDList,omitempty"`
	}{ids})
	if err != nil {
		return nil, err
	}
	items, _ := a.list("Data")
	all := make([]Entry, 0, min(len(items), maxItems))
	for _, item := range items[:cap(all)] {
		e := Entry{
			ID: item.text("IMAgentUserID"), Name: item.text("IMAgentNick"), Robot: item.flag("RobotEnable"),
			RobotType: item.integer("RobotType"), RobotID: item.text("RobotId"), GroupID: item.text("AgentGroupId"), Texts: item.texts(),
		}
		if off := item.flag("ChatbotDisabled"); e.Robot == nil && off != nil {
			on := !*off
			e.Robot = &on
		}
		all = append(all, e)
	}
	return all, nil
}

// Group is a group of agents.
type Group struct {
	ID, Name string
	Limit    *int // sessions that one agent of it takes
	Members  *int // agents in it
}

// Groups asks for all groups, at most 1,000. The error is an *Error.
func (c *Client) Groups(ctx context.Context) (Page[Group], error) {
	return pages(ctx, c, listing[Group]{
		op: "get_member_group_list", list: "MemberGroupList", size: pageSize, bound: maxItems, anyBase: true,
		request: func(page int) any { return struct{ PageSize, PageNumber int }{pageSize, page} },
		decode: func(a answer) Group {
			return Group{
				ID: a.text("MemberGroupID"), Name: a.text("MemberGroupName"),
				Limit: a.figure("ReceptionLimit"), Members: a.figure("GroupMemberCount"),
			}
		},
	})
}

// GroupMembers asks for the agents of a group by their e-mail addresses, which
// are the agents' ids everywhere else; at most 1,000. The error is an *Error.
func (c *Client) GroupMembers(ctx context.Context, group int64) (Page[string], error) {
	return pages(ctx, c, listing[string]{
		op: "get_member_list_in_group", list: "MemberList", size: pageSize, bound: maxItems,
		request: func(page int) any {
			return struct {
				MemberGroupID     int64
				PageSize, PageNum int
			}{group, pageSize, page}
		},
		decode: func(a answer) string { return a.text("MemberMail") },
	})
}
