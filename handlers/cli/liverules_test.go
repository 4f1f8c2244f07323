package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// playedService answers every request of a command alike, and remembers it.
type playedService struct {
	status int
	answer string

	request, body, token string
}

func (s *playedService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.request, s.body, s.token = r.Method+" "+r.URL.String(), strings.TrimSpace(string(body)), r.Header.Get("Authorization")
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.answer)
}

// asks runs a command against the service, in a world with these variables.
func (s *playedService) asks(t *testing.T, variables map[string]string, args ...string) result {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	var out, errOut bytes.Buffer
	env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut, Getenv: func(name string) string {
		if name == "ESCALATOR_ADMIN_LISTEN" {
			return strings.TrimPrefix(server.URL, "http://")
		}
		if name == "COLUMNS" && variables[name] == "" {
			return "200"
		}
		return variables[name]
	}}
	code := Run(t.Context(), args, env)
	return result{code, out.String(), errOut.String()}
}

const (
	rulesAnswer   = `{"version":"5be0c1d2a3f4","loaded_at":"2026-01-05T02:00:00Z","last_good":"2026-01-04T02:00:00Z","last_error":"the rule file has mistakes; rules.yaml:5:5: x","mode":"enforce","rules":[{"id":"ask-human","mode":"enforce","fired":12,"suppressed":3,"shadow":0,"last_fired":"2026-01-05T03:00:00Z","muted":{"until":"2026-01-05T05:00:00Z","by":"li","why":"the queue is full"}},{"id":"vip","mode":"shadow","owner":"Li","share":"5.5%","from":"2027-02-06T00:00:00+08:00","until":"2027-02-08T00:00:00+08:00","fired":0,"suppressed":0,"shadow":7}]}`
	historyAnswer = `{"in_force":"5be0c1d2a3f4","versions":[{"version":"5be0c1d2a3f4","at":"2026-01-05T02:00:00Z","author":"rollback","by":"li","why":"too many \u001b[31mtransfers"},{"version":"0123456789ab","at":"2026-01-05T01:00:00Z","author":"reload"},{"version":"5be0c1d2a3f4","at":"2026-01-05T00:00:00Z","author":"start"}]}`
	diffAnswer    = `{"from":"5be0c1d2a3f4","to":"0123456789ab","change":{"version_before":"5be0c1d2a3f4","version":"0123456789ab","rules":{"added":["vip"],"changed":["ask-human"]},"targets":{},"texts":["ask-human say"],"tests_passed":2,"tests":2},"diff":"--- a\n+++ b\n-old\n+new \u0007\n"}`
	changeAnswer  = `{"change":"rules +0 ~1 -0","details":{"version":"5be0c1d2a3f4","rules":{"changed":["ask-human"]},"targets":{}}}`
)

func TestLiveRules_showsWhatTheServiceAnswers(t *testing.T) {
	for _, c := range []struct {
		args          []string
		answer        string
		request, body string
		says          []string
	}{
		{nil, rulesAnswer, "GET /api/rules", "", []string{"version 5be0c1d2a3f4, in force since", "refused at the start", "rules.yaml:5:5: x", "ask-human", "12", "muted until", "by li: the queue is full", "never", "owner Li, for 5.5% of the customers, from 2027-02-0", ", until 2027-02-0"}},
		{[]string{"history"}, historyAnswer, "GET /api/rules/history", "", []string{"* 5be0c1d2a3f4  ", `rollback by li: too many \x1b[31mtransfers`, "  0123456789ab  ", "reload", "  5be0c1d2a3f4  "}},
		{[]string{"diff"}, diffAnswer, "GET /api/rules/diff?", "", []string{"rules +1 ~1 -0, targets +0 ~0 -0, tests 2/2, version 5be0c1d2a3f4 -> 0123456789ab", "rules added: vip", "texts changed: ask-human say", "\n-old\n+new \\a\n"}},
		{[]string{"diff", "5be0", "file"}, `{"to":"0123456789ab","refused":"2 tests fail","diff":""}`, "GET /api/rules/diff?from=5be0&to=file", "", []string{"version 0123456789ab is refused: 2 tests fail"}},
		{[]string{"rollback", "5be0", "--why", "too many"}, changeAnswer, "POST /api/rules/rollback", `{"by":"zhang","version":"5be0","why":"too many"}`, []string{"rules +0 ~1 -0, ", "rules changed: ask-human"}},
		{[]string{"rollback", "5be0", "--by", "li"}, changeAnswer, "POST /api/rules/rollback", `{"by":"li","version":"5be0","why":""}`, nil},
	} {
		s := &playedService{status: http.StatusOK, answer: c.answer}
		r := s.asks(t, map[string]string{"USER": "zhang", "ESCALATOR_ADMIN_TOKEN": "planted-admin-token"}, append([]string{"rules"}, c.args...)...)
		if r.code != exitOK || r.stderr != "" || s.request != c.request || s.body != c.body || s.token != "Bearer planted-admin-token" {
			t.Errorf("%v: %+v; asked %s %s with %s", c.args, r, s.request, s.body, s.token)
		}
		for _, want := range c.says {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%v does not say %q:\n%s", c.args, want, r.stdout)
			}
		}
		s.status = http.StatusUnprocessableEntity
		for _, status := range []int{http.StatusOK, http.StatusUnprocessableEntity} {
			s.status = status
			r = s.asks(t, map[string]string{"USER": "zhang"}, append([]string{"rules", "--json"}, c.args...)...)
			if document := strings.TrimSpace(r.stdout); !strings.HasPrefix(document, "{") || (r.code == exitOK) != (status == http.StatusOK) {
				t.Errorf("%v --json, status %d: %+v", c.args, status, r)
			}
		}
	}
}

