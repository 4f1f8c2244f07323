package bot

import (
	"cmp"
	"context"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/delivery"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
)

// Transfers lists the outbox.
func (b *Bot) Transfers(ctx context.Context) (delivery.Transfers, error) {
	return b.courier.Transfers(ctx)
}

// Retry puts a transfer that was given up on its way again; see
// delivery.Courier.Retry.
func (b *Bot) Retry(ctx context.Context, session string, who delivery.Operator) error {
	return b.courier.Retry(ctx, b.conversationOf(session), who)
}

// RetryAll retries every transfer that was given up with this code.
func (b *Bot) RetryAll(ctx context.Context, code string, who delivery.Operator) (delivery.Retried, error) {
	return b.courier.RetryAll(ctx, code, who)
}

// Dismiss ends a transfer for good; see delivery.Courier.Dismiss.
func (b *Bot) Dismiss(ctx context.Context, session string, who delivery.Operator) error {
	return b.courier.Dismiss(ctx, b.conversationOf(session), who)
}

// conversationOf finds a conversation that began in plain IM by its Desk session
// too: that is what the log shows.
func (b *Bot) conversationOf(session string) string {
	return cmp.Or(b.inbound.OfSession(session), session)
}

// Degraded says why transfers do not reach Desk although it answers; nil: they do.
func (b *Bot) Degraded() []string { return b.courier.Degraded() }

// Delivery returns how transfers stand with Desk.
func (b *Bot) Delivery() delivery.Condition { return b.courier.Condition(b.Clock.Wall()) }

// chain is where a transfer leads by the name of its target under the rules in force.
func (b *Bot) chain(t *store.Transfer) []*rules.Target {
	return b.Policy().Chain(t.Rule, t.Target, b.Clock.Wall())
}

// memberChanged tries what waits for an agent when one is free (Member.EventNotify), and
// tells the reception. A callback that names no agent, or a status that no page has, says
// nothing of anybody.
func (b *Bot) memberChanged(ctx context.Context, e *desk.Event) {
	free, known := memberFree(e.Status)
	if e.MemberID == "" || !known {
		return
	}
	if b.Reception != nil {
		b.Reception.MemberChanged(e.MemberID, free)
	}
	if free {
		b.courier.AgentFree(ctx, e.MemberID)
	}
}

// memberFree says whether an agent of a status is free. Tencent's own pages call that
// "ready" in the table and "free" in the sample.
func memberFree(status string) (free, known bool) {
	switch status {
	case "free", "ready":
		return true, true
	case "notReady", "rest", "offline":
		return false, true
	}
	return false, false
}

// settle tells the conversation how its transfer ended, and with which agent.
func (b *Bot) settle(ctx context.Context, t *store.Transfer, r rules.Result, agent string) {
	p, at := b.Policy(), b.Clock.Now()
	var w waiting
	switch r {
	case rules.ResultAssigned, rules.ResultQueued, rules.ResultAlreadyHuman, rules.ResultAlreadyQueued:
		b.messages.Reached(t.ID, t.User, t.Service)
	default:
	}
	var from, to rules.Phase
	err := b.changeWith(ctx, p, change{conversation: t.ID, customer: t.User, run: func(c *rules.Conversation, u *rules.User) (f store.Effect, err error) {
		from, to = c.Phase(), c.Phase()
		if r == rules.ResultDismissed && c.Phase() != rules.PhaseTransferring {
			return f, nil // it went on without this transfer, with a person perhaps
		}
		w = waitBefore(c)
		p.Settle(c, u, t.Rule, r, at)
		to = c.Phase()
		switch to {
		case rules.PhaseHuman:
			u.WithAgent(agent, at)
		case rules.PhaseQueued:
			if r == rules.ResultQueued {
				c.WaitsFor(t.Rule, rules.Written(t.Chain[min(t.Step, len(t.Chain)):]))
			}
		default:
		}
		w.then(c)
		return f, nil
	}})
	if err != nil {
		b.quiet.Log("end", b.Log.WithError(err).WithFields(delivery.LogFields(t)), logrus.ErrorLevel, "the end of a transfer could not be kept with its conversation")
		return
	}
	if from != to {
		b.happened(history.Entry{
			Kind: history.Phase, Session: mask.Clip(cmp.Or(t.Session, t.ID)), User: mask.Clip(t.User), RequestID: t.RequestID, Rule: t.Rule, Outcome: r.String(), From: from.String(), Phase: to.String(),
		})
	}
	b.tellOf(&w, t.ID, t.Session, at)
}

// storeRetry is how long we wait when the store refuses.
const storeRetry = time.Second
