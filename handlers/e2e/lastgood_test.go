package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const adminToken = "admin-token-that-is-planted"

// rules runs the command `rules` against the service and returns what it prints.
func (s *service) rules(wantCode int, args ...string) string {
	s.t.Helper()
	env := []string{"USER=zhang", "COLUMNS=200", "ESCALATOR_ADMIN_TOKEN=" + adminToken}
	code, out, errOut := command(s.t, env, append([]string{"rules", "--url", s.admin}, args...)...)
	if code != wantCode {
		s.t.Errorf("rules %v: exit %d, want %d\n%s%s", args, code, wantCode, out, errOut)
	}
	return out + errOut
}

// readiness is what /readyz says.
func (s *service) readiness(want string) {
	s.t.Helper()
	if _, body := s.get("/readyz"); !strings.Contains(body, want) {
		s.t.Errorf("/readyz: %s, want %s", body, want)
	}
}

// TestLastGood_aRestartWithWhateverIsThere starts with the accepted version, says so, and takes a good file that is put back.
func TestLastGood_aRestartWithWhateverIsThere(t *testing.T) {
	t.Parallel()
	good := ruleFile("abracadabra")
	for name, spoil := range map[string]func(path string) error{
		"a mistake": func(path string) error { return os.WriteFile(path, []byte(good+"nonsense: 1\n"), 0o600) },
		"a failing test": func(path string) error {
			return os.WriteFile(path, []byte(strings.Replace(good, "expect: none", "expect: magic", 1)), 0o600)
		},
		"a FIFO":   func(path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)) },
		"a folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a device": func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) },
		"100 MB":   func(path string) error { return os.Truncate(path, 100<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServiceWithRules(t, good)
			s.obeys("abracadabra", true)
			s.stop()
			path := filepath.Join(s.dir, "rules.yaml")
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			s.start()
			if line := s.log("rule file refused: the service starts with the last version that was accepted", nil); line["level"] != "error" || line["error"] == "" {
				t.Errorf("line %v", line)
			}
			s.obeys("abracadabra", true)
			s.readiness(`"degraded"`)
			if _, metrics := s.get("/metrics"); !strings.Contains(metrics, "escalator_rules_last_reload_successful 0") {
				t.Error("the metric says that all is well")
			}
			if _, body := s.get("/api/rules"); !strings.Contains(body, `"last_good":"20`) || !strings.Contains(body, `"last_error":"`) {
				t.Errorf("GET /api/rules: %s", body)
			}
			if status, body := request(t, http.MethodPost, s.admin+"/api/reload", ""); status == http.StatusOK {
				t.Errorf("POST /api/reload = %d %s", status, body)
			}
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			s.writeRules(ruleFile("opensesame"))
			s.log("rules reloaded", nil)
			s.readiness(`"ready"`)
			s.obeys("opensesame", true)
			if code := s.stop(); code != 0 {
				t.Errorf("exit %d", code)
			}
		})
	}
}

func TestLastGood_whenItIsNotWanted_orTheFileIsGone_theStartEnds(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	s.stop()
	env := []string{"ESCALATOR_SDKAPPID=1400000000", "ESCALATOR_SECRET_KEY=x", "ESCALATOR_RULES=" + filepath.Join(s.dir, "rules.yaml"), "ESCALATOR_DATA_DIR=" + filepath.Join(s.dir, "data")}
	s.writeRules(strings.Replace(ruleFile("abracadabra"), "expect: none", "expect: magic", 1))
	code, _, errOut := command(t, append(env, "ESCALATOR_RULES_START=refuse"), "serve")
	if code != 2 || !strings.Contains(errOut, "1 of the file's 2 tests fail") || !strings.Contains(errOut, `test "is silent"`) {
		t.Errorf("refuse: exit %d: %s", code, errOut)
	}
	code, _, errOut = command(t, append(env, "ESCALATOR_DATA_DIR="+t.TempDir()), "serve")
	if code != 2 || !strings.Contains(errOut, "holds no accepted version") {
		t.Errorf("a first start: exit %d: %s", code, errOut)
	}
	if err := os.Remove(filepath.Join(s.dir, "rules.yaml")); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut = command(t, env, "serve"); code != 2 || !strings.Contains(errOut, "does not exist") {
		t.Errorf("without the file: exit %d: %s", code, errOut)
	}
}

