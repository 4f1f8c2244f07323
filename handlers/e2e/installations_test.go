package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
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

// documented reads a sample of Tencent's pages, as printed there.
func documented(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../../bot/desk/testdata/callbacks/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestInstallations_eachDocumentedSample_isAnsweredInItsForm(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, strings.Replace(ruleFile("abracadabra"), "targets: {default: {}}", "task_flow: {text: staticKey}\ntargets: {default: {group: 6521, agents: [svc1@tencent.com, svc2@tencent.com]}}", 1))
	const ok, who = `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`, `"AgentGroupId":6521,"AgentIdList":["svc1@tencent.com","svc2@tencent.com"]`
	for _, c := range []struct{ command, body, want string }{
		{"Desk.SessionEventNotify", documented(t, "session_event"), `"AIProvider":1`},
		{"Desk.SessionEventNotify", strings.Replace(documented(t, "start_message"), "{", `{"SessionId":"s","Event":"ChatBot.UserSendMsg",`, 1), `"AIProvider":1`},
		{"Member.EventNotify", documented(t, "member_event"), ok},
		{"ChatBot.OnAssignHuman", documented(t, "assign_human"), who},
		{"Chatbot.OnAssignHuman", strings.Replace(documented(t, "assign_human"), "ChatBot", "Chatbot", 1), who},
		{"ChatBot.OnAssignAgent", `{"CallbackCommand":"ChatBot.OnAssignAgent","SessionId":"aa-bb-cc-dd","ClientUserId":"123","EventTime":"1670574414123"}`, who},
		{"Chatbot.InterfaceInvocation", strings.Replace(documented(t, "task_flow"), "staticValue", "abracadabra", 1), `"Body":{"escalated":"true","rule":"magic","target":"default"}`},
		{"Chatbot.InterfaceInvocation", documented(t, "task_flow"), `"Body":{"escalated":"false","rule":"","target":""}`},
		{"Bot.OnC2CMessage", documented(t, "bot_c2c"), ok},
		{"Bot.OnGroupMessage", documented(t, "bot_group"), ok},
	} {
		if got := s.post(c.command, c.body); !strings.Contains(got, c.want) || !strings.Contains(got, `"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""`) {
			t.Errorf("%s: answer %s, without %s", c.command, got, c.want)
		}
	}
	if n := len(s.desk.Ledger().Accepted); n != 0 {
		t.Errorf("%d transfers were made by questions", n)
	}
}

// TestInstallations_badBodies goes through every command: what is malformed is 400
// and in the log, what merely is of another type is answered.
func TestInstallations_badBodies_ofEveryCommand(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	for _, command := range []string{
		desk.CommandSessionEvent, desk.CommandAssignHuman, desk.CommandAssignAgent, desk.CommandTaskFlow, desk.CommandBotC2C, desk.CommandBotGroup,
		desk.CommandC2CBefore, desk.CommandC2CAfter, desk.CommandGroupBefore, desk.CommandGroupAfter, desk.CommandMemberChanged, "New.Command",
	} {
		query := strings.Replace(sign(time.Now()), desk.CommandSessionEvent, command, 1)
		for body, want := range map[string]int{
			`{"SessionId":`: 400, `[]`: 400, `null`: 400, "\xff": 400, `{"CallbackCommand":"Other.Command"}`: 400, strings.Repeat("[", 100): 400,
			`{}`: 200, `{"SessionId":[],"Event":{},"From_Account":1,"To_Account":true,"MsgBody":"x","Body":"y","MsgBody":null,"EventTime":"z"}`: 200,
			`{"SessionId":"s","From_Account":"u","To_Account":"@s","Event":"ChatBot.UserSendMsg","MsgBody":{},"Body":[],"CloudCustomData":{}}`: 200,
			`{"MemberId":null,"Status":["free"],"ClientInfo":"x","SendMsgResult":"0","GroupId":{}}`:                                            200,
		} {
			if status, answer := request(t, http.MethodPost, s.url+"?"+query, body); status != want || !strings.Contains(answer, `"ActionStatus"`) {
				t.Errorf("%s %.40q: %d %s", command, body, status, answer)
			}
		}
	}
	s.log("callback refused", map[string]any{"reason": "not_json"})
	s.obeys("abracadabra", true)
}

