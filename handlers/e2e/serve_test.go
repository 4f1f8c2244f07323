package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

func TestServe_aRequestForAPerson_isTransferredOnce(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.desk.Begin("s1")
	if a := s.says("s1", "你好"); a.AIProvider == nil || *a.AIProvider != 1 {
		t.Errorf("a plain message: AIProvider %v, want 1", a.AIProvider)
	}
	a := s.says("s1", "I want to talk to a human, my number is 13812345678")
	if a.AIProvider == nil || *a.AIProvider != 0 {
		t.Errorf("a request for a person: AIProvider %v, want 0", a.AIProvider)
	}
	s.log("decision", map[string]any{"session": "s1", "outcome": "transfer", "rule": "ask-human", "target": "default"})
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned", "agent": agentLi, "attempt": 1})
	ledger := s.desk.Ledger()
	if len(ledger.Of("s1")) != 1 || !strings.Contains(string(ledger.Of("s1")[0].Request), `"SendTipIfNoAgentOnline":1`) {
		t.Errorf("accepted by Desk: %+v", ledger.Of("s1"))
	}
	if strings.Contains(s.out.settled(), "13812345678") {
		t.Error("the log shows the customer's number")
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d after SIGTERM\n%s", code, s.out)
	}
}

func TestServe_tenCopiesOfOneCallback_areAnsweredAlike(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.desk.Begin("s1")
	first := s.says("s1", "转人工")
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if a := s.desk.Resend(first.Request); a.Err != nil || string(a.Body) != string(first.Body) {
				t.Errorf("a copy: %s, %v; the first: %s", a.Body, a.Err, first.Body)
			}
		})
	}
	all.Wait()
	s.log("transfer", map[string]any{"outcome": "assigned"})
	if n := len(s.desk.Ledger().Accepted); n != 1 {
		t.Errorf("Desk accepted %d transfers", n)
	}
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, "escalator_dedup_hits_total 10\n") {
		t.Error("escalator_dedup_hits_total is not 10")
	}
}

// sign returns the query of a callback that is signed for a time.
func sign(at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	sum := sha256.Sum256([]byte(testToken + stamp))
	return fmt.Sprintf("SdkAppid=%d&CallbackCommand=%s&RequestTime=%s&Sign=%s",
		desktest.DefaultSDKAppID, desk.CommandSessionEvent, stamp, hex.EncodeToString(sum[:]))
}

