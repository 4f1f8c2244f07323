package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

const agentWang = "wang@example.com"

// officeRules have the staff told of what happens at the reception.
const officeRules = `version: 1
notify:
  support: {wecom: {url_file: support-url}, on: [message], words: true, lang: en}
targets:
  default: {group: 1, queue_timeout: 3s}
  leave: {group: 1, take_message: {say: Please leave a message., for: 10m, contact_within: 2h}}
  night: {group: 2}
rules:
  - {id: nobody, when: {says: [anybody there], agents_online: {at_most: 0}}, then: {keep: true, say: Nobody is free.}, cooldown: 0s}
  - {id: unsure, when: {says: [anybody there], agents_online: {at_least: 99, if_unknown: true}}, then: {keep: true, say: We will see.}, cooldown: 0s}
  - {id: somebody, when: {says: [anybody there], agents_online: {at_least: 1}}, then: {keep: true, say: Yes.}, cooldown: 0s}
  - {id: again, when: {says: [my agent]}, then: {transfer: default, prefer_last_agent: 7d}, cooldown: 0s}
  - {id: leave, when: {says: [call me]}, then: {transfer: leave}, cooldown: 0s}
  - {id: ask, when: {says: [human]}, then: {transfer: default}, cooldown: 0s}
  - {id: other, when: {queued_for: 2s, agents_online: {at_least: 1}}, then: {transfer: night, leave_queue: true}}
  - {id: sorry, when: {queued_for: 1s}, then: {keep: true, say: Still looking.}, cooldown: 0s}
  - {id: unhappy, when: {rating: {at_most: 2}}, then: {notify: [support]}}
`

// free waits until the service knows that so many agents are free.
func (o *office) free(n int) { o.t.Helper(); o.service.free(n) }

// The words of a customer whom nobody could serve outlive a kill; one agent who comes contacts the customer, once.
func TestOffice_wordsAreLeft_theStaffIsTold_andSomebodyContactsOnce(t *testing.T) {
	t.Parallel() // it mostly waits
	chat := newChat(t)
	o := newOffice(t, officeRules, "ESCALATOR_SECRETS_DIR="+chat.secretsDir(t))
	o.goes(agentLi)
	o.begins("s1", "u1")
	o.says("s1", "please call me")
	o.hears("s1", "Please leave a message.")
	o.log("say", map[string]any{"session": "s1", "outcome": "sent"})
	if a := o.says("s1", "My parcel is broken, my number is 13812345678"); a.AIProvider == nil || *a.AIProvider != 0 {
		t.Errorf("who answers words that are kept: %s", a.Body)
	}
	o.hears("s1", "Please leave a message.", thanks)
	chat.wants(t, "a customer left a message\nMessages received: 1; 1 customer waiting now.\nTarget: leave\nRule: leave\nCustomer: My parcel is broken, my number is ***")
	// Killed before it has written down that the staff knows, it would not tell it that this is over.
	o.log("notice", map[string]any{"team": "support", "kind": "message", "outcome": "sent"})
	o.wantMessage("s1", "waiting")
	o.restart()
	o.wantMessage("s1", "waiting")

	o.comes(agentLi)
	within(t, time.Minute, "the contact", func() bool { return len(o.contacted()) > 0 }) // the lease of the killed process has to end
	o.log("message", map[string]any{"session": "s1", "outcome": "contacted", "agent": agentLi})
	o.wantMessage("s1", "contacted")
	chat.wants(t, "everybody who left a message was contacted")
	o.restart()
	o.goes(agentLi)
	o.comes(agentLi)
	o.begins("s2", "u2")
	o.goes(agentLi)
	o.says("s2", "please call me")
	o.log("say", map[string]any{"session": "s2", "outcome": "sent"})
	o.says("s2", "me too")
	o.comes(agentLi)
	within(t, time.Minute, "the second contact", func() bool { return len(o.contacted()) > 1 })
	if got := o.contacted(); !slices.Equal(got, []string{"u1", "u2"}) {
		t.Errorf("contacted %v", got)
	}
	if chat.count("a customer left a message") > 2 || chat.count("my number is") != 1 {
		t.Errorf("the staff was told %q", chat.texts)
	}
}

