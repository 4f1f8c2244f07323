package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"

	"github.com/google/go-cmp/cmp"
)

// answering returns a client whose every call gets one answer, and the requests
// that it made: path and body.
func answering(t testing.TB, body string) (*desk.Client, *[]string) {
	t.Helper()
	var seen []string
	return newClient(t, trip(func(r *http.Request) (*http.Response, error) {
		b, _ := io.ReadAll(r.Body)
		seen = append(seen, strings.TrimPrefix(r.URL.Path, "/v4/")+" "+string(b))
		return respond(200, body)
	})), &seen
}

// readings is every call that reads, as a function of the client alone.
var readings = map[string]func(context.Context, *desk.Client) (any, error){
	"reception": func(ctx context.Context, c *desk.Client) (any, error) { return c.Reception(ctx) },
	"members":   func(ctx context.Context, c *desk.Client) (any, error) { return c.Members(ctx) },
	"records": func(ctx context.Context, c *desk.Client) (any, error) {
		return c.Records(ctx, time.Unix(100, 0), time.Unix(200, 0), "u1")
	},
	"sessions": func(ctx context.Context, c *desk.Client) (any, error) {
		return c.SessionStatistics(ctx, time.Unix(100, 0), time.Unix(200, 0), true)
	},
	"agents": func(ctx context.Context, c *desk.Client) (any, error) {
		return c.AgentStatistics(ctx, time.Unix(100, 0), time.Unix(200, 0), "a@x.com")
	},
	"robot":    func(ctx context.Context, c *desk.Client) (any, error) { return c.RobotConfig(ctx, "zh") },
	"settings": func(ctx context.Context, c *desk.Client) (any, error) { return c.ConversationSettings(ctx) },
	"entries":  func(ctx context.Context, c *desk.Client) (any, error) { return c.Entries(ctx) },
	"by id":    func(ctx context.Context, c *desk.Client) (any, error) { return c.EntriesByID(ctx, "@shop", "shop2") },
	"groups":   func(ctx context.Context, c *desk.Client) (any, error) { return c.Groups(ctx) },
	"in group": func(ctx context.Context, c *desk.Client) (any, error) { return c.GroupMembers(ctx, 1001) },
}