func TestServe_badCallbacks_getTheirStatusInTencentsForm(t *testing.T) {
	t.Parallel()
	s := startService(t)
	now := time.Now()
	body := `{"CallbackCommand":"Desk.SessionEventNotify","SessionId":"s1","Event":"ChatBot.UserSendMsg"}`
	good := sign(now)
	for name, c := range map[string]struct {
		method, query, body string
		status              int
		reason              string // of the log line
	}{
		"good":                    {"POST", good, body, 200, ""},
		"lower-case names":        {"POST", strings.ToLower(good), body, 200, ""},
		"unknown command":         {"POST", strings.ReplaceAll(good, "Desk.Session", "New.Session"), `{}`, 200, ""},
		"unknown event":           {"POST", good, strings.ReplaceAll(body, "ChatBot.UserSendMsg", "New.Event"), 200, ""},
		"empty body":              {"POST", good, "", 200, ""},
		"empty body, no query":    {"POST", "", "", 200, ""},
		"another app":             {"POST", strings.ReplaceAll(good, "1400000000", "1400000001"), body, 403, "sdkappid"},
		"no app":                  {"POST", "CallbackCommand=Desk.SessionEventNotify", body, 403, "sdkappid"},
		"no signature":            {"POST", "SdkAppid=1400000000", body, 403, "sign_missing"},
		"forged":                  {"POST", good + "0", body, 403, "sign_mismatch"},
		"61 s old":                {"POST", sign(now.Add(-62 * time.Second)), body, 403, "sign_stale"},
		"62 s ahead":              {"POST", sign(now.Add(63 * time.Second)), body, 403, "sign_stale"},
		"50 s old":                {"POST", sign(now.Add(-50 * time.Second)), body, 200, ""},
		"not JSON":                {"POST", good, "SessionId=1", 400, "not_json"},
		"cut JSON":                {"POST", good, body[:40], 400, "not_json"},
		"a JSON array":            {"POST", good, "[]", 400, "not_json"},
		"65 deep":                 {"POST", good, `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + "}", 400, "too_deep"},
		"a million brackets":      {"POST", good, strings.Repeat("[", 1_000_000), 400, "too_deep"},
		"over 1 MiB":              {"POST", good, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large"},
		"1 MiB":                   {"POST", good, `{"a":"` + strings.Repeat("x", 1<<20-8) + `"}`, 200, ""},
		"GET":                     {"GET", good, "", 405, ""},
		"PUT":                     {"PUT", good, body, 405, ""},
		"numbers as strings":      {"POST", good, `{"SessionId":"s1","Event":"ChatBot.UserSendMsg","EventTime":"1670574414123"}`, 200, ""},
		"custom data is not JSON": {"POST", good, `{"SessionId":"s1","Event":"ChatBot.RobotSendMsg","CloudCustomData":"{"}`, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := request(t, c.method, s.url+"?"+c.query, c.body)
			if status != c.status {
				t.Errorf("status %d, want %d: %s", status, c.status, answer)
			}
			want := `"ActionStatus":"OK"`
			if c.status != http.StatusOK {
				want = `"ActionStatus":"FAIL"`
			}
			if !strings.Contains(answer, want) {
				t.Errorf("answer %s", answer)
			}
			if c.reason != "" {
				s.log("callback refused", map[string]any{"reason": c.reason, "status": c.status})
			}
		})
	}
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, `result="sign_mismatch"} 1`) {
		t.Error("the refusals are not counted by reason")
	}
}

func TestServe_desksFaults_endInExactlyOneTransfer(t *testing.T) {
	t.Parallel()
	s := startService(t)
	for i, fault := range []desktest.Fault{
		{Kind: desktest.FaultDrop},
		{Kind: desktest.FaultDrop, After: true},
		{Kind: desktest.Fault502},
		{Kind: desktest.Fault502, After: true},
		{Kind: desktest.FaultHTML, After: true},
		{Kind: desktest.FaultInvalid},
		{Kind: desktest.FaultCode, Code: 141002, Times: 2},
		{Kind: desktest.FaultCode, Code: 70001},
		{Kind: desktest.FaultDelay, Delay: 6 * time.Second}, // longer than the client waits
	} {
		t.Run(fmt.Sprint(fault.Kind, fault.Code, " after acting: ", fault.After), func(t *testing.T) {
			session := fmt.Sprint("fault", i)
			s.desk.Begin(session)
			fault.Command = "transfer_to_human"
			if err := s.desk.Fail(fault); err != nil {
				t.Fatal(err)
			}
			s.says(session, "转人工")
			s.log("transfer", map[string]any{"session": session, "outcome": "assigned"})
			if n := len(s.desk.Ledger().Of(session)); n != 1 {
				t.Errorf("Desk accepted %d transfers", n)
			}
		})
	}
}

func TestServe_anUnknownCode_isAFinalFailureWithCodeAndText(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.desk.Begin("s1")
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 141888}); err != nil {
		t.Fatal(err)
	}
	s.says("s1", "转人工")
	line := s.log("transfer", map[string]any{"session": "s1", "outcome": "failed", "code": 141888})
	if line["level"] != "error" || !strings.Contains(fmt.Sprint(line["error"]), "141888") {
		t.Errorf("line %v", line)
	}
	eventually(t, "the given-up transfer in /api/outbox", func() bool {
		_, outbox := s.get("/api/outbox")
		_, givenUp, _ := strings.Cut(outbox, `"given_up":`)
		return strings.Contains(givenUp, `"session":"s1"`) && strings.Contains(givenUp, "141888")
	})
}

func TestServe_nobodyOnline_tellsTheCustomerAndGoesOn(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.desk.SetOnline(agentLi, false)
	s.desk.Begin("s1")
	s.says("s1", "转人工")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "no_agent", "code": 141001})
	if a := s.says("s1", "那快递到哪了"); a.AIProvider == nil || *a.AIProvider != 1 {
		t.Errorf("the bot does not go on: AIProvider %v", a.AIProvider)
	}
}

func TestServe_healthMetricsAndDecisions(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.desk.Begin("s1")
	s.says("s1", "转人工")
	s.log("transfer", map[string]any{"outcome": "assigned"})
	for path, want := range map[string]string{
		"/healthz":       `"ok"`,
		"/readyz":        `"ready"`,
		"/api/decisions": `"rule":"ask-human"`,
		"/metrics":       `escalator_decisions_total{outcome="transfer",rule="ask-human"} 1`,
	} {
		if status, body := s.get(path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET %s = %d, without %s:\n%s", path, status, want, body)
		}
	}
	address := strings.TrimPrefix(s.admin, "http://")
	if code, out, errOut := command(t, []string{"ESCALATOR_ADMIN_LISTEN=" + address}, "health"); code != 0 || out != "ok\n" {
		t.Errorf("health: exit %d, %s%s", code, out, errOut)
	}
	s.stop()
	if code, _, errOut := command(t, []string{"ESCALATOR_ADMIN_LISTEN=" + address}, "health"); code != 1 || errOut == "" {
		t.Errorf("health of a service that is gone: exit %d, %q", code, errOut)
	}
}

func TestServe_operatorsListener_isClosedWithoutTheToken(t *testing.T) {
	t.Parallel()
	s := startService(t, "ESCALATOR_ADMIN_TOKEN=an-admin-token-that-is-planted")
	for _, path := range []string{"/metrics", "/api/decisions", "/api/outbox"} {
		if status, _ := s.get(path); status != http.StatusUnauthorized {
			t.Errorf("GET %s without the token = %d", path, status)
		}
	}
	if status, _ := s.get("/healthz"); status != http.StatusOK {
		t.Errorf("GET /healthz = %d", status)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.admin+"/metrics", nil)
	req.Header.Set("Authorization", "Bearer an-admin-token-that-is-planted")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("GET /metrics with the token = %d", resp.StatusCode)
	}
}

func TestServe_badSettings_areReportedAllAtOnce(t *testing.T) {
	t.Parallel()
	code, _, errOut := command(t, []string{
		"ESCALATOR_SDKAPPID=abc", "ESCALATOR_LISTEN=8080", "ESCALATOR_AI_PROVIDER=nobody", "ESCALATOR_CALLBACK_SKEW=5",
		"ESCALATOR_API_URL=http://example.com", "ESCALATOR_ADMIN_LISTEN=0.0.0.0:8081",
	}, "serve")
	if code != 2 {
		t.Errorf("exit %d, want 2", code)
	}
	for _, name := range []string{"SDKAPPID", "SECRET_KEY", "LISTEN", "AI_PROVIDER", "CALLBACK_SKEW", "API_URL", "ADMIN_TOKEN"} {
		if !strings.Contains(errOut, "ESCALATOR_"+name) {
			t.Errorf("nothing is said of ESCALATOR_%s:\n%s", name, errOut)
		}
	}
}

func TestServe_aBrokenRuleFile_stopsTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "broken.yaml")
	src := "version: 1\ntargets: {default: {}}\nrules:\n  - id: a\n    wen: {says: [human]}\n    then: {transfer: defalt}\n"
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"ESCALATOR_SDKAPPID=1400000000", "ESCALATOR_SECRET_KEY=x", "ESCALATOR_RULES=" + file}
	code, _, errOut := command(t, env, "serve")
	if code != 2 || !strings.Contains(errOut, "broken.yaml:5:5") || !strings.Contains(errOut, "broken.yaml:6:") {
		t.Errorf("exit %d:\n%s", code, errOut)
	}
	code, out, _ := command(t, nil, "check", file)
	if code != 1 || !strings.Contains(out, "when") || !strings.Contains(out, "default") {
		t.Errorf("check: exit %d, without hints:\n%s", code, out)
	}
}

func TestServe_stopsWithinItsGrace_alsoWhileDeskHangs(t *testing.T) {
	t.Parallel()
	s := startService(t, "ESCALATOR_SHUTDOWN_GRACE=2s")
	s.desk.Begin("s1")
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultDelay, Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	s.says("s1", "转人工")
	eventually(t, "the call to Desk", func() bool { return len(s.desk.Faults()) == 0 })
	begin := time.Now()
	code := s.stop()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if code != 1 {
		t.Errorf("exit %d; a stop that cut off a transfer is no clean one\n%s", code, s.out)
	}
}

func TestServe_aSecondSignal_endsItAtOnce(t *testing.T) {
	t.Parallel()
	s := startService(t, "ESCALATOR_SHUTDOWN_GRACE=1m", "ESCALATOR_DRAIN_DELAY=1m")
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	s.log("stopping", nil)
	if status, body := s.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "stopping") {
		t.Errorf("GET /readyz while draining = %d %s", status, body)
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	s.wait()
}

// TestServe_neverShowsASecret plants secrets in every place that has one and
// reads all that the process prints while things go wrong.
func TestServe_neverShowsASecret(t *testing.T) {
	t.Parallel()
	s := startService(t, "ESCALATOR_ADMIN_TOKEN=an-admin-token-that-is-planted")
	for i, kind := range []desktest.Kind{desktest.FaultDrop, desktest.Fault502, desktest.FaultHTML, desktest.FaultInvalid, desktest.FaultCode} {
		session := fmt.Sprint("s", i)
		s.desk.Begin(session)
		if err := s.desk.Fail(desktest.Fault{Kind: kind, Code: 70009}); err != nil {
			t.Fatal(err)
		}
		s.says(session, "转人工")
		s.log("transfer", map[string]any{"session": session, "outcome": "retrying"})
		if kind != desktest.FaultCode { // its repeat must not meet the next fault
			s.log("transfer", map[string]any{"session": session, "outcome": "assigned"})
		}
	}
	request(t, http.MethodPost, s.url+"?"+sign(time.Now())+"0", `{"secret":"body-that-is-planted"}`)
	request(t, http.MethodPost, s.url+"?"+sign(time.Now()), `{"secret":"body-that-is-planted`)
	s.log("callback refused", map[string]any{"reason": "not_json"})
	s.desk.Close() // connection refused from now on
	s.stop()
	out := s.out.settled()
	for what, secret := range map[string]string{
		"the key": testKey.Reveal(), "the callback token": testToken, "the admin token": "an-admin-token-that-is-planted",
		"a signature of ours": "usersig", "a signature of a callback": sign(time.Now())[60:], "a body": "body-that-is-planted",
	} {
		if strings.Contains(out, secret) {
			t.Errorf("the log shows %s:\n%s", what, out)
		}
	}
}

func TestDoctor_tellsARightInstallationFromAWrongOne(t *testing.T) {
	t.Parallel()
	s := startService(t)
	env := func(key string) []string {
		return []string{
			"ESCALATOR_SDKAPPID=1400000000", "ESCALATOR_SECRET_KEY=" + key, "ESCALATOR_API_URL=" + s.desk.URL(),
			"ESCALATOR_RULES=" + filepath.Join(s.dir, "rules.yaml"), "ESCALATOR_CALLBACK_TOKEN=x",
			"ESCALATOR_LISTEN=127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN=127.0.0.1:0", // others may use the usual ports of this machine
		}
	}
	if code, out, _ := command(t, env(testKey.Reveal()), "doctor"); code != 0 || strings.Contains(out, "FAIL") {
		t.Errorf("right settings: exit %d\n%s", code, out)
	}
	if code, out, _ := command(t, env("0000"), "doctor"); code != 1 || !strings.Contains(out, "FAIL  desk") || !strings.Contains(out, "→") {
		t.Errorf("wrong key: exit %d\n%s", code, out)
	}
	if code, out, _ := command(t, nil, "doctor"); code != 1 || !strings.Contains(out, "ESCALATOR_SDKAPPID") {
		t.Errorf("no settings: exit %d\n%s", code, out)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"version"}, 0, "escalator "},
		{[]string{"--help"}, 0, "run the service against a built-in Desk"},
		{[]string{"help"}, 0, "validate a rule file"},
		{[]string{"serve", "--help"}, 0, "ESCALATOR_CALLBACK_TOKEN or ESCALATOR_CALLBACK_TOKEN_FILE"},
		{[]string{"check", "--help"}, 0, "Usage: escalator check"},
		{[]string{"chekc"}, 2, "unknown command"},
		{[]string{"serve", "--no-such-flag"}, 2, "no-such-flag"},
		{[]string{"serve", "extra"}, 2, "extra"},
		{[]string{"check", "no-such-file.yaml"}, 1, "no-such-file.yaml"},
	} {
		code, out, errOut := command(t, nil, c.args...)
		if code != c.code || !strings.Contains(out+errOut, c.want) {
			t.Errorf("escalator %v: exit %d, want %d with %q:\n%s%s", c.args, code, c.code, c.want, out, errOut)
		}
	}
}
