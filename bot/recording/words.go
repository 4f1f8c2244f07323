package recording

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"

	"escalator/bot/mask"
)

// structural are the fields of a callback that say who and what, and hold no
// words. Every other field may: a new one of Tencent's is masked until it is
// listed here.
var structural = set("CallbackCommand", "SessionId", "SessionID", "Event", "EventTime", "ClientUserId", "CustomerServiceId",
	"MsgKey", "MsgSeq", "MsgRandom", "Random", "MsgTime", "From_Account", "To_Account", "Operator_Account", "GroupId", "AtRobots_Account",
	"AgentId", "AgentGroupId", "ForwardFromAgentId", "MemberId", "Status", "Type", "MsgType", "ChannelType", "OnlineOnlyFlag", "SendMsgResult",
	"IsContactUser", "SatisfactionSelected")

// marks are the names within custom data that say what a message is. Replay
// needs them; a customer's client can write them too: see mask.Mode.Mark.
var marks = set("messageType", "role", "scene", "src", "customerServicePlugin", "chatbotPlugin", "escalator", "EventType", "IsLast", "Index")

// maxDepth is that of values in values, JSON in strings included; a callback has the same.
const maxDepth = 64

func set(names ...string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, n := range names {
		all[n] = true
	}
	return all
}

// ofQuery are the parameters of a callback's address that say who and what, and not
// from where: Tencent adds the customer's IP address too.
var ofQuery = set("sdkappid", "callbackcommand", "contenttype", "requestid", "requesttime", "optplatform")

// keptQuery leaves out what may not be written: the signature in every mode, and unless
// all words may be seen what we do not know.
func keptQuery(query string, mode mask.Mode) string {
	var kept []string
	for piece := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(piece, "=")
		name, err := url.QueryUnescape(name)
		name = strings.ToLower(name)
		if err == nil && name != "sign" && (mode == mask.Full || ofQuery[name]) {
			kept = append(kept, piece)
		}
	}
	return strings.Join(kept, "&")
}

// maskBody masks the words in a body and leaves everything else as it came, byte
// for byte and in its order: numbers keep their digits, and of two equal names
// replay finds the first one first, as the service did.
func maskBody(body []byte, mode mask.Mode) []byte {
	if mode == mask.Full {
		return body
	}
	if !gjson.ValidBytes(body) {
		return []byte("{}")
	}
	m := masker{mode: mode, out: make([]byte, 0, len(body))}
	m.object(gjson.ParseBytes(body), func(name string, v gjson.Result) {
		switch {
		case structural[name] && !v.IsObject() && !v.IsArray():
			m.raw(v)
		case name == "MsgBody" && v.IsArray():
			m.array(v, m.element)
		case name == "Body":
			m.variables(v)
		default:
			m.words(v, 1)
		}
	})
	return m.out
}

// masker writes masked JSON.
type masker struct {
	mode mask.Mode
	out  []byte
}

func (m *masker) raw(v gjson.Result) { m.out = append(m.out, v.Raw...) }

func (m *masker) text(s string) { m.out = gjson.AppendJSONString(m.out, s) }

// object writes an object's names, and has value write what belongs to each. A
// name may hold words too.
func (m *masker) object(v gjson.Result, value func(name string, v gjson.Result)) {
	m.out = append(m.out, '{')
	first := true
	v.ForEach(func(key, inner gjson.Result) bool {
		if !first {
			m.out = append(m.out, ',')
		}
		first = false
		m.text(m.mode.Mark(key.Str))
		m.out = append(m.out, ':')
		value(key.Str, inner)
		return true
	})
	m.out = append(m.out, '}')
}

func (m *masker) array(v gjson.Result, value func(v gjson.Result)) {
	m.out = append(m.out, '[')
	first := true
	v.ForEach(func(_, inner gjson.Result) bool {
		if !first {
			m.out = append(m.out, ',')
		}
		first = false
		value(inner)
		return true
	})
	m.out = append(m.out, ']')
}

// element writes one element of MsgBody: its kind, and what was said.
func (m *masker) element(v gjson.Result) {
	if !v.IsObject() {
		m.words(v, 1)
		return
	}
	m.object(v, func(name string, inner gjson.Result) {
		if name == "MsgType" {
			m.mark(inner, 2)
		} else {
			m.words(inner, 2)
		}
	})
}

// systemVariables are those that Tencent sets in a task flow; all others may hold words.
var systemVariables = set("SystemSessionID", "SystemClientUserID")

// variables writes those of a task flow, an object or a string that holds one.
func (m *masker) variables(v gjson.Result) {
	if v.Type == gjson.String {
		if inner := gjson.Parse(v.Str); inner.IsObject() && json.Valid([]byte(v.Str)) {
			within := masker{mode: m.mode}
			within.variables(inner)
			m.text(string(within.out))
			return
		}
	}
	if !v.IsObject() {
		m.words(v, 1)
		return
	}
	m.object(v, func(name string, inner gjson.Result) {
		if systemVariables[name] && !inner.IsObject() && !inner.IsArray() {
			m.raw(inner)
		} else {
			m.words(inner, 2)
		}
	})
}

// words writes a value all of which counts as words. A string that holds JSON, as
// custom data does, stays JSON, so that marks and fields can still be read.
func (m *masker) words(v gjson.Result, depth int) {
	switch {
	case depth > maxDepth:
		m.out = append(m.out, "null"...)
	case v.IsObject():
		m.object(v, func(name string, inner gjson.Result) {
			if marks[name] {
				m.mark(inner, depth+1)
			} else {
				m.words(inner, depth+1)
			}
		})
	case v.IsArray():
		m.array(v, func(inner gjson.Result) { m.words(inner, depth+1) })
	case v.Type == gjson.String:
		m.string(v.Str, depth)
	case v.Type == gjson.Number:
		m.number(v)
	default:
		m.raw(v)
	}
}

func (m *masker) string(s string, depth int) {
	if open := strings.TrimLeft(s, " \t\r\n"); open == "" || open[0] != '{' && open[0] != '[' || !json.Valid([]byte(s)) {
		m.text(m.mode.Text(s))
		return
	}
	within := masker{mode: m.mode}
	within.words(gjson.Parse(s), depth+1)
	m.text(string(within.out))
}

// number writes a number that gives nothing away as it is, and hides others.
func (m *masker) number(v gjson.Result) {
	switch masked := m.mode.Text(v.Raw); masked {
	case v.Raw:
		m.raw(v)
	case "":
		m.out = append(m.out, "null"...)
	default:
		m.text(masked)
	}
}

// mark writes the value of a mark: in every mode, for it is no word.
func (m *masker) mark(v gjson.Result, depth int) {
	switch v.Type {
	case gjson.String:
		m.text(m.mode.Mark(v.Str))
	case gjson.Number:
		kept := masker{mode: mask.Masked, out: m.out}
		kept.number(v)
		m.out = kept.out
	default:
		m.words(v, depth)
	}
}
