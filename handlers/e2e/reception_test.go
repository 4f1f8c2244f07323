package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"escalator/bot/desk/desktest"
)

const receptionRules = `version: 1
targets:
  default: {group: 1, queue_timeout: 4s}
  night: {group: 2}
rules:
  - {id: nobody, when: {says: [$ask_human], agents_online: {at_most: 0}}, then: {keep: true, say: Nobody is free.}, cooldown: 0s}
  - {id: ask, when: {says: [$ask_human]}, then: {transfer: default}, cooldown: 0s}
  - {id: other, when: {queued_for: 2s, agents_online: {at_least: 1}}, then: {transfer: night, leave_queue: true}}
  - {id: sorry, when: {queued_for: 1s}, then: {keep: true, say: Still looking.}, cooldown: 0s}
  - {id: unhappy, when: {rating: {at_most: 2}}, then: {tag: [unhappy]}}
`

// deskSays is what GET /api/desk answers.
type deskSays struct {
	Reading *struct {
		Free, Busy, Rest, Queue *int
		Groups                  map[string]int
	}
	Fresh     bool
	AgeS      *float64                `json:"age_s"`
	PolledBy  string                  `json:"polled_by"`
	NeededBy  []string                `json:"needed_by"`
	LastError *struct{ Error string } `json:"last_error"`
}

func (s *service) deskSays() (d deskSays) {
	s.t.Helper()
	status, body := s.get("/api/desk")
	if err := json.Unmarshal([]byte(body), &d); err != nil || status != http.StatusOK {
		s.t.Fatalf("%d %s: %v", status, body, err)
	}
	return d
}

// free waits until the service knows how many agents are free.
func (s *service) free(n int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprint(n, " free agents"), func() bool {
		d := s.deskSays()
		return d.Fresh && d.Reading.Free != nil && *d.Reading.Free == n
	})
}

// TestReception_agentsComeAndGo plays what customers meet while agents come and go, and plays the recording of it again.
func TestReception_agentsComeAndGo(t *testing.T) {
	t.Parallel() // it mostly waits
	dir := t.TempDir()
	s := startServiceWithRules(t, receptionRules, "ESCALATOR_DESK_POLL=1s", "ESCALATOR_RECORD_DIR="+dir)
	s.free(1)
	d := s.deskSays()
	if d.PolledBy == "" || d.LastError != nil || strings.Join(d.NeededBy, " ") != "rules" || d.AgeS == nil || *d.AgeS > 10 {
		t.Errorf("the desk: %+v", d)
	}

	s.desk.SetOnline(agentLi, false)
	s.free(0)
	s.desk.Begin("early")
	s.says("early", "I want a human")
	s.log("decision", map[string]any{"session": "early", "rule": "nobody", "outcome": "keep"})
	s.hears("early", "Nobody is free.")

	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: true, Capacity: 1})
	s.desk.SetAgent(desktest.Agent{ID: "night@example.com", Groups: []int64{2}, Online: true})
	s.free(2)
	for _, id := range []string{"first", "second"} {
		s.desk.Begin(id)
		s.says(id, "I want a human")
	}
	s.log("transfer", map[string]any{"session": "first", "outcome": "assigned", "agent": agentLi})
	s.log("transfer", map[string]any{"session": "second", "outcome": "queued"})
	s.log("decision", map[string]any{"session": "second", "rule": "sorry", "event": "timer"})
	s.log("decision", map[string]any{"session": "second", "rule": "other", "outcome": "transfer"})
	s.log("transfer", map[string]any{"session": "second", "outcome": "assigned", "agent": "night@example.com"})
	s.hears("second", "Still looking.")

	s.desk.SetOnline("night@example.com", false) // nobody to leave the queue for
	s.free(1)
	status, metrics := s.get("/metrics")
	if !regexp.MustCompile(`escalator_desk_agents\{state="free"\} 1`).MatchString(metrics) || status != http.StatusOK {
		t.Errorf("the metrics do not say that one agent is free")
	}
	s.desk.Begin("third")
	s.says("third", "I want a human")
	s.log("transfer", map[string]any{"session": "third", "outcome": "queued"})
	s.desk.CloseSession("third")
	s.desk.Rate("third", 1, desktest.WithEvent("Session.Rated"))
	s.log("decision", map[string]any{"session": "third", "rule": "unhappy", "outcome": "keep", "event": "Session.Rated"})
	if code := s.stop(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.out)
	}

	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	code, out, errOut := command(t, nil, append([]string{"replay", "--json", "--rules", filepath.Join(s.dir, "rules.yaml")}, files...)...)
	for _, want := range []string{`"rule":"nobody"`, `"rule":"unhappy"`} {
		if flat := regexp.MustCompile(`\s`).ReplaceAllString(out, ""); code != 0 || !strings.Contains(flat, want) {
			t.Errorf("replayed (exit %d), it lacks %s: %s %s", code, want, out, errOut)
		}
	}
}

// TestReception_unansweredSurvivesAKill has a customer wait too long while the service is killed and started again.
func TestReception_unansweredSurvivesAKill(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startServiceWithRules(t, strings.Replace(receptionRules, "agents_online: {at_least: 1}}, then: {transfer", "agents_online: {at_least: 99}}, then: {transfer", 1))
	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: true, Capacity: 1})
	for _, id := range []string{"first", "second"} {
		s.desk.Begin(id)
		s.says(id, "I want a human")
		s.log("transfer", map[string]any{"session": id})
	}
	s.log("decision", map[string]any{"session": "second", "rule": "sorry"})
	s.kill()
	s.start()
	line := s.log("transfer", map[string]any{"session": "second", "outcome": "unanswered", "rule": "ask", "target": "default", "final": true})
	if line["took_ms"].(float64) < 4000 {
		t.Errorf("told too early: %v", line)
	}
	s.desk.CloseSession("second")
	s.desk.Begin("last")
	s.says("last", "hello")
	if code := s.stop(); code != 0 || strings.Count(s.out.String(), `"outcome":"unanswered"`) != 1 {
		t.Errorf("exit %d, or told more than once\n%s", code, s.out)
	}
}

// TestReception_deskRefuses shows what is not known, why, and that nothing waits for it.
func TestReception_deskRefuses(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, receptionRules, "ESCALATOR_DESK_POLL=1s")
	if err := s.desk.Fail(desktest.Fault{Command: "describe_reception_realtime_statistics", Kind: desktest.FaultCode, Code: 71000}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the error is shown", func() bool {
		d := s.deskSays()
		return d.LastError != nil && strings.Contains(d.LastError.Error, "71000")
	})
	s.desk.ClearFaults()
	eventually(t, "it is asked again", func() bool { return s.deskSays().LastError == nil })
}
