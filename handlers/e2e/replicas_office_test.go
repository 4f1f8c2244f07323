package e2e_test

import (
	"slices"
	"testing"
	"time"

	"escalator/bot/store/redis/redistest"
)

// Two replicas on one Redis, each killed once, are one to Desk and to the staff: one of them asks who is free, one
// contacts the customer, one tells the chat.
func TestReplicas_askDeskOnce_contactOnce_andTellOnce(t *testing.T) {
	t.Parallel() // it mostly waits
	chat := newChat(t)
	o := newOffice(t, officeRules, "ESCALATOR_SECRETS_DIR="+chat.secretsDir(t), "ESCALATOR_REDIS_URL="+redistest.Start(t).URL())
	other := o.another(officeRules)
	both := []*service{o.service, other}
	o.open(both...)
	o.goes(agentLi)
	for _, s := range both {
		s.free(0)
	}
	if a, b := o.deskSays().PolledBy, other.deskSays().PolledBy; a == "" || a != b {
		t.Errorf("%q asks Desk, and %q", a, b)
	}
	users := []string{"u1", "u2", "u3"}
	for _, user := range users {
		o.begins(user, user)
		o.says(user, "please call me")
		o.hears(user, "Please leave a message.")
		eventually(t, "that words are awaited", func() bool { return *o.says(user, "I am "+user).AIProvider == 0 })
		chat.wants(t, "a customer left a message") // well before a kill: a process that dies while it sends leaves a message that is sent again
	}
	for _, s := range both {
		s.kill()
		s.start(o.settings...)
		o.open(both...)
	}
	o.comes(agentLi)
	within(t, time.Minute, "three contacts", func() bool { return len(o.contacted()) >= len(users) })
	chat.wants(t, "everybody who left a message was contacted")
	asked := o.calls("describe_reception_realtime_statistics")
	eventually(t, "further readings", func() bool { return o.calls("describe_reception_realtime_statistics") > asked+3 })

	got := o.contacted()
	slices.Sort(got)
	if !slices.Equal(got, users) {
		t.Errorf("contacted %v", got)
	}
	for _, once := range []string{"everybody who left a message was contacted", "a customer left a message"} {
		if n := chat.count(once); n != 1 {
			t.Errorf("%d messages say %q", n, once)
		}
	}
	o.wantAskedByOne()
}

// wantAskedByOne wants no two questions of Desk within half of the time that lies between those of one process.
func (o *office) wantAskedByOne() {
	o.t.Helper()
	var last time.Time
	for _, c := range o.ledger().Calls {
		if c.Command != "describe_reception_realtime_statistics" {
			continue
		}
		if gap := c.At.Sub(last); gap < 500*time.Millisecond {
			o.t.Errorf("asked again after %s", gap)
		}
		last = c.At
	}
}
