package e2e_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// followed starts a command that goes on until it is ended, in an empty environment, and
// returns what it prints and what ends it.
func followed(t *testing.T, args ...string) (out, errOut *output, end func() (code int)) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{}
	out, prints := newOutput(t)
	errOut, complains := newOutput(t)
	cmd.Stdout, cmd.Stderr = prints, complains
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = prints.Close(), complains.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return out, errOut, func() int {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

// The service is restarted while somebody follows its decisions, and decides on while he
// is not connected: he sees each decision once, in their order.
func TestDecisions_followed_overARestart_withoutGapAndDouble(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, plainRules)
	sessions := []string{"f0", "f1", "f2", "f3", "f4", "f5"}
	for _, session := range sessions {
		s.desk.Begin(session)
	}
	s.says("f0", "human")
	s.log("transfer", map[string]any{"session": "f0", "outcome": "assigned"})
	out, errOut, end := followed(t, "decisions", "--follow", "--json", "--url", s.admin)
	follows := func(session string) {
		t.Helper()
		eventually(t, "the decision of "+session, func() bool { return strings.Contains(out.String(), `"session":"`+session+`"`) })
	}
	follows("f0")
	eventually(t, "somebody who watches", func() bool { return s.status().Watchers == 1 })
	s.says("f1", "human")
	follows("f1")
	address := "ESCALATOR_ADMIN_LISTEN=" + strings.TrimPrefix(s.admin, "http://")
	for _, session := range sessions[2:4] {
		if code := s.stop(); code != 0 {
			t.Fatalf("exit %d", code)
		}
		s.start(address)
		s.says(session, "human") // before he is back, most likely
	}
	follows("f3")
	s.says("f4", "human")
	follows("f4")
	s.kill()
	s.start(address)
	s.says("f5", "human")
	follows("f5")
	if code := end(); code != 0 {
		t.Errorf("Ctrl-C: exit %d", code)
	}
	var shown []string
	for line := range strings.Lines(out.String()) {
		var d struct{ Session, Outcome string }
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Errorf("no document on a line of its own: %s", line)
		}
		if d.Outcome != "" {
			shown = append(shown, d.Session)
		}
	}
	if !slices.Equal(shown, sessions) {
		t.Errorf("shown: %v\n%s\n%s", shown, out, errOut)
	}
	if n := strings.Count(errOut.String(), "the connection is lost"); n < 2 || strings.Count(errOut.String(), "connected again") != n {
		t.Errorf("standard error: %s", errOut)
	}
}

// All that an operator does on a night, from an image without shell, user and home.
func TestClient_inAnEmptyEnvironment(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, plainRules, "ESCALATOR_ADMIN_TOKEN="+testKey.Reveal())
	s.desk.Begin("s1")
	s.says("s1", "human")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned"})
	env := []string{"ESCALATOR_ADMIN_TOKEN=" + testKey.Reveal(), "ESCALATOR_ADMIN_LISTEN=" + strings.TrimPrefix(s.admin, "http://")}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"decisions --session s1", 0, "li@example.com ("},
		{"decisions --outcome near", 0, "No such decision is kept."},
		{"decisions --outcome nearly", 1, "there are: transfer"},
		{"conversation s1", 0, "→ transfer"},
		{"rules", 0, "ask"},
		{"mute ask-human --for 2h --why busy", 2, "needs --by"},
		{"mute ask-human --for 2h --why busy --by zhang", 0, "ask-human is muted until"},
		{"rules", 0, "by zhang: busy"},
		{"unmute ask-human", 0, "is no longer muted"},
		{"reload", 0, "unchanged"},
		{"outbox", 0, "on their way: 0"},
		{"retry s1", 1, "no transfer of this session was given up"},
		{"status", 0, "ESCALATOR_ADMIN_TOKEN=set"},
		{"drain --for 5s", 0, "no transfer waits"},
		{"status", 1, "draining since"},
		{"drain --end", 0, "ready again"},
		{"status --json", 0, `"status": "ready"`},
	} {
		cmd := exec.Command(binary, strings.Fields(c.args)...)
		cmd.Dir, cmd.Env = t.TempDir(), env
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) || strings.Contains(string(out), testKey.Reveal()) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s", c.args, code, c.code, c.says, out)
		}
	}
	s.log("operator", map[string]any{"action": "POST /api/rules/:id/mute", "by": "zhang", "of": "ask-human"})
}