func TestRollback_byCommand_survivesARestart(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"), "ESCALATOR_ADMIN_TOKEN="+adminToken)
	first := s.log("serving", nil)["rules_version"].(string)
	s.writeRules(ruleFile("opensesame"))
	s.log("rules reloaded", nil)
	if out := s.rules(0, "diff", first[:8]); !strings.Contains(out, "-lists: {magic: [abracadabra]}\n+lists: {magic: [opensesame]}\n") || !strings.Contains(out, "also changed: lists magic, tests") {
		t.Errorf("diff: %s", out)
	}
	if out := s.rules(1, "rollback", "ffffffff"); !strings.Contains(out, "no such version is kept") {
		t.Errorf("to an unknown version: %s", out)
	}
	if out := s.rules(0, "rollback", first, "--why", "too many transfers"); !strings.Contains(out, "-> "+first) {
		t.Errorf("rollback: %s", out)
	}
	s.obeys("abracadabra", true)
	s.obeys("opensesame", false)
	s.log("rules rolled back", map[string]any{"by": "zhang", "why": "too many transfers", "remote": "127.0.0.1"})
	if src, err := os.ReadFile(filepath.Join(s.dir, "rules.yaml")); err != nil || string(src) != ruleFile("abracadabra") {
		t.Errorf("the file is %s, %v", src, err)
	}
	if out := s.rules(0, "history"); !strings.HasPrefix(out, "* "+first) || !strings.Contains(out, "rollback by zhang: too many transfers") {
		t.Errorf("history: %s", out)
	}
	s.stop()
	s.start("ESCALATOR_ADMIN_TOKEN=" + adminToken)
	s.obeys("abracadabra", true)
	if out := s.rules(0, "history", "--json"); strings.Count(out, `"author": "`) != 3 {
		t.Errorf("after the restart: %s", out)
	}
	if out := s.rules(0); !strings.Contains(out, "version "+first) || !strings.Contains(out, "magic") {
		t.Errorf("rules: %s", out)
	}
}

func TestRollback_ofAConfigMap_orWithoutAToken_isRefused(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	first := s.log("serving", nil)["rules_version"].(string)
	if out := s.rules(1, "rollback", first); !strings.Contains(out, "set ESCALATOR_ADMIN_TOKEN") {
		t.Errorf("without a token: %s", out)
	}
	s.stop()
	path := filepath.Join(s.dir, "rules.yaml")
	if err := errors.Join(os.Rename(path, path+".v1"), os.Symlink("rules.yaml.v1", path)); err != nil {
		t.Fatal(err)
	}
	s.start("ESCALATOR_ADMIN_TOKEN=" + adminToken)
	if out := s.rules(1, "rollback", first); !strings.Contains(out, "symbolic link") || !strings.Contains(out, "nothing was changed") {
		t.Errorf("of a link: %s", out)
	}
}

// TestHistory_aDataFolderThatTakesNoVersion plays a folder without write permission, also for root: a file stands in the way.
func TestHistory_aDataFolderThatTakesNoVersion(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"))
	s.stop()
	kept := filepath.Join(s.dir, "data", "rules")
	if err := errors.Join(os.RemoveAll(kept), os.WriteFile(kept, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.log("the rules in force cannot be kept: neither a start with a bad rule file nor a rollback can come back to them", map[string]any{"level": "error"})
	s.readiness("cannot be kept for the next start")
	s.writeRules(ruleFile("opensesame"))
	s.log("rules reloaded", nil)
	s.obeys("opensesame", true)
	if out := s.rules(0); !strings.Contains(out, "cannot be kept in the data folder") {
		t.Errorf("rules: %s", out)
	}
}