// A customer who waits hears of it, and is taken out of the queue for others who are free; who waits too long is unanswered, also over a kill.
func TestOffice_whoWaits_hearsOfIt_leavesTheQueue_orIsUnanswered(t *testing.T) {
	t.Parallel() // it mostly waits
	o := newOffice(t, officeRules)
	o.agent(desktest.Agent{ID: agentLi, Online: true, Capacity: 1})
	o.agent(desktest.Agent{ID: agentWang, Online: true, Groups: []int64{2}})
	o.free(2)
	for _, id := range []string{"first", "second"} {
		o.begins(id, "user-"+id)
		o.says(id, "a human please")
		o.log("transfer", map[string]any{"session": id})
	}
	o.log("transfer", map[string]any{"session": "second", "outcome": "queued"})
	o.hears("second", "Still looking.")
	o.log("decision", map[string]any{"session": "second", "rule": "other", "outcome": "transfer"})
	o.log("transfer", map[string]any{"session": "second", "outcome": "assigned", "agent": agentWang})
	if n := o.calls("end_queuing"); n != 1 {
		t.Errorf("taken out of the queue %d times", n)
	}

	o.agent(desktest.Agent{ID: agentWang, Groups: []int64{2}})
	o.agent(desktest.Agent{ID: agentLi, Online: true, Busy: true, Capacity: 1}) // nobody to leave the queue for
	o.free(0)
	o.begins("third", "user-third")
	o.says("third", "a human please")
	o.log("transfer", map[string]any{"session": "third", "outcome": "queued"})
	o.restart()
	line := o.log("transfer", map[string]any{"session": "third", "outcome": "unanswered", "target": "default", "final": true})
	if line["took_ms"].(float64) < 3000 {
		t.Errorf("told too early: %v", line)
	}
	o.metric(`escalator_transfers_total{code="0",outcome="unanswered"}`, "1")
	if at := o.state("third"); at != desk.StateQueueing || o.calls("end_queuing") != 1 {
		t.Errorf("the third is %s", at)
	}
}

// What a rule may know of the agents: how many are free, and that nobody knows where Desk leaves the figure out.
func TestOffice_rulesOfAgents_knowWhatDeskSays_andThatItSaysNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, officeRules)
	asks := func(session, rule, hears string) {
		t.Helper()
		o.begins(session, "user-"+session)
		o.says(session, "is anybody there")
		o.log("decision", map[string]any{"session": session, "rule": rule, "outcome": "keep"})
		o.hears(session, hears)
	}
	o.goes(agentLi)
	o.free(0)
	asks("s1", "nobody", "Nobody is free.")
	o.comes(agentLi)
	o.free(1)
	asks("s2", "somebody", "Yes.")
	o.fails(desktest.Fault{Command: "describe_reception_realtime_statistics", Kind: desktest.FaultOmit, Fields: []string{"FreeAgentCnt"}})
	eventually(t, "that nobody knows how many are free", func() bool { d := o.deskSays(); return d.Fresh && d.Reading.Free == nil && d.Reading.Busy != nil })
	asks("s3", "unsure", "We will see.")
	o.do(http.MethodDelete, "/faults", nil, nil)
	o.free(1)
	o.fails(desktest.Fault{Command: "describe_reception_realtime_statistics", Kind: desktest.FaultCode, Code: 71000})
	eventually(t, "that Desk refuses", func() bool { return o.deskSays().LastError != nil })
	o.begins("s4", "user-s4")
	o.says("s4", "a human please") // what Desk does not say is in nobody's way
	o.log("transfer", map[string]any{"session": "s4", "outcome": "assigned", "agent": agentLi})
}

