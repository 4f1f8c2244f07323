package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
)

const leavingRules = `version: 1
targets:
  default: {take_message: {say: Please leave a message., for: 10m, contact_within: 2h}}
rules:
  - {id: human, when: {says: [$ask_human]}, then: {transfer: default}}
`

const thanks = "Thank you, we have your message. Somebody will contact you as soon as possible. You can add more if you like."

// leaves has a customer ask for a person, hear that nobody is there, and leave words.
func (s *service) leaves(session, words string) {
	s.t.Helper()
	s.desk.Begin(session)
	s.says(session, "I want to talk to a human agent")
	s.hears(session, "Please leave a message.")
	// The words are taken once Desk said that the customer was asked.
	s.log("say", map[string]any{"session": session, "outcome": "sent"})
	if a := s.says(session, words); a.AIProvider == nil || *a.AIProvider != 0 {
		s.t.Errorf("who answers words that are kept: %s", a.Body)
	}
	s.hears(session, "Please leave a message.", thanks)
	s.log("message", map[string]any{"session": session, "outcome": "left"})
}

// contacted are the users whom Desk was asked to contact, in order.
func (s *service) contacted() (users []string) {
	for _, c := range s.desk.Ledger().Contacted {
		users = append(users, c.User)
	}
	return users
}

func (s *service) wantMessage(session, state string) {
	s.t.Helper()
	if _, body := s.get("/api/messages"); !strings.Contains(body, fmt.Sprintf(`{"session":%q,`, session)) || !strings.Contains(body, fmt.Sprintf(`"state":%q`, state)) {
		s.t.Errorf("%s should be %s: %s", session, state, body)
	}
}

func TestLeaving_nobodyThere_wordsAreKept_andTheCustomerIsContactedOnce(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, leavingRules, "ESCALATOR_DESK_POLL=1s")
	s.desk.SetOnline(agentLi, false)
	s.leaves("s1", "My parcel is broken, call 13800138000")
	if _, body := s.get("/api/messages"); !strings.Contains(body, `"words":["My parcel is broken, call ***"]`) {
		t.Errorf("what operators see: %s", body)
	}
	s.wantMessage("s1", "waiting")

	if code := s.stop(); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, s.out)
	}
	s.start("ESCALATOR_DESK_POLL=1s")
	s.wantMessage("s1", "waiting")

	s.desk.SetOnline(agentLi, true)
	within(t, time.Minute, "the contact", func() bool { return len(s.contacted()) > 0 }) // the lease of the first process has to end
	s.log("message", map[string]any{"session": "s1", "outcome": "contacted", "agent": agentLi, "attempt": 1})
	s.wantMessage("s1", "contacted")

	s.desk.SetOnline(agentLi, false)
	s.leaves("s2", "and mine")
	s.desk.SetOnline(agentLi, true)
	s.log("message", map[string]any{"session": "s2", "outcome": "contacted"})
	first, second := s.desk.Session("s1"), s.desk.Session("s2")
	if got := s.contacted(); !slices.Equal(got, []string{first.User, second.User}) {
		t.Errorf("contacted %v", got)
	}
}

func TestLeaving_aProcessKilledDuringTheCall_neverCallsAgain(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startServiceWithRules(t, leavingRules, "ESCALATOR_DESK_POLL=1s")
	s.desk.SetOnline(agentLi, false)
	s.leaves("s1", "call me")
	if err := s.desk.Fail(desktest.Fault{Command: "contact_user", Kind: desktest.FaultDelay, Delay: 2 * time.Second}); err != nil {
		t.Fatal(err)
	}
	s.desk.SetOnline(agentLi, true)
	eventually(t, "a call under way", func() bool { _, body := s.get("/api/messages"); return strings.Contains(body, `"state":"calling"`) })
	s.kill()
	s.start("ESCALATOR_DESK_POLL=1s")
	s.wantMessage("s1", "calling")
	within(t, 2*time.Minute, "the end of the call", func() bool { _, body := s.get("/api/messages"); return !strings.Contains(body, `"state":"calling"`) })
	s.wantMessage("s1", "unknown")
	s.log("message", map[string]any{"session": "s1", "outcome": "unknown"})
	if got := s.contacted(); len(got) > 1 {
		t.Errorf("contacted %v", got)
	}
}
