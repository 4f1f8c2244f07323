package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/rules/lang"
)

// stage is where the script is played.
type stage struct {
	desk      *desktest.Desk
	story     *narrator
	staff     *staffRoom
	panel     demoPanel
	takeRules func() error // puts the rules of the second half in force
	session   string
}

const (
	demoAgent     = "li@example.com"
	didNotLearn   = "抱歉，我还没有学会这个问题"
	ownSession    = "my-session"
	demoPath      = "/callback"
	demoPanelPath = "/panel"
	sceneTimeout  = 10 * time.Second
)

// play plays the script: how a conversation goes to a person or does not, and
// then how Escalator stands in other kinds of installations.
func play(ctx context.Context, s *stage) {
	s.story.env.print("Escalator demo: a Desk emulator and the service, both on loopback.\nCustomers talk to the bot; watch when a person is called, and why.")
	s.desk.SetAgent(desktest.Agent{ID: demoAgent, Groups: []int64{1}, Online: true})
	s.act(ctx, s.stuck, s.again, s.asks, s.doesNotAsk, s.nobody)
	if err := s.takeRules(); err != nil {
		s.story.env.print("\nThe scenes about kinds of installations are left out: %v.", err)
	} else {
		s.story.env.print("\nSomebody saves another rules.yaml, with an offer, a target that waits for agents and one that takes\nmessages: it is in force.")
		s.act(ctx, s.offer, s.plainIM, s.assignment, s.taskFlow, s.becomesFree, s.leavesWords)
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
	s.story.line("desk", "tells the customer that nobody is there, and the bot goes on")
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
	s.story.line(lang.Raw("jared"), lang.Say("%s   (to %s)", words, desktest.DefaultService))
	s.during(func() {
		s.desk.SendIM(desk.CommandC2CAfter, desktest.IM{From: "jared", To: desktest.DefaultService, Text: words})
	})
	s.story.line("demo", lang.Say("the session was looked up for the transfer: %s", s.desk.SessionOf("jared", desktest.DefaultService).ID))
}

func (s *stage) assignment() {
	s.scene("Desk asks your server who should get a session")
	s.story.line("desk", "to whom? (ChatBot.OnAssignHuman)")
	s.answer(s.desk.Assign(s.session, false))
	s.story.line("desk", lang.Say("a person takes it: %s", s.desk.Session(s.session).Agent))
}

func (s *stage) taskFlow() {
	s.scene("A task flow asks whether this should go to a person")
	for _, words := range []string{"what are your opening hours", "can I speak to somebody real"} {
		s.story.line("flow", lang.Say("%s   (Chatbot.InterfaceInvocation)", words))
		s.answer(s.desk.Flow(s.session, map[string]string{"question": words}))
	}
}

func (s *stage) becomesFree() {
	s.scene("Nobody is online, and then somebody becomes free")
	s.desk.SetOnline(demoAgent, false)
	s.customer("转人工")
	s.story.line("desk", lang.Say("%s becomes free (Member.EventNotify)", demoAgent))
	taken := s.story.next("end")
	s.desk.SetStatus(demoAgent, "free")
	taken()
}

// leavesWords shows all that happens to a customer whom nobody can serve.
func (s *stage) leavesWords() {
	s.scene("Nobody is online: words are left, the staff is told, somebody calls back")
	s.desk.SetOnline(demoAgent, false)
	asked := s.story.next("say")
	s.customer("I want to complain", desktest.WithCustomData(`{"level":"gold"}`))
	asked()
	s.staff.then(func() {
		thanked := s.story.next("say")
		s.customer("The parcel came broken, please call 13800138000")
		thanked()
	})
	s.story.line("desk", lang.Say("%s becomes free (Member.EventNotify)", demoAgent))
	s.staff.then(func() {
		called := s.story.next(contacted)
		s.desk.SetStatus(demoAgent, "free")
		called()
	})
	s.panel.show(s.story, s.session)
}

// scene begins a scene with a session of its own.
func (s *stage) scene(title lang.Text) {
	s.title(title)
	s.desk.Begin(s.session)
}

func (s *stage) title(title lang.Text) {
	s.session = fmt.Sprintf("demo-%d", s.story.nextScene())
	s.story.env.print("\n%s  %s", s.session, title)
}

func (s *stage) customer(words string, opts ...desktest.Option) {
	s.story.line("customer", lang.Raw(words))
	told := s.story.told()
	s.during(func() { s.desk.UserSays(s.session, words, opts...) })
	if s.story.told() == told { // a message that leads to nothing is no line of the log
		s.story.line("escalator", "stays with the bot: no rule holds")
	}
}

// during sends a callback, and waits for the transfer that it leads to.
func (s *stage) during(callback func()) {
	s.story.callback.Lock()
	callback()
	s.story.callback.Unlock()
	s.story.waitForTransfer()
}

// bot lets Desk's own bot speak, unless a person has the session by now.
func (s *stage) bot(words, mark string) {
	if s.desk.Session(s.session).State != desk.StateChatbot {
		return
	}
	s.story.line("bot", lang.Say("%s   (marked %s)", words, mark))
	s.during(func() { s.desk.BotSays(s.session, words, mark) })
}

// answer prints what a callback was answered, without what all answers hold.
func (s *stage) answer(a desktest.Answer) {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(a.Body, &fields)
	for _, name := range []string{"ActionStatus", "ErrorCode", "ErrorInfo"} {
		delete(fields, name)
	}
	text, _ := json.Marshal(fields)
	s.story.line("escalator", lang.Say("answers %s", string(text)))
}

// summary says what Desk itself thinks of it.
func (s *stage) summary() {
	s.story.env.print("\nWhat Desk has in its books:")
	for _, session := range s.desk.Sessions() {
		agent := ""
		if session.Agent != "" {
			agent = " (" + session.Agent + ")"
		}
		s.story.env.print("  %s %s%s", padded(session.ID, 13), session.State, agent)
	}
}
