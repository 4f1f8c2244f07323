package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ruleFile makes a small rule file whose one list holds the given word.
func ruleFile(word string) string {
	return fmt.Sprintf(`version: 1
lists: {magic: [%[1]s]}
targets: {default: {}}
rules:
  - {id: magic, when: {says: [$magic]}, then: {transfer: default}, cooldown: 1s}
tests:
  - {name: fires, say: %[1]s, expect: magic}
  - {name: is silent, say: good morning, expect: none}
`, word)
}

// obeys checks, on a new conversation, whether a word leads to a transfer.
func (s *service) obeys(word string, want bool) {
	s.t.Helper()
	s.sessions++
	session := fmt.Sprint("probe", s.sessions)
	s.desk.Begin(session)
	a := s.says(session, word)
	if got := a.AIProvider != nil && *a.AIProvider == 0; got != want {
		s.t.Errorf("%q leads to a transfer: %v, want %v\n%s", word, got, want, s.out)
	}
}

func TestReload_aChangedFile_isTakenByItself(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	s.obeys("abracadabra", true)
	s.obeys("opensesame", false)
	s.writeRules(ruleFile("opensesame"))
	line := s.log("rules reloaded", nil)
	if change := fmt.Sprint(line["change"]); !strings.HasPrefix(change, "rules +0 ~0 -0, targets +0 ~0 -0, tests 2/2, version ") {
		t.Errorf("change: %s", change)
	}
	s.obeys("opensesame", true)
	s.obeys("abracadabra", false)
}

func TestReload_onSIGHUP_andOnRequest(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	s.writeRules(ruleFile("opensesame"))
	if status, body := request(t, http.MethodPost, s.admin+"/api/reload", ""); status != http.StatusOK || !strings.Contains(body, "tests 2/2") {
		t.Errorf("POST /api/reload = %d %s", status, body)
	}
	s.obeys("opensesame", true)
	s.writeRules(ruleFile("alakazam"))
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reload", func() bool { return strings.Count(s.out.String(), `"rules reloaded"`) == 2 })
	s.obeys("alakazam", true)
	s.writeRules("version: 1\n")
	if status, body := request(t, http.MethodPost, s.admin+"/api/reload", ""); status != http.StatusUnprocessableEntity || !strings.Contains(body, "rules.yaml:1:") {
		t.Errorf("POST /api/reload of a broken file = %d %s", status, body)
	}
}

// TestReload_whateverIsWrongWithTheFile_theRulesInForceStay goes through what
// happens to files in real life.
func TestReload_whateverIsWrongWithTheFile_theRulesInForceStay(t *testing.T) {
	t.Parallel()
	good := ruleFile("abracadabra")
	for name, bad := range map[string]string{
		"broken YAML":          "version: 1\nrules: [{id: a,\n",
		"a tab":                "version: 1\nrules:\n\t- id: a\n",
		"a bad regex":          strings.Replace(good, "[abracadabra]", "['/(abra/']", 1),
		"a misspelt key":       strings.Replace(good, "when:", "wen:", 1),
		"an unknown target":    strings.Replace(good, "transfer: default", "transfer: defalt", 1),
		"an empty file":        "",
		"only white space":     "\n\n",
		"not UTF-8":            "version: 1\nrules: \xff\xfe",
		"all rules lost":       "version: 1\ntargets: {default: {}}\nrules: []\n",
		"a failing test":       strings.Replace(good, "expect: none", "expect: magic", 1),
		"cut in the middle":    good[:len(good)/2],
		"two documents":        good + "---\n" + good,
		"an alias bomb":        "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nversion: 1\n",
		"larger than 1 MiB":    good + "#" + strings.Repeat("x", 1<<20),
		"something else":       "<html>502 Bad Gateway</html>",
		"a directory of bytes": strings.Repeat("\x00", 4096),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServiceWithRules(t, good)
			s.writeRules(bad)
			line := s.log("rule file refused: the rules in force stay", nil)
			if line["error"] == "" || line["level"] != "error" {
				t.Errorf("line %v", line)
			}
			s.obeys("abracadabra", true)
			if _, metrics := s.get("/metrics"); !strings.Contains(metrics, "escalator_rules_last_reload_successful 0") {
				t.Error("the metric says that all is well")
			}
			if _, status := s.get("/api/rules"); !strings.Contains(status, "last_error") {
				t.Errorf("GET /api/rules: %s", status)
			}
			s.writeRules(ruleFile("opensesame"))
			s.log("rules reloaded", nil)
			s.obeys("opensesame", true)
		})
	}
}

