package cli

import (
	"context"
	"net/url"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
)

const drainUsage = `[--for TIME] [--end] [flags]

Takes the running service out of rotation before it is stopped: it is no longer ready,
so the load balancer sends callbacks elsewhere, but it still answers callbacks and
delivers transfers. The command exits with 0 when the outbox is empty, or with 1 if the
time is up first; Ctrl-C ends the wait, not the drain. The drain lasts until the
service stops, or until --end. Of several replicas only this one is drained; the outbox
is the one that they share.`

// usualDrain is how long a drain is waited for unless --for says otherwise.
const usualDrain = "5m"

// drainService drains the service.
func drainService(ctx context.Context, env Env, args []string) error {
	fs := newFlags("drain")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	wait := fs.String("for", usualDrain, "how long to wait for transfers on their way: a `TIME` such as 2m")
	end := fs.Bool("end", false, "end the drain: the service is ready again")
	if err := flagsOnly(fs, env, args, drainUsage); err != nil {
		return err
	}
	d, ok := rules.ParseDuration(*wait)
	if !ok {
		return &usageError{[]lang.Text{lang.Say("--for must be a duration up to 24h, such as 2m, not %q", *wait)}}
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	p := newPage(env)
	if *end {
		var answer struct{}
		return c.ask(ctx, "DELETE /api/drain?by="+url.QueryEscape(who().By), nil, &answer, func() { p.line("", "the drain has ended: the service is ready again") })
	}
	c.timeout = d + clientTimeout
	ctx, stop := untilSignal(ctx)
	defer stop()
	var answer struct {
		Drained bool    `json:"drained"`
		Pending int     `json:"pending"`
		WaitedS float64 `json:"waited_s"`
	}
	in := map[string]string{"for": *wait, "by": who().By, "why": who().Why}
	err = c.ask(ctx, "POST /api/drain", in, &answer, func() {
		waited := time.Duration(answer.WaitedS * float64(time.Second)).Round(time.Second / 10)
		if answer.Drained {
			p.line("", lang.Say("drained after %s: no transfer waits; the service stays not ready until it is stopped, or until escalator drain --end", waited))
			return
		}
		p.line("", lang.Say("not drained after %s: %d transfers are still on their way (escalator outbox); the service stays not ready", waited, answer.Pending))
	})
	switch {
	case ctx.Err() != nil:
		complain(env.Stderr, env.Lang, "the service keeps draining; escalator drain --end ends that")
		return exitError(exitBad)
	case err == nil && !answer.Drained:
		return exitError(exitBad)
	}
	return err
}
