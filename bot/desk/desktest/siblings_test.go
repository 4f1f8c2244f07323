package desktest

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"escalator/bot/desk"

	"github.com/google/go-cmp/cmp"
)

// sample reads a documented body, as its page prints it.
func sample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../testdata/callbacks/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	sampleAssignOlder = `{"CallbackCommand":"ChatBot.OnAssignAgent","SessionId":"aa-bb-cc-dd","ClientUserId":"123","EventTime":"1670574414123"}`
	// Of these the page lists the fields only.
	fieldsC2CBefore = `{"CallbackCommand":"","From_Account":"","To_Account":"","MsgSeq":1,"MsgRandom":1,"MsgTime":1,"MsgKey":"","OnlineOnlyFlag":0,
 "MsgBody":[{"MsgType":"","MsgContent":{"Text":""}}],"CloudCustomData":""}`
	fieldsC2CAfter = `{"CallbackCommand":"","From_Account":"","To_Account":"","MsgSeq":1,"MsgRandom":1,"MsgTime":1,"MsgKey":"","OnlineOnlyFlag":0,
 "MsgBody":[{"MsgType":"","MsgContent":{"Text":""}}],"CloudCustomData":"","SendMsgResult":0,"ErrorInfo":"","UnreadMsgNum":1}`
	fieldsGroupBefore = `{"CallbackCommand":"","GroupId":"","Type":"","From_Account":"","Operator_Account":"","Random":1,"MsgSeq":1,"MsgTime":1,"OnlineOnlyFlag":0,
 "MsgBody":[{"MsgType":"","MsgContent":{"Text":""}}],"CloudCustomData":""}`
	fieldsGroupAfter = `{"CallbackCommand":"","GroupId":"","Type":"","From_Account":"","Operator_Account":"","Random":1,"MsgSeq":1,"MsgTime":1,"OnlineOnlyFlag":0,
 "MsgBody":[{"MsgType":"","MsgContent":{"Text":""}}],"CloudCustomData":"","EventTime":"1670574414123"}`
)

// shape replaces every value by its type, so that a body can be compared with a
// sample.
func shape(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return typed(v)
}

func typed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = typed(v[key])
		}
		return v
	case []any:
		for i := range v {
			v[i] = typed(v[i])
		}
		return v
	default:
		return fmt.Sprintf("%T", v)
	}
}

func TestDesk_everyCallback_hasTheFieldsThatAreDocumented(t *testing.T) {
	s := startService(t, "token")
	d, _ := start(t, Options{CallbackURL: s.URL, Token: "token"})
	d.SetAgent(Agent{ID: "test@qq.com", Online: true})
	im := func(command string) func() Answer {
		return func() Answer {
			return d.SendIM(command, IM{From: "jared", To: "@RBT#001", Group: "@TGS#2J4SZEAEL", Text: "hello", CloudCustomData: "x"})
		}
	}
	for _, c := range []struct {
		command, sample string
		send            func() Answer
		requestID       bool
	}{
		{desk.CommandAssignHuman, sample(t, "assign_human"), func() Answer { return d.Assign("s1", false) }, false},
		{desk.CommandAssignAgent, sampleAssignOlder, func() Answer { return d.Assign("s2", true) }, false},
		{desk.CommandTaskFlow, sample(t, "task_flow"), func() Answer { return d.Flow("s1", map[string]string{"staticKey": "v", "testKey3": ""}) }, false},
		{desk.CommandMemberChanged, sample(t, "member_event"), func() Answer { return d.SetStatus("test@qq.com", "free") }, true},
		{desk.CommandBotC2C, sample(t, "bot_c2c"), im(desk.CommandBotC2C), false},
		{desk.CommandBotGroup, sample(t, "bot_group"), im(desk.CommandBotGroup), false},
		{desk.CommandC2CBefore, fieldsC2CBefore, im(desk.CommandC2CBefore), false},
		{desk.CommandC2CAfter, fieldsC2CAfter, im(desk.CommandC2CAfter), false},
		{desk.CommandGroupBefore, fieldsGroupBefore, im(desk.CommandGroupBefore), false},
		{desk.CommandGroupAfter, fieldsGroupAfter, im(desk.CommandGroupAfter), false},
	} {
		t.Run(c.command, func(t *testing.T) {
			a := c.send()
			if a.Err != nil || a.Status != 200 {
				t.Fatalf("%+v", a)
			}
			e := s.next(t)
			if diff := cmp.Diff(shape(t, []byte(c.sample)), shape(t, a.Request.Body)); diff != "" {
				t.Errorf("documented and sent differ:\n%s", diff)
			}
			if e.Command != c.command || (e.RequestID != "") != c.requestID || s.query.Get("Sign") == "" {
				t.Errorf("sent %s with %v", e.Command, s.query)
			}
		})
	}
}

func TestDesk_plainIM_hasASessionThatIsFoundByWhoTalksToWhom(t *testing.T) {
	s := startService(t, "")
	d, c := start(t, Options{CallbackURL: s.URL})
	who := desk.StateRequest{UserID: "jared", ServiceID: DefaultService}
	d.SendIM(desk.CommandC2CAfter, IM{From: "jared", To: DefaultService, SendMsgResult: 20006})
	if got, err := c.SessionState(t.Context(), who); err != nil || got.State != desk.StateNotInSession {
		t.Errorf("a message that failed opened a session: %+v, %v", got, err)
	}
	d.SendIM(desk.CommandC2CAfter, IM{From: "jared", To: DefaultService, Text: "hello"})
	d.SendIM(desk.CommandC2CAfter, IM{From: DefaultService, To: "jared", Text: "hello"})
	d.SendIM(desk.CommandC2CAfter, IM{From: "jared", To: "mary", Text: "hello"})
	got, err := c.SessionState(t.Context(), who)
	if err != nil || got.State != desk.StateChatbot || got.SessionID == "" || len(d.Sessions()) != 1 {
		t.Errorf("%+v, %v; %v", got, err, d.Sessions())
	}
}

func TestDesk_assign_obeysTheAnswer_andHasADefault(t *testing.T) {
	s := startService(t, "") // names neither group nor agents
	d, c := start(t, Options{CallbackURL: s.URL, Prompts: true})
	d.Assign("nobody", false)
	if got := state(t, c, "nobody"); got != desk.StateChatbot {
		t.Errorf("without agents: %s", got)
	}
	d.SetAgent(Agent{ID: "a@x.com", Online: true, Capacity: 1})
	d.Assign("first", false)
	d.Assign("first", false)
	d.Assign("second", false)
	if a, b := state(t, c, "first"), state(t, c, "second"); a != desk.StateWaiting || b != desk.StateQueueing {
		t.Errorf("%s and %s", a, b)
	}
	d.SetCallbackURL("")
	if a := d.Assign("silent", false); !a.Skipped || a.Err == nil {
		t.Errorf("without an address: %+v", a)
	}
}

func TestDesk_memberEvents_tellOfEveryChange_inOrder(t *testing.T) {
	s := startService(t, "")
	d, _ := start(t, Options{CallbackURL: s.URL, MemberEvents: true})
	d.SetAgent(Agent{ID: "a@x.com"})
	d.SetOnline("a@x.com", true)
	d.SetAgent(Agent{ID: "a@x.com", Online: true, Busy: true})
	for _, want := range []string{"offline", "free", "notReady"} {
		if e := s.next(t); e.Status != want || e.MemberID != "a@x.com" {
			t.Errorf("%s is %s, want %s", e.MemberID, e.Status, want)
		}
	}
}
