package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	"escalator/bot/delivery"
	"escalator/rules/lang"
)

const retryUsage = `SESSION | --code CODE [flags]

Retries a transfer that was given up, to the target of the same name in the rules in
force; with --code, all those that "escalator outbox" shows with this code, such as
70009 or network.`

const dismissUsage = `SESSION [flags]

Ends a transfer for good: it leaves the outbox, and the conversation goes on with
the bot.`

// listOutbox shows the transfers on their way and those given up.
func listOutbox(ctx context.Context, env Env, args []string) error {
	fs := newFlags("outbox")
	makeClient := clientFlags(fs, env)
	if err := flagsOnly(fs, env, args, "[flags]"); err != nil {
		return err
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	var answer delivery.Transfers
	return c.ask(ctx, "GET /api/outbox", nil, &answer, func() {
		p := newPage(env)
		p.transfers("on their way", answer.Pending)
		p.transfers("given up", answer.GivenUp)
	})
}

// transfers prints a part of the outbox, oldest first.
func (p *page) transfers(title lang.Text, list []delivery.Listed) {
	p.line("", lang.Say("%s: %d", title, len(list)))
	for i := range list {
		t := &list[i]
		what := lang.Say("%s since %s, rule %s, target %s", outcomeOf(fmt.Sprint(t.State)), t.Since.Local().Format(clockTime), t.Rule, t.Target)
		if t.Code != nil {
			what = lang.Say("%s, code %v", what, t.Code)
		}
		p.hang(lang.Say("  %s  ", cmp.Or(t.Session, t.ID)), 4, what)
		if t.Error != "" {
			p.line("    ", lang.Raw(t.Error))
		}
	}
}

// retryTransfer puts given-up transfers on their way again.
func retryTransfer(ctx context.Context, env Env, args []string) error {
	fs := newFlags("retry")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	code := fs.String("code", "", "retry all that were given up with this `CODE`")
	rest, err := parse(fs, env, args, retryUsage)
	if err != nil {
		return err
	}
	if len(rest) > 1 || (len(rest) == 1) == (*code != "") {
		return &usageError{[]lang.Text{"retry takes one session, or --code (escalator retry --help)"}}
	}
	if *code != "" && !delivery.IsCode(*code) {
		return &usageError{[]lang.Text{"retry --code takes a code that \"escalator outbox\" shows, such as 70009 or network"}}
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	if *code == "" {
		return c.change(ctx, rest[0], "retry", who(), "%s is on its way again")
	}
	var n delivery.Retried
	return c.ask(ctx, "POST /api/outbox/retry?code="+url.QueryEscape(*code), who(), &n, func() {
		p := newPage(env)
		p.line("", lang.Say("%d on their way again", n.Retried))
		if n.TargetGone > 0 {
			p.line("", lang.Say("%d not retried: the rules in force no longer have their target", n.TargetGone))
		}
		if n.Left > 0 {
			p.line("", lang.Say("%d not retried: they changed meanwhile, or could not be stored", n.Left))
		}
	})
}

// dismissTransfer ends a transfer for good.
func dismissTransfer(ctx context.Context, env Env, args []string) error {
	fs := newFlags("dismiss")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	rest, err := parse(fs, env, args, dismissUsage)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return &usageError{[]lang.Text{"dismiss takes one session (escalator dismiss --help)"}}
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	return c.change(ctx, rest[0], "dismiss", who(), "%s is dismissed")
}

// change has the service do something to the transfer of a session.
func (c *client) change(ctx context.Context, session, verb string, who operator, done lang.Text) error {
	var answer struct{}
	request := strings.Join([]string{"POST /api/outbox", url.PathEscape(session), verb}, "/")
	return c.ask(ctx, request, who, &answer, func() { newPage(c.env).line("", lang.Say(done, session)) })
}
