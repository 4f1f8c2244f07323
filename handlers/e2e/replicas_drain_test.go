package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"escalator/bot/desk/desktest"
)

// With Redis a drain is of one replica: the others stay ready. It waits until the outbox is empty: the shared one, and what
// only this replica has, from a time without Redis.
func TestReplicas_oneIsDrained_andWaitsForTheWholeOutbox(t *testing.T) {
	t.Parallel() // it mostly waits
	c := newCluster(t, 2)
	a, b := c.replicas[0], c.replicas[1]
	drain := func(time string) string {
		code, body := request(t, http.MethodPost, a.admin+"/api/drain", `{"for":"`+time+`","by":"li"}`)
		if code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
		return body
	}
	if err := c.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.Fault502, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	c.desk.SetCallbackURL(a.url)
	c.desk.Begin("shared")
	a.says("shared", "human")
	eventually(t, "a transfer that each replica sees", func() bool { return b.status().Store.OutboxPending == 1 })
	if body := drain("1s"); !strings.HasPrefix(body, `{"drained":false,"pending":1,`) {
		t.Errorf("the shared outbox is not empty: %s", body)
	}
	if code, body := a.get("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "by li") {
		t.Errorf("drained: %d %s", code, body)
	}
	if code, body := b.get("/readyz"); code != http.StatusOK {
		t.Errorf("the other one: %d %s", code, body)
	}

	c.redis.Kill()
	a.log("redis cannot be used: working alone, from this replica's memory and disk", nil)
	c.desk.Begin("alone")
	if answer := a.says("alone", "human"); answer.Status != http.StatusOK || answer.AIProvider == nil || *answer.AIProvider != 0 {
		t.Errorf("drained, it still has to answer: %+v", answer)
	}
	if body := drain("1s"); !strings.HasPrefix(body, `{"drained":false,"pending":1,`) {
		t.Errorf("only this replica has it: %s", body)
	}
	c.redis.Restart()
	c.desk.ClearFaults()
	if body := drain("60s"); !strings.HasPrefix(body, `{"drained":true,"pending":0,`) {
		t.Errorf("Desk takes it now: %s", body)
	}
	c.judge([]string{"shared", "alone"})
}