func TestLiveRules_aRefusal_isToldAndEndsWith1(t *testing.T) {
	for _, c := range []struct {
		status int
		answer string
		says   string
	}{
		{http.StatusUnprocessableEntity, `{"error":"the rule file has mistakes","problems":["rules.yaml:5:5: no such key"]}`, "escalator: the rule file has mistakes\n  rules.yaml:5:5: no such key\n"},
		{http.StatusUnauthorized, `{"error":"send Authorization"}`, "set ESCALATOR_ADMIN_TOKEN"},
		{http.StatusForbidden, `{"error":"set ESCALATOR_ADMIN_TOKEN: x"}`, "set ESCALATOR_ADMIN_TOKEN: x"},
		{http.StatusBadGateway, `<html>`, "502 Bad Gateway"},
		{http.StatusFound, ``, "302 Found"},
		{http.StatusOK, `<html>`, "is not known here"},
	} {
		s := &playedService{status: c.status, answer: c.answer}
		r := s.asks(t, map[string]string{"USER": "li"}, "rules", "rollback", "5be0")
		if r.code != exitBad || !strings.Contains(r.stderr, c.says) || r.stdout != "" {
			t.Errorf("%d %s: %+v", c.status, c.answer, r)
		}
	}
}

func TestLiveRules_aWrongToken_isNotAskedForAgain(t *testing.T) {
	s := &playedService{status: http.StatusUnauthorized, answer: `{"error":"send Authorization"}`}
	r := s.asks(t, map[string]string{"ESCALATOR_ADMIN_TOKEN": "planted-admin-token"}, "rules")
	if r.code != exitBad || !strings.Contains(r.stderr, "has a different admin token") || strings.Contains(r.stderr, "planted") {
		t.Errorf("%+v", r)
	}
}

func TestLiveRules_aTokenThatCannotBeRead_isNamedOnce(t *testing.T) {
	s := &playedService{status: http.StatusOK, answer: rulesAnswer}
	r := s.asks(t, map[string]string{"ESCALATOR_ADMIN_TOKEN_FILE": filepath.Join(t.TempDir(), "none")}, "rules")
	if r.code != exitUsage || s.request != "" || strings.Count(r.stderr, "ESCALATOR_ADMIN_TOKEN") != 1 {
		t.Errorf("%d %q, asked %q", r.code, r.stderr, s.request)
	}
}

func TestLiveRules_asksWhereItIsTold_withTheTokenOfTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("planted-admin-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &playedService{status: http.StatusOK, answer: historyAnswer}
	other := httptest.NewServer(s)
	defer other.Close()
	r := (&playedService{}).asks(t, map[string]string{"ESCALATOR_ADMIN_TOKEN_FILE": file}, "rules", "history", "--url", other.URL+"/")
	if r.code != exitOK || s.request != "GET /api/rules/history" || s.token != "Bearer planted-admin-token" {
		t.Errorf("%+v; asked %s with %s", r, s.request, s.token)
	}
	for _, args := range [][]string{
		{"rules", "histroy"},
		{"rules", "history", "x"},
		{"rules", "diff", "a", "b", "c"},
		{"rules", "rollback"},
		{"rules", "rollback", "5be0"},
		{"rules", "--url", "127.0.0.1:8081"},
		{"rules", "--url", "http://li:planted-password@127.0.0.1"},
	} {
		if r := s.asks(t, nil, args...); r.code != exitUsage || strings.Contains(r.stderr, "planted") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}
