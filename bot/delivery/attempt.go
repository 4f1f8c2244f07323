package delivery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
)

// Back-off with full jitter: before attempt n+1 a random time up to
//
//	n       1    2    3    4    5    6     7    8 and more
//	up to   1s   2s   4s   8s   16s  32s   60s  60s
//
// (docs: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
const (
	backoffFirst   = 500 * time.Millisecond
	backoffLongest = store.LongestWait
	// stateChecks bounds how often a session may be refused (141003) while
	// Desk says that it is with its robot, before the transfer is given up.
	stateChecks = 5
)

func backoff(attempt int) time.Duration {
	limit := min(backoffLongest, backoffFirst<<min(attempt, 10))
	return rand.N(limit) //nolint:gosec // jitter needs no secrecy
}

// attempt is one try to deliver a transfer, and what became of it.
type attempt struct {
	courier  *Courier
	transfer *store.Transfer
	started  time.Time
	freed    int64 // Courier.freed at the start
	target   *rules.Target
	agent    string
	err      *desk.Error // Desk's or the network's last word, nil for success
}

// attempt makes one try and stores what became of it. report tells the breaker
// whether Desk could be reached.
func (c *Courier) attempt(ctx context.Context, t *store.Transfer, report func(error)) {
	a := &attempt{courier: c, transfer: t, started: c.opt.Now(), freed: c.freed.Load(), target: t.Current()}
	defer func() {
		if a.err != nil && a.err.Transport() {
			report(a.err)
			return
		}
		report(nil)
	}()
	defer a.survive(ctx)
	if a.tooLate(ctx) {
		return
	}
	if t.OutcomeUnknown || t.VerifyFirst || t.Session == "" {
		if done := a.askState(ctx); done {
			return
		}
	}
	a.sayBefore()
	a.deliver(ctx)
}

// survive ends a transfer over which we panic. It would kill the process again
// after every restart, and all the other transfers with it.
func (a *attempt) survive(ctx context.Context) {
	p := recover() //nolint:revive // deferred by attempt
	if p == nil {
		return
	}
	t := a.transfer
	t.Error = fmt.Sprint("an error of ours: ", p)
	t.State, t.Due = store.GivenUp, a.courier.opt.Now()
	a.courier.opt.Log.WithFields(logrus.Fields{
		"session": mask.Clip(t.Session), "rule": t.Rule, "outcome": rules.ResultFailed.String(), "attempt": t.Calls,
		"error": t.Error, "stack": string(debug.Stack()),
	}).Error("transfer")
	a.courier.opt.Metrics.CountTransfer(rules.ResultFailed.String(), 0)
	a.courier.save(ctx, t)
	a.courier.opt.Settle(ctx, t, rules.ResultFailed)
}

// sayBefore tells the customer what comes before the transfer, which waits for
// it a moment only.
func (a *attempt) sayBefore() {
	t := a.transfer
	words := t.Say
	t.Say = ""
	if words == "" || a.started.Sub(t.Created) > speechLife {
		return
	}
	said := make(chan struct{})
	a.courier.speaker.say(&Speech{Session: t.Session, User: t.User, Service: t.Service, Rule: t.Rule, Text: words, Random: t.SayAs, Done: func(bool) { close(said) }})
	timer := time.NewTimer(sayFirst)
	defer timer.Stop()
	select {
	case <-said:
	case <-timer.C:
	}
}

// say tells the customer what became of the transfer.
func (a *attempt) say(words *rules.Speech) {
	t := a.transfer
	a.courier.speaker.say(&Speech{Session: t.Session, User: t.User, Service: t.Service, Rule: t.Rule, Text: words.For(t.Language)})
}

// wordsIfNoAgent is the chain's own text for "nobody is there", nil to leave
// the words to Desk's tip.
func (a *attempt) wordsIfNoAgent() *rules.Speech {
	for _, target := range a.transfer.Chain {
		if target.SayIfNoAgent != nil {
			return target.SayIfNoAgent
		}
	}
	return nil
}

// tooLate ends a transfer whose time is over.
func (a *attempt) tooLate(ctx context.Context) bool {
	t := a.transfer
	switch {
	case t.State == store.Waiting && a.started.After(t.Until):
		a.courier.forget(ctx, t)
	case t.State == store.Pending && a.started.Sub(t.Created) > a.courier.opt.Horizon:
		why := fmt.Sprintf("not delivered within %s", a.courier.opt.Horizon)
		if t.Error != "" {
			why += "; last: " + t.Error
		}
		a.giveUp(ctx, rules.ResultFailed, why)
	default:
		return false
	}
	return true
}