// TestInstallations_theCommandsOfTheDocumentation_work sends what docs/installations.md
// tells its reader to send.
func TestInstallations_theCommandsOfTheDocumentation_work(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/installations.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := strings.Replace(ruleFile("human"), "targets: {default: {}}", "task_flow: {text: question}\ntargets: {default: {group: 7}}", 1)
	s := startServiceWithRules(t, rules)
	want := map[string]string{
		desk.CommandSessionEvent: `"AIProvider":0`, desk.CommandC2CAfter: `"ErrorCode":0`, desk.CommandAssignHuman: `"AgentGroupId":7`,
		desk.CommandTaskFlow: `"escalated":"true"`, desk.CommandMemberChanged: `"ErrorCode":0`,
	}
	for _, c := range regexp.MustCompile(`(?m)^callback (\S+) '([^']+)'$`).FindAllStringSubmatch(string(doc), -1) {
		if got := s.post(c[1], c[2]); want[c[1]] == "" || !strings.Contains(got, want[c[1]]) {
			t.Errorf("%s: %s", c[1], got)
		}
		delete(want, c[1])
	}
	if len(want) > 0 {
		t.Errorf("the documentation has no command for %v", want)
	}
	s.log("transfer", map[string]any{"session": "try-1", "code": 141005})
	s.log("transfer", map[string]any{"session": "im:me|@your_service_account", "outcome": "session_gone"})
}

// service account and customer of the plain IM tests.
const (
	imCustomer = "jared"
	imService  = desktest.DefaultService
)

// im sends a message of plain IM and wants the plain answer.
func (s *service) im(command string, m desktest.IM) {
	s.t.Helper()
	if a := s.desk.SendIM(command, m); a.Err != nil || string(a.Body) != `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}` {
		s.t.Errorf("%s: %v %s", command, a.Err, a.Body)
	}
}

func TestInstallations_plainIM_looksTheSessionUpAndTransfers(t *testing.T) {
	t.Parallel()
	for _, command := range []string{desk.CommandBotC2C, desk.CommandC2CAfter} {
		t.Run(command, func(t *testing.T) {
			s := startServiceWithRules(t, ruleFile("abracadabra"))
			s.im(command, desktest.IM{From: imCustomer, To: imService, Text: "hello"})
			if n := len(s.desk.Ledger().Calls); n != 0 {
				t.Errorf("%d calls before a transfer is due", n)
			}
			s.im(command, desktest.IM{From: imCustomer, To: imService, Text: "abracadabra"})
			session := s.desk.SessionOf(imCustomer, imService)
			s.log("transfer", map[string]any{"session": session.ID, "outcome": "assigned", "rule": "magic"})
			s.drain() // the line comes first, then the conversation hears of it
			s.im(command, desktest.IM{From: imCustomer, To: imService, Text: "abracadabra", CloudCustomData: "again"})
			s.log("decision", map[string]any{"user": imCustomer, "reason": "already_human"})
		})
	}
}

func TestInstallations_whatIsNotTheCustomersWord_neverCounts(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	magic := desktest.IM{From: imCustomer, To: imService, Group: "@TGS#2J4SZEAEL", Text: "abracadabra"}
	for _, command := range []string{desk.CommandC2CBefore, desk.CommandGroupBefore, desk.CommandGroupAfter, desk.CommandBotGroup} {
		s.im(command, magic)
	}
	failed, fromUs, ofAgent, friends := magic, magic, magic, magic
	failed.SendMsgResult = 20006
	fromUs.From, fromUs.To, fromUs.CloudCustomData = imService, imCustomer, `{"escalator":"say"}`
	ofAgent.From, ofAgent.To, ofAgent.CloudCustomData = imService, imCustomer, `{"role":"seat"}`
	friends.To = "mary"
	for _, m := range []desktest.IM{failed, fromUs, friends} {
		s.im(desk.CommandC2CAfter, m)
		s.im(desk.CommandBotC2C, m)
	}
	s.desk.Begin("s1")
	s.desk.BotSays("s1", "abracadabra", "")
	s.desk.AgentSays("s1", "abracadabra")
	s.im(desk.CommandC2CAfter, ofAgent)
	s.obeys("abracadabra", true) // the service is well, and all before has been handled
	if got := len(s.desk.Ledger().Accepted); got > 1 {
		t.Errorf("%d transfers", got)
	}
	for _, line := range logLines(s.out.settled()) {
		if line["msg"] == "decision" && line["outcome"] == "transfer" && line["session"] != "probe1" {
			t.Errorf("it led to %v", line)
		}
	}
}

