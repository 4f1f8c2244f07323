package cli

import (
	"bufio"
	"context"
	"io"
	"strconv"
	"strings"
	"unicode"

	"escalator/bot/desk/desktest"
	"escalator/rules/lang"
)

// typedLines sends the lines that somebody types, and is closed by Ctrl-D. Where nobody types it is nil. Its reader
// ends with the process: a terminal cannot be told to end a read.
func typedLines(in io.Reader) <-chan string {
	if !isTerminal(in) {
		return nil
	}
	typed := make(chan string)
	go func() {
		defer close(typed)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			typed <- lines.Text()
		}
	}()
	return typed
}

// talk lets somebody be a customer until Ctrl-D, /quit or the end of ctx.
func (s *stage) talk(ctx context.Context, help func()) {
	s.newTalk()
	for {
		s.story.ask("you> ")
		select {
		case <-ctx.Done():
			s.story.answered()
			s.story.env.print("")
			return
		case words, more := <-s.typed:
			s.story.answered()
			if !more {
				s.story.env.print("")
			}
			if !more || s.obey(ctx, strings.TrimSpace(words), help) {
				return
			}
		}
	}
}

// newTalk begins a session of somebody who types.
func (s *stage) newTalk() {
	s.talks++
	s.session = "you-" + strconv.Itoa(s.talks)
	s.desk.Begin(s.session, desktest.WithUser("you"))
}

// obey does what a typed line asks for, and reports whether it was the last.
func (s *stage) obey(ctx context.Context, line string, help func()) (last bool) {
	order, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case line == "":
	case !strings.HasPrefix(line, "/"):
		s.says(line)
	case order == "/quit":
		return true
	case order == "/new":
		s.newTalk()
		s.story.line("demo", lang.Say("another conversation: %s", s.session))
	case order == "/agent" && (rest == "on" || rest == "off"):
		s.sendAgent(rest == "on")
	case order == "/bot" && rest != "" && !s.withPerson():
		s.bot(rest, "")
	case order == "/bot" && rest != "": // it is told already
	case order == "/why":
		if err := showConversation(ctx, s.operatorEnv(), []string{"--url", s.admin, s.session}); err != nil {
			s.story.line("demo", lang.Of(err))
		}
	case order == "/help":
		help()
	default:
		s.story.line("demo", "that is no command; /help lists them")
	}
	return false
}

// operatorEnv is an environment with the demo's token, whatever the user's own has.
func (s *stage) operatorEnv() Env {
	env := s.story.env
	env.Getenv = func(name string) string {
		switch name {
		case "ESCALATOR_ADMIN_TOKEN":
			return s.token.Reveal()
		case "ESCALATOR_ADMIN_TOKEN_FILE":
			return ""
		}
		return s.story.env.Getenv(name)
	}
	return env
}

// sendAgent sends the agent home, or has the agent back and free.
func (s *stage) sendAgent(online bool) {
	if !online {
		s.desk.SetOnline(demoAgent, false)
		s.story.line("desk", lang.Say("%s goes offline", demoAgent))
		return
	}
	s.story.line("desk", lang.Say("%s is online and free", demoAgent))
	s.desk.SetStatus(demoAgent, "free")
}

// says sends what somebody typed. Desk's bot answers what stays with it.
func (s *stage) says(words string) {
	if s.withPerson() {
		return
	}
	answer := s.sends(s.session, func() desktest.Answer { return s.desk.UserSays(s.session, words, desktest.WithUser("you")) })
	if answer.AIProvider != nil && *answer.AIProvider == 1 {
		s.bot(botReply(words))
	}
}

// withPerson reports whether a person has the conversation, and says so: the bot and the rules are out of it.
func (s *stage) withPerson() bool {
	who := s.desk.Session(s.session).Agent
	if who != "" {
		s.story.line("desk", lang.Say("%s has this conversation and reads it (/new begins another one)", who))
	}
	return who != ""
}

// sends sends a message that is not of the script, and tells what was decided and answered.
func (s *stage) sends(session string, send func() desktest.Answer) (answer desktest.Answer) {
	who := s.desk.Session(session).Agent
	s.during(func() {
		before := s.story.decided()
		answer = send()
		switch {
		case answer.Err != nil || s.story.decided() > before:
		case who != "": // of whom no rule can take the conversation
			s.story.line("escalator", lang.Say("does nothing: %s has the conversation", who))
		default: // a message that leads to nothing is no line of the log
			s.story.line("escalator", "stays with the bot: no rule holds")
		}
		s.story.line("escalator", answerWords(&answer))
	})
	return answer
}

// answerWords says what Desk makes of the answer to a message.
func answerWords(a *desktest.Answer) lang.Text {
	switch {
	case a.Err != nil:
		return lang.Say("refuses it: %v", a.Err)
	case a.AIProvider == nil:
		return "answers: received"
	case *a.AIProvider == 0:
		return "answers AIProvider 0: Desk's bot is to be silent"
	default:
		return "answers AIProvider 1: Desk's bot is to reply"
	}
}

func hasHan(words string) bool {
	return strings.ContainsFunc(words, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// botReply is what the demo's bot, which is not clever, says to a message.
func botReply(words string) (reply, mark string) {
	chinese := hasHan(words)
	words = strings.ToLower(words)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(words, p) {
				return true
			}
		}
		return false
	}
	switch {
	case chinese && has("你好", "您好", "在吗"):
		return "您好！请问有什么可以帮您？", "welcome"
	case chinese && has("快递", "包裹", "物流"):
		return "您可以在 App 里查看物流。", "faq"
	case chinese:
		return didNotLearn, "fallback"
	case has("hello", "good morning") || words == "hi":
		return "Hello! What can I do for you?", "welcome"
	case has("parcel", "delivery"):
		return "You can track your parcel in the app.", "faq"
	default:
		return "Sorry, I have not learnt this yet.", "fallback"
	}
}
