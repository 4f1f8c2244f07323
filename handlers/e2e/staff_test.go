package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"escalator/bot/desk/desktest"
	"escalator/bot/store/redis/redistest"
)

// chat plays the vendors: it takes messages, or refuses all of them.
type chat struct {
	*httptest.Server
	mu       sync.Mutex
	refusing bool
	texts    []string
}

// plantedKey stands in the address of the chat: nobody may print it.
const plantedKey = "planted-key-of-a-robot"

func newChat(t *testing.T) *chat {
	t.Helper()
	c := &chat{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		b, _ := io.ReadAll(r.Body)
		var body struct {
			Text struct{ Content string } `json:"text"`
		}
		switch {
		case c.refusing:
			_, _ = io.WriteString(w, `{"errcode":93000,"errmsg":"`+plantedKey+`"}`)
		case json.Unmarshal(b, &body) != nil || r.URL.Query().Get("key") != plantedKey:
			w.WriteHeader(http.StatusBadRequest)
		default:
			c.texts = append(c.texts, body.Text.Content)
			_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *chat) refuse(refusing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing = refusing
}

// wants waits for a message with these words.
func (c *chat) wants(t *testing.T, words string) {
	t.Helper()
	eventually(t, "a message with "+words, func() bool { return c.count(words) > 0 })
}

func (c *chat) count(words string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.texts {
		if strings.Contains(text, words) {
			n++
		}
	}
	return n
}

// secretsDir is a folder with the address of the chat.
func (c *chat) secretsDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "support-url"), []byte(c.URL+"/send?key="+plantedKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const staffRules = `version: 1
notify:
  support: {wecom: {url_file: support-url}, on: [no_agent, failed, held, reload_refused, unknown_event], words: true, lang: en}
  lost: {wecom: {url_file: lost-url}, on: [no_agent]}
targets: {default: {group: 1}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default}, cooldown: 1s}
  - {id: lawyer, when: {says: [my lawyer]}, then: {notify: [support]}}
`

// The whole way: a rule and what happens reach the chat, over refusals and a kill; the address stands in no output.
func TestStaff_isToldOfWhatHappens_alsoOverARestart(t *testing.T) {
	t.Parallel()
	c := newChat(t)
	settings := []string{"ESCALATOR_SECRETS_DIR=" + c.secretsDir(t)}
	s := startServiceWithRules(t, staffRules, settings...)
	s.log("a team's address or key is missing: its messages wait for up to a day", map[string]any{"team": "lost"})
	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: false})
	for _, session := range []string{"s1", "s2", "s3"} {
		s.desk.Begin(session)
	}
	s.says("s1", "a human please")
	c.wants(t, "no agent online\n1 customer asked for a person")
	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: true})
	s.says("s2", "a human please")
	c.wants(t, "agents are taking customers again")

	c.refuse(true)
	s.says("s3", "you will hear from my lawyer, call 13812345678")
	s.log("notice", map[string]any{"team": "support", "outcome": "retrying", "kind": "rule"})
	s.kill()
	printed := s.out.String()
	c.refuse(false)
	s.start(settings...)
	c.wants(t, "rule lawyer fired\nIt fired once.\nCustomer: you will hear from my lawyer, call ***")

	s.writeRules("version: 1\nnonsense: true\n")
	request(t, "POST", s.admin+"/api/reload", "")
	c.wants(t, "the new rule file is not in force")
	s.writeRules(staffRules)
	s.reload()
	c.wants(t, "the rule file is all right again")
	if _, body := s.get("/metrics"); !strings.Contains(body, `escalator_notify_total{channel="wecom",outcome="sent"}`) {
		t.Error("no metric counts the messages")
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	for _, once := range []string{"no agent online", "agents are taking", "rule lawyer"} {
		if n := c.count(once); n != 1 {
			t.Errorf("%d messages say %q", n, once)
		}
	}
	if printed += s.out.String(); strings.Contains(printed, plantedKey) || strings.Contains(printed, c.URL) {
		t.Error("the address stands in the log")
	}
}

// Two replicas on one Redis: one of them tells, and the other one when that is gone.
func TestStaff_ofTwoReplicas_oneTells(t *testing.T) {
	t.Parallel() // it mostly waits
	c := newChat(t)
	settings := []string{"ESCALATOR_SECRETS_DIR=" + c.secretsDir(t), "ESCALATOR_REDIS_URL=" + redistest.Start(t).URL()}
	a := startServiceWithRules(t, staffRules, settings...)
	b := &service{t: t, dir: t.TempDir(), desk: a.desk}
	b.writeRules(staffRules)
	b.start(settings...)
	a.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: false})
	c.refuse(true)
	for i, id := range names("s", 10) {
		a.desk.SetCallbackURL([]*service{a, b}[i%2].url)
		a.desk.Begin(id)
		a.says(id, "you will hear from my lawyer")
		a.says(id, "a human please")
		[]*service{a, b}[i%2].log("transfer", map[string]any{"session": id, "outcome": "no_agent"})
	}
	a.log("notice", map[string]any{"outcome": "retrying"})
	a.kill()
	c.refuse(false)
	b.log("notice", map[string]any{"outcome": "sent", "kind": "rule"})
	b.log("notice", map[string]any{"outcome": "sent", "kind": "no_agent"})
	for _, once := range []string{"rule lawyer fired\nIt fired 10 times.", "10 customers asked for a person while no agent was online"} {
		if n := c.count(once); n != 1 {
			t.Errorf("%d messages say %q: %q", n, once, c.texts)
		}
	}
	if code := b.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestNotify_testSendsAMessage_orSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := newChat(t)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte(staffRules), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(wantCode int, team string, more ...string) string {
		t.Helper()
		code, out, errOut := command(t, []string{"ESCALATOR_SECRETS_DIR=" + c.secretsDir(t)}, append([]string{"notify", "--rules", rules, "--test", team}, more...)...)
		if code != wantCode {
			t.Errorf("%s: exit %d, want %d", team, code, wantCode)
		}
		if all := out + errOut; strings.Contains(all, plantedKey) || strings.Contains(all, c.URL) {
			t.Errorf("the address is printed: %s", all)
		}
		return out + errOut
	}
	if out := run(0, "support"); !strings.Contains(out, "support has a test message now (wecom)") || c.count("A test message for support") != 1 {
		t.Error(out)
	}
	if out := run(0, "support", "--json"); !strings.Contains(out, `"ok": true`) {
		t.Error(out)
	}
	for team, want := range map[string]string{
		"suport": "has no team \"suport\": did you mean support?",
		"lost":   "lost-url in ESCALATOR_SECRETS_DIR: no such file",
		"":       "escalator notify --test TEAM",
	} {
		code := 1
		if team == "" {
			code = 2
		}
		if out := run(code, team); !strings.Contains(out, want) {
			t.Errorf("%q: %s", team, out)
		}
	}
	c.refuse(true)
	if out := run(1, "support", "--json"); !strings.Contains(out, `"ok": false`) || !strings.Contains(out, "it refuses with code 93000: the robot is not known") {
		t.Error(out)
	}
}
