package cli

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/bot/rulefile"
	"escalator/handlers/app"
	"escalator/rules/lang"
)

// demoInstallation is the rule file of the scenes about kinds of installations.
//
//go:embed demo.yaml
var demoInstallation []byte

// demo plays a few conversations through the whole service, with the emulator
// in Desk's place, and tells what happens. Everything is on loopback.
func demo(ctx context.Context, env Env, args []string) error {
	fs := newFlags("demo")
	once := fs.Bool("once", false, "end after the script")
	file := fs.String("rules", "", "rule file to play with (default: the one that comes with the program)")
	if err := flagsOnly(fs, env, args, "[--once] [--rules FILE]"); err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	folder, err := os.MkdirTemp("", "escalator-demo-")
	if err != nil {
		return lang.Errorf("making a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	ruleFile, err := demoRules(env, *file, folder)
	if err != nil {
		return err
	}

	d := desktest.New(desktest.Options{Prompts: true, AnswerAtOnce: true})
	if err := d.Start(""); err != nil {
		return err
	}
	defer d.Close()
	story := newNarrator(env)
	staff, err := openStaffRoom(filepath.Join(folder, demoSecrets), story)
	if err != nil {
		return err
	}
	defer staff.close()
	settings := demoSettings(d, folder)
	a, err := app.New(settings, ruleFile, story.log)
	if err != nil {
		return err
	}
	d.SetCallbackURL("http://" + a.Addr() + demoPath)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- a.Run(ctx, env.Reload) }()
	story.lastSaid = lastSaid(d)
	play(ctx, &stage{
		desk: d, story: story, staff: staff, panel: demoPanel{"http://" + a.Addr() + demoPanelPath, settings.PanelToken}, takeRules: func() error { return takeDemoRules(*file, folder, ruleFile) },
	})
	if !*once && ctx.Err() == nil {
		invite(env, a, d)
		<-ctx.Done()
	}
	d.SetCallbackURL("")
	cancel()
	return <-served
}

// demoRules opens the given file, or a copy of the shipped one.
func demoRules(env Env, file, folder string) (*rulefile.File, error) {
	if file == "" {
		file = filepath.Join(folder, defaultRuleFile)
		if err := os.WriteFile(file, env.ShippedRules, 0o600); err != nil {
			return nil, lang.Errorf("copying the shipped rules: %w", err)
		}
	}
	return openRules(env.Lang, env.Stderr, rulefile.Options{Path: file})
}

// takeDemoRules replaces the copy of the shipped rules, as an operator would, and
// has the service take it. A file that the user named is left alone.
func takeDemoRules(named, folder string, ruleFile *rulefile.File) error {
	if named != "" {
		return errOwnRules
	}
	if err := os.WriteFile(filepath.Join(folder, defaultRuleFile), demoInstallation, 0o600); err != nil {
		return lang.Errorf("changing the demo's rules: %w", err)
	}
	_, err := ruleFile.Reload(context.Background())
	return err
}

var errOwnRules = lang.Errorf("they need rules of their own, and --rules names yours")

// lastSaid returns what reads the newest words that Desk was asked to say.
func lastSaid(d *desktest.Desk) func() string {
	return func() string {
		said := d.Ledger().Said
		if len(said) == 0 {
			return ""
		}
		var elements []struct{ MsgContent struct{ Text string } }
		if json.Unmarshal(said[len(said)-1].MsgBody, &elements) != nil || len(elements) == 0 {
			return ""
		}
		return elements[0].MsgContent.Text
	}
}

func demoSettings(d *desktest.Desk, folder string) *app.Settings {
	id := d.Identity()
	return &app.Settings{
		SDKAppID: id.SDKAppID, SecretKey: id.Key, Identifier: id.Identifier, APIURL: d.URL(),
		Listen: "127.0.0.1:0", CallbackPath: demoPath, CallbackSkew: time.Minute, AdminListen: "127.0.0.1:0",
		DataDir: folder, DedupFor: time.Minute, MaxConversations: 10_000, MaxDedupKeys: 10_000, MaxUsers: 10_000,
		PanelPath: demoPanelPath, PanelToken: desk.Secret(rand.Text()), PanelFrameAncestors: []string{"'self'"},
		SecretsDir: filepath.Join(folder, demoSecrets), DeskPoll: time.Second, HistoryFor: time.Hour, HistoryMax: 64 << 20,
		DeliveryHorizon: time.Minute, ShutdownGrace: 2 * time.Second, AIProvider: bot.AIProviderDesk, LogText: "full",
	}
}

// invite says how to send a message of one's own.
func invite(env Env, a *app.App, d *desktest.Desk) {
	d.Begin(ownSession)
	env.print(`
Still serving. Send a message of your own:

  curl -s 'http://%s%s?SdkAppid=%d&CallbackCommand=%s&contenttype=json' \
    -d '{"CallbackCommand":"%s","SessionId":"%s","Event":"%s","ClientUserId":"me","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"I want a human"}}]}'

Recent decisions:  curl -s http://%s/api/decisions
Ctrl-C ends the demo.`, a.Addr(), demoPath, d.Identity().SDKAppID, desk.CommandSessionEvent,
		desk.CommandSessionEvent, ownSession, desk.EventUserMessage, a.AdminAddr())
}
