package desk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "callbacks", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, query, body string) *Event {
	t.Helper()
	e, err := Decode(ParseQuery(query), []byte(body))
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return e
}

func TestDecode_documentedSamples_areReadInFull(t *testing.T) {
	at := time.UnixMilli
	tests := map[string]Event{
		"session_event": {
			Command: CommandSessionEvent, Name: EventUserMessage, SessionID: "2baf4d84-beb4-4607-a1ea-6ebcaef3e0e6",
			Time: at(1725540020017), UserID: "your_user_id", ServiceID: "@customer_service_account",
			MsgKey: "152_1600012345_abcdefg", Text: "How to request a refund?",
			CloudCustomData: "your cloud custom data",
		},
		"member_event": {
			Command: CommandMemberChanged, Name: "Member.StatusChange", MemberID: "test@qq.com", Status: "free",
			Time: at(1725540020017),
		},
		"assign_human": {
			Command: CommandAssignHuman, SessionID: "aa-bb-cc-dd", UserID: "123",
			ServiceID: "@customer_service_account", Time: at(1670574414123),
		},
		"task_flow": {
			Command: CommandTaskFlow, SessionID: "207cac25-f49e-4ada-9c9f-301cea31dcf2", UserID: "user517",
			Time: at(1731488371784),
		},
		"bot_c2c": {
			Command: CommandBotC2C, From: "jared", To: "Jonh", MsgKey: "48374_2837546_1557481126",
			Text: "red packet", CloudCustomData: "your cloud custom data", Time: at(1670574414123),
		},
		"bot_group": {
			Command: CommandBotGroup, GroupID: "@TGS#2J4SZEAEL", From: "jared",
			Text: "hello", CloudCustomData: "your cloud custom data", Time: at(1670574414123),
		},
		"start_message": {Plugin: true, PluginSrc: "7"},
		"system_prompt": {
			Command: CommandSessionEvent, Name: EventBotMessage, SessionID: "s-1", Time: at(1725540020017),
			Text: "Welcome", Mark: "welcome", Role: "robot",
			CloudCustomData: `{"messageType":"welcome","role":"robot","scene":"transferSession"}`,
		},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			body := sample(t, name)
			got, err := Decode(Query{}, body)
			if err != nil {
				t.Fatal(err)
			}
			want.Body = body
			if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(Event{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecode_looseForms_areAccepted(t *testing.T) {
	tests := []struct {
		name, body string
		want       Event
	}{
		{"numbers as strings and strings as numbers", `{"EventTime":"1670574414123","SessionId":42}`, Event{Time: time.UnixMilli(1670574414123), SessionID: "42"}},
		{"a time with an exponent", `{"EventTime":1.670574414123e12}`, Event{Time: time.UnixMilli(1670574414123)}},
		{"absurd times are no times", `{"EventTime":1e400,"MsgTime":-5}`, Event{}},
		{"MsgTime when there is no EventTime", `{"MsgTime":1557481126}`, Event{Time: time.Unix(1557481126, 0)}},
		{"EventTime wins over an earlier MsgTime", `{"MsgTime":1557481126,"EventTime":1670574414123}`, Event{Time: time.UnixMilli(1670574414123)}},
		{"a number as a string", `{"SendMsgResult":"0"}`, Event{}},
		{"a message that was not delivered", `{"SendMsgResult":20006}`, Event{SendFailed: true}},
		{"nulls everywhere", `{"SessionId":null,"MsgBody":null,"CloudCustomData":null,"EventTime":null}`, Event{}},
		{"objects where strings belong", `{"SessionId":{},"Event":[],"MsgBody":"x","Satisfaction":{}}`, Event{}},
		{"the first of two equal names", `{"SessionId":"a","SessionId":"b","CloudCustomData":"x","CloudCustomData":"y"}`, Event{SessionID: "a", CloudCustomData: "x"}},
		{"several text elements", `{"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}},{"MsgContent":{"Text":"b"},"MsgType":"TIMTextElem"},{"MsgType":"TIMTextElem","MsgContent":{"Text":"c"}}]}`, Event{Text: "a\nb\nc"}},
		{"one element without its array", `{"MsgBody":{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}}`, Event{Text: "a"}},
		{"what has no words has no text", `{"MsgBody":[{"MsgType":"TIMStreamElem","MsgContent":{"Text":"no"}},7,null,"x",{},{"MsgType":"TIMTextElem","MsgContent":{"Text":"yes"}}]}`, Event{Text: "yes"}},
		{"every kind of element", `{"MsgBody":[{"MsgType":"TIMImageElem"},{"MsgType":"TIMSoundElem"},{"MsgType":"TIMVideoFileElem"},{"MsgType":"TIMFileElem"},{"MsgType":"TIMLocationElem"},{"MsgType":"TIMFaceElem"},{"MsgType":"TIMCustomElem"}]}`, Event{Elements: []string{"TIMImageElem", "TIMSoundElem", "TIMVideoFileElem", "TIMFileElem", "TIMLocationElem", "TIMFaceElem", "TIMCustomElem"}}},
		{"a card of the plug-in", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"customerServicePlugin\":0,\"src\":28}"}}]}`, Event{Plugin: true, PluginSrc: "28", Elements: []string{"TIMCustomElem"}}},
		{"a typing state of an older client", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"chatbotPlugin\":1,\"src\":12}"}}]}`, Event{Plugin: true, PluginSrc: "12"}},
		{"a custom message of somebody else", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"customerServicePlugin\":1,\"src\":7}"}}]}`, Event{Elements: []string{"TIMCustomElem"}}},
		{"custom data that is no JSON", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{{{"}}],"CloudCustomData":"{oops"}`, Event{Elements: []string{"TIMCustomElem"}, CloudCustomData: "{oops"}},
		{"text beside a control message is not a person's", `{"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}},{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"customerServicePlugin\":0,\"src\":\"7\"}"}}]}`, Event{Plugin: true, PluginSrc: "7"}},
		{"CloudCustomData as an object", `{"CloudCustomData":{"messageType":"fallback"}}`, Event{CloudCustomData: `{"messageType":"fallback"}`, Mark: "fallback"}},
		{"invalid UTF-8", "{\"MsgBody\":[{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{\"Text\":\"a\xffb\"}}]}", Event{Text: "a\uFFFDb"}},
		{"a task flow's own names do not hide the outer ones", `{"SessionId":"s","CallbackCommand":"Chatbot.InterfaceInvocation","Body":"{\"SystemSessionID\":\"t\",\"SystemClientUserID\":5}"}`, Event{Command: CommandTaskFlow, SessionID: "s", UserID: "5"}},
		{"a streamed message, in pieces", `{"MsgBody":[{"MsgType":"TIMStreamElem","MsgContent":{"Chunks":[{"EventType":"data","Index":0,"Markdown":"Sorry, I "},{"Index":1,"Markdown":"do not know","IsLast":true}],"CompatibleText":"[update your app]"}}]}`, Event{Text: "Sorry, I do not know"}},
		{"a streamed message for clients that cannot show it", `{"MsgBody":[{"MsgType":"TIMStreamElem","MsgContent":{"Chunks":[],"CompatibleText":"Sorry"}}]}`, Event{Text: "Sorry"}},
		{"a stream of the plug-in", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"chatbotPlugin\":2,\"src\":\"15\",\"chunks\":[\"I cannot \",\"help\"],\"isFinished\":1}"}}]}`, Event{Plugin: true, PluginSrc: "15", Text: "I cannot help", Elements: []string{"TIMCustomElem"}}},
		{"a stream of the plug-in, in objects", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"customerServicePlugin\":0,\"src\":\"31\",\"chunks\":[{\"content\":\"so\"},{\"content\":\"rry\"}]}"}}]}`, Event{Plugin: true, PluginSrc: "31", Text: "sorry", Elements: []string{"TIMCustomElem"}}},
		{"chunks of somebody else are no words", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"chunks\":[\"x\"]}"}}]}`, Event{Elements: []string{"TIMCustomElem"}}},
		{"spelling drift of names", `{"CallbackCommand":"desk.sessioneventnotify","Event":"Chatbot.UserSendMsg"}`, Event{Command: CommandSessionEvent, Name: EventUserMessage}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := decode(t, "", tt.body)
			tt.want.Body = []byte(tt.body)
			if diff := cmp.Diff(&tt.want, got, cmpopts.IgnoreUnexported(Event{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecode_whatIsNoObject_isRefused(t *testing.T) {
	deep := strings.Repeat("[", 8<<20)
	tests := []struct {
		name, body string
		want       error
	}{
		{"array", `[]`, ErrNotObject},
		{"scalar", `1`, ErrNotObject},
		{"cut", `{"a":1`, ErrNotObject},
		{"form", `a=b`, ErrNotObject},
		{"two documents", `{}{}`, ErrNotObject},
		{"byte order mark", "\ufeff{}", ErrNotObject},
		{"too deep", `{"a":` + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth) + `}`, ErrTooDeep},
		{"stack overflow", deep, ErrTooDeep},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Decode(Query{}, []byte(tt.body)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDecode_depthAtTheLimit_isAccepted(t *testing.T) {
	decode(t, "", `{"s":"`+strings.Repeat(`[{\"`, 500)+`","a":`+strings.Repeat("[", MaxDepth-1)+strings.Repeat("]", MaxDepth-1)+`}`)
}

func TestDecode_deepJSONInsideAString_isJustAString(t *testing.T) {
	e := decode(t, "", `{"CloudCustomData":"{\"messageType\":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}"}`)
	if _, ok := e.Field("CloudCustomData.messageType"); ok || e.Mark != "" {
		t.Errorf("entered: mark %q", e.Mark)
	}
}

func TestDecode_emptyBody_keepsTheQuery(t *testing.T) {
	for _, body := range []string{"", " \r\n\t"} {
		e := decode(t, "SdkAppid=1400000000&callbackcommand=X.Y&requestid=r%201&Sign=s&RequestTime=7", body)
		want := &Event{Command: "X.Y", RequestID: "r 1"}
		if diff := cmp.Diff(want, e, cmpopts.IgnoreUnexported(Event{})); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDecode_differentCommands_areAConflict(t *testing.T) {
	tests := []struct {
		name, query, body string
		want              bool
	}{
		{"equal", "CallbackCommand=Bot.OnC2CMessage", `{"CallbackCommand":"Bot.OnC2CMessage"}`, false},
		{"spelling", "CallbackCommand=ChatBot.InterfaceInvocation", `{"CallbackCommand":"Chatbot.InterfaceInvocation"}`, false},
		{"body only", "", `{"CallbackCommand":"A"}`, false},
		{"query only", "CallbackCommand=A", `{}`, false},
		{"different", "CallbackCommand=A", `{"CallbackCommand":"B"}`, true},
		{"twice in the query", "CallbackCommand=A&callbackcommand=B", ``, true},
		{"twice in the body", "CallbackCommand=A", `{"CallbackCommand":"A","CallbackCommand":"B"}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decode(t, tt.query, tt.body).Conflict; got != tt.want {
				t.Errorf("Conflict = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDecode_mentions_areStrippedAsWholes(t *testing.T) {
	tests := []struct{ text, accounts, want string }{
		{"@@RBT#1 hi", `["@RBT#1"]`, "hi"},
		{"hi @@RBT#1", `["@RBT#1"]`, "hi"},
		{"@@RBT#1 @@RBT#12 hi", `["@RBT#1","@RBT#12"]`, "hi"},
		{"@@RBT#12 hi", `["@RBT#1"]`, "@@RBT#12 hi"},
		{"@@RBT#1人工", `["@RBT#1"]`, "人工"},
		{"mail me@x", `"x"`, "mail me"},
		{"hi", `[null,"",7]`, "hi"},
	}
	for _, tt := range tests {
		body := `{"GroupId":"g","AtRobots_Account":` + tt.accounts + `,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"` + tt.text + `"}}]}`
		if got := decode(t, "", body).Text; got != tt.want {
			t.Errorf("%q without %s = %q, want %q", tt.text, tt.accounts, got, tt.want)
		}
	}
}

func TestDecode_shortStrings_doNotAliasTheBody(t *testing.T) {
	body := []byte(`{"SessionId":"session","Event":"e","MsgKey":"key","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"text"}}]}`)
	e, err := Decode(Query{}, body)
	if err != nil {
		t.Fatal(err)
	}
	low := uintptr(unsafe.Pointer(unsafe.SliceData(body)))
	for _, s := range []string{e.SessionID, e.Name, e.MsgKey} {
		if p := uintptr(unsafe.Pointer(unsafe.StringData(s))); p >= low && p < low+uintptr(len(body)) {
			t.Errorf("%q aliases the body", s)
		}
	}
}

func TestDecode_hugeIDs_areReplacedByTheirHash(t *testing.T) {
	huge := strings.Repeat("x", maxID+1)
	a := decode(t, "", `{"SessionId":"`+huge+`"}`)
	b := decode(t, "", `{"SessionId":"`+huge+`x"}`)
	if len(a.SessionID) > maxID || a.SessionID == b.SessionID || !strings.HasPrefix(a.SessionID, "sha256:") {
		t.Errorf("%q, %q", a.SessionID, b.SessionID)
	}
}

func TestParseQuery_repeatedParametersThatAuthenticate_countAsMissing(t *testing.T) {
	q := ParseQuery("SdkAppid=1&sdkappid=1&Sign=a&sign=b&RequestTime=1&REQUESTTIME=1&RequestID=x&RequestID=y&%zz=1&Platform=%zz")
	if want := (Query{RequestID: "x"}); q != want {
		t.Errorf("%+v", q)
	}
}

func TestDecode_usualCallback_allocatesThreeTimesAtMost(t *testing.T) {
	body := sample(t, "session_event")
	const query = "SdkAppid=1400000000&CallbackCommand=Desk.SessionEventNotify&contenttype=json&ClientIP=1.2.3.4&OptPlatform=iOS&RequestID=abc-def"
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := Decode(ParseQuery(query), body); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 3 {
		t.Errorf("%v allocations", allocs)
	}
}
