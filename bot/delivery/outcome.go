package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/notify"
	"escalator/bot/retry"
	"escalator/bot/store"
	"escalator/rules"
	"escalator/rules/lang"
)

// retrying is the outcome of an attempt that another one follows because of a
// fault.
const retrying = "retrying"

// end does what the tables say about the end of an attempt.
func (a *attempt) end(ctx context.Context, do action) {
	a.noteReached(do)
	t := a.transfer
	switch do {
	case endAssigned:
		a.finish(ctx, rules.ResultAssigned)
	case endQueued:
		a.finish(ctx, rules.ResultQueued)
	case endAlreadyHuman:
		a.finish(ctx, rules.ResultAlreadyHuman)
	case endAlreadyQueued:
		a.finish(ctx, rules.ResultAlreadyQueued)
	case endGone:
		if t.Unproven && t.Calls == 0 { // it was made up, most likely: nothing for people to read and to retry
			t.Error = lang.Text("Desk has no such session").String()
			a.finish(ctx, rules.ResultSessionGone)
			return
		}
		a.giveUp(ctx, rules.ResultSessionGone, lang.Text("Desk says that the session has ended").String())
	case endNobody:
		a.nobody(ctx)
	case beginToWait, waitOn:
		a.wait(ctx)
	case storeAndDeliver:
		// The next attempt delivers. Were this one to go on, a process that dies
		// now would leave a transfer that looks as if nothing had been sent.
		a.verified = true
		t.Due = a.opt.Now()
		_ = a.save(ctx, t)
	case countRefusal:
		if t.Refusals >= maxRefusals {
			a.giveUp(ctx, rules.ResultFailed, t.Error)
			return
		}
		a.again(ctx)
	case again:
		a.again(ctx)
	case holdAll:
		a.held(ctx)
	case fail:
		a.giveUp(ctx, rules.ResultFailed, t.Error)
	default:
		panic(fmt.Sprintf("no such end of an attempt: %d", do))
	}
}

// noteReached ends a hold when Desk answered and condemned no more than this
// transfer.
func (a *attempt) noteReached(do action) {
	if do == holdAll || a.err != nil && a.err.Err != nil {
		return
	}
	a.resume()
}

// resume ends the hold, if there is one.
func (c *Courier) resume() {
	if ended, after := c.hold.clear(); ended {
		c.opt.Metrics.Held.Set(0)
		c.opt.Log.WithField("held_s", after.Round(time.Millisecond).Seconds()).Warn("courier resumes: Desk takes transfers again")
		c.tellStaff(notify.Event{Kind: notify.Held, Over: true})
	}
}

// finish ends a transfer that Desk has taken, now or before.
func (a *attempt) finish(ctx context.Context, r rules.Result) {
	a.log(outcomeName(r), true)
	taken := r == rules.ResultAssigned || r == rules.ResultQueued
	if taken {
		a.opt.Metrics.TransferTime.Observe(a.opt.Now().Sub(a.transfer.Created).Seconds())
	}
	if r == rules.ResultQueued && a.target != nil {
		a.say(a.target.SayIfQueued, wordsQueued)
	}
	// The conversation first: the commit that removes the transfer takes it along.
	a.opt.Settle(ctx, a.transfer, r, a.agent)
	a.forget(ctx, a.transfer)
	if taken {
		a.Courier.tellStaff(notify.Event{Kind: notify.NoAgent, Over: true, Target: a.transfer.Target}) // somebody is there again
	}
}

// outcomeName is the outcome as CONTRACT.md 5 lists it: it knows no
// already_queued.
func outcomeName(r rules.Result) string {
	if r == rules.ResultAlreadyQueued {
		r = rules.ResultAlreadyHuman
	}
	return r.String()
}

// nobody ends a transfer for which nobody is there, and its waiting.
func (a *attempt) nobody(ctx context.Context) {
	t := a.transfer
	a.log(rules.ResultNoAgent.String(), true)
	if t.State == store.Pending {
		if !t.Silent { // an operator tried again what had waited before
			a.sayNobody()
		}
		a.opt.Settle(ctx, t, rules.ResultNoAgent, "")
		a.tellStaff(notify.NoAgent, t.Error)
	}
	a.forget(ctx, t)
}

// wait has the chain tried again silently; the conversation is the bot's meanwhile.
// A round leaves nothing to the next one: neither faults nor refusals.
func (a *attempt) wait(ctx context.Context) {
	t, retry, now := a.transfer, a.transfer.Chain[0].Retry, a.opt.Now()
	begins, told := t.State == store.Pending, t.Silent
	if begins {
		t.State, t.Until = store.Waiting, now.Add(retry.For)
	}
	a.log(rules.ResultNoAgent.String(), false)
	t.Step, t.Retries, t.Refusals, t.Silent = 0, 0, 0, true
	t.Due = now.Add(retry.Every)
	_ = a.save(ctx, t)
	a.freedSince(ctx, t, a.freed)
	if begins {
		if !told {
			a.sayNobody()
		}
		a.opt.Settle(ctx, t, rules.ResultNoAgent, "")
		a.tellStaff(notify.NoAgent, t.Error)
	}
}

