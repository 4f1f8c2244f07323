package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"escalator/bot/desk/desktest"
)

const groupRules = `version: 1
targets: {vip: {group: 2473, say_if_failed: Sorry.}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: vip}}
`

// operator runs a command of the operators against the service and returns what it prints.
func (s *service) operator(wantCode int, args ...string) string {
	s.t.Helper()
	code, out, errOut := command(s.t, []string{"USER=zhang", "COLUMNS=200"}, append(args, "--url", s.admin)...)
	if code != wantCode {
		s.t.Errorf("%v: exit %d, want %d\n%s%s", args, code, wantCode, out, errOut)
	}
	return out + errOut
}

// ruleChange writes the rule file and has the service take it.
func (s *service) ruleChange(before, after string) {
	s.t.Helper()
	s.writeRules(strings.Replace(groupRules, before, after, 1))
	s.reload()
}

func (s *service) reload() {
	s.t.Helper()
	if status, body := request(s.t, "POST", s.admin+"/api/reload", ""); status != 200 {
		s.t.Fatalf("reload: %d %s", status, body)
	}
}

// A group that is wrong: the transfer fails, is retried in vain over a restart, and
// delivered once the rules are mended. The customer is told once.
func TestOperators_mendATransferThatFailed(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, groupRules)
	s.desk.Begin("s1")
	s.says("s1", "human")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "failed", "code": 141004})
	s.hears("s1", "Sorry.")
	s.kill()
	s.start()
	for _, want := range []string{"given up: 1", "s1  given_up since", "rule ask, target vip, code 141004", "no such AgentGroupId"} {
		if out := s.operator(0, "outbox"); !strings.Contains(out, want) {
			t.Errorf("outbox does not say %q:\n%s", want, out)
		}
	}
	s.operator(0, "retry", "s1", "--why", "once more")
	s.log("transfer retried by an operator", map[string]any{"session": "s1", "by": "zhang", "why": "once more"})
	s.log("transfer", map[string]any{"session": "s1", "outcome": "failed", "code": 141004})

	s.writeRules(strings.ReplaceAll(groupRules, "vip", "other"))
	s.reload()
	eventually(t, "the transfer given up again", func() bool { return strings.Contains(s.operator(0, "outbox"), "given up: 1") })
	if out := s.operator(1, "retry", "s1"); !strings.Contains(out, `target "vip": the rules in force no longer have this target`) {
		t.Error(out)
	}
	if out := s.operator(0, "retry", "--code", "141004"); !strings.Contains(out, "0 on their way again") || !strings.Contains(out, "1 not retried") {
		t.Error(out)
	}
	s.ruleChange("2473", "1")
	if out := s.operator(0, "retry", "--code", "141004"); out != "1 on their way again\n" {
		t.Error(out)
	}
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned", "group": 1})
	if said := saidTo(t, "s1", s.desk.Ledger()); !slices.Equal(said, []string{"Sorry."}) {
		t.Errorf("the customer was told %q", said)
	}
	eventually(t, "an empty outbox", func() bool { return s.operator(0, "outbox") == "on their way: 0\ngiven up: 0\n" })
}

// A wrong key: readiness says so with the code, and a transfer that is dismissed is
// not delivered when it is mended.
func TestOperators_aCourierThatIsHeld_isSeenAndATransferDismissed(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, strings.Replace(groupRules, "2473", "1", 1))
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 70009, Times: 1}); err != nil {
		t.Fatal(err)
	}
	for _, session := range []string{"s1", "s2"} {
		s.desk.Begin(session)
	}
	s.says("s1", "human")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "retrying", "code": 70009})
	s.readiness(`"courier held: Desk refuses every transfer (transfer_to_human: code 70009 (the signature`)
	s.readiness(`"status":"degraded"`)
	eventually(t, "the code in the outbox", func() bool { return strings.Contains(s.operator(0, "outbox"), "code 70009") })
	s.operator(0, "dismiss", "s1", "--why", "called back")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "dismissed", "final": true, "by": "zhang", "why": "called back", "code": 70009})
	if out := s.operator(1, "dismiss", "s1"); !strings.Contains(out, "holds no transfer of this session") {
		t.Error(out)
	}
	s.says("s2", "human")
	s.log("transfer", map[string]any{"session": "s2", "outcome": "assigned"})
	s.readiness(`"ready"`)
	if s.says("s1", "thanks").AIProvider == nil {
		t.Error("s1 is not the bot's")
	}
	if n := len(s.desk.Ledger().Of("s1")); n != 0 {
		t.Errorf("the dismissed transfer was delivered %d times", n)
	}
}
