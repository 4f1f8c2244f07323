package rules

import (
	"slices"
	"strings"
	"unicode"

	"escalator/rules/lang"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// callbackField is a field that callbacks are known to have. The lint on paths and the table of docs/rules.md are made of
// these; Desk may add others.
type callbackField struct {
	path  string // 0 stands for any place in a list
	in    string // the callbacks that have it
	doc   string
	below string // what the app itself puts below it, "" if nothing is
}

const (
	inSessions = "session events"
	inMessages = "messages, of Desk or plain IM"
	inChat     = "plain IM"
	inGroups   = "groups"
	inTasks    = "task flows"
	inAgents   = "agents' status"
)

var callbackFields = []callbackField{
	{"CallbackCommand", "all", "the callback's name", ""},
	{"EventTime", "all", "when it happened, in milliseconds since 1970", ""},
	{"Event", inSessions + ", " + inAgents, "what happened, such as ChatBot.UserSendMsg", ""},
	{"SessionId", inSessions + ", assignment", "the session", ""},
	{"ChannelType", inSessions, "how the customer came; `channel` reads it", ""},
	{"ClientUserId", inSessions + ", assignment", "the customer", ""},
	{"CustomerServiceId", inSessions + ", assignment", "the entry through which the customer came", ""},
	{"AgentId", inSessions, "the agent", ""},
	{"ForwardFromAgentId", inSessions, "the agent who handed the session over", ""},
	{"IsContactUser", inSessions, "`true`: an agent began it", ""},
	{"SatisfactionSelected", inSessions, "stars from 1 to 5", ""},
	{"MsgKey", inMessages, "the message's key", ""},
	{"MsgBody.0.MsgType", inMessages, "the kind of a part, such as TIMTextElem or TIMCustomElem", ""},
	{"MsgBody.0.MsgContent.Text", inMessages, "the words of a TIMTextElem", ""},
	{"MsgBody.0.MsgContent.Data", inMessages, "of a TIMCustomElem: what the app put there, of the plug-in `src`, `content` and others; of a TIMFaceElem the face", "what the app put there"},
	{"MsgBody.0.MsgContent.Desc", inMessages, "of a TIMCustomElem or TIMLocationElem: a description", ""},
	{"MsgBody.0.MsgContent.Ext", inMessages, "of a TIMCustomElem: more of the app's own", "what the app put there"},
	{"MsgBody.0.MsgContent.Sound", inMessages, "of a TIMCustomElem: the sound of a notice", ""},
	{"MsgBody.0.MsgContent.Index", inMessages, "the number of a TIMFaceElem", ""},
	{"MsgBody.0.MsgContent.Latitude", inMessages, "of a TIMLocationElem", ""},
	{"MsgBody.0.MsgContent.Longitude", inMessages, "of a TIMLocationElem", ""},
	{"CloudCustomData", inMessages, "what the app sends along with a message", "what the app sends along"},
	{"CloudCustomData.messageType", inMessages, "the mark of a message of the bot or of Desk", ""},
	{"CloudCustomData.role", inMessages, "`robot` or `seat`, a person", ""},
	{"CloudCustomData.scene", inMessages, "such as transferSession", ""},
	{"Body", inTasks, "the variables of the flow", "its variables"},
	{"Body.SystemClientUserID", inTasks, "the customer", ""},
	{"Body.SystemSessionID", inTasks, "the session", ""},
	{"From_Account", inChat + ", " + inGroups, "who wrote", ""},
	{"To_Account", inChat, "who is written to", ""},
	{"MsgSeq", inChat + ", " + inGroups, "the message's number", ""},
	{"MsgRandom", inChat, "its random number", ""},
	{"MsgTime", inChat + ", " + inGroups, "when it was sent, in seconds since 1970", ""},
	{"MsgId", inChat, "its id", ""},
	{"OnlineOnlyFlag", inChat + ", " + inGroups, "`1`: for clients that are online", ""},
	{"SendMsgResult", inChat, "`0`: it was delivered", ""},
	{"ErrorInfo", inChat, "why it was not", ""},
	{"UnreadMsgNum", inChat, "how many messages are unread", ""},
	{"GroupId", inGroups, "the group", ""},
	{"Type", inGroups, "the group's kind, such as Public", ""},
	{"Operator_Account", inGroups, "by whom it was sent", ""},
	{"Random", inGroups, "the message's random number", ""},
	{"TopicId", inGroups, "the topic", ""},
	{"AtRobots_Account.0", inGroups, "a bot that is mentioned", ""},
	{"MemberId", inAgents, "the agent", ""},
	{"Status", inAgents, "the agent's new status", ""},
	{"RestReason", inAgents, "why the agent rests", ""},
	{"ClientInfo.0.ClientType", inAgents, "a client of the agent", ""},
	{"ClientInfo.0.IsConnected", inAgents, "`true`: it is connected", ""},
}

// lintFields finds paths that no callback has, and `ignore_case` where there is no case.
func (l *loader) lintFields(n *yaml.Node) {
	for _, path := range append(l.items(l.get(n, "words_from")), l.get(n, "path")) {
		if path == nil || path.Kind != yaml.ScalarNode {
			continue
		}
		l.lintPath(path)
		for _, key := range []string{"exists", "at_least", "at_most"} {
			if l.get(n, key) != nil {
				l.idle(n, "ignore_case", true, lang.Say("`%s` knows no capitals", key), "take it out")
				break
			}
		}
	}
	for _, kid := range n.Content {
		l.lintFields(kid)
	}
}

// lintPath warns of a path that no callback has.
func (l *loader) lintPath(path *yaml.Node) {
	if hint := fieldHint(strings.Split(path.Value, ".")); hint != "" {
		l.warn(path.Line, path.Column, hint, "no callback of Desk has a field `%s`", shorten(path.Value))
	}
}

// fieldHint is the way out for a path that no callback has, "" if the callbacks may have such a field. Those of Desk begin
// with a capital, so an unknown one that does may be a field of tomorrow.
func fieldHint(path []string) lang.Text {
	best := 0 // how many names of the path are known
	for _, f := range callbackFields {
		known := strings.Split(f.path, ".")
		n := common(path, known)
		switch {
		case n == len(path), n == len(known) && f.below != "":
			return ""
		case n == len(known):
			return lang.Say("%s has no parts: path: %s", f.path, strings.Join(path[:n], "."))
		}
		best = max(best, n)
	}
	if meant := misspelt(path, best); meant != "" {
		return lang.Say("did you mean %s?", meant)
	}
	if meant := shortened(path); meant != "" {
		return lang.Say("did you mean %s?", meant)
	}
	if best == 0 && strings.IndexFunc(path[0], unicode.IsLower) == 0 {
		return lang.Say("what your app sends along lies in CloudCustomData: path: CloudCustomData.%s", strings.Join(path, "."))
	}
	return ""
}

// common counts the names with which two paths begin alike.
func common(path, known []string) int {
	n := 0
	for n < len(path) && n < len(known) && (path[n] == known[n] || known[n] == "0" && isPlace(path[n])) {
		n++
	}
	return n
}

// isPlace says that a name of a path is a place in a list, or all of them.
func isPlace(name string) bool { return name == "*" || name != "" && onlyDigits(name) }

// misspelt gives a known path for one whose first unknown name is almost a known one.
func misspelt(path []string, at int) string {
	for _, f := range callbackFields {
		known := strings.Split(f.path, ".")
		if common(path, known) < at || at >= len(known) {
			continue
		}
		d := text.Distance(fold(path[at]), fold(known[at]), 3)
		if d == 0 || d < 3 && len(known[at]) > 6 {
			return strings.Join(slices.Concat(path[:at], known[at:at+1], path[at+1:]), ".")
		}
	}
	return ""
}

// shortened gives a known path for one that leaves names of it out, such as MsgBody.MsgContent.Text.
func shortened(path []string) string {
	for end := len(path); end > 0; end-- {
		for _, f := range callbackFields {
			known := strings.Split(f.path, ".")
			left := path[:end]
			for i, name := range known {
				switch {
				case len(left) == 0:
				case name == "0" && isPlace(left[0]):
					known[i], left = left[0], left[1:]
				case fold(left[0]) == fold(name):
					left = left[1:]
				}
			}
			ends := fold(path[end-1]) == fold(known[len(known)-1])
			if len(left) == 0 && ends && (end == len(path) || f.below != "") {
				return strings.Join(append(known, path[end:]...), ".")
			}
		}
	}
	return ""
}
