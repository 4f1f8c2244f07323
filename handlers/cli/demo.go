package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
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
	ctx, cancel := untilUnread(ctx, env)
	defer cancel()
	folder, err := os.MkdirTemp("", "escalator-demo-")
	if err != nil {
		return lang.Errorf("making a temporary folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := cmp.Or(*file, filepath.Join(folder, defaultRuleFile))
	ruleFile, err := demoRules(env, path, *file == "")
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

	served := make(chan error, 1)
	go func() { served <- a.Run(ctx, env.Reload) }()
	story.lastSaid = lastSaid(d)
	s := &stage{
		desk: d, story: story, staff: staff, panel: demoPanel{"http://" + a.Addr() + demoPanelPath, settings.PanelToken},
		end: cancel, ended: ctx.Done(), admin: "http://" + a.AdminAddr(), token: settings.AdminToken, ownRules: *file != "", takeRules: func() error { return takeDemoRules(path, ruleFile, env.Lang) },
	}
	if !*once {
		s.typed, s.slow = typedLines(env.Stdin), isTerminal(env.Stdout)
	}
	s.welcome(path)
	s.play()
	if !*once && ctx.Err() == nil {
		err = s.serveOn(ctx, "http://"+a.Addr()+demoPath)
	}
	d.SetCallbackURL("")
	cancel()
	return cmp.Or(err, <-served)
}

// serveOn takes messages that are sent and typed, until the demo is ended.
func (s *stage) serveOn(ctx context.Context, callbacks string) error {
	gate, err := openGate(s, callbacks)
	if err != nil {
		return err
	}
	defer gate.close()
	s.slow = false // what is typed from here on is said, and ends no pause
	if s.typed == nil {
		s.invite(gate.address)
		<-ctx.Done()
		return nil
	}
	help := func() { s.helpToTalk(gate.address) }
	help()
	s.talk(ctx, help)
	return nil
}

// demoRules opens a rule file, which is a copy of the shipped one or the user's own.
func demoRules(env Env, path string, shipped bool) (*rulefile.File, error) {
	if shipped {
		if err := os.WriteFile(path, env.ShippedRules, 0o600); err != nil {
			return nil, lang.Errorf("copying the shipped rules: %w", err)
		}
	}
	return openRules(env.Lang, env.Stderr, rulefile.Options{Path: path})
}

// takeDemoRules replaces the copy of the shipped rules, as an operator would, and
// has the service take it. The staff is told in the language of who watches.
func takeDemoRules(path string, ruleFile *rulefile.File, reader lang.Language) error {
	rules := demoInstallation
	if reader == lang.Chinese {
		rules = bytes.Replace(rules, []byte("lang: en"), []byte("lang: zh"), 1)
	}
	if err := os.WriteFile(path, rules, 0o600); err != nil {
		return lang.Errorf("changing the demo's rules: %w", err)
	}
	_, err := ruleFile.Reload(context.Background())
	return err
}

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
		Listen: "127.0.0.1:0", CallbackPath: demoPath, CallbackSkew: time.Minute, AdminListen: "127.0.0.1:0", AdminToken: desk.Secret(rand.Text()),
		DataDir: folder, DedupFor: time.Minute, MaxConversations: 10_000, MaxDedupKeys: 10_000, MaxUsers: 10_000,
		PanelPath: demoPanelPath, PanelToken: desk.Secret(rand.Text()), PanelFrameAncestors: []string{"'self'"},
		SecretsDir: filepath.Join(folder, demoSecrets), DeskPoll: time.Second, HistoryFor: time.Hour, HistoryMax: 64 << 20,
		DeliveryHorizon: time.Minute, ShutdownGrace: 2 * time.Second, AIProvider: bot.AIProviderDesk, LogText: "full",
	}
}

// invite says how to send a message of one's own.
func (s *stage) invite(callbacks string) {
	s.story.env.print("\nStill serving. Send a message of your own:\n")
	s.curl(callbacks)
	s.story.env.print("\nDecisions:\n  curl -s -H 'Authorization: Bearer %s' %s/api/decisions\nCtrl-C ends the demo.", s.token.Reveal(), s.admin)
}

// curl prints a command that sends a message to the demo.
func (s *stage) curl(callbacks string) {
	words := "I want a human"
	if s.story.env.Lang == lang.Chinese {
		words = "我要转人工"
	}
	s.story.env.print(lang.Raw(fmt.Sprintf(`  curl -s '%s?SdkAppid=%d' -d '
  {"CallbackCommand": "%s", "SessionId": "%s",
   "Event": "%s", "ClientUserId": "me", "MsgBody": [
   {"MsgType": "TIMTextElem", "MsgContent": {"Text": "%s"}}]}'`,
		callbacks, s.desk.Identity().SDKAppID, desk.CommandSessionEvent, ownSession, desk.EventUserMessage, words)))
}

// helpToTalk says what can be typed.
func (s *stage) helpToTalk(callbacks string) {
	s.story.env.print(`
Now you are the customer: type what you would say, and press Enter.
  /new           begin another conversation
  /agent off|on  the only agent goes home, or comes back
  /bot TEXT      have the bot say something
  /why           the whole story of this conversation, and why
  /help          this
  /quit          end the demo (so do Ctrl-D and Ctrl-C)
Messages from elsewhere are shown as well:
`)
	s.curl(callbacks)
	s.story.env.print("")
}
