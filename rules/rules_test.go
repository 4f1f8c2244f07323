package rules

import (
	"os"
	"strings"
	"testing"
	"time"

	"escalator/rules/lang"
)

// start is when the tests' conversations begin: a Monday morning.
var start = DefaultTestTime

// load compiles a file of rules that has the usual head.
func load(t testing.TB, body string) *Policy {
	t.Helper()
	if !strings.Contains(body, "targets:") {
		body = "targets: {default: {}}\n" + body
	}
	src := []byte("version: 1\n" + body)
	p, r := Load(src, LoadOptions{})
	if !r.OK() {
		r.Write(os.Stderr, lang.English, "rules.yaml", Files{"rules.yaml": src})
		t.Fatal("the rules have errors")
	}
	return p
}

// talkTo is a conversation under test with a clock of its own.
type talkTo struct {
	t    testing.TB
	p    *Policy
	c    Conversation
	now  time.Time
	last Decision
	// customer is what is kept of the customer, nil where nobody knows who that is.
	customer *User
}

func newTalk(t testing.TB, p *Policy) *talkTo { return &talkTo{t: t, p: p, now: start} }

func (k *talkTo) turn(t Turn) Decision {
	t.At, t.WithWhy, t.User = k.now, true, k.customer
	k.last = k.p.Decide(&k.c, t)
	return k.last
}

func (k *talkTo) user(text string) Decision { return k.turn(Turn{Text: text}) }
func (k *talkTo) bot(text string) Decision  { return k.turn(Turn{Kind: BotTurn, Text: text}) }
func (k *talkTo) miss() Decision            { return k.turn(Turn{Kind: BotTurn, Text: "…", Mark: "fallback"}) }
func (k *talkTo) wait(d time.Duration)      { k.now = k.now.Add(d) }

func (k *talkTo) observe(e EventKind) { k.c.Observe(e, k.now, time.Time{}) }

func (k *talkTo) settle(r Result) { k.p.Settle(&k.c, k.customer, k.last.Rule, r, k.now) }

// expect compares a decision with "outcome rule reason", of which the end may be left out.
func expect(t testing.TB, what string, d Decision, want string) {
	t.Helper()
	got := strings.TrimSpace(d.Outcome.String() + " " + d.Rule + " " + string(d.Reason))
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}
