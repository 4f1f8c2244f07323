package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"escalator/bot/history"
)

// conversation asks for the history of a session.
func (s *service) conversation(session string) (c history.Conversation) {
	s.t.Helper()
	status, body := s.get("/api/conversations/" + session)
	if status != 200 {
		s.t.Fatalf("%s: %d %s", session, status, body)
	}
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// What happened in a conversation is told by the command, before and after a restart
// and a kill, with the words masked.
func TestHistory_aConversationIsTold_overAKill(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.desk.Begin("s1")
	s.says("s1", "where is order 13800138000")
	s.desk.BotSays("s1", "抱歉", "fallback")
	if out := s.operator(0, "conversation", "s1"); !strings.Contains(out, "user: where is order ***") || !strings.Contains(out, "bot-stuck        no          bot_missed: 1 of 3 in 15m") {
		t.Errorf("before: %s", out)
	}
	s.kill()
	s.start()
	s.says("s1", "转人工")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned"})
	out := s.operator(0, "conversation", "s1")
	for _, want := range []string{
		"session s1, user ", "the session begins", "user: where is order ***", "ask-human        no          says: none of its phrases is there", "bot: 抱歉, mark fallback",
		"→ none", "user: 转人工", "ask-human        fired       says: asks to be passed to a person: 转", "bot-stuck        -", "→ transfer to default by ask-human", "transfer to default: assigned, agent " + agentLi,
		"from transferring to human",
	} {
		_, after, found := strings.Cut(out, want)
		if !found {
			t.Errorf("no %q, or not in this order, in:\n%s", want, s.operator(0, "conversation", "s1"))
			break
		}
		out = after
	}
	c := s.conversation("s1")
	if c.Phase != "human" || c.Counters == nil || c.Counters.UserMessages == 0 || c.Older || c.User == "" { // a kill may take what was counted just before
		t.Errorf("%+v", c)
	}
	if out := s.operator(1, "conversation", "s9"); !strings.Contains(out, "conversation s9: history is kept for 72h, up to 1024 MiB of all conversations; it begins at 20") {
		t.Error(out)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d:\n%s", code, s.out)
	}
	if lies(t, filepath.Join(s.dir, "data", "history"), "13800138000") {
		t.Error("words lie on disk that the log may not show")
	}
}

// lies reports whether some file of a folder holds a text.
func lies(t *testing.T, dir, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	found := false
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(b), text)
	}
	return found
}

// Who is forgotten is not found on disk any more, and with 0s nobody ever is.
func TestHistory_whoIsForgotten_isGoneFromTheDisk(t *testing.T) {
	t.Parallel()
	const token = "planted-admin-token"
	s := startService(t, "ESCALATOR_ADMIN_TOKEN="+token)
	for _, session := range []string{"s1", "s2"} {
		s.desk.Begin(session)
		s.says(session, "my parcel, says "+session)
	}
	user := s.log("decision", map[string]any{"session": "s1"})["user"].(string)
	folder := filepath.Join(s.dir, "data", "history")
	run := func(args ...string) string {
		code, out, errOut := command(t, []string{"ESCALATOR_ADMIN_TOKEN=" + token, "USER=zhang"}, append(args, "--url", s.admin)...)
		if code != 0 {
			t.Fatalf("%v: %d %s", args, code, errOut)
		}
		return out
	}
	run("conversation", "s1")
	if !lies(t, folder, "says s1") {
		t.Fatal("nothing was written")
	}
	if out := run("forget", user); !strings.Contains(out, "1  conversations in the history") {
		t.Error(out)
	}
	s.log("operator", map[string]any{"action": "DELETE /api/users/:user", "by": "zhang", "of": user})
	if lies(t, folder, "says s1") || lies(t, folder, user) || !lies(t, folder, "says s2") {
		t.Error("the wrong bytes are gone, or stay")
	}
	if out := run("conversation", "s2"); !strings.Contains(out, "says s2") {
		t.Error(out)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	s.start("ESCALATOR_HISTORY_FOR=0s")
	if files, _ := filepath.Glob(filepath.Join(folder, "*")); len(files) > 0 {
		t.Errorf("with 0s there is still %q", files)
	}
	if out := s.operator(1, "conversation", "s2"); !strings.Contains(out, "ESCALATOR_HISTORY_FOR is 0s") {
		t.Error(out)
	}
}