func TestInstallations_imAndDeskTogether_makeOneTransfer(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	for _, imFirst := range []bool{true, false} {
		user := fmt.Sprint("both-", imFirst)
		message := desktest.IM{From: user, To: imService, Text: "abracadabra"}
		if imFirst {
			s.im(desk.CommandC2CAfter, message)
		}
		session := "desk-" + user
		if imFirst {
			session = s.desk.SessionOf(user, imService).ID
			s.log("transfer", map[string]any{"session": session, "outcome": "assigned"})
		} else {
			s.desk.Begin(session, desktest.WithUser(user))
		}
		s.desk.UserSays(session, "abracadabra", desktest.WithUser(user), desktest.WithEvent(desk.EventUserMessage))
		s.im(desk.CommandC2CAfter, message)
		eventually(t, "the transfer", func() bool { return len(s.desk.Ledger().Of(session)) == 1 })
		s.log("transfer", map[string]any{"session": session, "outcome": "assigned"})
	}
	var decided []any
	for _, line := range logLines(s.out.settled()) {
		if line["msg"] == "decision" && line["outcome"] != "none" {
			decided = append(decided, line["outcome"])
		}
	}
	if n := len(s.desk.Ledger().Accepted); n != 2 || fmt.Sprint(decided) != "[transfer transfer]" {
		t.Errorf("%d transfers by the decisions %v", n, decided)
	}
}

// TestInstallations_plainIM_survivesDeath: what was escalated before a kill -9 is
// delivered after it, once, though Desk tells of the same conversation by then.
func TestInstallations_plainIM_survivesDeath(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	if err := s.desk.Fail(desktest.Fault{Kind: desktest.FaultDrop, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	message := desktest.IM{From: imCustomer, To: imService, Text: "abracadabra"}
	s.im(desk.CommandC2CAfter, message)
	s.log("transfer", map[string]any{"session": "im:" + imCustomer + "|" + imService, "outcome": "retrying"})
	s.kill()
	s.start()
	session := s.desk.SessionOf(imCustomer, imService).ID
	s.says(session, "abracadabra!")
	s.desk.ClearFaults()
	s.log("transfer", map[string]any{"session": session, "outcome": "assigned"})
	if _, outbox := s.get("/api/outbox"); len(s.desk.Ledger().Accepted) != 1 || strings.Contains(outbox, "given_up\":[{") {
		t.Errorf("%d transfers; outbox %s", len(s.desk.Ledger().Accepted), outbox)
	}
	for _, line := range logLines(s.out.settled()) {
		if line["msg"] == "decision" && line["outcome"] == "transfer" {
			t.Errorf("the session was escalated again: %v", line)
		}
	}
}

func TestInstallations_anAgentWhoBecomesFree_getsWhoWaits(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, strings.Replace(ruleFile("abracadabra"), "default: {}", "default: {retry_if_no_agent: {every: 10m, for: 1h}}", 1))
	s.desk.SetOnline(agentLi, false)
	s.desk.Begin("s1")
	s.says("s1", "abracadabra")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "no_agent"})
	s.desk.SetStatus(agentLi, "rest")
	if a := s.desk.SetStatus(agentLi, "free"); a.Err != nil {
		t.Error(a.Err)
	}
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned"})
}

func TestInstallations_assignment_goesWhereTheRuleSays(t *testing.T) {
	t.Parallel()
	rules := strings.Replace(ruleFile("abracadabra"), "targets: {default: {}}", "targets: {default: {group: 1}, vip: {group: 2}}", 1)
	s := startServiceWithRules(t, strings.Replace(rules, "rules:\n", "rules:\n  - {id: gold, when: {field: {path: level, equals: gold}}, then: {transfer: vip}}\n", 1))
	s.desk.SetAgent(desktest.Agent{ID: "wang@example.com", Groups: []int64{2}, Online: true})
	s.desk.Begin("s1")
	for _, older := range []bool{false, true} {
		session := fmt.Sprint("s-", older)
		s.desk.Begin(session)
		if a := s.desk.Assign(session, older); !strings.Contains(string(a.Body), `"AgentGroupId":1`) || s.desk.Session(session).Agent != agentLi {
			t.Errorf("answer %s, session %+v", a.Body, s.desk.Session(session))
		}
	}
	if got := s.post(desk.CommandAssignHuman, strings.Replace(documented(t, "assign_human"), `"EventTime"`, `"level":"gold","EventTime"`, 1)); !strings.Contains(got, `"AgentGroupId":2`) {
		t.Errorf("answer %s", got)
	}
}

