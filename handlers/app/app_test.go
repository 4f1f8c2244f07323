package app_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"escalator/bot"
	"escalator/bot/rulefile"
	"escalator/handlers/app"
)

const testRules = `version: 1
targets: {default: {}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default}}
`

// lines is a log that several goroutines write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newApp builds a service on loopback whose Desk does not answer.
func newApp(t *testing.T, change func(*app.Settings)) (a *app.App, log *lines, err error) {
	t.Helper()
	dir := t.TempDir()
	s := &app.Settings{
		SDKAppID: 1400000001, SecretKey: "key", Identifier: "administrator", APIURL: "http://127.0.0.1:1",
		Listen: "127.0.0.1:0", CallbackPath: "/callback", CallbackSkew: time.Minute, AdminListen: "127.0.0.1:0",
		DataDir: dir, DedupFor: time.Minute, MaxConversations: 100, MaxMarks: 100,
		DeliveryHorizon: time.Minute, ShutdownGrace: 2 * time.Second, AIProvider: bot.AIProviderDesk, LogText: "masked",
	}
	change(s)
	s.Rules = filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(s.Rules, []byte(testRules), 0o600); err != nil {
		t.Fatal(err)
	}
	ruleFile, err := rulefile.Open(s.Rules)
	if err != nil {
		t.Fatal(err)
	}
	log = &lines{}
	logger, err := app.NewLogger(log, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	a, err = app.New(s, ruleFile, logger)
	return a, log, err
}

func status(t *testing.T, method, url, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestApp_servesBetweenStartAndStop(t *testing.T) {
	a, log, err := newApp(t, func(*app.Settings) {})
	if err != nil {
		t.Fatal(err)
	}
	a.Start(nil)
	if got := status(t, http.MethodGet, "http://"+a.AdminAddr()+"/readyz", ""); got != http.StatusOK {
		t.Errorf("/readyz: %d", got)
	}
	if got := status(t, http.MethodPost, "http://"+a.Addr()+"/callback?SdkAppid=1400000001", "{}"); got != http.StatusOK {
		t.Errorf("a callback: %d", got)
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), `"msg":"stopped"`) {
		t.Error(log)
	}
}

func TestRun_endsWithItsContext(t *testing.T) {
	a, _, err := newApp(t, func(*app.Settings) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx, nil); err != nil {
		t.Error(err)
	}
}

func TestNew_aSettingThatCannotBeUsed_isNamed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*app.Settings)
		want   string
	}{
		{"data folder below a file", func(s *app.Settings) { s.DataDir = "/dev/null/data" }, "ESCALATOR_DATA_DIR: "},
		{"recordings below a file", func(s *app.Settings) { s.RecordDir = "/dev/null/records" }, "ESCALATOR_RECORD_DIR: "},
		{"Redis without a scheme", func(s *app.Settings) { s.RedisURL = "localhost" }, "ESCALATOR_REDIS_URL: "},
	} {
		_, _, err := newApp(t, c.change)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if setting := (*app.SettingError)(nil); !errors.As(err, &setting) {
			t.Errorf("%s: %T is no SettingError", c.name, err)
		}
	}
}

// The rule file may be replaced by anything while the service runs.
func TestApp_aRuleFileThatIsAFIFO_holdsUpNeitherTheAPINorTheStop(t *testing.T) {
	var file string
	a, log, err := newApp(t, func(s *app.Settings) { file = filepath.Join(s.DataDir, "rules.yaml") })
	if err != nil {
		t.Fatal(err)
	}
	a.Start(nil)
	if err := errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := status(t, http.MethodPost, "http://"+a.AdminAddr()+"/api/reload", ""); got != http.StatusInternalServerError {
		t.Errorf("/api/reload: %d", got)
	}
	if got := status(t, http.MethodGet, "http://"+a.AdminAddr()+"/api/rules", ""); got != http.StatusOK {
		t.Errorf("/api/rules: %d", got)
	}
	if !strings.Contains(log.String(), "not a regular file") {
		t.Error(log)
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
}
