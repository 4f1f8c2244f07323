package cli

import (
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
	takeRules func() error  // puts the rules of the second half in force
	admin     string        // address of the operators' listener
	token     desk.Secret   // of the operators, made up anew by each demo
	ownRules  bool          // they are the user's, and stay as they are
	typed     <-chan string // lines of the terminal; nil: nobody types
	slow      bool          // somebody reads along: there are pauses
	end       func()        // ends the demo
	ended     <-chan struct{}
	session   string
	talks     int // conversations of whoever types
}

const (
	demoAgent     = "li@example.com"
	didNotLearn   = "抱歉，我还没有学会这个问题"
	ownSession    = "my-session"
	demoPath      = "/callback"
	demoPanelPath = "/panel"
	sceneTimeout  = 10 * time.Second
)

// welcome says what this is, and where to look.
func (s *stage) welcome(rules string) {
	s.story.env.print(`Escalator demo: a Desk emulator and the service, both on loopback.
Console: %s/console/#token=%s
         (open it in a browser and watch; the link signs you in)
Rules:   %s

Customers talk to the bot. See when a person is called, and why.`, s.admin, s.token.Reveal(), rules)
	if s.slow && s.typed != nil {
		s.story.env.print("Enter skips the pauses, Ctrl-C ends the demo.")
	}
}

// play plays the script: how a conversation goes to a person or does not, and
// then how Escalator stands in other kinds of installations.
func (s *stage) play() {
	s.desk.SetAgent(desktest.Agent{ID: demoAgent, Groups: []int64{1}, Online: true})
	s.act(s.stuck, s.again, s.asks, s.doesNotAsk, s.nobody)
	switch {
	case s.over():
		return
	case s.ownRules:
		s.story.env.print("\nThe scenes about kinds of installations are left out: they need rules of their own, and --rules names yours.")
	default:
		if err := s.takeOtherRules(); err != nil {
			s.story.env.print("\nThe scenes about kinds of installations are left out: %v.", err)
			break
		}
		s.act(s.offer, s.plainIM, s.assignment, s.taskFlow, s.becomesFree, s.leavesWords)
	}
	if !s.over() {
		s.summary()
	}
}

func (s *stage) takeOtherRules() error {
	s.story.env.print("\nThe rule file is saved again: refunds are offered a person first, transfers wait\nuntil somebody is free, and customers who complain may leave a message.")
	return s.takeRules()
}

// act plays scenes until the demo is ended.
func (s *stage) act(scenes ...func()) {
	for _, scene := range scenes {
		if !s.over() {
			scene()
		}
	}
}

// How long a line, and the title of a scene, stand alone on a terminal.
const (
	readStep  = 800 * time.Millisecond
	readTitle = 1200 * time.Millisecond
)

// rest gives who reads along time to read. Enter ends all pauses, and Ctrl-D the demo.
func (s *stage) rest(d time.Duration) {
	if !s.slow {
		return
	}
	select {
	case <-time.After(d):
	case <-s.ended:
		s.slow = false
	case _, more := <-s.typed:
		s.slow = false
		if !more {
			s.end()
		}
	}
}

// over reports whether the demo is being ended.
func (s *stage) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// meanings are the script's lines for who does not read their language.
var meanings = map[string]string{
	"怎么改地址": "How do I change my address?", "修改收货地址": "change the delivery address", "地址写错了": "the address is wrong",
	didNotLearn: "Sorry, I have not learnt this yet", "先别转人工，我再看看": "no person yet, let me see first",
	"人工智能是什么": "what is artificial intelligence; the word for a person is in it", "转人工": "a person, please",
	"Where is my parcel?": "我的包裹在哪里？", "where is my parcel": "我的包裹在哪里", "so where IS my parcel??": "我的包裹到底在哪里？？",
	"You can track your parcel in the app.": "您可以在 App 里查看物流。", "yes please": "好的", "hello": "你好", "Hello! What can I do for you?": "您好！请问有什么可以帮您？",
	"I'd like to talk to a real perosn please": "我想跟真人说话", "How do I get a refund?": "怎么退款？", "what are your opening hours": "几点营业",
	"can I speak to somebody real": "能找真人吗", "I want to complain": "我要投诉", "The parcel came broken, please call 13800138000": "包裹坏了，请打 13800138000",
}

// understood is what somebody says, with its meaning where it is in the other language than that of the reader.
func (s *stage) understood(words string) lang.Text {
	meaning := meanings[words]
	if meaning == "" || hasHan(words) == (s.story.env.Lang == lang.Chinese) {
		return lang.Raw(words)
	}
	return lang.Say("%s (%s)", words, meaning)
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
	s.rest(readStep)
	s.story.line(lang.Raw("jared"), lang.Say("%s   (to %s)", s.understood(words), desktest.DefaultService))
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
		s.rest(readStep)
		s.story.line("flow", lang.Say("%s   (Chatbot.InterfaceInvocation)", s.understood(words)))
		s.answer(s.desk.Flow(s.session, map[string]string{"question": words}))
	}
}

func (s *stage) becomesFree() {
	s.scene("Nobody is online, and then somebody becomes free")
	s.desk.SetOnline(demoAgent, false)
	s.customer("转人工")
	s.rest(readStep)
	s.story.line("desk", lang.Say("%s becomes free (Member.EventNotify)", demoAgent))
	taken := s.story.next("end")
	s.desk.SetStatus(demoAgent, "free")
	taken()
}

// leavesWords shows all that happens to a customer whom nobody can serve.
func (s *stage) leavesWords() {
	s.scene("Nobody is online: words are left, staff is told, somebody calls back")
	s.desk.SetOnline(demoAgent, false)
	asked := s.story.next("say")
	s.customer("I want to complain", desktest.WithCustomData(`{"level":"gold"}`))
	asked()
	s.staff.then(func() {
		thanked := s.story.next("say")
		s.customer("The parcel came broken, please call 13800138000")
		thanked()
	})
	s.rest(readStep)
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
	s.rest(readStep)
	s.story.env.print("\n%s  %s", s.session, title)
	s.rest(readTitle)
}

func (s *stage) customer(words string, opts ...desktest.Option) {
	s.rest(readStep)
	if s.over() {
		return
	}
	s.story.line("customer", s.understood(words))
	before := s.story.decided()
	s.during(func() { s.desk.UserSays(s.session, words, opts...) })
	if s.story.decided() == before { // a message that leads to nothing is no line of the log
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
	said := s.understood(words)
	if mark != "" {
		said = lang.Say("%s   (marked %s)", s.understood(words), mark)
	}
	s.rest(readStep)
	if s.over() {
		return
	}
	s.story.line("bot", said)
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
	s.story.env.print("\nWhat Desk has on record:")
	for _, session := range s.desk.Sessions() {
		agent := ""
		if session.Agent != "" {
			agent = " (" + session.Agent + ")"
		}
		s.story.env.print("  %s %s%s", padded(session.ID, 13), session.State, agent)
	}
}
