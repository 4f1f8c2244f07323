package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
)

const storyRules = `version: 1
notify:
  support: {wecom: {url_file: support-url}, on: [no_agent, failed]}
targets:
  default: {group: 1, say_if_queued: You are in the queue, say_if_failed: It failed}
  night: {group: 1, take_message: {say: Please leave a message., for: 10m, contact_within: 2h}}
rules:
  - {id: human, when: {says: [human]}, then: {transfer: default, say: One moment, notify: [support]}}
  - {id: refund, when: {says: [refund]}, then: {offer: A person?, transfer: default}}
  - {id: hello, when: {says: [hello]}, then: {keep: true, say: Hello}}
  - {id: night, when: {says: [night]}, then: {transfer: night}}
`

// story is what the log says of one request: each line by its message, and what became of it.
func story(request string, outputs ...string) (lines []string, users map[any]bool) {
	users = map[any]bool{}
	for _, line := range logLines(strings.Join(outputs, "")) {
		if line["request_id"] != request {
			continue
		}
		text := fmt.Sprint(line["msg"])
		for _, field := range []string{"outcome", "reason", "final", "by"} {
			if line[field] != nil {
				text += fmt.Sprint(" ", line[field])
			}
		}
		if lines = append(lines, text); line["msg"] != "notice" {
			users[line["user"]] = true
		}
	}
	return lines, users
}

// One request id tells the whole story of a transfer, whichever process wrote a line of it.
func TestStory_ofATransferThatNeededARetryAndARestart_isThatOfOneRequest(t *testing.T) {
	t.Parallel()
	c := newChat(t)
	settings := []string{"ESCALATOR_SECRETS_DIR=" + c.secretsDir(t)}
	s := startServiceWithRules(t, storyRules, settings...)
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.Fault502, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	s.desk.Begin("s1")
	s.desk.UserSays("s1", "a human please", desktest.WithRequestID("the-request"))
	s.log("transfer", map[string]any{"request_id": "the-request", "outcome": "retrying"})
	s.log("notice", map[string]any{"outcome": "sent", "request_id": "the-request"})
	s.kill()
	before := s.out.String()
	s.desk.ClearFaults()
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 141004}); err != nil {
		t.Fatal(err)
	}
	s.start(settings...)
	s.log("transfer", map[string]any{"request_id": "the-request", "outcome": "failed"})
	s.log("say", map[string]any{"request_id": "the-request"})
	request(t, http.MethodPost, s.admin+"/api/outbox/s1/retry", `{"by":"li","why":"the group is there"}`)
	s.log("transfer", map[string]any{"request_id": "the-request", "outcome": "assigned"})

	lines, users := story("the-request", before, s.out.String())
	t.Log(strings.Join(lines, "\n"))
	for _, want := range []string{
		"decision transfer", "say sent", "notice sent", "transfer retrying false", "transfer failed true", "transfer retried by an operator li", "transfer assigned true",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("the story lacks %q", want)
		}
	}
	if len(users) != 1 || users[nil] {
		t.Errorf("of whom the story tells: %v", users)
	}
}

// Every line about a callback names its request.
func TestStory_everyKindOfLine_namesTheRequest(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, storyRules, "ESCALATOR_FORWARD_URL=http://127.0.0.1:1/") // nobody is there
	s.desk.Begin("s1", desktest.WithRequestID("passed on"))
	s.desk.UserSays("s1", "hello", desktest.WithRequestID("kept"))
	s.desk.UserSays("s1", "a refund", desktest.WithRequestID("offered"))
	s.log("say", map[string]any{"request_id": "offered"})
	s.desk.UserSays("s1", "yes", desktest.WithRequestID("accepted"))
	s.desk.Begin("s2")
	s.desk.UserSays("s2", "?", desktest.WithEvent("Nobody.Knows"), desktest.WithRequestID("unknown"))
	s.log("transfer", map[string]any{"request_id": "accepted"})
	s.desk.SetOnline(agentLi, false)
	s.desk.Begin("s3")
	s.desk.UserSays("s3", "it is night", desktest.WithRequestID("night"))
	s.log("say", map[string]any{"request_id": "night"})
	s.desk.UserSays("s3", "call me", desktest.WithRequestID("left"))
	request(t, http.MethodPost, s.url+"?"+sign(time.Now())+"0&RequestID=forged", `{}`)
	for _, want := range []struct{ request, msg string }{
		{"kept", "decision"},
		{"kept", "say"},
		{"offered", "decision"},
		{"offered", "say"},
		{"accepted", "decision"},
		{"accepted", "transfer"},
		{"passed on", "your own bot failed to answer"},
		{"unknown", "unknown event: acknowledged and ignored; map it under events: in the rule file"},
		{"night", "transfer"},
		{"night", "say"},
		{"left", "message"},
		{"left", "say"},
		{"forged", "callback refused"},
	} {
		s.log(want.msg, map[string]any{"request_id": want.request})
	}
}
