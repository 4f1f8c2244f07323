package app_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/logtest"
	"escalator/bot/rulefile"
	"escalator/handlers/app"
)

const testRules = `version: 1
targets: {default: {}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default}}
`

// newApp builds a service on loopback whose Desk does not answer.
func newApp(t *testing.T, change func(*app.Settings)) (a *app.App, log *logtest.Buffer, err error) {
	t.Helper()
	dir := t.TempDir()
	s := &app.Settings{
		SDKAppID: 1400000001, SecretKey: "key", Identifier: "administrator", APIURL: "http://127.0.0.1:1",
		Listen: "127.0.0.1:0", CallbackPath: "/callback", CallbackSkew: time.Minute, AdminListen: "127.0.0.1:0",
		DataDir: dir, DedupFor: time.Minute, MaxConversations: 100, MaxDedupKeys: 100, MaxUsers: 100,
		DeliveryHorizon: time.Minute, ShutdownGrace: 2 * time.Second, AIProvider: bot.AIProviderDesk, LogText: "masked",
	}
	change(s)
	s.Rules = filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(s.Rules, []byte(testRules), 0o600); err != nil {
		t.Fatal(err)
	}
	ruleFile, err := rulefile.Open(rulefile.Options{Path: s.Rules})
	if err != nil {
		t.Fatal(err)
	}
	log = &logtest.Buffer{}
	logger, err := app.NewLog(log, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { logger.Close(context.WithoutCancel(t.Context())) })
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

func TestRun_aListenerThatBreaks_endsTheServiceWithItsReason(t *testing.T) {
	a, log, err := newApp(t, func(*app.Settings) {})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context(), nil) }()
	if err := a.BreakListener(); err != nil {
		t.Fatal(err)
	}
	select {
	case err = <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("half a service goes on")
	}
	const reason = "use of closed network connection"
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("it ends with %v", err)
	}
	if lines := log.Lines("a listener failed: stopping"); len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0]["error"]), reason) {
		t.Errorf("the log does not say why: %s", log)
	}
	if n := len(log.Lines("stopped")); n != 1 {
		t.Errorf("the rest was not stopped cleanly: %s", log)
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

// freePort is a port that nobody listens on now. It is none of those that the system
// gives to connections: one of another process could take it before we do.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := fmt.Sprint(20_000 + rand.IntN(12_000))
		if l, err := net.Listen("tcp", ":"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func TestNew_itselfInThePlaceOfTheBotBehindIt_isRefused(t *testing.T) {
	for _, c := range []struct {
		listen, url string
		refused     bool
	}{
		{"127.0.0.1:%s", "http://127.0.0.1:%s/callback", true},
		{"127.0.0.1:%s", "http://localhost:%s", true},
		{":%s", "http://127.0.0.1:%s/bot", true},
		{":%s", "http://[::1]:%s/bot", true},
		{"127.0.0.1:%s", "http://127.0.0.2:%s/callback", false},
		{"127.0.0.1:%s", "http://bot.example:%s/callback", false},
		{"127.0.0.1:%s", "http://127.0.0.1:1/?own=%s", false},
	} {
		port := freePort(t)
		a, _, err := newApp(t, func(s *app.Settings) {
			s.Listen, s.ForwardURL = fmt.Sprintf(c.listen, port), desk.Secret(fmt.Sprintf(c.url, port))
		})
		if setting := (*app.SettingError)(nil); errors.As(err, &setting) != c.refused {
			t.Errorf("%s behind %s: %v", c.url, c.listen, err)
		}
		if err == nil {
			a.Start(nil)
			if err := a.Stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A load balancer hides who is behind it.
func TestApp_itselfBehindALoadBalancer_isKnownAtTheFirstMessage(t *testing.T) {
	var own atomic.Pointer[string]
	balancer := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", *own.Load()
	}})
	defer balancer.Close()
	a, log, err := newApp(t, func(s *app.Settings) { s.ForwardURL = desk.Secret(balancer.URL + "/callback") })
	if err != nil {
		t.Fatal(err)
	}
	address := a.Addr()
	own.Store(&address)
	a.Start(nil)
	began := time.Now()
	body := `{"CallbackCommand":"Desk.SessionEventNotify","SessionId":"s1","Event":"ChatBot.UserSendMsg","ClientUserId":"u","MsgKey":"k",` +
		`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello"}}]}`
	if got := status(t, http.MethodPost, "http://"+a.Addr()+"/callback?SdkAppid=1400000001&CallbackCommand=Desk.SessionEventNotify", body); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it waited for itself for %s", took)
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "it is Escalator itself") || !strings.Contains(log.String(), "forwarded_to_itself") {
		t.Error(log)
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
	if got := status(t, http.MethodPost, "http://"+a.AdminAddr()+"/api/reload", ""); got != http.StatusUnprocessableEntity {
		t.Errorf("/api/reload: %d", got)
	}
	if got := status(t, http.MethodGet, "http://"+a.AdminAddr()+"/api/rules", ""); got != http.StatusOK {
		t.Errorf("/api/rules: %d", got)
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "not a regular file") {
		t.Error(log)
	}
}
