package inbound

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"escalator/bot/desk"
)

// read decodes a callback.
func read(t testing.TB, query, body string) *desk.Event {
	t.Helper()
	e, err := desk.Decode(desk.ParseQuery(query), []byte(body))
	if err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	return e
}

func TestKey_followsTheContract(t *testing.T) {
	const (
		event = "CallbackCommand=Desk.SessionEventNotify"
		after = "CallbackCommand=C2C.CallbackAfterSendMsg"
		bot   = "CallbackCommand=Bot.OnC2CMessage"
		group = "CallbackCommand=Bot.OnGroupMessage"
		user  = `{"ClientUserId":"u","CustomerServiceId":"@s","SessionId":"s1","Event":"ChatBot.UserSendMsg","MsgKey":"k"}`
		robot = `{"ClientUserId":"u","CustomerServiceId":"@s","SessionId":"s1","Event":"ChatBot.RobotSendMsg","MsgKey":"k"}`
		im    = `{"From_Account":"u","To_Account":"@s","MsgKey":"k"}`
		back  = `{"From_Account":"@s","To_Account":"u","MsgKey":"k"}`
	)
	for _, c := range []struct {
		name string
		a, b [2]string
		same bool
	}{
		{"a message under two RequestIDs", [2]string{event + "&RequestID=1", user}, [2]string{event + "&RequestID=2", user}, true},
		{"a RequestID with two messages", [2]string{event + "&RequestID=1", user}, [2]string{event + "&RequestID=1", strings.Replace(user, `"k"`, `"l"`, 1)}, false},
		{"IM's and Desk's copy", [2]string{after, im}, [2]string{event + "&RequestID=1", user}, true},
		{"both of IM's copies", [2]string{after, im}, [2]string{bot, im}, true},
		{"IM's and Desk's copy of the bot's words", [2]string{after, back}, [2]string{event, robot}, true},
		{"the customer and the bot", [2]string{event, user}, [2]string{event, robot}, false},
		{"the bot and a person", [2]string{event, robot}, [2]string{event, strings.Replace(robot, "{", `{"CloudCustomData":"{\"role\":\"seat\"}",`, 1)}, false},
		{"a customer cannot say that they are a person", [2]string{event, user}, [2]string{event, strings.Replace(user, "{", `{"CloudCustomData":"{\"role\":\"seat\"}",`, 1)}, true},
		{"another account of the service", [2]string{event, user}, [2]string{event, strings.Replace(user, "@s", "@t", 1)}, false},
		{"another session of the same two", [2]string{event, user}, [2]string{event, strings.Replace(user, "s1", "s2", 1)}, true},
		{"another event", [2]string{event, strings.Replace(user, "ChatBot.UserSendMsg", "A", 1)}, [2]string{event, strings.Replace(user, "ChatBot.UserSendMsg", "B", 1)}, false},
		{"without a pair, the session", [2]string{event, `{"SessionId":"s","MsgKey":"k","Event":"e"}`}, [2]string{event, `{"SessionId":"s","MsgKey":"k","Event":"e","x":1}`}, true},
		{"another session", [2]string{event, `{"SessionId":"s","MsgKey":"k"}`}, [2]string{event, `{"SessionId":"t","MsgKey":"k"}`}, false},
		{"a group", [2]string{group, `{"GroupId":"g","From_Account":"u","MsgKey":"k"}`}, [2]string{group, `{"GroupId":"g","MsgKey":"k","x":1}`}, true},
		{"a group is no session", [2]string{group, `{"GroupId":"g","MsgKey":"k"}`}, [2]string{group, `{"SessionId":"g","MsgKey":"k"}`}, false},
		{"no MsgKey: the RequestID", [2]string{event + "&RequestID=1", `{"SessionId":"s"}`}, [2]string{event + "&RequestID=1", `{"SessionId":"s","x":1}`}, true},
		{"no MsgKey: one RequestID, two sessions", [2]string{event + "&RequestID=1", `{"SessionId":"s"}`}, [2]string{event + "&RequestID=1", `{"SessionId":"t"}`}, false},
		{"no MsgKey: one RequestID, two events", [2]string{event + "&RequestID=1", `{"SessionId":"s","Event":"a"}`}, [2]string{event + "&RequestID=1", `{"SessionId":"s","Event":"b"}`}, false},
		{"no MsgKey: one RequestID, two commands", [2]string{"CallbackCommand=A&RequestID=1", `{}`}, [2]string{"CallbackCommand=B&RequestID=1", `{}`}, false},
		{"neither: the body", [2]string{event, `{"SessionId":"s","x":1}`}, [2]string{event, `{"SessionId":"s","x":2}`}, false},
		{"neither: the same body", [2]string{event, `{"SessionId":"s"}`}, [2]string{event + "&ClientIP=1.1.1.1", `{"SessionId":"s"}`}, true},
		{"neither: the same body under two commands", [2]string{"CallbackCommand=A", `{"x":1}`}, [2]string{"CallbackCommand=B", `{"x":1}`}, false},
		{"lengths are told", [2]string{event, `{"SessionId":"ab","Event":"c","MsgKey":"k"}`}, [2]string{event, `{"SessionId":"a","Event":"bc","MsgKey":"k"}`}, false},
		{"two customers, either way round", [2]string{after, `{"From_Account":"u","To_Account":"v","MsgKey":"k"}`}, [2]string{after, `{"From_Account":"v","To_Account":"u","MsgKey":"k"}`}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(nil)
			a, b := r.Key(read(t, c.a[0], c.a[1])), r.Key(read(t, c.b[0], c.b[1]))
			if (a == b) != c.same || a == "" {
				t.Errorf("%q and %q", a, b)
			}
		})
	}
}

