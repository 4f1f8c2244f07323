package cli

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/bot/rulefile"
	"escalator/handlers/app"
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
	a, err := app.New(demoSettings(d, folder), ruleFile, story.log)
	if err != nil {
		return err
	}
	d.SetCallbackURL("http://" + a.Addr() + demoPath)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- a.Run(ctx, env.Reload) }()
	story.lastSaid = lastSaid(d)
	play(ctx, &stage{desk: d, story: story, out: env.Stdout, takeRules: func() error { return takeDemoRules(*file, folder, ruleFile) }})
	if !*once && ctx.Err() == nil {
		invite(env.Stdout, a, d)
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
			return nil, fmt.Errorf("copying the shipped rules: %w", err)
		}
	}
	return openRules(env.Stderr, rulefile.Options{Path: file})
}

// takeDemoRules replaces the copy of the shipped rules, as an operator would, and
// has the service take it. A file that the user named is left alone.
func takeDemoRules(named, folder string, ruleFile *rulefile.File) error {
	if named != "" {
		return errOwnRules
	}
	if err := os.WriteFile(filepath.Join(folder, defaultRuleFile), demoInstallation, 0o600); err != nil {
		return fmt.Errorf("changing the demo's rules: %w", err)
	}
	_, err := ruleFile.Reload(context.Background())
	return err
}

var errOwnRules = errors.New("they need rules of their own, and --rules names yours")

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
		DeliveryHorizon: time.Minute, ShutdownGrace: 2 * time.Second, AIProvider: bot.AIProviderDesk, LogText: "full",
	}
}

// stage is where the script is played.
type stage struct {
	desk      *desktest.Desk
	story     *narrator
	out       io.Writer
	takeRules func() error // puts the rules of the second half in force
	session   string
}

const (
	demoAgent    = "li@example.com"
	didNotLearn  = "抱歉，我还没有学会这个问题"
	ownSession   = "my-session"
	demoPath     = "/callback"
	sceneTimeout = 10 * time.Second
)

// play plays the script: how a conversation goes to a person or does not, and
// then how Escalator stands in other kinds of installations.
func play(ctx context.Context, s *stage) {
	fmt.Fprintf(s.out, "Escalator demo: a Desk emulator and the service, both on loopback.\n"+
		"Customers talk to the bot; watch when a person is called, and why.\n")
	s.desk.SetAgent(desktest.Agent{ID: demoAgent, Groups: []int64{1}, Online: true})
	s.act(ctx, s.stuck, s.again, s.asks, s.doesNotAsk, s.nobody)
	if err := s.takeRules(); err != nil {
		fmt.Fprintf(s.out, "\nThe scenes about kinds of installations are left out: %v.\n", err)
	} else {
		fmt.Fprintf(s.out, "\nSomebody saves another rules.yaml, with an offer and a target that waits for agents: it is in force.\n")
		s.act(ctx, s.offer, s.plainIM, s.assignment, s.taskFlow, s.becomesFree)
	}
	s.summary()
}

// act plays scenes until the demo is ended.
func (s *stage) act(ctx context.Context, scenes ...func()) {
	for _, scene := range scenes {
		if ctx.Err() == nil {
			scene()
		}
	}
}

func (s *stage) stuck() {
	s.scene("The bot does not understand, three times in a row")
	for _, words := range []string{"怎么改地址", "修改收货地址", "地址写错了"} {
		s.customer(words)
		s.bot(didNotLearn, "fallback")
	}
}

func (s *stage) again() {
	s.scene("The same question again and again")
	for _, words := range []string{"Where is my parcel?", "where is my parcel"} {
		s.customer(words)
		s.bot("You can track your parcel in the app.", "faq")
	}
	s.customer("so where IS my parcel??")
	s.customer("yes please")
}

func (s *stage) asks() {
	s.scene("The customer asks for a person (typing error included)")
	s.customer("hello")
	s.bot("Hello! What can I do for you?", "welcome")
	s.customer("I'd like to talk to a real perosn please")
}

func (s *stage) doesNotAsk() {
	s.scene("The words are there, the wish is not")
	s.customer("先别转人工，我再看看")
	s.customer("人工智能是什么")
}

