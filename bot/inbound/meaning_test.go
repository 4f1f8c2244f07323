package inbound

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
)

// meaning tells in a line what a callback does.
func meaning(m *Message) string {
	switch {
	case m.LeftToDesk:
		return "left to Desk"
	case m.Echo:
		return fmt.Sprint("echo, acted ", m.Acted)
	case m.Unknown && !m.Counts():
		return "unknown"
	case !m.Counts():
		return "nothing"
	case m.Change != nil:
		return m.Change.String()
	}
	what := m.Turn.Kind.String()
	if m.Turn.Unsure {
		what += " (unsure)"
	}
	for _, part := range []string{m.Turn.Text, m.Turn.Mark, strings.Join(m.Turn.Sends.Names(), "+")} {
		if part != "" {
			what += " " + part
		}
	}
	return what
}

// TestRead_marksCountOnlyWhereTheServiceSpeaks: a client can write anything into
// CloudCustomData.
func TestRead_marksCountOnlyWhereTheServiceSpeaks(t *testing.T) {
	const event = "CallbackCommand=Desk.SessionEventNotify"
	for _, c := range []struct{ name, speaker, custom, want string }{
		{"the customer is connected", "ChatBot.UserSendMsg", `{"messageType":"connectedToAgent"}`, "user hi"},
		{"the customer closes", "ChatBot.UserSendMsg", `{"messageType":"proactiveClosure"}`, "user hi"},
		{"the customer speaks as we do", "ChatBot.UserSendMsg", `{"escalator":"say"}`, "user hi"},
		{"the customer is an agent", "ChatBot.UserSendMsg", `{"role":"seat"}`, "user hi"},
		{"the customer, under a name of the rule file", "Mapped.UserMsg", `{"messageType":"connectedToAgent","escalator":"say"}`, "user (unsure) hi"},
		{"the customer, under a name that nobody knows", "Human.UserSendMsg", `{"messageType":"timeoutAutoClosure"}`, "unknown"},
		{"the bot misses", "ChatBot.RobotSendMsg", `{"messageType":"fallback"}`, "bot hi fallback"},
		{"Desk connects", "ChatBot.RobotSendMsg", `{"messageType":"connectedToAgent"}`, "with_human"},
		{"Desk closes, under a name that nobody knows", "Some.Prompt", `{"messageType":"proactiveClosure"}`, "closed"},
		{"we speak", "ChatBot.RobotSendMsg", `{"escalator":"say"}`, "nothing"},
		{"a person speaks", "ChatBot.RobotSendMsg", `{"role":"seat"}`, "agent_message"},
		{"a person speaks, under a name of the rule file", "Agent.Said", `{}`, "agent_message"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"SessionId":"s","Event":%q,"CloudCustomData":%q,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}`, c.speaker, c.custom)
			m, err := New(nil).Read(t.Context(), load(t, readingRules), read(t, event, body), time.Now(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := meaning(m); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// What would count but names no conversation is told; what counts for nothing, or names one, is not.
func TestRead_missing_isWhatAMessageWouldNeed(t *testing.T) {
	const (
		words  = `"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]`
		typing = `"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"customerServicePlugin\":0,\"src\":\"12\"}"}}]`
	)
	for _, c := range []struct{ name, command, body, want string }{
		{"a session is enough", desk.CommandSessionEvent, `{"Event":"ChatBot.UserSendMsg","SessionId":"s",` + words + `}`, ""},
		{"under its other spelling", desk.CommandSessionEvent, `{"Event":"ChatBot.UserSendMsg","SessionID":7,` + words + `}`, ""},
		{"customer and account are", desk.CommandSessionEvent, `{"Event":"ChatBot.UserSendMsg","ClientUserId":"u","CustomerServiceId":"@s",` + words + `}`, ""},
		{"a customer of nobody knows which account is not", desk.CommandSessionEvent, `{"Event":"ChatBot.UserSendMsg","SessionId":"","ClientUserId":"u",` + words + `}`, "SessionId CustomerServiceId"},
		{"no scalar is none", desk.CommandSessionEvent, `{"Event":"ChatBot.UserSendMsg","SessionId":{"Id":"s"},"ClientUserId":null,"CustomerServiceId":["@s"],` + words + `}`, "SessionId ClientUserId CustomerServiceId"},
		{"the bot's words", desk.CommandSessionEvent, `{"Event":"ChatBot.RobotSendMsg","CustomerServiceId":"@s",` + words + `}`, "SessionId ClientUserId"},
		{"a person's words", desk.CommandSessionEvent, `{"Event":"ChatBot.RobotSendMsg","CustomerServiceId":"@s","CloudCustomData":"{\"role\":\"seat\"}",` + words + `}`, "SessionId ClientUserId"},
		{"a session begins", desk.CommandSessionEvent, `{"Event":"SessionBegin","ClientUserId":"u"}`, "SessionId CustomerServiceId"},
		{"Desk's prompt that connects", desk.CommandSessionEvent, `{"Event":"Some.Prompt","ClientUserId":"u","CloudCustomData":"{\"messageType\":\"connectedToAgent\"}"}`, "SessionId CustomerServiceId"},
		{"our own words", desk.CommandSessionEvent, `{"Event":"ChatBot.RobotSendMsg","CloudCustomData":"{\"escalator\":\"say\"}",` + words + `}`, ""},
		{"the client types", desk.CommandSessionEvent, `{"Event":"ChatBot.UserSendMsg",` + typing + `}`, ""},
		{"an event that nobody knows", desk.CommandSessionEvent, `{"Event":"Some.Event"}`, ""},
		{"no event", desk.CommandSessionEvent, `{}`, ""},

		{"plain IM, to a bot, from nobody", desk.CommandBotC2C, `{"To_Account":"@RBT#1",` + words + `}`, "From_Account"},
		{"plain IM, to nobody", desk.CommandC2CAfter, `{"From_Account":"u","SendMsgResult":0,` + words + `}`, "To_Account"},
		{"plain IM, of nobody", desk.CommandC2CAfter, `{` + words + `}`, "From_Account To_Account"},
		{"plain IM, not delivered", desk.CommandC2CAfter, `{"SendMsgResult":1,` + words + `}`, ""},
		{"plain IM, the client types", desk.CommandC2CAfter, `{"To_Account":"@s",` + typing + `}`, ""},
		{"plain IM, two customers", desk.CommandC2CAfter, `{"From_Account":"u","To_Account":"v",` + words + `}`, ""},
		{"plain IM, two accounts of the service", desk.CommandC2CAfter, `{"From_Account":"@s","To_Account":"@r",` + words + `}`, ""},
		{"plain IM, a customer and the service", desk.CommandC2CAfter, `{"From_Account":"u","To_Account":"@s",` + words + `}`, ""},
		{"a group", desk.CommandBotGroup, `{"GroupId":"@TGS#1",` + words + `}`, ""},
	} {
		m, err := New(nil).Read(t.Context(), load(t, readingRules), read(t, "CallbackCommand="+c.command, c.body), time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		m.Abort()
		if got := strings.Join(m.Missing, " "); got != c.want {
			t.Errorf("%s: missing %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRead_plainIM_marksCountOnlyWhereTheServiceSpeaks(t *testing.T) {
	for _, c := range []struct{ name, from, to, custom, want string }{
		{"the customer closes", "u", "@s", `{"messageType":"proactiveClosure"}`, "user hi"},
		{"the customer speaks as we do", "u", "@s", `{"escalator":"say"}`, "user hi"},
		{"the customer is an agent", "u", "@s", `{"role":"seat"}`, "user hi"},
		{"we speak", "@s", "u", `{"escalator":"say"}`, "nothing"},
		{"the bot misses", "@s", "u", `{"messageType":"fallback"}`, "bot hi fallback"},
		{"a person speaks", "@s", "u", `{"role":"seat"}`, "agent_message"},
		{"to an entry of the settings", "u", "entry", ``, "user hi"},
		{"from an entry of the settings", "entry", "u", ``, "bot hi"},
		{"between two customers", "u", "v", ``, "nothing"},
		{"between two accounts of the service", "@s", "entry", ``, "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"From_Account":%q,"To_Account":%q,"CloudCustomData":%q,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}`, c.from, c.to, c.custom)
			m, err := New([]string{"entry"}).Read(t.Context(), load(t, readingRules), read(t, "CallbackCommand=C2C.CallbackAfterSendMsg", body), time.Now(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := meaning(m); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestRead_whatWasSent_isNamedAsRulesNameIt(t *testing.T) {
	body := `{"SessionId":"s","Event":"ChatBot.UserSendMsg","MsgBody":[{"MsgType":"TIMImageElem"},{"MsgType":"TIMFaceElem"},{"MsgType":"TIMSoundElem"},{"MsgType":"TIMFileElem"},` +
		`{"MsgType":"TIMVideoFileElem"},{"MsgType":"TIMLocationElem"},{"MsgType":"TIMCustomElem"},{"MsgType":"TIMNewElem"}]}`
	m, err := New(nil).Read(t.Context(), load(t, readingRules), read(t, "CallbackCommand=Desk.SessionEventNotify", body), time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := meaning(m); got != "user image+sound+video+file+location+face+custom" {
		t.Error(got)
	}
}

// pair is a chat of which plain IM and Desk tell, each by its own keys.
type pair struct {
	t      *testing.T
	reader *Reader
	n      int
}

func (p *pair) event(command, name, text string) *desk.Event {
	p.n++
	return &desk.Event{
		Command: command, Name: name, SessionID: "s1", UserID: "u", ServiceID: "@s", MsgKey: fmt.Sprint("k", p.n), Text: text,
	}
}

func (p *pair) desk(text string) *Message {
	p.t.Helper()
	return p.read(p.event(desk.CommandSessionEvent, desk.EventUserMessage, text))
}

func (p *pair) im(text string) *Message {
	p.t.Helper()
	e := p.event(desk.CommandC2CAfter, "", text)
	e.SessionID, e.UserID, e.ServiceID, e.From, e.To = "", "", "", "u", "@s"
	return p.read(e)
}

func (p *pair) read(e *desk.Event) *Message {
	p.t.Helper()
	m, err := p.reader.Read(p.t.Context(), load(p.t, readingRules), e, time.Now(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

func inPair(t *testing.T, test func(p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(&pair{t: t, reader: New(nil)}) })
}

func TestAliases_aCopyWaitsForTheDecision_andGetsIt(t *testing.T) {
	for _, acted := range []bool{true, false} {
		inPair(t, func(p *pair) {
			first := p.im("human")
			got := make(chan string)
			go func() { m := p.desk("human"); m.Commit(false); got <- meaning(m) + " in " + m.Conversation }()
			synctest.Wait()
			first.Commit(acted)
			if s := <-got; s != fmt.Sprint("echo, acted ", acted, " in im:u|@s") {
				t.Error(s)
			}
		})
	}
}

func TestAliases_whatCouldNotBeStored_isTheOtherCopysToCount(t *testing.T) {
	inPair(t, func(p *pair) {
		first := p.im("human")
		got := make(chan string)
		go func() { m := p.desk("human"); m.Commit(true); got <- meaning(m) + " in " + m.Conversation }()
		synctest.Wait()
		first.Abort()
		if s := <-got; s != "user human in s1" {
			t.Error(s)
		}
		if m := p.im("human"); !m.LeftToDesk {
			t.Errorf("IM's next copy: %s", meaning(m))
		}
	})
	inPair(t, func(p *pair) {
		first := p.desk("human")
		got := make(chan string)
		go func() { m := p.im("human"); m.Commit(true); got <- meaning(m) }()
		synctest.Wait()
		first.Abort()
		if s := <-got; s != "user human" {
			t.Error(s)
		}
		if m := p.desk("human"); !m.Echo || !m.Acted {
			t.Errorf("Desk's next copy: %s", meaning(m))
		}
	})
}

func TestAliases_aDecisionThatDoesNotEnd_keepsNobodyForEver(t *testing.T) {
	inPair(t, func(p *pair) {
		p.im("human")
		began := time.Now()
		_, err := p.reader.Read(p.t.Context(), load(p.t, readingRules), p.event(desk.CommandSessionEvent, desk.EventUserMessage, "human"), time.Now(), nil)
		if err == nil || time.Since(began) != waitLongest {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestAliases_eachCopyIsUsedOnce_andOnlyForAMinute(t *testing.T) {
	inPair(t, func(p *pair) {
		var got []string
		note := func(m *Message) { m.Commit(false); got = append(got, meaning(m)) }
		note(p.im("hello"))
		note(p.im("hello"))
		note(p.desk("hello"))
		note(p.desk("hello"))
		note(p.desk("hello"))
		want := []string{"user hello", "user hello", "echo, acted false", "echo, acted false", "user hello"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	inPair(t, func(p *pair) {
		p.im("hello").Commit(true)
		time.Sleep(sameWithin + time.Second)
		if m := p.desk("hello"); m.Echo {
			t.Errorf("a minute later: %s", meaning(m))
		}
	})
}

// TestAliases_aCopyUnderTheSameKey_usesItsEchoUp: else a later message with the
// same words would be taken for it.
func TestAliases_aCopyUnderTheSameKey_usesItsEchoUp(t *testing.T) {
	inPair(t, func(p *pair) {
		p.im("hello").Commit(false) // k1
		copied := p.event(desk.CommandSessionEvent, desk.EventUserMessage, "hello")
		copied.MsgKey = "k1"
		p.reader.Noted(copied)
		if m := p.desk("hello"); m.Echo || m.Conversation != "im:u|@s" {
			t.Errorf("the next one: %s in %s", meaning(m), m.Conversation)
		}
		if m := p.im("hello"); !m.LeftToDesk {
			t.Errorf("of plain IM, now that Desk tells: %s", meaning(m))
		}
	})
}

func TestAliases_aDecisionThatFailed_leavesNothingBehind(t *testing.T) {
	inPair(t, func(p *pair) {
		p.im("a").Abort()
		p.desk("b").Abort()
		if a := &p.reader.aliases; len(a.young)+len(a.old) != 0 {
			t.Errorf("%d aliases are left", len(a.young)+len(a.old))
		}
		if m := p.desk("c"); m.Conversation != "s1" {
			t.Errorf("Desk tells first: it counts into %s", m.Conversation)
		}
	})
}

// TestRead_wordsFrom_readsButtonsAndCards: of customers only, whichever way the
// message comes; what the client tells of itself stays no words.
func TestRead_wordsFrom_readsButtonsAndCards(t *testing.T) {
	const (
		session = "CallbackCommand=Desk.SessionEventNotify"
		direct  = "CallbackCommand=C2C.CallbackAfterSendMsg"
		button  = `{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"customerServicePlugin\":0,\"src\":\"10\",\"content\":\"human\"}"}}`
		start   = `{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"customerServicePlugin\":0,\"src\":\"7\",\"content\":\"human\"}"}}`
		words   = `{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}`
	)
	for _, c := range []struct{ name, query, from, body, want string }{
		{"a button", session, `"SessionId":"s","Event":"ChatBot.UserSendMsg"`, button, "user human custom"},
		{"a text and a button", session, `"SessionId":"s","Event":"ChatBot.UserSendMsg"`, button + "," + words, "user hi\nhuman custom"},
		{"under a name of the rule file", session, `"SessionId":"s","Event":"Mapped.UserMsg"`, button, "user (unsure) human custom"},
		{"plain IM", direct, `"From_Account":"u","To_Account":"@s"`, button, "user human custom"},
		{"the start of the service", session, `"SessionId":"s","Event":"ChatBot.UserSendMsg"`, start, "nothing"},
		{"the bot", session, `"SessionId":"s","Event":"ChatBot.RobotSendMsg"`, button, "bot custom"},
	} {
		body := fmt.Sprintf(`{%s,"MsgBody":[%s]}`, c.from, c.body)
		policy := load(t, "words_from: [MsgBody.*.MsgContent.Data.content]\n"+strings.TrimSpace(readingRules))
		m, err := New(nil).Read(t.Context(), policy, read(t, c.query, body), time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := meaning(m); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
