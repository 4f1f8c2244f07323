package desktest

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
)

func TestDesk_rawRequests_areCheckedStrictly(t *testing.T) {
	d, _ := start(t, Options{})
	d.Begin("s")
	d.Begin("h")
	d.SetState("h", desk.StateAgent, "a@x.com")
	sig, err := desk.UserSig(d.Identity(), time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := desk.UserSig(d.Identity(), time.Now().Add(-2*time.Hour), time.Hour)
	other := d.Identity()
	other.Identifier = "xiaojun"
	notAdmin, _ := desk.UserSig(other, time.Now(), time.Hour)
	good := url.Values{"sdkappid": {"1400000000"}, "identifier": {"administrator"}, "usersig": {sig.Reveal()}, "random": {"4294967295"}, "contenttype": {"json"}}
	with := func(pairs ...string) url.Values {
		q := url.Values{}
		maps.Copy(q, good)
		for i := 0; i < len(pairs); i += 2 {
			q.Del(pairs[i])
			if pairs[i+1] != "" {
				q.Set(pairs[i], pairs[i+1])
			}
		}
		return q
	}
	const transfer = "transfer_to_human"
	tests := []struct {
		name, method, command string
		q                     url.Values
		body                  string
		want                  int
	}{
		{"GET", "GET", transfer, good, `{}`, 60002},
		{"no app", "POST", transfer, with("sdkappid", ""), `{}`, 60012},
		{"capitals", "POST", transfer, with("sdkappid", "", "SdkAppid", "1400000000"), `{}`, 60012},
		{"app is no number", "POST", transfer, with("sdkappid", "x"), `{}`, 60006},
		{"other app", "POST", transfer, with("sdkappid", "1"), `{}`, 70020},
		{"contenttype", "POST", transfer, with("contenttype", "JSON"), `{}`, 60002},
		{"random missing", "POST", transfer, with("random", ""), `{}`, 60002},
		{"random too big", "POST", transfer, with("random", "4294967296"), `{}`, 60002},
		{"identifier missing", "POST", transfer, with("identifier", ""), `{}`, 60004},
		{"usersig missing", "POST", transfer, with("usersig", ""), `{}`, 70002},
		{"usersig cut", "POST", transfer, with("usersig", sig.Reveal()[:50]), `{}`, 70003},
		{"usersig expired", "POST", transfer, with("usersig", old.Reveal()), `{}`, 70001},
		{"usersig of another", "POST", transfer, with("usersig", notAdmin.Reveal()), `{}`, 70013},
		{"no admin", "POST", transfer, with("identifier", "xiaojun", "usersig", notAdmin.Reveal()), `{}`, 90009},
		{"unknown command", "POST", "nothing", good, `{}`, 60009},
		{"empty body", "POST", transfer, good, ``, 90001},
		{"array", "POST", transfer, good, `[]`, 90001},
		{"no session", "POST", transfer, good, `{"sessionid":"s"}`, 141004},
		{"session is a number", "POST", transfer, good, `{"SessionId":1}`, 141004},
		{"bool instead of 1", "POST", transfer, good, `{"SessionId":"s","DisableQueuing":true}`, 141004},
		{"group as text", "POST", transfer, good, `{"SessionId":"s","AgentGroupId":"1"}`, 141004},
		{"group null", "POST", transfer, good, `{"SessionId":"s","AgentGroupId":null}`, 141004},
		{"agents as text", "POST", transfer, good, `{"SessionId":"s","AgentIdList":"a"}`, 141004},
		{"no MsgRandom", "POST", "send_msg", good, `{"SessionId":"s","MsgBody":[]}`, 90005},
		{"MsgRandom too big", "POST", "send_msg", good, `{"SessionId":"s","MsgRandom":4294967296,"MsgBody":[]}`, 90005},
		{"no MsgBody", "POST", "send_msg", good, `{"SessionId":"s","MsgRandom":1}`, 90002},
		{"MsgBody object", "POST", "send_msg", good, `{"SessionId":"s","MsgRandom":1,"MsgBody":{}}`, 90007},
		{"element without text", "POST", "send_msg", good, `{"SessionId":"s","MsgRandom":1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{}}]}`, 90010},
		{"custom data object", "POST", "send_msg", good, `{"SessionId":"s","MsgRandom":1,"CloudCustomData":{},"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}]}`, 90010},
		{"state of nobody", "POST", "get_session_state", good, `{}`, 141004},
		{"state of a made-up id", "POST", "get_session_state", good, `{"SessionId":"made-up"}`, 0},
		{"end with the bot", "POST", "end_session", good, `{"SessionId":"s"}`, 141004},
		{"end with a person", "POST", "end_session", good, `{"SessionId":"h"}`, 0},
		{"end when it has ended", "POST", "end_session", good, `{"SessionId":"h"}`, 141005},
		{"to nobody", "POST", "send_msg", good, `{"MsgRandom":1,"MsgBody":[]}`, 141004},
		{"to a stranger", "POST", "send_msg", good, `{"FromAccount":"@c","ToAccount":"u","MsgRandom":1,"MsgBody":[]}`, 141005},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/v4/desk_http_svc/"+tt.command+"?"+tt.q.Encode(), strings.NewReader(tt.body))
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			var got struct {
				ActionStatus string
				ErrorCode    *int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got.ErrorCode == nil || *got.ErrorCode != tt.want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
}

func TestDesk_transfer_isRefusedAsDocumented(t *testing.T) {
	d, c := start(t, Options{})
	d.SetAgent(Agent{ID: "off@x.com", Groups: []int64{1}})
	d.SetAgent(Agent{ID: "full@x.com", Online: true, Busy: true, Groups: []int64{2}})
	for _, id := range []string{"bot", "human", "gone"} {
		d.Begin(id)
	}
	d.SetState("human", desk.StateAgent, "full@x.com")
	d.Expire("gone")
	offline, busy, unknown, priority, yes := int64(1), int64(2), int64(3), 10, desk.Flag(true)
	tests := []struct {
		name string
		r    desk.TransferRequest
		want int
	}{
		{"nobody online", desk.TransferRequest{SessionID: "bot", AgentGroupID: &offline}, 141001},
		{"unknown agent", desk.TransferRequest{SessionID: "bot", AgentIDs: []string{"who@x.com"}}, 141001},
		{"already with a person", desk.TransferRequest{SessionID: "human"}, 141003},
		{"unknown group", desk.TransferRequest{SessionID: "bot", AgentGroupID: &unknown}, 141004},
		{"priority", desk.TransferRequest{SessionID: "bot", Priority: &priority}, 141004},
		{"unknown session", desk.TransferRequest{SessionID: "never"}, 141005},
		{"ended session", desk.TransferRequest{SessionID: "gone"}, 141005},
		{"illegal session", desk.TransferRequest{SessionID: "a b"}, 141006},
		{"all busy", desk.TransferRequest{SessionID: "bot", AgentGroupID: &busy, DisableQueuing: &yes}, CodeBusy},
		{"too long", desk.TransferRequest{SessionID: "bot", AgentIDs: []string{strings.Repeat("x", 13<<10)}}, 93000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := c.TransferToHuman(t.Context(), tt.r); codeOf(err) != tt.want {
				t.Errorf("got %v, want %d", err, tt.want)
			}
		})
	}
	d.SetWorkingHours(false)
	if _, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "bot", CheckWorkingHours: &yes}); codeOf(err) != CodeClosed {
		t.Errorf("outside working hours: %v", err)
	}
	if got, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "bot", AllowBusyAgents: &yes}); err != nil || got.AgentID != "full@x.com" {
		t.Errorf("a busy agent that may be assigned: %+v, %v", got, err)
	}
	d.Begin("last")
	d.SetOnline("full@x.com", false)
	if _, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "last", EndSessionIfNoAgent: &yes}); codeOf(err) != 141001 {
		t.Error(err)
	}
	if s := state(t, c, "last"); s != desk.StateNotInSession {
		t.Errorf("EndSessionWhenNoMemberOnline left it %s", s)
	}
}