func TestClient_readings_areRead(t *testing.T) {
	tests := []struct {
		call, name, request string
		answer              string // without ActionStatus and ErrorCode
		want                string // as JSON
	}{
		{
			"reception", "as documented", `desk_http_svc/describe_reception_realtime_statistics {}`,
			`"Data":{"CurrentTransferAgentCnt":15,"CurrentAgentAcceptCnt":13,"CurrentQueueCnt":2,"FreeAgentCnt":10,"RestAgentCnt":0,"BusyAgentCnt":3,
			 "CurrentGroupQueueCnt":[{"GroupId":6103,"GroupName":"128931","QueueCnt":0},{"GroupId":6104,"QueueCnt":2}]}`,
			`{"Free":10,"Busy":3,"Rest":0,"Queue":2,"Accepting":13,"Transferring":15,"GroupQueues":{"6103":0,"6104":2}}`,
		},
		{"reception", "nothing", "", `"Data":{}`, `{"Free":null,"Busy":null,"Rest":null,"Queue":null,"Accepting":null,"Transferring":null,"GroupQueues":null}`},
		{
			"reception", "without Data, texts, other case, one group as an object, a count that is none", "",
			`"freeAgentCnt":"4","BUSYAGENTCNT":" 1 ","RestAgentCnt":null,"CurrentQueueCnt":-1,"CurrentAgentAcceptCnt":1.5,"CurrentTransferAgentCnt":[3],
			 "CurrentGroupQueueCnt":{"GroupID":"7","QueueCnt":"1"}`,
			`{"Free":4,"Busy":1,"Rest":null,"Queue":null,"Accepting":null,"Transferring":null,"GroupQueues":{"7":1}}`,
		},
		{
			"reception", "groups without id or count, Data as a text", "",
			`"Data":"{\"FreeAgentCnt\":true,\"BusyAgentCnt\":1e99,\"CurrentGroupQueueCnt\":[{\"QueueCnt\":1},{\"GroupId\":8},9,null]}"`,
			`{"Free":null,"Busy":null,"Rest":null,"Queue":null,"Accepting":null,"Transferring":null,"GroupQueues":{}}`,
		},
		{
			"members", "as documented", `desk_http_svc/describe_member_realtime_statistics {"Limit":100,"Offset":0}`,
			`"TotalCount":2,"Data":[{"MemberId":"a@x.com","MemberNickName":"A","MemberStatus":1,"CurrentAcceptCnt":0},{"MemberId":"b@x.com","MemberStatus":"-3"}]`,
			`{"Items":[{"ID":"a@x.com","Nickname":"A","Status":1,"Serving":0},{"ID":"b@x.com","Nickname":"","Status":-3,"Serving":null}],"Total":2,"Cut":false}`,
		},
		{"members", "nothing", "", `"x":1`, `{"Items":null,"Total":null,"Cut":false}`},
		{"members", "a list within Data", "", `"Data":{"Total":"1","Members":[{"MemberID":"a"}]}`, `{"Items":[{"ID":"a","Nickname":"","Status":null,"Serving":null}],"Total":1,"Cut":false}`},
		{
			"records", "as documented", `desk_http_svc/describe_im_cdr_list {"StartTimestamp":100,"EndTimestamp":200,"ClientUserId":"u1","Limit":100,"Offset":0}`,
			`"TotalCount":1,"IMCdrList":[{"SessionId":"s1","AgentGroupId":"3067","AgentGroupName":"Online","AgentId":"a@x.com","ChannelType":"SDK","ClientUserId":"u1",
			 "Duration":10,"EndStatus":"AgentEndedSession","SatisfactionSelected":5,"Timestamp":1730443136}]`,
			`{"Items":[{"SessionID":"s1","UserID":"u1","AgentID":"a@x.com","NoAgent":false,"GroupID":"3067","GroupName":"Online","EndStatus":"AgentEndedSession","Duration":10000000000,"Rating":5,"At":"2024-11-01T06:38:56Z"}],"Total":1,"Cut":false}`,
		},
		{
			"records", "milliseconds, numbers for texts, a rating that is none, a time that is none", "",
			`"Data":{"IMCdrList":[{"SessionID":"s1","AgentGroupId":3067,"SatisfactionSelected":0,"Duration":99999999999,"Timestamp":"1730443136000"},{"Timestamp":0,"SatisfactionSelected":"6"}]}`,
			`{"Items":[{"SessionID":"s1","UserID":"","AgentID":"","NoAgent":false,"GroupID":"3067","GroupName":"","EndStatus":"","Duration":null,"Rating":null,"At":"2024-11-01T06:38:56Z"},
			 {"SessionID":"","UserID":"","AgentID":"","NoAgent":false,"GroupID":"","GroupName":"","EndStatus":"","Duration":null,"Rating":null,"At":"0001-01-01T00:00:00Z"}],"Total":null,"Cut":false}`,
		},
		{
			"robot", "as documented", `openim_console_http_svc/desc_robot_config {"LanguageTag":"zh"}`,
			`"ToAgentEnable":1,"DirectAnsweringReaches":0.8,"ChitchatEnable":0,"ChitchatReaches":"0.8","ClarifyReaches":"0.6","ClarifyMessage":"You may ask:","FallbackMsg":"Sorry"`,
			`{"Fallback":"Sorry","Clarify":"You may ask:","ToAgent":true,"AnswersAt":0.8,"ChatsAt":0.8,"AsksAt":0.6}`,
		},
		{"robot", "in Data, half of it", "", `"Data":{"toAgentEnable":"0","ClarifyReaches":"much","ChitchatReaches":"NaN"}`, `{"Fallback":"","Clarify":"","ToAgent":false,"AnswersAt":null,"ChatsAt":null,"AsksAt":null}`},
		{
			"settings", "as documented", `desk_http_svc/get_channel_specific_conversation_settings {"PageNumber":0,"PageSize":10}`,
			`"Data":[{"ConversationSettingId":12,"MultilingualSettings":{"zh":{"WelcomeMessage":"您好","WelcomeMessageDisabled":1,"QueueingPrompt":"…","UserTimeout":600,
			 "WorkTimeConfig":{"Type":1,"Periods":[{"Day":1,"PeriodsWithinOneDay":[{"Start":"09:00","End":"12:00"},{"Start":"13:00","End":"18:00"}]}]}}}}]`,
			`{"Items":[{"ID":"12","Texts":{"zh":{"ByName":{"WelcomeMessage":"您好","QueueingPrompt":"…"},"Disabled":{"WelcomeMessage":true},
			 "Hours":{"Type":1,"Periods":[{"Day":"1","Start":"09:00","End":"12:00"},{"Day":"1","Start":"13:00","End":"18:00"}]}}}}],"Total":null,"Cut":false}`,
		},
		{
			"settings", "a language that is none, hours that are none", "",
			`"Data":[{"MultilingualSettings":{"en":5,"":{},"de":{"WorkTimeConfig":"always","EndPromptDisabled":null}}},{"MultilingualSettings":[1]}]`,
			`{"Items":[{"ID":"","Texts":{"de":{"ByName":{"WorkTimeConfig":"always"},"Disabled":{},"Hours":{"Type":null,"Periods":null}}}},{"ID":"","Texts":{}}],"Total":null,"Cut":false}`,
		},
		{
			"entries", "as documented", `desk_http_svc/get_im_agent_list_multilingual {}`,
			`"Data":[{"IMAgentUserID":"@shop","IMAgentNick":"Shop","ChatbotDisabled":0,"AgentGroupId":1234,"RobotId":"@RBT#DeskDefaultRobot","MultilingualSettings":{"zh":{"WorkTimeConfig":{"Type":0}}}}]`,
			`[{"ID":"@shop","Name":"Shop","Robot":true,"RobotType":null,"RobotID":"@RBT#DeskDefaultRobot","GroupID":"1234","Texts":{"zh":{"ByName":{},"Disabled":{},"Hours":{"Type":0,"Periods":null}}}}]`,
		},
		{
			"by id", "as the pages tell, one entry without robot", `desk_http_svc/get_desk_im_agent_list {"IMAgentUserIDList":["@shop","shop2"]}`,
			`"Data":{"List":[{"IMAgentUserId":"@shop","RobotEnable":"1","RobotType":1,"RobotId":"r"},{"IMAgentUserID":"shop2","RobotEnable":0}]}`,
			`[{"ID":"@shop","Name":"","Robot":true,"RobotType":1,"RobotID":"r","GroupID":"","Texts":{}},{"ID":"shop2","Name":"","Robot":false,"RobotType":null,"RobotID":"","GroupID":"","Texts":{}}]`,
		},
		{"entries", "nothing", "", `"Data":null`, `[]`},
		{
			"groups", "as documented", `desk_http_svc/get_member_group_list {"PageSize":100,"PageNumber":0}`,
			`"MemberGroupList":[{"MemberGroupID":1001,"MemberGroupName":"Sales","ReceptionLimit":3,"GroupMemberCount":"2"},{"MemberGroupId":"1002"}],"Total":2`,
			`{"Items":[{"ID":"1001","Name":"Sales","Limit":3,"Members":2},{"ID":"1002","Name":"","Limit":null,"Members":null}],"Total":2,"Cut":false}`,
		},
		{
			"in group", "as documented", `desk_http_svc/get_member_list_in_group {"MemberGroupID":1001,"PageSize":100,"PageNum":0}`,
			`"MemberList":[{"MemberMail":"a@x.com","NickName":"A"}],"Total":1`, `{"Items":["a@x.com"],"Total":1,"Cut":false}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.call+", "+tt.name, func(t *testing.T) {
			c, seen := answering(t, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,`+tt.answer+`}`)
			got, err := readings[tt.call](t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if tt.request != "" && (*seen)[0] != tt.request {
				t.Errorf("asked %s, want %s", (*seen)[0], tt.request)
			}
			if diff := cmp.Diff(fromJSON(t, []byte(tt.want)), fromJSON(t, inUTC(t, got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func inUTC(t *testing.T, v any) []byte {
	t.Helper()
	if page, ok := v.(desk.Page[desk.SessionRecord]); ok {
		for i := range page.Items {
			page.Items[i].At = page.Items[i].At.UTC()
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fromJSON(t *testing.T, b []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

func TestClient_statistics_keepWhatIsMissingApartFromZero(t *testing.T) {
	c, seen := answering(t, `{"ErrorCode":0,"Data":[{"Time":"2025-04-06","AgentId":"a@x.com","AgentNickName":"7","TotalSessionCnt":12,"avgQueueTime":"6.5","AgentAcceptCnt":0,"EffectiveSessionCnt":null,"OneStarSelectedCnt":-1}]}`)
	rows, err := c.SessionStatistics(t.Context(), time.Unix(100, 0), time.Unix(200, 0), false)
	page, err2 := c.AgentStatistics(t.Context(), time.Unix(100, 0), time.Unix(200, 0), "a@x.com")
	if err != nil || err2 != nil || len(rows) != 1 || len(page.Items) != 1 {
		t.Fatal(rows, err, page, err2)
	}
	want := []string{
		`desk_http_svc/describe_session_statistics {"From":100,"To":200,"GroupByHour":false}`,
		`desk_http_svc/describe_agent_statistics {"From":100,"To":200,"AgentIds":["a@x.com"],"Limit":100,"Offset":0}`,
	}
	if diff := cmp.Diff(want, *seen); diff != "" {
		t.Error(diff)
	}
	for _, row := range []desk.Statistics{rows[0], page.Items[0]} {
		got := map[string]float64{}
		for _, name := range []string{"TotalSessionCnt", "AvgQueueTime", "AgentAcceptCnt", "EffectiveSessionCnt", "OneStarSelectedCnt", "AgentNickName", "Time", "AvgRespTime"} {
			if f, ok := row.Figure(name); ok {
				got[name] = f
			}
		}
		if diff := cmp.Diff(map[string]float64{"TotalSessionCnt": 12, "AvgQueueTime": 6.5, "AgentAcceptCnt": 0}, got); diff != "" || row.Time != "2025-04-06" || row.AgentID != "a@x.com" {
			t.Errorf("%+v %s", row, diff)
		}
	}
}

func TestClient_readings_failAsEveryOtherCall(t *testing.T) {
	for name, read := range readings {
		refused, _ := answering(t, jsonAnswer(90009, "no "+plantedKey))
		_, err := read(t.Context(), refused)
		if e := asError(t, err); e.Code != 90009 || e.Verdict() != desk.Hold || e.Inferred() != (name == "settings" || name == "by id") {
			t.Errorf("%s: %v, inferred: %v", name, err, e.Inferred())
		}
		assertNoSecret(t, err, plantedKey)
		long, _ := answering(t, `{"ErrorCode":0,"Data":"`+strings.Repeat("x", 1<<20)+`"}`)
		if _, err := read(t.Context(), long); !strings.Contains(fmt.Sprint(err), "1 MiB") {
			t.Errorf("%s, too long: %v", name, err)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		broken := newClient(t, trip(func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() }))
		if _, err := read(canceled, broken); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
}

// FuzzClient_readings lets every call read any answer.
func FuzzClient_readings(f *testing.F) {
	f.Add(`"Data":{"FreeAgentCnt":"1","CurrentGroupQueueCnt":[{"GroupId":1,"QueueCnt":1}]}`)
	f.Add(`"Data":[{"MultilingualSettings":{"zh":{"WorkTimeConfig":{"Type":0,"Periods":[{"PeriodsWithinOneDay":[{}]}]}}}}],"TotalCount":-1`)
	f.Add(`"data":"[{}]","IMCdrList":[{"Duration":1e300,"Timestamp":1e12}],"DATA":5`)
	f.Fuzz(func(t *testing.T, members string) {
		for name, read := range readings {
			c, seen := answering(t, `{"ErrorCode":0,`+members+`}`)
			got, err := read(t.Context(), c)
			if err != nil {
				_ = asError(t, err)
			} else if _, err := json.Marshal(got); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if len(*seen) > 3 {
				t.Errorf("%s: asked %d times for what is the same page", name, len(*seen))
			}
		}
	})
}
