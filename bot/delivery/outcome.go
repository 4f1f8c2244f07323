package delivery

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
)

// finish ends a transfer that Desk has taken, now or before.
func (a *attempt) finish(ctx context.Context, r rules.Result) {
	a.reached()
	a.log(outcomeName(r), logrus.InfoLevel)
	if r == rules.ResultAssigned || r == rules.ResultQueued {
		a.courier.opt.Metrics.TransferTime.Observe(a.courier.opt.Now().Sub(a.transfer.Created).Seconds())
	}
	if r == rules.ResultQueued && a.target != nil {
		a.say(a.target.SayIfQueued)
	}
	// The conversation first: the commit that removes the transfer takes it along.
	a.courier.opt.Settle(ctx, a.transfer, r)
	a.courier.forget(ctx, a.transfer)
}

// outcomeName is the outcome as CONTRACT.md 5 lists it: it knows no
// already_queued.
func outcomeName(r rules.Result) string {
	if r == rules.ResultAlreadyQueued {
		r = rules.ResultAlreadyHuman
	}
	return r.String()
}

// nobody ends a walk through the chain that found no agent online. Where the
// first target says so, the chain is tried again silently for a while; the
// conversation is the bot's again in any case.
func (a *attempt) nobody(ctx context.Context) {
	a.reached()
	t, now := a.transfer, a.courier.opt.Now()
	a.log(rules.ResultNoAgent.String(), logrus.InfoLevel)
	retry := t.Chain[0].Retry
	first := t.State == store.Pending
	switch {
	case retry == nil:
		a.courier.forget(ctx, t)
	case first:
		t.State, t.Until = store.Waiting, now.Add(retry.For)
		fallthrough
	default:
		t.Step, t.Silent, t.OutcomeUnknown = 0, true, false
		if t.Due = now.Add(retry.Every); t.Due.After(t.Until) {
			a.courier.forget(ctx, t)
		} else {
			a.courier.save(ctx, t)
			a.courier.freedSince(ctx, t, a.freed)
		}
	}
	if first {
		a.say(a.wordsIfNoAgent())
		a.courier.opt.Settle(ctx, t, rules.ResultNoAgent)
	}
}

// again plans the next attempt. A transfer that would then be too old is
// given up when that time comes, with the last error.
func (a *attempt) again(ctx context.Context) {
	t := a.transfer
	if a.err == nil || !a.err.Transport() {
		a.reached()
	}
	wait := backoff(t.Calls)
	if a.err != nil {
		wait = max(wait, a.err.RetryAfter())
	}
	t.Due = a.courier.opt.Now().Add(wait)
	a.log("retrying", logrus.WarnLevel)
	a.courier.save(ctx, t)
}

// held keeps the transfer and stops all others: settings must be mended first.
func (a *attempt) held(ctx context.Context) {
	t := a.transfer
	t.Calls = max(0, t.Calls-1) // it was not this transfer's fault
	next, began := a.courier.hold.set()
	t.Due = a.courier.opt.Now()
	if began {
		a.courier.opt.Metrics.Held.Set(1)
		a.courier.opt.Log.WithFields(logrus.Fields{"code": t.Code, "error": t.Error, "next_probe_s": next.Seconds()}).
			Error("courier held: Desk refuses every transfer; transfers are kept until the settings are mended")
	}
	a.log("retrying", logrus.WarnLevel)
	a.courier.save(ctx, t)
}

// reached notes that Desk answered and condemned no more than this transfer.
func (a *attempt) reached() {
	if a.courier.hold.clear() {
		a.courier.opt.Metrics.Held.Set(0)
		a.courier.opt.Log.Warn("courier goes on: Desk takes transfers again")
	}
}

// giveUp ends a transfer for good, loudly. It stays in the outbox for people to
// read and to retry.
func (a *attempt) giveUp(ctx context.Context, r rules.Result, why string) {
	t := a.transfer
	if a.err != nil && !a.err.Transport() {
		a.reached()
	}
	t.Error = why
	a.log(outcomeName(r), logrus.ErrorLevel)
	if r == rules.ResultFailed && t.State == store.Pending && len(t.Chain) > 0 {
		target := t.Current()
		if target == nil {
			target = t.Chain[0]
		}
		a.say(target.SayIfFailed)
	}
	t.State, t.Due = store.GivenUp, a.courier.opt.Now()
	a.courier.save(ctx, t)
	a.courier.opt.Settle(ctx, t, r)
}

// log writes the line of this attempt (CONTRACT.md 5) and counts it.
func (a *attempt) log(outcome string, level logrus.Level) {
	t := a.transfer
	a.courier.opt.Metrics.CountTransfer(outcome, t.Code)
	f := logrus.Fields{
		"session": mask.Clip(cmp.Or(t.Session, t.ID)), "rule": t.Rule, "outcome": outcome, "attempt": t.Calls, "code": t.Code,
		"took_ms": a.courier.opt.Now().Sub(a.started).Milliseconds(), "target": t.Target,
	}
	if a.target != nil {
		f["target"] = a.target.ID
		if a.target.Group != nil {
			f["group"] = *a.target.Group
		}
		if len(a.target.Agents) > 0 {
			f["agents"] = a.target.Agents
		}
	}
	if a.agent != "" {
		f["agent"] = a.agent
	}
	if t.Error != "" {
		f["error"] = t.Error
	}
	if outcome == "retrying" {
		f["again_in_ms"] = max(0, t.Due.Sub(a.courier.opt.Now()).Milliseconds())
	}
	a.courier.opt.Log.WithFields(f).Log(level, "transfer")
}

// save stores what became of an attempt. If that fails the transfer keeps its
// earlier place in the outbox and is tried again after a state check.
func (c *Courier) save(ctx context.Context, t *store.Transfer) {
	err := c.opt.Outbox.Save(context.WithoutCancel(ctx), t)
	if errors.Is(err, store.ErrNotFound) { // else its end would stand nowhere
		c.opt.Log.WithFields(logrus.Fields{"session": mask.Clip(cmp.Or(t.Session, t.ID)), "rule": t.Rule, "error": t.Error}).
			Warn("a transfer is not in the outbox any more: its customer left, or another replica goes on with it")
	}
	c.logStoreError(err, t)
}

// forget removes a transfer that has ended.
func (c *Courier) forget(ctx context.Context, t *store.Transfer) {
	c.logStoreError(c.opt.Outbox.Delete(context.WithoutCancel(ctx), t), t)
}

func (c *Courier) logStoreError(err error, t *store.Transfer) {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		c.opt.Log.WithError(err).WithField("session", mask.Clip(t.Session)).WithField("at", c.opt.Now().Format(time.RFC3339)).
			Error("the outbox could not be changed")
	}
}
