package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/retry"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
	"escalator/rules/lang"
)

// maxRefusals bounds how often a session may be refused (141003) in one round of
// the chain while Desk says that it is with its robot.
const maxRefusals = 5

// attempt is one try to deliver a transfer, and what became of it. What it does
// is in the tables of table.go.
type attempt struct {
	*Courier

	transfer *store.Transfer
	started  time.Time
	freed    int64 // Courier.freed at the start
	called   bool  // Desk was called
	verified bool  // … and asked only, so that the next attempt may deliver
	target   *rules.Target
	agent    string
	err      *desk.Error // Desk's or the network's last word, nil for success
	place    reply       // what the last question was answered
	why      string      // what is wrong with an answer that is no error
	operator Operator    // who ended it
	span     trace.Span
}

func (c *Courier) newAttempt(t *store.Transfer) *attempt {
	return &attempt{Courier: c, transfer: t, started: c.opt.Now(), freed: c.freed.Load(), target: t.Current(), span: trace.None{}}
}

// attempt makes one try and stores what became of it. report tells the breaker
// whether Desk could be reached.
func (c *Courier) attempt(ctx context.Context, t *store.Transfer, report func(error)) {
	a := c.newAttempt(t)
	ctx = a.startSpan(ctx)
	defer a.span.End()
	defer func() {
		if t.Created.Before(c.began) && a.called && !a.verified {
			c.tried.Store(t.Episode, true)
		}
		c.tell(ctx, report, a.reach(), t)
	}()
	defer a.survive(ctx)
	a.run(ctx)
}

// reach is what the breaker should know: nil for Desk answered, retry.ErrNotCalled for
// nothing.
func (a *attempt) reach() error {
	switch {
	case !a.called || a.err != nil && errors.Is(a.err, context.Canceled):
		return retry.ErrNotCalled
	case a.err != nil && a.err.Transport():
		return a.err
	default:
		return nil
	}
}

// run walks from answer to answer until one ends the attempt.
func (a *attempt) run(ctx context.Context) {
	do := deliver
	if q, needed := questionFirst(a.transfer); needed {
		do = a.ask(ctx, q)
	} else if a.transfer.LeaveQueue == store.LeaveDue {
		do = leave
	}
	if do == deliver {
		a.sayBefore()
	}
	for {
		switch do {
		case deliver:
			do = a.deliver(ctx)
		case tryNext:
			a.log(rules.ResultNoAgent.String(), false)
			a.transfer.Step++
			do = a.deliver(ctx)
		case leave:
			do = a.leave(ctx)
		case askLeft:
			do = a.ask(ctx, left)
		case ask:
			do = a.ask(ctx, refused)
		default:
			a.end(ctx, do)
			return
		}
	}
}

// deliver calls transfer_to_human for the current target.
func (a *attempt) deliver(ctx context.Context) action {
	t := a.transfer
	a.target = t.Current()
	request := a.request()
	t.Calls++
	a.called = true
	result, err := a.opt.Desk.TransferToHuman(ctx, request)
	a.note(err)
	r := deliveryReply(t, result.Queued, a.err)
	// After a proper refusal nothing of this call is at Desk. 141003 leaves it open:
	// what the session is refused for may be our own work.
	t.Sent = r == lost || r == notNow
	if r == notNow {
		t.Refusals++
	}
	a.agent = result.AgentID
	a.countLastAgent(r)
	return afterDelivery[r][a.walk()]
}

// What became of the step in which only the customer's last agent is asked.
const (
	agentTaken = "taken"
	agentAway  = "away"
)

// countLastAgent counts what became of the step in which only the customer's last agent
// is asked: transfers_total cannot tell it from a target where nobody is.
func (a *attempt) countLastAgent(r reply) {
	switch {
	case !a.target.LastAgent:
	case r == assigned:
		a.opt.Metrics.LastAgents.WithLabelValues(agentTaken).Inc()
	case r == nobodyYet:
		a.opt.Metrics.LastAgents.WithLabelValues(agentAway).Inc()
	}
}

