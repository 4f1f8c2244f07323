package desk

import (
	"testing"

	"pgregory.net/rapid"
)

func TestEvent_DedupKey_followsTheContract(t *testing.T) {
	key := func(query, body string) string { return decode(t, query, body).DedupKey() }
	const command = "CallbackCommand=Desk.SessionEventNotify"
	tests := []struct {
		name string
		a, b [2]string
		same bool
	}{
		{"RequestID decides", [2]string{command + "&RequestID=1", `{"MsgKey":"a","SessionId":"s"}`}, [2]string{command + "&RequestID=1", `{"MsgKey":"b"}`}, true},
		{"another RequestID", [2]string{command + "&RequestID=1", `{}`}, [2]string{command + "&RequestID=2", `{}`}, false},
		{"another command", [2]string{"CallbackCommand=A&RequestID=1", `{}`}, [2]string{"CallbackCommand=B&RequestID=1", `{}`}, false},
		{"session, event, key", [2]string{command, `{"SessionId":"s","Event":"e","MsgKey":"k","x":1}`}, [2]string{command, `{"SessionId":"s","Event":"e","MsgKey":"k","x":2}`}, true},
		{"another event", [2]string{command, `{"SessionId":"s","Event":"e","MsgKey":"k"}`}, [2]string{command, `{"SessionId":"s","Event":"f","MsgKey":"k"}`}, false},
		{"another session", [2]string{command, `{"SessionId":"s","MsgKey":"k"}`}, [2]string{command, `{"SessionId":"t","MsgKey":"k"}`}, false},
		{"from, to, key", [2]string{"", `{"From_Account":"a","To_Account":"b","MsgKey":"k","x":1}`}, [2]string{"", `{"From_Account":"a","To_Account":"b","MsgKey":"k"}`}, true},
		{"the other way round", [2]string{"", `{"From_Account":"a","To_Account":"b","MsgKey":"k"}`}, [2]string{"", `{"From_Account":"b","To_Account":"a","MsgKey":"k"}`}, false},
		{"group, key", [2]string{"", `{"GroupId":"g","MsgKey":"k","x":1}`}, [2]string{"", `{"GroupId":"g","MsgKey":"k"}`}, true},
		{"a group is no session", [2]string{"", `{"GroupId":"g","MsgKey":"k"}`}, [2]string{"", `{"SessionId":"g","MsgKey":"k"}`}, false},
		{"without a key the body decides", [2]string{command, `{"SessionId":"s","x":1}`}, [2]string{command, `{"SessionId":"s","x":2}`}, false},
		{"the same body", [2]string{command, `{"SessionId":"s"}`}, [2]string{command + "&ClientIP=1.1.1.1", `{"SessionId":"s"}`}, true},
		{"lengths are told", [2]string{"", `{"SessionId":"ab","Event":"c","MsgKey":"k"}`}, [2]string{"", `{"SessionId":"a","Event":"bc","MsgKey":"k"}`}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := key(tt.a[0], tt.a[1]), key(tt.b[0], tt.b[1])
			if (a == b) != tt.same || a == "" {
				t.Errorf("%q and %q", a, b)
			}
		})
	}
}

func TestEvent_DedupKey_assignmentsWithoutRequestID_areComputedAnew(t *testing.T) {
	for _, command := range []string{CommandAssignHuman, CommandAssignAgent, CommandTaskFlow} {
		if k := (&Event{Command: command, SessionID: "s", MsgKey: "k"}).DedupKey(); k != "" {
			t.Errorf("%s: %q", command, k)
		}
		if k := (&Event{Command: command, RequestID: "r"}).DedupKey(); k == "" {
			t.Errorf("%s has no key", command)
		}
	}
}

func TestEvent_DedupKey_differsWhereTheEventsDiffer(t *testing.T) {
	word := rapid.StringMatching(`[ab]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func() Event {
			return Event{
				Command: word.Draw(t, "command"), SessionID: word.Draw(t, "session"), Name: word.Draw(t, "event"), MsgKey: "k" + word.Draw(t, "key"),
			}
		}
		a, b := draw(), draw()
		if a.SessionID == "" || b.SessionID == "" {
			return
		}
		same := a.Command == b.Command && a.SessionID == b.SessionID && a.Name == b.Name && a.MsgKey == b.MsgKey
		if (a.DedupKey() == b.DedupKey()) != same {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}