func (s *stage) nobody() {
	s.scene("Nobody is online")
	s.desk.SetOnline(demoAgent, false)
	s.customer("转人工")
	s.desk.SetOnline(demoAgent, true)
}

func (s *stage) offer() {
	s.scene("An offer, answered with yes")
	s.customer("How do I get a refund?")
	s.customer("yes please")
}

func (s *stage) plainIM() {
	s.title("Plain IM: the callback tells who talks to whom, and no session")
	const words = "转人工"
	s.story.line("jared", words+"   (to "+desktest.DefaultService+")")
	s.desk.SendIM(desk.CommandC2CAfter, desktest.IM{From: "jared", To: desktest.DefaultService, Text: words})
	s.story.waitForTransfer(sceneTimeout)
	s.story.line("demo", "the session was looked up for the transfer: "+s.desk.SessionOf("jared", desktest.DefaultService).ID)
}

func (s *stage) assignment() {
	s.scene("Desk asks your server who should get a session")
	s.story.line("desk", "to whom? (ChatBot.OnAssignHuman)")
	s.answer(s.desk.Assign(s.session, false))
	s.story.line("desk", "a person takes it: "+s.desk.Session(s.session).Agent)
}

func (s *stage) taskFlow() {
	s.scene("A task flow asks whether this should go to a person")
	for _, words := range []string{"what are your opening hours", "can I speak to somebody real"} {
		s.story.line("flow", words+"   (Chatbot.InterfaceInvocation)")
		s.answer(s.desk.Flow(s.session, map[string]string{"question": words}))
	}
}

func (s *stage) becomesFree() {
	s.scene("Nobody is online, and then somebody becomes free")
	s.desk.SetOnline(demoAgent, false)
	s.customer("转人工")
	s.story.line("desk", demoAgent+" becomes free (Member.EventNotify)")
	s.story.expectTransfer()
	s.desk.SetStatus(demoAgent, "free")
	s.story.waitForTransfer(sceneTimeout)
}

// scene begins a scene with a session of its own.
func (s *stage) scene(title string) {
	s.title(title)
	s.desk.Begin(s.session)
}

func (s *stage) title(title string) {
	s.session = fmt.Sprintf("demo-%d", s.story.nextScene())
	fmt.Fprintf(s.out, "\n%s  %s\n", s.session, title)
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

// bot lets Desk's own bot speak, unless a person has the session by now.
func (s *stage) bot(words, mark string) {
	if s.desk.Session(s.session).State != desk.StateChatbot {
		return
	}
	s.story.line("bot", fmt.Sprintf("%s   (marked %s)", words, mark))
	s.desk.BotSays(s.session, words, mark)
	s.story.waitForTransfer(sceneTimeout)
}

// answer prints what a callback was answered, without what all answers hold.
func (s *stage) answer(a desktest.Answer) {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(a.Body, &fields)
	for _, name := range []string{"ActionStatus", "ErrorCode", "ErrorInfo"} {
		delete(fields, name)
	}
	text, _ := json.Marshal(fields)
	s.story.line("escalator", "answers "+string(text))
}

// summary says what Desk itself thinks of it.
func (s *stage) summary() {
	fmt.Fprintf(s.out, "\nWhat Desk has in its books:\n")
	for _, session := range s.desk.Sessions() {
		agent := ""
		if session.Agent != "" {
			agent = " (" + session.Agent + ")"
		}
		fmt.Fprintf(s.out, "  %-13s %s%s\n", session.ID, session.State, agent)
	}
}

// invite says how to send a message of one's own.
func invite(w io.Writer, a *app.App, d *desktest.Desk) {
	d.Begin(ownSession)
	fmt.Fprintf(w, `
Still serving. Send a message of your own:

  curl -s 'http://%s%s?SdkAppid=%d&CallbackCommand=%s&contenttype=json' \
    -d '{"CallbackCommand":"%s","SessionId":"%s","Event":"%s","ClientUserId":"me","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"I want a human"}}]}'

Recent decisions:  curl -s http://%s/api/decisions
Ctrl-C ends the demo.
`, a.Addr(), demoPath, d.Identity().SDKAppID, desk.CommandSessionEvent,
		desk.CommandSessionEvent, ownSession, desk.EventUserMessage, a.AdminAddr())
}
