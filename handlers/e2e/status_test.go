package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"escalator/bot/desk/desktest"
	"escalator/handlers"
)

// status is what the service tells of itself.
func (s *service) status() (is handlers.Status) {
	s.t.Helper()
	code, body := s.get("/api/status")
	if err := json.Unmarshal([]byte(body), &is); err != nil || code != 200 {
		s.t.Fatalf("%d %s: %v", code, body, err)
	}
	return is
}

// A wrong key holds the courier: status says why, and a drain waits for what cannot go out.
func TestStatus_ofAServiceThatDeskRefuses_andThatIsDrained(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, groupRules)
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 70009, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	s.desk.Begin("s1")
	s.says("s1", "human")
	eventually(t, "a held courier", func() bool { return s.status().Desk.Held != nil })
	is := s.status()
	held := is.Desk.Held
	if held.Code != 70009 || !strings.Contains(held.Words.String(), "another app's key") || held.Since.IsZero() || held.NextTryS > 60 || is.Desk.LastCallAt == nil || is.Desk.LastError == "" {
		t.Errorf("%+v", is.Desk)
	}
	if is.Store.Kind != "disk" || is.Store.Bytes <= 0 || !is.Store.CanWrite || is.Store.Conversations != 1 || is.Store.Marks == 0 || is.Store.OutboxPending != 1 {
		t.Errorf("%+v", is.Store)
	}
	if is.Redis != nil || is.Clock == nil || is.Ready.Status != "degraded" || is.History == nil || is.Replica == "" || is.UptimeS <= 0 || len(is.Settings) < 30 {
		t.Errorf("%+v", is)
	}
	if code, body := request(t, "POST", s.admin+"/api/drain", `{"for":"1s","by":"li"}`); code != 200 || !strings.Contains(body, `"drained":false,"pending":1`) {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := s.get("/readyz"); code != 503 {
		t.Errorf("drained, but ready: %d", code)
	}
	if answer := s.says("s1", "hello"); answer.Status != 200 {
		t.Errorf("drained, it does not answer callbacks: %+v", answer)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	s.start()
	if code, _ := s.get("/readyz"); code != 200 {
		t.Errorf("a restart must end the drain: %d", code)
	}
}

func TestStatus_ofReplicas_namesEachOfThem(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	eventually(t, "two replicas that know of each other", func() bool {
		is := c.replicas[0].status()
		return is.Redis != nil && is.Redis.Up && len(is.Redis.Replicas) == 2 && is.Store.Kind == "redis"
	})
}