// again plans the next attempt: after the back-off, or when Desk asks for it, and
// for the last time at the horizon. A transfer that is older has had its attempt.
func (a *attempt) again(ctx context.Context) {
	t, now := a.transfer, a.opt.Now()
	t.Retries++
	wait := retry.Backoff(t.Retries)
	if a.err != nil {
		if asked := a.err.RetryAfter(); asked > 0 {
			a.giveTime(asked)
			wait = max(wait, asked)
		}
	}
	t.Due = now.Add(wait)
	if t.State == store.Pending {
		horizon := t.Created.Add(a.opt.Horizon)
		if !now.Before(horizon) {
			a.giveUp(ctx, rules.ResultFailed, a.tooLate())
			return
		}
		if t.Due.After(horizon) {
			t.Due = horizon
		}
	}
	a.log(retrying, false)
	_ = a.save(ctx, t)
}

// giveTime has no call begin for as long as Desk asks, and says so: nothing else would
// tell why customers wait.
func (c *Courier) giveTime(asked time.Duration) {
	if wait, began := c.asked.prolong(asked); began {
		c.quiet.Log("pause", c.opt.Log.WithField("pause_s", wait.Seconds()), logrus.WarnLevel, "Desk asks for time (Retry-After): no transfer is sent meanwhile")
	}
}

// held keeps the transfer and stops all others: settings must be mended first.
func (a *attempt) held(ctx context.Context) {
	t := a.transfer
	next, began := a.hold.set(t.Code, t.Error)
	t.Due = a.opt.Now()
	if began {
		a.opt.Metrics.Held.Set(1)
		a.opt.Log.WithFields(logrus.Fields{"code": t.Code, "error": t.Error, "hint": wayOut(t.Code), "next_probe_s": next.Seconds()}).
			Error("courier held: Desk refuses every transfer; transfers are kept until the settings are mended")
		a.Courier.tellStaff(notify.Event{Kind: notify.Held, Detail: t.Error})
	}
	a.log(retrying, false)
	_ = a.save(ctx, t)
}

// expire ends a transfer whose time is over, without a call.
func (a *attempt) expire(ctx context.Context) {
	ctx = a.startSpan(ctx)
	defer a.span.End()
	defer a.survive(ctx)
	if a.transfer.State == store.Waiting {
		a.nobody(ctx)
		return
	}
	if a.transfer.Word == (store.Word{}) {
		a.transfer.Network = true // Desk was not even asked
	}
	a.giveUp(ctx, rules.ResultFailed, a.tooLate())
}

// tooLate is why a transfer is given up for its age.
func (a *attempt) tooLate() string {
	if a.transfer.Error != "" {
		return lang.Say("not delivered within %s; last: %s", a.opt.Horizon, a.transfer.Error).String()
	}
	return lang.Say("not delivered within %s", a.opt.Horizon).String()
}

// giveUp ends a transfer for good, loudly. It stays in the outbox for people to
// read and to retry.
func (a *attempt) giveUp(ctx context.Context, r rules.Result, why string) {
	t := a.transfer
	t.Error = why
	a.log(outcomeName(r), true)
	stands := a.stands(r) // who is still in the queue is not told that it failed
	sorry := stands == rules.ResultFailed && t.State == store.Pending && !t.Apologized
	t.Apologized = t.Apologized || sorry
	t.State, t.Due = store.GivenUp, a.opt.Now()
	// Stored before it is said: once per transfer, whatever comes between.
	if a.save(ctx, t) == nil && sorry {
		a.say(apology(t), wordsFailed)
	}
	a.opt.Settle(ctx, t, stands, "")
	if r == rules.ResultFailed {
		a.tellStaff(notify.Failed, why)
	}
}

// name is what the log calls the conversation.
func (a *attempt) name() string { return name(a.transfer) }

