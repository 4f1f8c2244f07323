package inbound

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/rules"
)

const readingRules = `
version: 1
lists: {person: [human]}
task_flow: {text: question}
targets: {default: {}}
events: {Session.Over: closed, Mapped.UserMsg: user_message, Agent.Said: agent_message}
rules:
  - {id: human, when: {says: [$person]}, then: {transfer: default}}
`

func load(t *testing.T, src string) *rules.Policy {
	t.Helper()
	policy, report := rules.Load([]byte(src), rules.LoadOptions{})
	if policy == nil {
		t.Fatalf("loading the test's rules: %+v", report.Errors)
	}
	return policy
}

func TestRecorded_understandsWhatTheServiceCounts(t *testing.T) {
	const (
		message = `{"SessionId":"s1","Event":"ChatBot.UserSendMsg","ClientUserId":"u","CustomerServiceId":"@s","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"WORDS"}}]}`
		im      = `{"From_Account":"u","To_Account":"@s","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"WORDS"}}]}`
	)
	r := NewRecorded(load(t, readingRules), nil)
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		command, body string
		failed        time.Duration
		want          string
	}{
		{desk.CommandC2CBefore, im, 0, ""},
		{desk.CommandC2CAfter, im, 0, "im:u|@s user"},
		{desk.CommandSessionEvent, message, 0, ""}, // told by plain IM already
		{desk.CommandSessionEvent, strings.Replace(message, "WORDS", "more", 1), 0, "im:u|@s user"},
		{desk.CommandC2CAfter, im, 0, ""}, // Desk tells of it now
		{desk.CommandBotC2C, strings.Replace(im, `"u"`, `"v"`, 1), time.Second, "im:v|@s user, im:v|@s bot failed after 1s"},
		{desk.CommandSessionEvent, strings.Replace(strings.Replace(message, `"u"`, `"w"`, 1), "s1", "s3", 1), time.Second, "s3 user, s3 bot failed after 1s"},
		{desk.CommandSessionEvent, `{"SessionId":"s1","Event":"Session.Over"}`, time.Second, "im:u|@s closed"}, // a session that is known
		{desk.CommandSessionEvent, `{"SessionId":"s1","Event":"Unknown.Name"}`, 0, ""},
		{desk.CommandTaskFlow, `{"Body":{"SystemSessionID":"s2","question":"human"}}`, 0, "s2 asks human"},
		{desk.CommandAssignHuman, `{"SessionId":"s2"}`, 0, "s2 asks "},
		{desk.CommandGroupAfter, `{"GroupId":"g"}`, 0, ""},
	} {
		e, err := Decode("CallbackCommand="+c.command, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, event := range r.Events(e, at, c.failed) {
			what := event.Observe.String()
			switch {
			case event.Ask:
				what = "asks " + event.Turn.Text
			case event.Turn != nil && event.Turn.Failed:
				what = fmt.Sprint(event.Turn.Kind, " failed after ", event.At.Sub(at))
			case event.Turn != nil:
				what = event.Turn.Kind.String()
			}
			got = append(got, event.Session+" "+what)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s %s:\n%s", c.command, c.body, diff)
		}
	}
	for _, bad := range []string{`[]`, `{}`} {
		if _, err := Decode("CallbackCommand="+desk.CommandSessionEvent, []byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// A replay asks for the customer of a share as live traffic does: where nobody is named, for the session.
func TestRecorded_namesCustomerAndSession(t *testing.T) {
	for _, c := range []struct{ body, user, session string }{
		{`{"SessionId":"s1","Event":"ChatBot.UserSendMsg","ClientUserId":"u","CustomerServiceId":"@s","MsgBody":[]}`, "u", "s1"},
		{`{"SessionId":"s2","Event":"ChatBot.UserSendMsg","MsgBody":[]}`, "", "s2"},
	} {
		e, err := Decode("SdkAppid=1&CallbackCommand="+desk.CommandSessionEvent, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		events := NewRecorded(load(t, readingRules), nil).Events(e, time.Unix(1, 0), time.Second)
		if len(events) != 2 {
			t.Fatalf("%s: %d events", c.body, len(events))
		}
		for _, event := range events {
			if got := event.Turn; got.UserID != c.user || got.SessionID != c.session {
				t.Errorf("%s: the turn is of %q in %q", c.body, got.UserID, got.SessionID)
			}
		}
	}
}

// A rating is a turn of its own only where a rule asks for one; an event that also ends the session does both.
func TestRecorded_ratings_ofAnyEvent(t *testing.T) {
	rating := readingRules + "  - {id: bad, when: {rating: {at_most: 2}}, then: {tag: [bad]}}\n"
	for _, c := range []struct{ rules, event, stars, want string }{
		{rating, "Whatever.Rated", "1", "rating"},
		{rating, "Whatever.Rated", "0", ""},
		{rating, "Whatever.Rated", `"2"`, "rating"},
		{rating, "Session.Over", "5", "closed, rating"},
		{rating, "Agent.Said", "3", "agent_message, rating"},
		{rating, "ChatBot.UserSendMsg", "4", "user"},
		{readingRules, "Whatever.Rated", "1", ""},
		{readingRules, "Session.Over", "1", "closed"},
	} {
		r := NewRecorded(load(t, c.rules), nil)
		e, err := Decode("CallbackCommand="+desk.CommandSessionEvent, fmt.Appendf(nil, `{"SessionId":"s1","Event":%q,"SatisfactionSelected":%s}`, c.event, c.stars))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, event := range r.Events(e, time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC), 0) {
			if event.Turn == nil {
				got = append(got, event.Observe.String())
			} else {
				got = append(got, event.Turn.Kind.String())
			}
		}
		if told := strings.Join(got, ", "); told != c.want {
			t.Errorf("%s with %s stars: %q, want %q", c.event, c.stars, told, c.want)
		}
	}
}