func TestInstallations_inFrontOfYourOwnBot(t *testing.T) {
	t.Parallel()
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
	s.log("your own bot failed to answer", nil)
}

// misbehave is a bot that fails in the way which the customer's words name.
func misbehave(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	hang := func() { <-r.Context().Done() }
	write := func(s string) { _, _ = io.WriteString(w, s) }
	for words, way := range map[string]func(){
		"slow":          hang,
		"status":        func() { w.WriteHeader(http.StatusInternalServerError); write(`{"AIProvider":0}`) },
		"html":          func() { write("<html>It works!</html>") },
		"empty":         func() {},
		"huge":          func() { write(`{"a":"` + strings.Repeat("x", 8<<20) + `"}`) },
		"type":          func() { write(`["AIProvider",0]`) },
		"closes":        func() { panic(http.ErrAbortHandler) },
		"redirects":     func() { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"hangs":         func() { w.WriteHeader(http.StatusOK); _ = http.NewResponseController(w).Flush(); hang() },
		"invalid":       func() { write(`{"AIProvider":`) },
		"trickles":      func() { trickle(w, r) },
		"continues not": func() { w.WriteHeader(http.StatusNoContent) },
	} {
		if strings.Contains(string(body), `"`+words+`"`) {
			way()
			return
		}
	}
	write(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":0,"mine":true}`)
}

// trickle answers a byte now and then, for ever.
func trickle(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// TestInstallations_aBotThatMisbehaves goes through ten ways and two more: each
// is answered in time and by Desk's robot, and loses no transfer.
func TestInstallations_aBotThatMisbehaves_blocksNothingAndLosesNoTransfer(t *testing.T) {
	t.Parallel()
	own := httptest.NewServer(http.HandlerFunc(misbehave))
	t.Cleanup(own.Close)
	rules := strings.Replace(ruleFile("abracadabra"), "tests:", "  - {id: stuck, when: {bot_missed: {times: 2, within: 10m}}, then: {transfer: default}}\ntests:", 1)
	s := startServiceWithRules(t, rules, "ESCALATOR_FORWARD_URL="+own.URL, "ESCALATOR_AI_PROVIDER=desk")
	provider := func(a desktest.Answer) int {
		if a.Err != nil || a.AIProvider == nil {
			t.Errorf("answer %d %s, %v", a.Status, a.Body, a.Err)
			return -1
		}
		return *a.AIProvider
	}
	var all sync.WaitGroup
	ways := []string{"slow", "status", "html", "empty", "huge", "type", "closes", "redirects", "hangs", "invalid", "trickles", "continues not"}
	for _, words := range ways {
		all.Go(func() {
			id := "way-" + strings.ReplaceAll(words, " ", "-")
			s.desk.Begin(id)
			began := time.Now()
			first := s.desk.UserSays(id, words)
			took := time.Since(began)
			if p := provider(first); p != 1 || took > 2*time.Second {
				t.Errorf("%s: AIProvider %d after %s", words, p, took)
			}
			if p := provider(s.desk.UserSays(id, words)); p != 0 { // the second miss escalates
				t.Errorf("%s again: AIProvider %d", words, p)
			}
			id += "-2" // and a bot that fails hides no wish
			s.desk.Begin(id)
			s.desk.UserSays(id, words)
			if p := provider(s.desk.UserSays(id, "abracadabra")); p != 0 {
				t.Errorf("%s, then a wish: AIProvider %d", words, p)
			}
		})
	}
	all.Wait()
	eventually(t, "every transfer", func() bool { return len(s.desk.Ledger().Accepted) == 2*len(ways) })
	s.desk.Begin("well")
	if a := s.says("well", "hello"); !strings.Contains(string(a.Body), `"mine":true`) {
		t.Errorf("a bot that is well again: %s", a.Body)
	}
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, `result="failed"`) {
		t.Error("failures are not measured")
	}
}