// ask asks Desk where the session is.
func (a *attempt) ask(ctx context.Context, q question) action {
	t := a.transfer
	before := t.Word
	a.called = true
	state, err := a.opt.Desk.SessionState(ctx, a.stateRequest())
	a.note(err)
	if a.err == nil && t.Session == "" && state.SessionID != "" {
		t.Session = state.SessionID
		a.opt.SessionFound(t.ID, state.SessionID)
	}
	r := stateReply(state, t.Session, a.err)
	a.agent, a.place = state.AgentID, r
	switch {
	case r == withRobot:
		t.OutcomeUnknown, t.VerifyFirst, t.Sent, t.Unproven = false, false, false, false
		t.Word = before
		a.away(ctx)
	case (r == tryLater || r == elsewhere) && a.err == nil:
		a.why = lang.Say("get_session_state: session %q, state %q: nothing that can be acted on", state.SessionID, string(state.State)).String()
		t.Error = a.why
	}
	do := afterQuestion[r][q]
	if do == fail && a.err == nil {
		t.Error = lang.Say("end_queuing, and then the session's state is %q: nothing more is tried", string(state.State)).String()
	}
	return do
}

// walk says where the chain stands.
func (a *attempt) walk() walk {
	t, retry := a.transfer, a.transfer.Chain[0].Retry
	if t.State == store.Waiting {
		if retry == nil || a.opt.Now().Add(retry.Every).After(t.Until) {
			return lastWalk
		}
		return waitingWalk
	}
	if retry == nil || retry.Every > retry.For {
		return onlyWalk
	}
	return firstWalk
}

// note remembers Desk's last word.
func (a *attempt) note(err error) {
	a.err, a.why = nil, ""
	a.transfer.Word = store.Word{}
	if err == nil {
		return
	}
	if !errors.As(err, &a.err) {
		a.err = &desk.Error{Err: err}
	}
	a.transfer.Word = store.Word{Code: a.err.Code, Error: a.err.Error(), Network: a.err.Transport()}
}

// request is the one place where a target becomes what the wire carries. Only the
// last target of the chain asks for Desk's own words, so that a customer hears
// them once.
func (a *attempt) request() desk.TransferRequest {
	t, target := a.transfer, a.target
	flag := func(b *bool) *desk.Flag { return (*desk.Flag)(b) }
	return desk.TransferRequest{
		SessionID:                 t.Session,
		AgentIDs:                  target.Agents,
		AgentGroupID:              target.Group,
		TipIfNoAgent:              desk.Flag(target.TipIfNoAgent && t.Last() && !t.Silent && textIfNobody(t) == nil),
		CheckWorkingHours:         flag(target.CheckWorkingHours),
		PromptOutsideWorkingHours: flag(target.PromptOutside),
		EndSessionIfNoAgent:       flag(target.EndSession),
		DisableQueuing:            flag(target.DisableQueuing),
		AllowBusyAgents:           flag(target.AllowBusy),
		Priority:                  target.Priority,
		QueueTimeout:              desk.SecondsOf(target.QueueTimeout),
	}
}

// stateRequest names the session or, for a conversation of plain IM, whose it is.
func (a *attempt) stateRequest() desk.StateRequest {
	if t := a.transfer; t.Session == "" {
		return desk.StateRequest{UserID: t.User, ServiceID: t.Service}
	}
	return desk.StateRequest{SessionID: a.transfer.Session}
}

// survive ends a transfer over which we panic. It would kill the process again
// after every restart, and all the other transfers with it.
func (a *attempt) survive(ctx context.Context) {
	p := recover() //nolint:revive // deferred by those that work on an attempt
	if p == nil {
		return
	}
	a.quiet.Log("panic", a.opt.Log.WithFields(LogFields(a.transfer)).WithFields(logrus.Fields{"panic": fmt.Sprint(p), "stack": string(debug.Stack())}), logrus.ErrorLevel, "panic in an attempt to transfer")
	a.giveUp(ctx, rules.ResultFailed, fmt.Sprint("internal error: ", p))
}
