package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

const recordedRules = `version: 1
lists: {magic: [abracadabra]}
task_flow: {text: question}
targets: {default: {}, vip: {group: 1}}
rules:
  - {id: magic, when: {says: [$magic]}, then: {transfer: default}, cooldown: 1s}
  - {id: gold, when: {all: [{says: [gold]}, {field: {path: CloudCustomData.level, equals: gold}}]}, then: {transfer: vip}}
  - {id: refund, when: {says: [refund]}, then: {offer: A person?, transfer: vip}}
  - {id: many, when: {rate: {messages: 4, within: 10m}}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 2, within: 10m}}, then: {transfer: default}}
  - {id: silent, when: {bot_silent: 1s}, then: {transfer: vip}}
`

// forgetful is a bot that fails the messages which say so.
func forgetful(t *testing.T) *httptest.Server {
	t.Helper()
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "fail") {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":0}`)
	}))
	t.Cleanup(own.Close)
	return own
}

// mixed plays conversations of every kind, n of each, side by side.
func (s *service) mixed(n int) {
	s.t.Helper()
	kinds := []func(id string){
		func(id string) { // asks, with a number that is masked
			s.says(id, "my number is 13812345678")
			s.desk.BotSays(id, "thanks", "")
			s.says(id, "abracadabra please")
			s.says(id, "abracadabra!")
		},
		func(id string) { // the robot misses twice
			s.says(id, "where")
			s.desk.BotSays(id, "sorry", "fallback")
			s.says(id, "where is it")
			s.desk.BotSays(id, "sorry", "fallback")
		},
		func(id string) { // the bot behind us fails twice
			s.says(id, "fail one")
			s.says(id, "fail two")
		},
		func(id string) { // an offer, and its answer
			s.says(id, "refund")
			s.log("say", map[string]any{"session": id, "outcome": "sent"})
			s.says(id, "yes please")
		},
		func(id string) { s.says(id, "is anybody there") }, // nobody answers: the timer
		func(id string) { // a message comes twice, a field counts
			a := s.desk.UserSays(id, "gold", desktest.WithCustomData(`{"level":"gold"}`))
			s.desk.Resend(a.Request)
		},
		func(id string) { // questions count for nothing
			s.desk.Flow(id, map[string]string{"question": "abracadabra"})
			s.says(id, "thank you")
			s.desk.BotSays(id, "you are welcome", "")
		},
	}
	var all sync.WaitGroup
	for i := range n {
		for k, kind := range kinds {
			id := fmt.Sprintf("kind%d-%d", k, i)
			all.Go(func() { s.desk.Begin(id); kind(id) })
		}
		all.Go(func() { s.mixedIM(i) })
	}
	all.Wait()
}

// mixedIM plays conversations of plain IM, the last of which Desk tells of too.
func (s *service) mixedIM(i int) {
	say := func(command, user, text string) {
		s.desk.SendIM(command, desktest.IM{From: user, To: imService, Text: text})
	}
	user := fmt.Sprint("im-asks-", i)
	say(desk.CommandC2CAfter, user, "hello")
	s.desk.SendIM(desk.CommandC2CAfter, desktest.IM{From: imService, To: user, Text: "sorry", CloudCustomData: `{"messageType":"fallback"}`})
	say(desk.CommandC2CBefore, user, "abracadabra")
	say(desk.CommandC2CAfter, user, "abracadabra")
	user = fmt.Sprint("im-fails-", i)
	say(desk.CommandBotC2C, user, "fail one")
	say(desk.CommandBotC2C, user, "fail two")
	user = fmt.Sprint("im-both-", i)
	for _, words := range []string{"one", "two", "three"} { // told twice, they would be many
		say(desk.CommandC2CAfter, user, words)
		s.desk.UserSays(s.desk.SessionOf(user, imService).ID, words)
	}
	s.desk.BotSays(s.desk.SessionOf(user, imService).ID, "I see", "")
}

// customer is who a decision is about: the live log names the session as Desk
// does, replay the conversation.
func customer(session string) string {
	user, im := strings.CutPrefix(session, "im:")
	if user, _, _ = strings.Cut(user, "|"); im {
		return user
	}
	return "user-" + session
}

// decided writes a decision in one form, whoever tells it. A replay takes every
// transfer to have ended at once, so which of them was under way is left out.
func decided(parts ...any) string {
	text := strings.NewReplacer("<nil>", "", "already_transferring", "already", "already_human", "already").Replace(fmt.Sprintln(parts...))
	return strings.Join(strings.Fields(text), " ")
}

// TestRecording_replayed_decidesAsTheServiceDid records live traffic of every
// kind and plays it again through the same rules.
func TestRecording_replayed_decidesAsTheServiceDid(t *testing.T) {
	t.Parallel()
	const each = 5
	dir := t.TempDir()
	s := startServiceWithRules(t, recordedRules, "ESCALATOR_RECORD_DIR="+dir, "ESCALATOR_FORWARD_URL="+forgetful(t).URL)
	s.mixed(each)
	eventually(t, "every timer", func() bool { return strings.Count(s.out.String(), `"rule":"silent"`) >= 2*each })
	s.desk.Begin("last") // the clock of a replay stops at the last callback
	if code := s.stop(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.out)
	}
	var live []string
	byRule := map[string]int{}
	for _, line := range logLines(s.out.String()) {
		if line["msg"] != "decision" || line["outcome"] == "none" {
			continue
		}
		live = append(live, decided(line["user"], line["rule"], line["outcome"], line["reason"], line["target"]))
		if line["outcome"] == "transfer" {
			byRule[fmt.Sprint(line["rule"])]++
		}
	}
	want := map[string]int{"magic": 2 * each, // a question of Desk is no transfer
		"stuck": 3 * each, "refund": each, "gold": each, "silent": each}
	if diff := cmp.Diff(want, byRule); diff != "" {
		t.Errorf("the live log is not what was played:\n%s", diff)
	}
	slices.Sort(live)
	if diff := cmp.Diff(live, replayed(t, s, dir)); diff != "" {
		t.Errorf("%d live decisions; live and replayed differ:\n%s", len(live), diff)
	}
}

// replayed returns what a replay of the recording decides.
func replayed(t *testing.T, s *service, dir string) (decisions []string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	args := append([]string{"replay", "--json", "--rules", filepath.Join(s.dir, "rules.yaml")}, files...)
	code, out, errOut := command(t, nil, args...)
	var got struct {
		Skipped   int
		Decisions []struct {
			Session, Rule, Target, Outcome string
			Reason                         any
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || got.Skipped != 0 {
		t.Fatalf("replay: exit %d, %v, %d skipped\n%s", code, err, got.Skipped, errOut)
	}
	for _, d := range got.Decisions {
		decisions = append(decisions, decided(customer(d.Session), d.Rule, d.Outcome, d.Reason, d.Target))
	}
	if strings.Contains(out, "13812345678") {
		t.Error("the recording shows a customer's number")
	}
	slices.Sort(decisions)
	return decisions
}