// log writes the line of this attempt (CONTRACT.md 5) and counts it.
func (a *attempt) log(outcome string, final bool) {
	t := a.transfer
	a.opt.Metrics.Transfers.WithLabelValues(outcome, codeLabel(t.Word)).Inc()
	f := LogFields(t)
	f["outcome"], f["final"], f["attempt"], f["code"] = outcome, final, t.Calls, t.Shown()
	f["took_ms"] = a.opt.Now().Sub(a.started).Milliseconds()
	if a.target != nil {
		f["target"] = a.target.ID
		if a.target.Group != nil {
			f["group"] = *a.target.Group
		}
		if len(a.target.Agents) > 0 {
			f["agents"] = a.target.Agents
		}
		if a.target.LastAgent {
			f["last_agent"] = true
		}
	}
	for name, value := range map[string]string{"agent": mask.Clip(a.agent), "error": t.Error, "by": a.operator.By, "why": a.operator.Why} {
		if value != "" {
			f[name] = value
		}
	}
	level := logrus.InfoLevel
	switch {
	case outcome == retrying:
		level = a.retryLevel()
		f["again_in_ms"] = max(0, t.Due.Sub(a.opt.Now()), a.pausing()).Milliseconds()
	case outcome == rules.ResultFailed.String() || outcome == rules.ResultSessionGone.String():
		level = logrus.ErrorLevel
		if hint := wayOut(t.Code); hint != "" {
			f["hint"] = hint
		}
	}
	a.opt.Log.WithFields(f).Log(level, "transfer")
	a.describe(outcome, final)
	a.happened(outcome, final)
}

// wayOut is what an engineer should do about Desk's code; "" where there is none.
func wayOut(code int) string {
	if code == 0 {
		return ""
	}
	row, _ := desk.LookupCode(code)
	return row.WayOut.String()
}

// happened tells the history of this attempt.
func (a *attempt) happened(outcome string, final bool) {
	if a.opt.Happened == nil {
		return
	}
	t := a.transfer
	e := history.Entry{
		Kind: history.Attempt, ID: t.Decision, Session: a.name(), User: mask.Clip(t.User), Rule: t.Rule, Outcome: outcome, Final: final, Attempt: int64(t.Calls), Code: t.Label(),
		TookMS: a.opt.Now().Sub(a.started).Milliseconds(), Target: t.Target, Agent: mask.Clip(a.agent), Error: t.Error, RequestID: t.RequestID,
		By: a.operator.By, Why: a.operator.Why,
	}
	if a.target != nil {
		e.Target, e.Agents = a.target.ID, a.target.Agents
		if a.target.Group != nil {
			e.Group = *a.target.Group
		}
	}
	a.opt.Happened(e)
}

// save stores what became of an attempt. If that fails the transfer keeps its
// earlier place in the outbox and is tried again after a state check.
func (c *Courier) save(ctx context.Context, t *store.Transfer) error {
	err := c.opt.Outbox.Save(context.WithoutCancel(ctx), t)
	if errors.Is(err, store.ErrNotFound) { // else its end would stand nowhere
		c.opt.Log.WithFields(LogFields(t)).WithField("error", t.Error).
			Warn("a transfer is not in the outbox any more: its customer left, it was dismissed, or another replica goes on with it")
	}
	c.logStoreError(err, t)
	return err
}

// forget removes a transfer that has ended.
func (c *Courier) forget(ctx context.Context, t *store.Transfer) {
	c.logStoreError(c.opt.Outbox.Delete(context.WithoutCancel(ctx), t), t)
}

func (c *Courier) logStoreError(err error, t *store.Transfer) {
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		c.quiet.Log("unchanged", c.opt.Log.WithError(err).WithFields(LogFields(t)), logrus.ErrorLevel, "the outbox could not be changed")
	}
}

// knownLabels has every series of transfers_total that can be foreseen exist from
// the start: an alert on one that has never moved would see nothing. What Desk took has
// no code; all else has the last one that Desk gave, whatever came of it.
func knownLabels(count func(outcome, code string)) {
	for _, outcome := range []string{
		rules.ResultAssigned.String(), rules.ResultQueued.String(), rules.ResultAlreadyHuman.String(), unanswered,
	} {
		count(outcome, "0")
	}
	for _, outcome := range []string{
		retrying, rules.ResultFailed.String(), rules.ResultNoAgent.String(), rules.ResultSessionGone.String(), rules.ResultDismissed.String(),
	} {
		count(outcome, "0")
		count(outcome, store.CodeNetwork)
		count(outcome, strconv.Itoa(http.StatusTooManyRequests))
		count(outcome, otherCode)
		for _, row := range desk.Codes() {
			count(outcome, strconv.Itoa(row.Code))
		}
	}
}

// otherCode stands for the codes that no page documents: each would be a series that
// begins at 1, which no alert on its rise would see, and there may be any number of them.
const otherCode = "other"

// codeLabel is Desk's last word as transfers_total has it.
func codeLabel(w store.Word) string {
	switch _, known := desk.LookupCode(w.Code); {
	case w.Network, w.Code == 0, w.Code == http.StatusTooManyRequests, known:
		return w.Label()
	default:
		return otherCode
	}
}
