package bot

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/store"
	"escalator/rules"
)

// finish ends a transfer that Desk has taken, now or before.
func (a *attempt) finish(ctx context.Context, r rules.Result) {
	a.reached()
	a.log(outcomeName(r), logrus.InfoLevel)
	if r == rules.ResultAssigned || r == rules.ResultQueued {
		a.bot.Metrics.transferTime.Observe(a.bot.Now().Sub(a.transfer.Created).Seconds())
	}
	if r == rules.ResultQueued && a.target != nil {
		a.say(a.target.SayIfQueued)
	}
	// The conversation first: the commit that removes the transfer takes it along.
	a.bot.settle(ctx, a.transfer, r)
	a.bot.forget(ctx, a.transfer)
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
	t, now := a.transfer, a.bot.Now()
	a.log(rules.ResultNoAgent.String(), logrus.InfoLevel)
	retry := t.Chain[0].Retry
	first := t.State == store.Pending
	switch {
	case retry == nil:
		a.bot.forget(ctx, t)
	case first:
		t.State, t.Until = store.Waiting, now.Add(retry.For)
		fallthrough
	default:
		t.Step, t.Silent, t.OutcomeUnknown = 0, true, false
		if t.Due = now.Add(retry.Every); t.Due.After(t.Until) {
			a.bot.forget(ctx, t)
		} else {
			a.bot.save(ctx, t)
			a.bot.freedSince(ctx, t, a.freed)
		}
	}
	if first {
		a.say(a.wordsIfNoAgent())
		a.bot.settle(ctx, t, rules.ResultNoAgent)
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
	t.Due = a.bot.Now().Add(wait)
	a.log("retrying", logrus.WarnLevel)
	a.bot.save(ctx, t)
}

// held keeps the transfer and stops all others: settings must be mended first.
func (a *attempt) held(ctx context.Context) {
	t := a.transfer
	t.Calls = max(0, t.Calls-1) // it was not this transfer's fault
	next, began := a.bot.courier.hold.set()
	t.Due = a.bot.Now()
	if began {
		a.bot.Metrics.held.Set(1)
		a.bot.Log.WithFields(logrus.Fields{"code": t.Code, "error": t.Error, "next_probe_s": next.Seconds()}).
			Error("courier held: Desk refuses every transfer; transfers are kept until the settings are mended")
	}
	a.log("retrying", logrus.WarnLevel)
	a.bot.save(ctx, t)
}

// reached notes that Desk answered and condemned no more than this transfer.
func (a *attempt) reached() {
	if a.bot.courier.hold.clear() {
		a.bot.Metrics.held.Set(0)
		a.bot.Log.Warn("courier goes on: Desk takes transfers again")
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
	t.State, t.Due = store.GivenUp, a.bot.Now()
	a.bot.save(ctx, t)
	a.bot.settle(ctx, t, r)
}

// log writes the line of this attempt (CONTRACT.md 5) and counts it.
func (a *attempt) log(outcome string, level logrus.Level) {
	t := a.transfer
	a.bot.Metrics.countTransfer(outcome, t.Code)
	f := logrus.Fields{
		"session": clip(cmp.Or(t.Session, t.ID)), "rule": t.Rule, "outcome": outcome, "attempt": t.Calls, "code": t.Code,
		"took_ms": a.bot.Now().Sub(a.started).Milliseconds(), "target": t.Target,
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
		f["again_in_ms"] = max(0, t.Due.Sub(a.bot.Now()).Milliseconds())
	}
	a.bot.Log.WithFields(f).Log(level, "transfer")
}

// settle tells the conversation how its transfer ended.
func (b *Bot) settle(ctx context.Context, t *store.Transfer, r rules.Result) {
	at := b.Now()
	err := b.Conversations.Update(ctx, t.ID, func(c *rules.Conversation) (store.Effect, error) {
		b.Policy().Settle(c, t.Rule, r, at)
		return b.alarmOf(c), nil
	})
	if err != nil {
		b.Log.WithError(err).WithField("session", clip(t.Session)).Error("the end of a transfer could not be kept with its conversation")
	}
}

// save stores what became of an attempt. If that fails the transfer keeps its
// earlier place in the outbox and is tried again after a state check.
func (b *Bot) save(ctx context.Context, t *store.Transfer) {
	err := b.Outbox.Save(context.WithoutCancel(ctx), t)
	if errors.Is(err, store.ErrNotFound) { // else its end would stand nowhere
		b.Log.WithFields(logrus.Fields{"session": clip(cmp.Or(t.Session, t.ID)), "rule": t.Rule, "error": t.Error}).
			Warn("a transfer is not in the outbox any more: its customer left, or another replica goes on with it")
	}
	b.logStoreError(err, t)
}

// forget removes a transfer that has ended.
func (b *Bot) forget(ctx context.Context, t *store.Transfer) {
	b.logStoreError(b.Outbox.Delete(context.WithoutCancel(ctx), t), t)
}

func (b *Bot) logStoreError(err error, t *store.Transfer) {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.Log.WithError(err).WithField("session", clip(t.Session)).WithField("at", b.Now().Format(time.RFC3339)).
			Error("the outbox could not be changed")
	}
}
