package desk_test

import (
	"strings"
	"testing"

	"escalator/bot/desk"
)

func TestClient_ContactUser_sendsBothSpellings(t *testing.T) {
	group := int64(9465)
	for _, tt := range []struct {
		r    desk.ContactRequest
		want string
	}{
		{
			desk.ContactRequest{ServiceID: "@s", UserID: "u"},
			`desk_http_svc/contact_user {"IMAgentUserId":"@s","IMAgentUserID":"@s","ClientUserId":"u","ClientUserID":"u"}`,
		},
		{
			desk.ContactRequest{ServiceID: "@s", UserID: "u", GroupID: &group, AgentID: "a@x.com"},
			`desk_http_svc/contact_user {"IMAgentUserId":"@s","IMAgentUserID":"@s","ClientUserId":"u","ClientUserID":"u","GroupId":9465,"MemberId":"a@x.com"}`,
		},
	} {
		c, seen := answering(t, `{"ErrorCode":0,"MemberID":"a@x.com"}`)
		agent, err := c.ContactUser(t.Context(), tt.r)
		if err != nil || agent != "a@x.com" || (*seen)[0] != tt.want {
			t.Errorf("%q %v\n got %s\nwant %s", agent, err, (*seen)[0], tt.want)
		}
	}
	for code, want := range map[int]desk.Verdict{141001: desk.NextTarget, 141011: desk.NextTarget, 141012: desk.GiveUp} {
		c, _ := answering(t, jsonAnswer(code, ""))
		_, err := c.ContactUser(t.Context(), desk.ContactRequest{})
		if got := asError(t, err).Verdict(); got != want {
			t.Errorf("%d: %v", code, got)
		}
	}
}

func TestClient_EndQueuing_spellsTheIDWithACapitalD(t *testing.T) {
	c, seen := answering(t, jsonAnswer(141027, "no"))
	err := c.EndQueuing(t.Context(), "s1")
	if got := asError(t, err).Verdict(); got != desk.AskState || (*seen)[0] != `desk_http_svc/end_queuing {"SessionID":"s1"}` {
		t.Errorf("%v after %s", got, (*seen)[0])
	}
}

func TestClient_SendMsg_cardGoesBesideTheText(t *testing.T) {
	card := &desk.Card{Header: `Order "7"`, Desc: "中", Pic: "https://x/p.png", URL: "https://x/?a=1&b=2"}
	const element = `{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"src\":\"22\",\"content\":{\"header\":\"Order \\\"7\\\"\",\"desc\":\"中\",\"pic\":\"https://x/p.png\",\"url\":\"https://x/?a=1\\u0026b=2\"},\"customerServicePlugin\":0}"}}`
	for text, want := range map[string]string{
		"hello": `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello"}},` + element + `]`,
		"":      `[` + element + `]`,
	} {
		c, seen := answering(t, `{"ErrorCode":0}`)
		if err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s", Text: text, Card: card, MsgRandom: 7}); err != nil {
			t.Fatal(err)
		}
		if got, want := unescaped((*seen)[0]), unescaped(`desk_http_svc/send_msg {"SessionId":"s","MsgRandom":7,"MsgBody":`+want+`}`); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}

// unescaped undoes what encoding/json may or may not escape.
func unescaped(s string) string {
	return strings.NewReplacer(`\\u0026`, "&", `\u0026`, "&").Replace(s)
}