func TestKey_questions_andBeforeCallbacks(t *testing.T) {
	r := New(nil)
	for _, command := range []string{desk.CommandAssignHuman, desk.CommandAssignAgent, desk.CommandTaskFlow} {
		if k := r.Key(&desk.Event{Command: command, SessionID: "s", MsgKey: "k"}); k != "" {
			t.Errorf("%s without a RequestID: %q, it is to be computed anew", command, k)
		}
		if r.Key(&desk.Event{Command: command, RequestID: "r", SessionID: "s"}) == r.Key(&desk.Event{Command: command, RequestID: "r", SessionID: "t"}) {
			t.Errorf("%s: two sessions are one question", command)
		}
	}
	for _, command := range []string{desk.CommandC2CBefore, desk.CommandGroupBefore} {
		if k := r.Key(&desk.Event{Command: command, From: "u", To: "@s", MsgKey: "k", RequestID: "r"}); k != "" {
			t.Errorf("%s takes the key of the message that follows: %q", command, k)
		}
	}
}

func TestKey_anAccountWithoutAnAt_isOfTheServiceOnceItIsKnown(t *testing.T) {
	im := &desk.Event{Command: desk.CommandC2CAfter, From: "u", To: "entry", MsgKey: "k"}
	told := &desk.Event{Command: desk.CommandSessionEvent, Name: desk.EventUserMessage, SessionID: "s1", UserID: "u", ServiceID: "entry", MsgKey: "k"}
	if r := New(nil); r.Key(im) == r.Key(told) {
		t.Error("it is known from nowhere")
	}
	if r := New([]string{"entry"}); r.Key(im) != r.Key(told) {
		t.Error("the settings name it")
	}
	r := New(nil)
	r.Again(told)
	if r.Key(im) != r.Key(told) {
		t.Error("Desk named it")
	}
	for i := range 2 * maxAccounts {
		r.Again(&desk.Event{Command: desk.CommandSessionEvent, SessionID: "s", ServiceID: strings.Repeat("x", i+1)})
	}
	if n := r.accounts.n.Load(); n > maxAccounts {
		t.Errorf("%d accounts are remembered", n)
	}
}

func TestKey_differsWhereTheMessagesDiffer(t *testing.T) {
	word := rapid.StringMatching(`[ab|]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		draw := func() desk.Event {
			return desk.Event{
				Command: desk.CommandSessionEvent, RequestID: word.Draw(t, "request"), UserID: "u" + word.Draw(t, "user"),
				ServiceID: "@" + word.Draw(t, "service"), Name: word.Draw(t, "event"), MsgKey: "k" + word.Draw(t, "key"),
			}
		}
		r, a, b := New(nil), draw(), draw()
		same := a.UserID == b.UserID && a.ServiceID == b.ServiceID && a.Name == b.Name && a.MsgKey == b.MsgKey
		if (r.Key(&a) == r.Key(&b)) != same {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

func TestPairID_isReadBack(t *testing.T) {
	text := rapid.StringMatching(`[a|%7C25@]{1,8}`)
	rapid.Check(t, func(t *rapid.T) {
		user, service := text.Draw(t, "user"), "@"+text.Draw(t, "service")
		if u, s, ok := pairOf(pairID(user, service)); !ok || u != user || s != service {
			t.Fatalf("%q and %q became %q and %q (%v)", user, service, u, s, ok)
		}
	})
	if _, _, ok := pairOf("2baf4d84"); ok {
		t.Error("a session is no pair")
	}
}
