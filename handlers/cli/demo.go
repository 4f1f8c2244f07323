package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/bot/rulefile"
)

// demo plays a few conversations through the whole service, with the emulator
// in Desk's place, and tells what happens. Everything is on loopback.
func demo(ctx context.Context, env Env, args []string) error {
	fs := newFlags("demo")
	once := fs.Bool("once", false, "end after the script")
	file := fs.String("rules", "", "rule file to play with (default: the one that comes with the program)")
	if _, err := parse(fs, env, args, "[--once] [--rules FILE]"); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "escalator-demo-")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
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
	story := newNarrator(env.Stdout)
	app, err := newApp(demoSettings(d, folder), ruleFile, story.log)
	if err != nil {
		return err
	}
	d.SetCallbackURL("http://" + app.public.Addr().String() + app.settings.CallbackPath)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- app.serve(ctx, env.Reload) }()
	play(ctx, &stage{desk: d, story: story, out: env.Stdout})
	if !*once && ctx.Err() == nil {
		invite(env.Stdout, app, d)
		<-ctx.Done()
	}
	cancel()
	return <-served
}

// demoRules opens the given file, or a copy of the shipped one.
func demoRules(env Env, file, folder string) (*rulefile.File, error) {
	if file == "" {
		file = filepath.Join(folder, defaultRuleFile)
		if err := os.WriteFile(file, env.ShippedRules, 0o600); err != nil {
			return nil, fmt.Errorf("copying the shipped rules: %w", err)
		}
	}
	return openRules(env, file)
}

func demoSettings(d *desktest.Desk, folder string) *Settings {
	id := d.Identity()
	return &Settings{
		SDKAppID: id.SDKAppID, SecretKey: id.Key, Identifier: id.Identifier, APIURL: d.URL(),
		Listen: "127.0.0.1:0", CallbackPath: "/callback", CallbackSkew: time.Minute, AdminListen: "127.0.0.1:0",
		DataDir: folder, DedupFor: time.Minute, MaxConversations: 10_000, MaxMarks: 10_000,
		DeliveryHorizon: time.Minute, ShutdownGrace: 2 * time.Second, AIProvider: bot.AIProviderDesk, LogText: "full",
	}
}

// stage is where the script is played.
type stage struct {
	desk    *desktest.Desk
	story   *narrator
	out     io.Writer
	session string
}

const (
	demoAgent    = "li@example.com"
	didNotLearn  = "抱歉，我还没有学会这个问题"
	ownSession   = "my-session"
	sceneTimeout = 10 * time.Second
)

// play plays the script: four ways to a person, and two that lead to none.
func play(ctx context.Context, s *stage) {
	fmt.Fprintf(s.out, "Escalator demo: a Desk emulator and the service, both on loopback.\n"+
		"Customers talk to the bot; watch when a person is called, and why.\n")
	s.desk.SetAgent(desktest.Agent{ID: demoAgent, Groups: []int64{1}, Online: true})
	scenes := []func(){
		func() {
			s.scene("The bot does not understand, three times in a row")
			for _, words := range []string{"怎么改地址", "修改收货地址", "地址写错了"} {
				s.customer(words)
				s.bot(didNotLearn, "fallback")
			}
		},
		func() {
			s.scene("The same question again and again")
			for _, words := range []string{"Where is my parcel?", "where is my parcel", "so where IS my parcel??"} {
				s.customer(words)
				s.bot("You can track your parcel in the app.", "faq")
			}
		},
		func() {
			s.scene("The customer asks for a person (typing error included)")
			s.customer("hello")
			s.bot("Hello! What can I do for you?", "welcome")
			s.customer("I'd like to talk to a real perosn please")
		},
		func() {
			s.scene("The words are there, the wish is not")
			s.customer("先别转人工，我再看看")
			s.customer("人工智能是什么")
		},
		func() {
			s.scene("Nobody is online")
			s.desk.SetOnline(demoAgent, false)
			s.customer("转人工")
			s.desk.SetOnline(demoAgent, true)
		},
	}
	for _, scene := range scenes {
		if ctx.Err() == nil {
			scene()
		}
	}
	s.summary()
}

func (s *stage) scene(title string) {
	s.session = fmt.Sprintf("demo-%d", s.story.nextScene())
	fmt.Fprintf(s.out, "\n%s  %s\n", s.session, title)
	s.desk.Begin(s.session)
}

func (s *stage) customer(words string) {
	s.story.line("customer", words)
	told := s.story.told()
	s.desk.UserSays(s.session, words)
	s.story.waitForTransfer(sceneTimeout)
	if s.story.told() == told { // a message that leads to nothing is no line of the log
		s.story.line("escalator", "stays with the bot: no rule holds")
	}
}

func (s *stage) bot(words, mark string) {
	s.story.line("bot", fmt.Sprintf("%s   (marked %s)", words, mark))
	s.desk.BotSays(s.session, words, mark)
	s.story.waitForTransfer(sceneTimeout)
}

// summary says what Desk itself thinks of it.
func (s *stage) summary() {
	fmt.Fprintf(s.out, "\nWhat Desk has in its books:\n")
	for _, session := range s.desk.Sessions() {
		agent := ""
		if session.Agent != "" {
			agent = " (" + session.Agent + ")"
		}
		fmt.Fprintf(s.out, "  %-8s %s%s\n", session.ID, session.State, agent)
	}
}

// invite says how to send a message of one's own.
func invite(w io.Writer, a *app, d *desktest.Desk) {
	d.Begin(ownSession)
	fmt.Fprintf(w, `
Still serving. Send a message of your own:

  curl -s 'http://%s%s?SdkAppid=%d&CallbackCommand=%s&contenttype=json' \
    -d '{"CallbackCommand":"%s","SessionId":"%s","Event":"%s","ClientUserId":"me","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"I want a human"}}]}'

Recent decisions:  curl -s http://%s/api/decisions
Ctrl-C ends the demo.
`, a.public.Addr(), a.settings.CallbackPath, a.settings.SDKAppID, desk.CommandSessionEvent,
		desk.CommandSessionEvent, ownSession, desk.EventUserMessage, a.admin.Addr())
}
