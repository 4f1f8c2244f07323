package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
)

// post sends a signed callback of any command, as the console does.
func (s *service) post(command, body string) string {
	s.t.Helper()
	query := strings.Replace(sign(time.Now()), desk.CommandSessionEvent, command, 1)
	status, answer := request(s.t, http.MethodPost, s.url+"?"+query, body)
	if status != http.StatusOK {
		s.t.Fatalf("%s: %d %s", command, status, answer)
	}
	return answer
}

func TestInstallations_eachDocumentedCallback_isAnsweredInItsForm(t *testing.T) {
	s := startServiceWithRules(t, strings.Replace(ruleFile("abracadabra"), "targets: {default: {}}", "task_flow: {text: q}\ntargets: {default: {group: 6521, agents: [svc1@tencent.com]}}", 1))
	for _, c := range []struct{ command, body, want string }{
		{"ChatBot.OnAssignHuman", `{"CallbackCommand":"ChatBot.OnAssignHuman","SessionId":"aa-bb-cc-dd","ClientUserId":"123","CustomerServiceId":"@customer_service_account","EventTime":1670574414123}`, `"AgentGroupId":6521,"AgentIdList":["svc1@tencent.com"]`},
		{"ChatBot.OnAssignAgent", `{"CallbackCommand":"ChatBot.OnAssignAgent","SessionId":"aa","EventTime":"1670574414123"}`, `"AgentGroupId":6521`},
		{"Chatbot.InterfaceInvocation", `{"CallbackCommand":"Chatbot.InterfaceInvocation","Body":{"SystemClientUserID":"user517","SystemSessionID":"207cac25","q":"abracadabra"},"EventTime":1731488371784}`, `"escalated":"true"`},
		{"Chatbot.InterfaceInvocation", `{"CallbackCommand":"Chatbot.InterfaceInvocation","Body":{"SystemSessionID":"207cac25","q":"hello"},"EventTime":1731488371784}`, `"escalated":"false"`},
		{"C2C.CallbackBeforeSendMsg", `{"CallbackCommand":"C2C.CallbackBeforeSendMsg","From_Account":"jared","To_Account":"@s","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"abracadabra"}}]}`, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`},
		{"Group.CallbackAfterSendMsg", `{"CallbackCommand":"Group.CallbackAfterSendMsg","GroupId":"@TGS#2J4SZEAEL","EventTime":"1670574414123"}`, `"ErrorCode":0`},
		{"Bot.OnGroupMessage", `{"CallbackCommand":"Bot.OnGroupMessage","GroupId":"@TGS#2J4SZEAEL","From_Account":"jared"}`, `"ErrorCode":0`},
		{"Member.EventNotify", `{"CallbackCommand":"Member.EventNotify","Event":"Member.StatusChange","MemberId":"test@qq.com","Status":"free","EventTime":1725540020017}`, `"ErrorCode":0`},
	} {
		if got := s.post(c.command, c.body); !strings.Contains(got, c.want) || !strings.Contains(got, `"ActionStatus":"OK"`) {
			t.Errorf("%s: answer %s, without %s", c.command, got, c.want)
		}
	}
	if n := len(s.desk.Ledger().Accepted); n != 0 {
		t.Errorf("%d transfers were made by questions", n)
	}
}

func TestInstallations_plainIM_looksTheSessionUpAndTransfers(t *testing.T) {
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	s.desk.Begin("s1") // its user and service are known to the emulator
	view := s.desk.Session("s1")
	s.stop()
	s.start() // a service that has never heard of the session
	s.post("C2C.CallbackAfterSendMsg", fmt.Sprintf(`{"CallbackCommand":"C2C.CallbackAfterSendMsg","From_Account":%q,"To_Account":%q,"MsgKey":"1_2_3","SendMsgResult":0,`+
		`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"abracadabra"}}]}`, view.User, view.Service))
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned"})
}

func TestInstallations_inFrontOfYourOwnBot(t *testing.T) {
	var broken atomic.Bool
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case broken.Load():
			w.WriteHeader(http.StatusInternalServerError)
		case !strings.Contains(string(body), "SessionId") || r.URL.Query().Get("Sign") == "":
			t.Errorf("the bot got %s with %s", body, r.URL)
		default:
			_, _ = io.WriteString(w, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":0,"mine":true}`)
		}
	}))
	defer own.Close()
	rules := strings.Replace(ruleFile("abracadabra"), "tests:", "  - {id: stuck, when: {bot_missed: {times: 2, within: 10m}}, then: {transfer: default}}\ntests:", 1)
	s := startServiceWithRules(t, rules, "ESCALATOR_FORWARD_URL="+own.URL+"/hook")
	s.desk.Begin("s1")
	if a := s.says("s1", "hello"); !strings.Contains(string(a.Body), `"mine":true`) {
		t.Errorf("answer %s", a.Body)
	}
	broken.Store(true)
	if a := s.says("s1", "hello?"); a.AIProvider == nil || *a.AIProvider != 1 {
		t.Errorf("a bot that fails: answer %s", a.Body)
	}
	if a := s.says("s1", "hello??"); a.AIProvider == nil || *a.AIProvider != 0 {
		t.Errorf("a bot that failed twice: answer %s", a.Body)
	}
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned", "rule": "stuck"})
	s.log("the bot behind us failed", nil)
}

// TestInstallations_aReplayedRecording_decidesAsTheServiceDid records live
// traffic and plays it again through the same rules.
func TestInstallations_aReplayedRecording_decidesAsTheServiceDid(t *testing.T) {
	dir := t.TempDir()
	rules := strings.Replace(ruleFile("abracadabra"), "tests:", "  - {id: stuck, when: {bot_missed: {times: 2, within: 10m}}, then: {transfer: default}}\ntests:", 1)
	s := startServiceWithRules(t, rules, "ESCALATOR_RECORD_DIR="+dir)
	for i := range 12 {
		session := fmt.Sprint("s", i)
		s.desk.Begin(session)
		s.says(session, "my number is 13812345678")
		s.desk.BotSays(session, "sorry", "fallback")
		switch i % 3 {
		case 0:
			s.says(session, "abracadabra please")
		case 1:
			s.says(session, "again")
			s.desk.BotSays(session, "sorry", "fallback")
		}
	}
	if code := s.stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	var live []string
	for _, line := range logLines(s.out.String()) {
		if line["msg"] == "decision" && line["outcome"] == "transfer" {
			live = append(live, fmt.Sprint(line["session"], " ", line["rule"], " ", line["target"]))
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	args := append([]string{"replay", "--json", "--rules", filepath.Join(s.dir, "rules.yaml")}, files...)
	code, out, errOut := command(t, nil, args...)
	var got struct {
		Skipped   int
		Decisions []struct{ Session, Rule, Target, Outcome string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || got.Skipped != 0 {
		t.Fatalf("replay: exit %d, %v, %d skipped\n%s", code, err, got.Skipped, errOut)
	}
	var replayed []string
	for _, d := range got.Decisions {
		if d.Outcome == "transfer" {
			replayed = append(replayed, d.Session+" "+d.Rule+" "+d.Target)
		}
	}
	slices.Sort(live)
	slices.Sort(replayed)
	if diff := cmp.Diff(live, replayed); diff != "" || len(live) != 8 {
		t.Errorf("%d live transfers; live and replayed differ:\n%s", len(live), diff)
	}
	if strings.Contains(out, "13812345678") {
		t.Error("the recording shows a customer's number")
	}
}
