package e2e_test

import (
	"encoding/json"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

// TestReplicas_imsCopyToOne_desksToAnother: a message that asks for a person is one transfer, whichever of its two
// callbacks comes first, to whichever replica, also when they are seconds apart and the first replica has died.
func TestReplicas_imsCopyToOne_desksToAnother_escalateOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	to := func(n int) { c.desk.SetCallbackURL(c.replicas[n].url) }
	const text = "a human please"
	im := func(id string) (key string) {
		c.desk.Begin(id)
		a := c.desk.SendIM(desk.CommandC2CAfter, desktest.IM{From: "user-" + id, To: desktest.DefaultService, Text: text})
		var told struct{ MsgKey string }
		if err := json.Unmarshal(a.Request.Body, &told); err != nil || a.Err != nil || told.MsgKey == "" {
			t.Errorf("plain IM's copy of %s: %v %v %s", id, a.Err, err, a.Body)
		}
		return told.MsgKey
	}
	desks := func(id string, o ...desktest.Option) {
		if a := c.desk.UserSays(id, text, o...); a.Err != nil || a.AIProvider == nil || *a.AIProvider != 0 {
			t.Errorf("Desk's copy of %s was answered %s, %v; want AIProvider 0", id, a.Body, a.Err)
		}
	}
	for name, apart := range map[string]time.Duration{"at-once": 0, "apart": 3 * time.Second} {
		ids := map[string]string{}
		for _, kind := range []string{"desk-first", "two-keys", "one-key", "killed"} {
			ids[kind] = name + "-" + kind
		}
		to(0)
		desks(ids["desk-first"])
		im(ids["two-keys"])
		key := im(ids["one-key"])
		to(2)
		im(ids["killed"])
		c.replicas[2].kill()
		<-time.After(apart)
		to(1)
		im(ids["desk-first"])
		desks(ids["two-keys"])
		desks(ids["one-key"], desktest.WithMsgKey(key))
		desks(ids["killed"])
		c.replicas[2].start(c.settings...)
		for _, id := range ids {
			c.judge([]string{id})
			if n := c.decisions()[id] + c.decisions()["im:user-"+id+"|"+desktest.DefaultService]; n != 1 {
				t.Errorf("%s: %d decisions to transfer, want 1", id, n)
			}
		}
	}
}
