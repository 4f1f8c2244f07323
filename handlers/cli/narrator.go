package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/handlers/app"
	"escalator/rules"
	"escalator/rules/lang"
)

// narrator turns the service's own log into lines that a newcomer understands:
// the demo shows what an engineer would read, in other words.
type narrator struct {
	log      *app.Log
	lastSaid func() string // what the customer was told last
	callback sync.Mutex    // held while one is decided: what follows from it is told after it

	mu     sync.Mutex
	env    Env
	scenes int
	prompt string         // what was asked at the terminal and not answered yet
	made   int            // decisions
	open   int            // transfers and offers decided and not ended yet
	asking bool           // an offer is one of them
	events map[string]int // how often what happened that next can wait for
	news   chan struct{}  // receives a value when something has happened
}

// contacted is what becomes of words that a customer left, in the log's line.
const contacted = "contacted"

func newNarrator(env Env) *narrator {
	log, _ := app.NewLog(io.Discard, "info", "json") // the level is a good one
	n := &narrator{env: env, events: map[string]int{}, news: make(chan struct{}, 1), log: log}
	log.AddHook(n)
	return n
}

func (n *narrator) nextScene() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.scenes++
	return n.scenes
}

// line prints one line of the play.
func (n *narrator) line(who, what lang.Text) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.print(func(p *page) { p.hang(lang.Say("    %s ", p.padded(who, 9)), 14, what) })
}

// print prints with the mutex held, in the place of an open prompt, which comes again below.
func (n *narrator) print(lines func(*page)) {
	if n.prompt != "" {
		fmt.Fprint(n.env.Stdout, n.wipe())
	}
	lines(newPage(n.env))
	fmt.Fprint(n.env.Stdout, n.prompt)
}

// wipe takes a line of the terminal back, where it knows how to.
func (n *narrator) wipe() string {
	if term := n.env.Getenv("TERM"); term == "" || term == "dumb" {
		return "\n"
	}
	return "\r\x1b[K"
}

// ask prompts for a line, and answered says that it was typed.
func (n *narrator) ask(prompt string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.prompt = prompt
	fmt.Fprint(n.env.Stdout, prompt)
}

func (n *narrator) answered() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.prompt = ""
}

// decided returns how many decisions were told so far.
func (n *narrator) decided() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.made
}

// Levels implements logrus.Hook.
func (n *narrator) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook.
func (n *narrator) Fire(e *logrus.Entry) error {
	switch {
	case e.Message == "decision":
		n.decision(e.Data)
	case e.Message == "transfer":
		n.afterCallback(func() { n.transfer(e.Data) })
	case e.Message == "say":
		n.afterCallback(n.said)
	case e.Message == "message":
		n.message(e.Data)
	case e.Message == "rules reloaded":
		n.line("escalator", lang.Say("takes the changed rule file (version %v)", e.Data["rules_version"]))
	case e.Message == "callback refused": // the answer says so
	case e.Level <= logrus.WarnLevel && e.Data[logrus.ErrorKey] != nil:
		n.line("log", lang.Say("%s: %v", e.Message, e.Data[logrus.ErrorKey]))
	case e.Level <= logrus.WarnLevel:
		n.line("log", lang.Raw(e.Message))
	}
	return nil
}

func (n *narrator) afterCallback(tell func()) {
	n.callback.Lock()
	defer n.callback.Unlock()
	tell()
}

