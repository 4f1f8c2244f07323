package bot

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
)

const callbackRules = `
version: 1
lists: {person: [转人工, human]}
task_flow: {text: question}
targets:
  default: {group: 1}
  vip: {group: 2473, agents: [li@example.com, wang@example.com], retry_if_no_agent: {every: 10m, for: 1h}}
  other: {retry_if_no_agent: {every: 10m, for: 1h}}
events: {Session.Over: closed}
rules:
  - {id: vip, when: {all: [{says: [$person]}, {field: {path: CloudCustomData.level, equals: gold}}]}, then: {transfer: vip}}
  - {id: gold-flow, when: {field: {path: Body.level, equals: gold}}, then: {transfer: vip}}
  - {id: other, when: {says: [anybody]}, then: {transfer: other}}
  - {id: human, when: {says: [$person]}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 1, within: 10m}}, then: {transfer: default}}
`

func withCallbacks(t *testing.T, test func(w *world)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, callbackRules))
		test(w)
	})
}

// raw decodes a callback from its documented form.
func (w *world) raw(command, body string) *desk.Event {
	w.t.Helper()
	e, err := desk.Decode(desk.ParseQuery("SdkAppid=1&CallbackCommand="+command), []byte(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) wantAnswer(e *desk.Event, want ...string) {
	w.t.Helper()
	got := string(w.handle(e).JSON)
	synctest.Wait()
	for _, part := range append(want, `"ErrorCode":0`, `"ActionStatus":"OK"`) {
		if !strings.Contains(got, part) {
			w.t.Errorf("%s: answer %s, without %s", e.Command, got, part)
		}
	}
}

func TestAssign_theTransferOnItsWay_elseTheRules_elseTheDefault(t *testing.T) {
	const body = `{"CallbackCommand":"ChatBot.OnAssignHuman","SessionId":"s1","ClientUserId":"123","CustomerServiceId":"@customer_service_account","EventTime":1670574414123}`
	withCallbacks(t, func(w *world) {
		w.wantAnswer(w.raw(desk.CommandAssignHuman, body), `"AgentGroupId":1`)
		w.wantAnswer(w.raw(desk.CommandAssignAgent, strings.Replace(body, `"EventTime":1670574414123`, `"EventTime":"1670574414123","CloudCustomData":"{}","Body":{"level":"gold"}`, 1)),
			`"AgentGroupId":2473`, `"AgentIdList":["li@example.com","wang@example.com"]`)
		w.wantCalls(0, 0) // asking decides nothing
		w.wantPhase(rules.PhaseBot)

		w.desk.slow = time.Minute // the transfer below is on its way
		e := w.event(desk.EventUserMessage, "human", "")
		e.CloudCustomData, e.Body = `{"level":"gold"}`, []byte(`{"CloudCustomData":"{\"level\":\"gold\"}"}`)
		w.handle(e)
		w.wantAnswer(w.raw(desk.CommandAssignHuman, body), `"AgentGroupId":2473`)
	})
}

func TestTaskFlow_isAnsweredOnly(t *testing.T) {
	withCallbacks(t, func(w *world) {
		ask := func(variables string) *desk.Event {
			return w.raw(desk.CommandTaskFlow, `{"CallbackCommand":"Chatbot.InterfaceInvocation","Body":{"SystemClientUserID":"user517","SystemSessionID":"s1",`+variables+`},"EventTime":1731488371784}`)
		}
		w.wantAnswer(ask(`"question":"I want a human"`), `"escalated":"true"`, `"rule":"human"`, `"target":"default"`)
		w.wantAnswer(ask(`"question":"where is it","level":"gold"`), `"escalated":"true"`, `"rule":"gold-flow"`, `"target":"vip"`)
		w.wantAnswer(ask(`"question":"where is it"`), `"escalated":"false"`, `"rule":""`)
		w.wantCalls(0, 0)
		w.wantPhase(rules.PhaseBot)
	})
}

const imBody = `{"CallbackCommand":"Bot.OnC2CMessage","From_Account":"jared","To_Account":"@RBT#001","MsgSeq":48374,"MsgRandom":2837546,` +
	`"MsgTime":1557481126,"MsgKey":"KEY","OnlineOnlyFlag":1,"SendMsgResult":0,"ErrorInfo":"send msg succeed",` +
	`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"TEXT"}}],"CloudCustomData":"","EventTime":1670574414123}`

func im(w *world, command, key, text string, replace ...string) *desk.Event {
	w.t.Helper()
	body := strings.NewReplacer(append(replace, "KEY", key, "TEXT", text, "Bot.OnC2CMessage", command)...).Replace(imBody)
	return w.raw(command, body)
}

func TestDirectMessage_theSessionIsLookedUpWhenATransferIsDue(t *testing.T) {
	withCallbacks(t, func(w *world) {
		w.wantAnswer(im(w, desk.CommandBotC2C, "1", "hello"))
		w.wantCalls(0, 0)
		w.wantAnswer(im(w, desk.CommandBotC2C, "2", "I want a human"))
		w.wantOutcomes("assigned")
		w.wantCalls(1, 1)
		if got := w.desk.sent()[0].SessionID; got != "s1" { // what get_session_state said
			t.Errorf("transferred session %q", got)
		}
	})
}

func TestDirectMessage_ofTheBotCounts_othersDoNot(t *testing.T) {
	withCallbacks(t, func(w *world) {
		swap := []string{`"From_Account":"jared","To_Account":"@RBT#001"`, `"From_Account":"@RBT#001","To_Account":"jared"`}
		seat := append([]string{`"CloudCustomData":""`, `"CloudCustomData":"{\"role\":\"seat\"}"`}, swap...)
		failed := []string{`"SendMsgResult":0`, `"SendMsgResult":20006`}
		friends := []string{"@RBT#001", "mary"}
		for _, e := range []*desk.Event{
			im(w, desk.CommandC2CAfter, "1", "human", failed...),
			im(w, desk.CommandC2CAfter, "2", "human", friends...),
			im(w, desk.CommandC2CBefore, "3", "human"),
			im(w, desk.CommandGroupAfter, "4", "human"),
			im(w, desk.CommandBotGroup, "5", "human"),
			im(w, desk.CommandC2CAfter, "6", "human", swap...),
		} {
			w.wantAnswer(e)
		}
		w.wantCalls(0, 0)
		w.wantAnswer(im(w, desk.CommandC2CAfter, "7", "what"))
		w.wantAnswer(im(w, desk.CommandC2CAfter, "8", "sorry", append([]string{`"CloudCustomData":""`, `"CloudCustomData":"{\"messageType\":\"fallback\"}"`}, swap...)...))
		w.wantOutcomes("assigned")
		w.wantAnswer(im(w, desk.CommandC2CAfter, "9", "I am Li", seat...))
	})
}

func TestDirectMessage_isLeftToDesk_whereDeskTellsOfIt(t *testing.T) {
	withCallbacks(t, func(w *world) {
		e := w.event(desk.EventUserMessage, "hello", "")
		w.handle(e)
		again := im(w, desk.CommandC2CAfter, "1", "human", "jared", e.UserID, "@RBT#001", e.ServiceID)
		w.wantAnswer(again)
		w.wantCalls(0, 0)
	})
}

func TestMemberChanged_transfersThatWaitAreTriedAtOnce_thoseThatNameTheAgentFirst(t *testing.T) {
	withCallbacks(t, func(w *world) {
		w.desk.answer(code(141001))
		for id, text := range map[string]string{"a": "anybody", "b": "human", "c": "anybody"} {
			e := w.event(desk.EventUserMessage, text, "")
			e.SessionID = id
			if id == "b" {
				e.CloudCustomData, e.Body = `{"level":"gold"}`, []byte(`{"CloudCustomData":"{\"level\":\"gold\"}"}`)
			}
			w.handle(e)
		}
		synctest.Wait()
		w.desk.answer(nil)
		const status = `{"CallbackCommand":"Member.EventNotify","Event":"Member.StatusChange","MemberId":"li@example.com","Status":"STATUS","EventTime":1725540020017,"ClientInfo":[{"ClientType":"Web","IsConnected":true}],"RestReason":""}`
		w.wantAnswer(w.raw(desk.CommandMemberChanged, strings.Replace(status, "STATUS", "rest", 1)))
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(w.desk.sent()); n != 3 {
			t.Fatalf("%d calls before an agent is free", n)
		}
		w.wantAnswer(w.raw(desk.CommandMemberChanged, strings.Replace(status, "STATUS", "free", 1)))
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(w.desk.sent()); n != 6 || w.desk.sent()[3].SessionID != "b" {
			t.Errorf("%d calls, the first for %s\n%s", n, w.desk.sent()[3].SessionID, w.log)
		}
	})
}

func TestMemberChanged_anAgentWhoBecomesFreeDuringTheAttempt_isNotMissed(t *testing.T) {
	withCallbacks(t, func(w *world) {
		w.desk.answer(nil, code(141001))
		w.desk.slow = time.Second
		w.handle(w.event(desk.EventUserMessage, "anybody", ""))
		time.Sleep(time.Second / 2)
		w.wantAnswer(w.raw(desk.CommandMemberChanged, `{"CallbackCommand":"Member.EventNotify","MemberId":"li@example.com","Status":"free"}`))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		w.wantOutcomes("no_agent assigned")
	})
}
