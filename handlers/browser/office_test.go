package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"escalator/bot"
	"escalator/bot/desk/desktest"
	"escalator/bot/logtest"
	"escalator/bot/rulefile"
	"escalator/handlers"
	"escalator/handlers/app"
)

// office is a running service.
type office struct {
	t     *testing.T
	desk  *desktest.Desk
	app   *app.App
	admin string // address of the operators' listener
	rules string // path of the rule file
	log   *logtest.Buffer
}

const adminToken = "admin-token-that-is-planted"

// openOffice starts a service with the shipped rules and one agent, who is free.
func openOffice(t *testing.T, change func(*app.Settings)) *office {
	t.Helper()
	shipped, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, desk: desktest.New(desktest.Options{AnswerAtOnce: true}), log: &logtest.Buffer{}, rules: filepath.Join(t.TempDir(), "rules.yaml")}
	if err := os.WriteFile(o.rules, shipped, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.desk.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.desk.Close)
	o.desk.SetAgent(desktest.Agent{ID: "li@example.com", Groups: []int64{1}, Online: true})
	id := o.desk.Identity()
	s := &app.Settings{
		SDKAppID: id.SDKAppID, SecretKey: id.Key, Identifier: id.Identifier, APIURL: o.desk.URL(), Version: "test",
		Listen: "127.0.0.1:0", CallbackPath: "/callback", CallbackSkew: time.Minute, AdminListen: "127.0.0.1:0", AdminToken: adminToken,
		Rules: o.rules, DataDir: t.TempDir(), DedupFor: time.Minute, MaxConversations: 10_000, MaxDedupKeys: 10_000, MaxUsers: 10_000,
		DeskPoll: time.Second, HistoryFor: time.Hour, HistoryMax: 64 << 20,
		DeliveryHorizon: time.Minute, ShutdownGrace: 10 * time.Second, AIProvider: bot.AIProviderDesk, LogText: "masked",
	}
	if change != nil {
		change(s)
	}
	token := "not set"
	if s.AdminToken != "" {
		token = "set"
	}
	s.Shown = []handlers.Setting{{Name: "ESCALATOR_ADMIN_TOKEN", Value: token}, {Name: "ESCALATOR_LOG_TEXT", Value: s.LogText, Default: true}}
	o.start(s)
	return o
}

func (o *office) start(s *app.Settings) {
	o.t.Helper()
	file, err := rulefile.Open(rulefile.Options{Path: s.Rules, Kept: filepath.Join(s.DataDir, "rules")})
	if err != nil {
		o.t.Fatal(err)
	}
	log, err := app.NewLog(o.log, "info", "json")
	if err != nil {
		o.t.Fatal(err)
	}
	if o.app, err = app.New(s, file, log); err != nil {
		o.t.Fatal(err)
	}
	o.app.Start(nil)
	o.t.Cleanup(func() {
		o.desk.SetCallbackURL("")
		if err := o.app.Stop(); err != nil {
			o.t.Error(err)
		}
		log.Close(context.WithoutCancel(o.t.Context()))
	})
	o.desk.SetCallbackURL("http://" + o.app.Addr() + s.CallbackPath)
	o.admin = "http://" + o.app.AdminAddr()
}

// says lets customers say something in sessions of their own, one turn after another.
func (o *office) says(session string, words ...string) {
	o.t.Helper()
	for _, w := range words {
		if a := o.desk.UserSays(session, w); a.Err != nil {
			o.t.Fatal(a.Err)
		}
	}
}

// until waits until what happens in the service has happened.
func (o *office) until(what string, happened func() bool) {
	o.t.Helper()
	late, look := time.After(pageFor), time.NewTicker(20*time.Millisecond)
	defer look.Stop()
	for !happened() {
		select {
		case <-look.C:
		case <-late:
			o.t.Fatalf("not so: %s", what)
		}
	}
}

// writeRules replaces text of the rule file behind the service's back, as an editor on the machine does.
func (o *office) writeRules(old, replacement string) {
	o.t.Helper()
	content := o.ruleText()
	if !strings.Contains(content, old) {
		o.t.Fatalf("the rule file has no %q", old)
	}
	if err := os.WriteFile(o.rules, []byte(strings.Replace(content, old, replacement, 1)), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) ruleText() string {
	o.t.Helper()
	content, err := os.ReadFile(o.rules)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(content)
}