// Few stars reach the staff's chat once each, whatever the event is called; many stars do not.
func TestOffice_aBadRatingIsToldToTheStaff(t *testing.T) {
	t.Parallel()
	chat := newChat(t)
	o := newOffice(t, officeRules, "ESCALATOR_SECRETS_DIR="+chat.secretsDir(t))
	o.comes(agentLi)
	for session, stars := range map[string]int{"happy": 5, "unhappy": 1} {
		o.begins(session, "user-"+session)
		o.says(session, "a human please")
		o.log("transfer", map[string]any{"session": session, "outcome": "assigned"})
		o.do(http.MethodPost, "/sessions/"+session+"/close", nil, nil)
		o.do(http.MethodPost, "/sessions/"+session+"/rate", map[string]any{"stars": stars, "event": "A.NameThatNobodyKnows"}, nil)
	}
	o.log("decision", map[string]any{"session": "unhappy", "rule": "unhappy"})
	chat.wants(t, "rule unhappy fired\nIt fired once.\nLook at: escalator conversation unhappy")
	if chat.count("fired") != 1 {
		t.Errorf("the staff was told %q", chat.texts)
	}
}

// A customer goes to the agent of last time; while that one is away, to the others, after one try.
func TestOffice_theAgentOfLastTime_elseTheOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t, officeRules)
	o.comes(agentWang)
	o.begins("s1", "u1")
	o.says("s1", "a human please")
	o.log("transfer", map[string]any{"session": "s1", "outcome": "assigned", "agent": agentWang})
	o.comes(agentLi) // who has nobody yet, and would get the next customer
	o.restart()
	o.begins("s2", "u1")
	o.says("s2", "my agent please")
	o.log("transfer", map[string]any{"session": "s2", "outcome": "assigned", "agent": agentWang, "last_agent": true})
	o.goes(agentWang)
	o.begins("s3", "u1")
	o.says("s3", "my agent please")
	o.log("transfer", map[string]any{"session": "s3", "outcome": "no_agent", "last_agent": true, "final": false})
	o.log("transfer", map[string]any{"session": "s3", "outcome": "assigned", "agent": agentLi, "target": "default"})
	for _, a := range o.ledger().Of("s2") {
		if a.Group != nil || !slices.Equal(a.Agents, []string{agentWang}) || !strings.Contains(string(a.Request), `"DisableQueuing":1`) {
			t.Errorf("asked for the agent of last time with %s", a.Request)
		}
	}
}

// An address that fails costs a line, a metric and further tries, and no customer anything.
func TestOffice_anAddressThatFails_isTriedAgain_andStandsInNobodysWay(t *testing.T) {
	t.Parallel()
	chat := newChat(t)
	rules := strings.Replace(officeRules, "then: {transfer: default}, cooldown: 0s}\n  - {id: other", "then: {transfer: default, notify: [support]}, cooldown: 0s}\n  - {id: other", 1)
	o := newOffice(t, rules, "ESCALATOR_SECRETS_DIR="+chat.secretsDir(t))
	o.comes(agentLi)
	chat.refuse(true)
	o.begins("s1", "u1")
	o.says("s1", "a human please")
	o.log("transfer", map[string]any{"session": "s1", "outcome": "assigned", "attempt": 1})
	line := o.log("notice", map[string]any{"team": "support", "channel": "wecom", "outcome": "retrying", "kind": "rule"})
	if line["level"] != "warning" || line["error"] == "" || line["again_in_ms"] == nil {
		t.Errorf("the line: %v", line)
	}
	if _, body := o.get("/metrics"); !strings.Contains(body, `escalator_notify_total{channel="wecom",outcome="retrying"} `) || strings.Contains(body, `escalator_notify_total{channel="wecom",outcome="retrying"} 0`) {
		t.Error("no metric counts the message that failed")
	}
	o.restart()
	chat.refuse(false)
	chat.wants(t, "rule ask fired")
	if code := o.stop(); code != 0 || chat.count("rule ask fired") != 1 {
		t.Errorf("exit %d, the staff was told %q", code, chat.texts)
	}
}