func TestReload_anEditorsWriteAndRename(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	fresh := filepath.Join(s.dir, ".rules.yaml.swp")
	if err := os.WriteFile(fresh, []byte(ruleFile("opensesame")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, filepath.Join(s.dir, "rules.yaml")); err != nil {
		t.Fatal(err)
	}
	s.log("rules reloaded", nil)
	s.obeys("opensesame", true)
}

// TestReload_aSymlinkThatIsSwapped does what Kubernetes does with a ConfigMap:
// rules.yaml → ..data/rules.yaml, and ..data is a link that is replaced.
func TestReload_aSymlinkThatIsSwapped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	place := func(version, word string) {
		t.Helper()
		folder := filepath.Join(dir, version)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "rules.yaml"), []byte(ruleFile(word)), 0o600); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(version, link); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	place("..2026_01", "abracadabra")
	if err := os.Symlink("..data/rules.yaml", filepath.Join(dir, "rules.yaml")); err != nil {
		t.Fatal(err)
	}
	s := startService(t, "ESCALATOR_RULES="+filepath.Join(dir, "rules.yaml"))
	s.obeys("abracadabra", true)
	place("..2026_02", "opensesame")
	s.log("rules reloaded", nil)
	s.obeys("opensesame", true)
}

func TestReload_aFileThatDisappearsAndReturns(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	path := filepath.Join(s.dir, "rules.yaml")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.log("rule file refused: the rules in force stay", map[string]any{"error": "the rule file is gone"})
	s.obeys("abracadabra", true)
	s.writeRules(ruleFile("abracadabra"))
	s.log("the rule file is again the one in force", nil)
	s.writeRules(ruleFile("opensesame"))
	s.log("rules reloaded", nil)
	s.obeys("opensesame", true)
}

func TestReload_keepsCooldownsByRule(t *testing.T) {
	t.Parallel()
	slow := strings.Replace(ruleFile("abracadabra"), "cooldown: 1s", "cooldown: 1h", 1)
	s := startServiceWithRules(t, slow)
	s.desk.SetOnline(agentLi, false)
	s.desk.Begin("s1")
	s.says("s1", "abracadabra")
	s.log("transfer", map[string]any{"outcome": "no_agent"})
	s.writeRules(slow + "# another comment\n")
	s.log("rules reloaded", nil)
	s.says("s1", "abracadabra")
	s.log("decision", map[string]any{"outcome": "suppressed", "reason": "cooldown", "rule": "magic"})
}

func TestMute_silencesARule_andSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	mute := func(body string) (int, string) {
		return request(t, http.MethodPost, s.admin+"/api/rules/magic/mute", body)
	}
	for _, bad := range []string{"", "{}", `{"for":"2 hours","by":"li","why":"x"}`, `{"for":"2h","why":"x"}`, `{"for":"2h","by":"li"}`, `{"for":"-2h","by":"li","why":"x"}`, `{"for":"9000h","by":"li","why":"x"}`} {
		if status, answer := mute(bad); status != http.StatusBadRequest {
			t.Errorf("mute with %s = %d %s", bad, status, answer)
		}
	}
	if status, _ := request(t, http.MethodPost, s.admin+"/api/rules/nope/mute", `{"for":"2h","by":"li","why":"x"}`); status != http.StatusNotFound {
		t.Errorf("mute of an unknown rule = %d", status)
	}
	if status, answer := mute(`{"for":"2h","by":"li","why":"the queue is full"}`); status != http.StatusOK {
		t.Fatalf("mute = %d %s", status, answer)
	}
	s.log("rule muted", map[string]any{"rule": "magic", "by": "li", "why": "the queue is full"})
	s.obeys("abracadabra", false)
	s.stop()
	s.start()
	s.obeys("abracadabra", false)
	if _, rules := s.get("/api/rules"); !strings.Contains(rules, `"by":"li"`) {
		t.Errorf("GET /api/rules: %s", rules)
	}
	if status, answer := mute(`{"for":"0s","by":"li"}`); status != http.StatusOK {
		t.Fatalf("unmute = %d %s", status, answer)
	}
	s.obeys("abracadabra", true)
}

func TestAPI_rulesAndTheStreamOfDecisions(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.admin+"/api/decisions?stream=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	s.obeys("abracadabra", true)
	seen := ""
	for buf := make([]byte, 4096); !strings.Contains(seen, `"rule":"magic"`); {
		n, err := resp.Body.Read(buf)
		seen += string(buf[:n])
		if err != nil {
			t.Fatalf("stream: %q, %v", seen, err)
		}
	}
	if _, body := s.get("/api/rules"); !strings.Contains(body, `"fired":1`) || !strings.Contains(body, `"last_fired"`) {
		t.Errorf("GET /api/rules: %s", body)
	}
	if code := s.stop(); code != 0 { // the open stream must not hold it up
		t.Errorf("exit %d", code)
	}
}