// decision tells what the rules said.
func (n *narrator) decision(f logrus.Fields) {
	words := outcomeWords(f["outcome"])
	switch {
	case f["rule"] != nil:
		words = lang.Say("%s by rule %v", words, f["rule"])
	case f["near"] != nil && f["reason"] != nil:
		words = lang.Say("stays with the bot: rule %v came near, but it is %v", f["near"], reasonWords(f["reason"]))
	case f["near"] != nil:
		words = lang.Say("stays with the bot: once more, and rule %v holds", f["near"])
	}
	if f["outcome"] == "message" {
		words = "keeps the words until somebody is free"
	} else if f["target"] != nil {
		words = lang.Say("%s → target %v", words, f["target"])
	}
	if matched, ok := f["matched"].([]string); ok {
		words = lang.Say("%s   (found: %s)", words, strings.Join(matched, ", "))
	}
	n.mu.Lock()
	n.made++
	n.mu.Unlock()
	switch {
	case f["event"] == desk.CommandTaskFlow || f["event"] == desk.CommandAssignHuman: // answered only
	case f["outcome"] == "transfer" || f["outcome"] == "offer":
		n.mu.Lock()
		n.open++
		n.asking = f["outcome"] == "offer"
		n.mu.Unlock()
	}
	n.line("escalator", words)
}

// outcomeWords and reasonWords are what the log has, for a reader.
func outcomeWords(outcome any) lang.Text { return rules.OutcomeWords(fmt.Sprint(outcome)) }

func reasonWords(reason any) lang.Text {
	name := fmt.Sprint(reason)
	return cmp.Or(rules.Reason(name).Words(), lang.Raw(name))
}

// said tells what the customer was told. An offer is open from now on.
func (n *narrator) said() {
	n.line("escalator", lang.Say("says to the customer: %s", n.lastSaid()))
	n.mu.Lock()
	asking := n.asking
	n.asking = false
	n.mu.Unlock()
	n.happened("say")
	if asking {
		n.end()
	}
}

// message tells what becomes of the words that a customer left.
func (n *narrator) message(f logrus.Fields) {
	switch f["outcome"] {
	case "left": // the decision was to keep them
	case contacted:
		n.line("escalator", lang.Say("has the customer contacted, once: %v", f["agent"]))
		n.happened(contacted)
	default:
		n.line("escalator", lang.Say("the customer is not contacted: %v", f["outcome"]))
	}
}

// end notes that what was decided has happened.
func (n *narrator) end() {
	n.mu.Lock()
	n.open = max(0, n.open-1)
	n.mu.Unlock()
	n.happened("end")
}

// happened takes note of an event.
func (n *narrator) happened(event string) {
	n.mu.Lock()
	n.events[event]++
	n.mu.Unlock()
	select {
	case n.news <- struct{}{}:
	default:
	}
}

// transfer tells what Desk said.
func (n *narrator) transfer(f logrus.Fields) {
	outcome := fmt.Sprint(f["outcome"])
	words := map[string]lang.Text{
		"assigned":      "a person takes it",
		"queued":        "waits for a person in the queue",
		"no_agent":      "nobody is online",
		"already_human": "a person has it already",
		"session_gone":  "the session is over",
		"failed":        "given up",
		"retrying":      "tried again soon",
		"unanswered":    "nobody took it out of the queue",
	}[outcome]
	if f["agent"] != nil {
		words = lang.Say("%s: %v", words, f["agent"])
	}
	if f["error"] != nil && outcome != "no_agent" {
		words = lang.Say("%s (%v)", words, f["error"])
	}
	n.line("desk", lang.Say("%s   (attempt %v, %v ms)", words, f["attempt"], f["took_ms"]))
	if outcome != "retrying" {
		n.end()
	}
}

// waitForTransfer waits until every transfer that was decided has ended, and
// every offer was made.
func (n *narrator) waitForTransfer() { n.waitUntil(func() bool { return n.open == 0 }) }

// next returns what waits until an event has happened once more than by now.
func (n *narrator) next(event string) (wait func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.events[event]
	return func() { n.waitUntil(func() bool { return n.events[event] > before }) }
}

func (n *narrator) waitUntil(holds func() bool) {
	late := time.After(sceneTimeout)
	for {
		n.mu.Lock()
		done := holds()
		n.mu.Unlock()
		if done {
			return
		}
		select {
		case <-n.news:
		case <-late:
			n.line("demo", "this takes longer than it should; going on")
			return
		}
	}
}
