package e2e_test

import (
	"testing"

	"escalator/bot/desk/desktest"
)

const customerRules = `version: 1
targets: {default: {}}
rules:
  - {id: welcome, when: {says: [good morning], first_contact: true}, then: {tag: [new]}, cooldown: 0s}
  - {id: gift, when: {says: [gift]}, then: {keep: true, say: Here it is.}, cooldown: {for: 24h, per: customer}}
  - {id: again, when: {says: [human], had_agent: {within: 7d}}, then: {transfer: default, prefer_last_agent: 7d}, cooldown: 0s}
  - {id: ask, when: {says: [human]}, then: {transfer: default}}
`

// What is kept of a customer outlives the process, however it ends, and is the same in each session; once forgotten, the
// customer is new.
func TestServe_customer_isKnownInTheNextSession_overAStopAndAKill(t *testing.T) {
	t.Parallel()
	const token = "planted-admin-token"
	s := startServiceWithRules(t, customerRules, "ESCALATOR_ADMIN_TOKEN="+token)
	say := func(session, text, rule, outcome string) {
		s.desk.Begin(session, desktest.WithUser("u1"))
		s.says(session, text)
		s.log("decision", map[string]any{"session": session, "rule": rule, "outcome": outcome, "user": "u1"})
	}
	say("s1", "good morning", "welcome", "keep")
	say("s2", "gift", "gift", "keep")
	say("s3", "human", "ask", "transfer")
	s.log("transfer", map[string]any{"session": "s3", "outcome": "assigned", "agent": agentLi})

	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	s.start("ESCALATOR_ADMIN_TOKEN=" + token)
	say("s4", "gift", "gift", "suppressed")
	say("s5", "human", "again", "transfer")
	s.log("transfer", map[string]any{"session": "s5", "outcome": "assigned", "agent": agentLi, "last_agent": true, "target": "default"})

	s.kill()
	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}})
	s.desk.SetAgent(desktest.Agent{ID: "wang@example.com", Groups: []int64{1}, Online: true})
	s.start("ESCALATOR_ADMIN_TOKEN=" + token)
	say("s6", "human", "again", "transfer")
	s.log("transfer", map[string]any{"session": "s6", "outcome": "no_agent", "last_agent": true, "final": false})
	s.log("transfer", map[string]any{"session": "s6", "outcome": "assigned", "agent": "wang@example.com"})

	if code, _, errOut := command(t, []string{"ESCALATOR_ADMIN_TOKEN=" + token, "USER=zhang"}, "forget", "u1", "--url", s.admin); code != 0 {
		t.Fatal(errOut)
	}
	say("s7", "good morning", "welcome", "keep")
	say("s8", "gift", "gift", "keep")
}
