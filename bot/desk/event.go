package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// The callbacks that this package knows, as CallbackCommand names them.
const (
	CommandSessionEvent  = "Desk.SessionEventNotify"
	CommandAssignHuman   = "ChatBot.OnAssignHuman"
	CommandAssignAgent   = "ChatBot.OnAssignAgent" // the older name of CommandAssignHuman
	CommandTaskFlow      = "Chatbot.InterfaceInvocation"
	CommandBotC2C        = "Bot.OnC2CMessage"
	CommandBotGroup      = "Bot.OnGroupMessage"
	CommandC2CBefore     = "C2C.CallbackBeforeSendMsg"
	CommandC2CAfter      = "C2C.CallbackAfterSendMsg"
	CommandGroupBefore   = "Group.CallbackBeforeSendMsg"
	CommandGroupAfter    = "Group.CallbackAfterSendMsg"
	CommandMemberChanged = "Member.EventNotify"
)

// The events of CommandSessionEvent whose names Tencent documents. There are
// more, whose names no page gives; the rule file maps them (RULES.md `events`).
const (
	EventSessionBegin = "SessionBegin"
	EventUserMessage  = "ChatBot.UserSendMsg"
	EventBotMessage   = "ChatBot.RobotSendMsg"
)

// Event is one callback, decoded. Every field may be empty.
//
// The short strings (all but Text, Elements, CloudCustomData and what Field and
// Task return) are copies that share one small allocation, so they may be kept.
// Those others may alias Body: clone (strings.Clone) what outlives the
// request, or a 10-byte word keeps a 1 MiB body alive. The caller must not change
// the bytes of Body while the Event is in use. An Event is never changed once it
// is decoded.
type Event struct {
	Command   string // of the query, else of the body
	Conflict  bool   // query and body, or two places of one of them, name different commands
	RequestID string

	Name      string // the field Event
	SessionID string // SessionId, or SystemSessionID of a task flow
	UserID    string // ClientUserId, or SystemClientUserID of a task flow
	ServiceID string // CustomerServiceId
	MsgKey    string

	From    string // From_Account
	To      string // To_Account
	GroupID string // GroupId

	MemberID string // of CommandMemberChanged: the agent
	Status   string // and the new status; "free" and "ready" both mean free

	Time       time.Time // EventTime, else MsgTime; zero when missing or absurd
	SendFailed bool      // SendMsgResult is not 0: the message was not delivered

	Text     string   // all text elements joined by "\n", a group's @mention of the bot removed
	Elements []string // MsgType of what else the message holds, the first few

	Plugin    bool   // a custom message of the customer service plug-in
	PluginSrc string // its src, "" when it has none

	CloudCustomData string // as sent; may be anything
	Mark            string // its messageType, when it is JSON: "fallback", "queuing", …
	Role            string // its role: "robot" or "seat"

	Body []byte // the whole body, nil when there was none

	task string // raw JSON of the task flow's Body
}

// Sources of the plug-in's custom messages that are signals, not content: a
// divider, the session's start, online state, typing, rating settings, bot and
// human status. No rule must ever match them.
const (
	srcDivider        = "6"
	srcSessionStart   = "7"
	srcOnlineState    = "11"
	srcTyping         = "12"
	srcRatingSettings = "23"
	srcBotStatus      = "25"
	srcHumanStatus    = "26"
)

// Control tells whether the message is a signal of the client's plug-in
// (session start, typing, online state, …) and so nothing that a person said.
// Its Text and Elements are empty.
func (e *Event) Control() bool {
	if !e.Plugin {
		return false
	}
	switch e.PluginSrc {
	case srcDivider, srcSessionStart, srcOnlineState, srcTyping, srcRatingSettings, srcBotStatus, srcHumanStatus:
		return true
	}
	return false
}

// Field returns the value at a plain dotted path of the body, such as
// "CloudCustomData.level" or "MsgBody.0.MsgContent.Data.x": strings that hold
// JSON are entered, numbers index arrays, of two members with one name the
// first counts. Numbers and booleans come as their text, objects and arrays as
// JSON; a null is not there. The value may alias Body.
func (e *Event) Field(path string) (string, bool) {
	if len(e.Body) == 0 {
		return "", false
	}
	return lookup(gjson.Parse(view(e.Body)), path)
}

// Texts visits the texts and numbers at a path as for Field, in which * stands for
// every place of an array, in their order, until visit is false. Objects and
// arrays are passed over, those that a string holds as JSON included. A value may
// alias Body.
func (e *Event) Texts(path string, visit func(text string) bool) {
	if len(e.Body) > 0 {
		texts(gjson.Parse(view(e.Body)), path, visit)
	}
}

// Task returns a variable of a task flow's API call by its exact name, dots
// included. The value may alias Body.
func (e *Event) Task(name string) (string, bool) {
	v := member(gjson.Parse(e.task), name)
	return text(v), v.Exists() && v.Type != gjson.Null
}

// maxID bounds a short string of an Event. Nothing real is longer; what is gets
// replaced by its hash, so that ids stay distinct and memory stays bounded.
const maxID = 512

// ID is the form in which an Event has a short string: an id that somebody names is kept
// under it.
func ID(s string) string {
	if len(s) <= maxID {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// pack gives the names their known spellings, and copies the other short strings into one
// allocation of their own.
func (e *Event) pack() {
	e.Command, e.Name = canonical(e.Command, commands), canonical(e.Name, events)
	fields := [...]*string{
		&e.RequestID, &e.SessionID, &e.UserID, &e.ServiceID, &e.MsgKey,
		&e.From, &e.To, &e.GroupID, &e.MemberID, &e.Status, &e.PluginSrc, &e.Mark, &e.Role,
	}
	total := 0
	for _, f := range fields {
		*f = ID(*f)
		total += len(*f)
	}
	var b strings.Builder
	b.Grow(total)
	for _, f := range fields {
		if n := len(*f); n > 0 {
			from := b.Len()
			b.WriteString(*f)
			*f = b.String()[from : from+n]
		}
	}
}

var (
	commands = []string{
		CommandSessionEvent, CommandAssignHuman, CommandAssignAgent, CommandTaskFlow, CommandBotC2C, CommandBotGroup,
		CommandC2CBefore, CommandC2CAfter, CommandGroupBefore, CommandGroupAfter, CommandMemberChanged,
	}
	events = []string{EventSessionBegin, EventUserMessage, EventBotMessage}
)

// canonical returns the known spelling of a name, or a copy: Tencent's pages write both
// "ChatBot." and "Chatbot.".
func canonical(name string, known []string) string {
	for _, k := range known {
		if name == k || strings.EqualFold(name, k) {
			return k
		}
	}
	return strings.Clone(ID(name))
}