// deliver calls transfer_to_human for the current target, and for the next ones
// while nobody is there.
func (a *attempt) deliver(ctx context.Context) {
	for {
		a.target = a.transfer.Current()
		a.transfer.Calls++
		result, err := a.courier.opt.Desk.TransferToHuman(ctx, a.request())
		a.note(err)
		if err == nil {
			a.agent = result.AgentID
			outcome := rules.ResultAssigned
			if result.Queued {
				outcome = rules.ResultQueued
			}
			a.finish(ctx, outcome)
			return
		}
		if !a.noneThere() {
			a.failed(ctx)
			return
		}
		if a.transfer.Last() {
			a.nobody(ctx)
			return
		}
		a.log("no_agent", logrus.InfoLevel)
		a.transfer.Step++
	}
}

// noneThere reports whether the next target should be tried: nobody of this one
// is online or, where the rules forbid to queue or ask for working hours, an
// answer of those codes that no page documents.
func (a *attempt) noneThere() bool {
	if a.err.Verdict() == desk.NextTarget {
		return true
	}
	picky := isSet(a.target.DisableQueuing) || isSet(a.target.CheckWorkingHours)
	return picky && a.err.Unlisted()
}

func isSet(b *bool) bool { return b != nil && *b }

// request is what the current target sends. Only the last target of the chain
// asks for Desk's own words, so that a customer hears them once.
func (a *attempt) request() desk.TransferRequest {
	t := a.target
	return desk.TransferRequest{
		SessionID:                 a.transfer.Session,
		AgentIDs:                  t.Agents,
		AgentGroupID:              t.Group,
		TipIfNoAgent:              t.TipIfNoAgent && a.transfer.Last() && !a.transfer.Silent && a.wordsIfNoAgent() == nil,
		CheckWorkingHours:         t.CheckWorkingHours,
		PromptOutsideWorkingHours: t.PromptOutside,
		EndSessionIfNoAgent:       t.EndSession,
		DisableQueuing:            t.DisableQueuing,
		AllowBusyAgents:           t.AllowBusy,
		Priority:                  t.Priority,
		QueueTimeout:              t.QueueTimeout,
	}
}

// note remembers Desk's last word.
func (a *attempt) note(err error) {
	a.err = nil
	a.transfer.Code, a.transfer.Error = 0, ""
	if err == nil {
		return
	}
	if !errors.As(err, &a.err) {
		a.err = &desk.Error{Err: err}
	}
	a.transfer.Code, a.transfer.Error = a.err.Code, a.err.Error()
}

// failed decides by Desk's verdict what comes after a refusal or a fault.
func (a *attempt) failed(ctx context.Context) {
	switch a.err.Verdict() {
	case desk.AskState:
		a.transfer.OutcomeUnknown = true
		if a.err.Code == 0 { // the way to Desk is broken: no use in asking now
			a.again(ctx)
			return
		}
		if done := a.askState(ctx); done {
			return
		}
		if a.transfer.Calls >= stateChecks {
			a.giveUp(ctx, rules.ResultFailed, a.transfer.Error)
			return
		}
		a.again(ctx)
	case desk.Retry:
		a.again(ctx)
	case desk.Hold, desk.Resign:
		a.held(ctx)
	default:
		a.giveUp(ctx, rules.ResultFailed, a.transfer.Error)
	}
}

// askState asks Desk where the session is before anything is repeated. It
// reports whether that ended the attempt; if not, the session is with the bot.
func (a *attempt) askState(ctx context.Context) (done bool) {
	code, text := a.transfer.Code, a.transfer.Error
	state, err := a.courier.opt.Desk.SessionState(ctx, a.stateRequest())
	a.note(err)
	if err != nil {
		if v := a.err.Verdict(); v == desk.Hold || v == desk.Resign {
			a.held(ctx)
		} else if v == desk.GiveUp {
			a.giveUp(ctx, rules.ResultFailed, a.transfer.Error)
		} else {
			a.again(ctx)
		}
		return true
	}
	a.reached()
	a.agent = state.AgentID
	if a.transfer.Session == "" && state.SessionID != "" {
		a.transfer.Session = state.SessionID
		a.courier.opt.SessionFound(a.transfer.ID, state.SessionID)
	}
	// What Desk holds may be the fruit of our own attempt whose answer was lost.
	own := a.transfer.OutcomeUnknown && a.transfer.Calls > 0
	switch state.State {
	case desk.StateChatbot:
		a.transfer.OutcomeUnknown, a.transfer.VerifyFirst = false, false
		a.transfer.Code, a.transfer.Error = code, text
		return false
	case desk.StateAgent, desk.StateWaiting:
		a.finish(ctx, either(own, rules.ResultAssigned, rules.ResultAlreadyHuman))
	case desk.StateQueueing:
		a.finish(ctx, either(own, rules.ResultQueued, rules.ResultAlreadyQueued))
	default:
		a.giveUp(ctx, rules.ResultSessionGone, "Desk says that the session has ended: "+string(state.State))
	}
	return true
}

// stateRequest names the session or, for a conversation of plain IM, whose it is.
func (a *attempt) stateRequest() desk.StateRequest {
	if t := a.transfer; t.Session == "" {
		return desk.StateRequest{UserID: t.User, ServiceID: t.Service}
	}
	return desk.StateRequest{SessionID: a.transfer.Session}
}

func either[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}
