package bot

import (
	"context"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/store"
)

// namedFirst lies between the transfers that name an agent who became free and
// those of all the others.
const namedFirst = 200 * time.Millisecond

// hastenWithin bounds the work of one agent's callback: where the outbox is
// long, and shared, those that it does not get to are tried at their own time.
const hastenWithin = time.Second

// memberChanged tries the transfers that wait for somebody as soon as an agent
// is free, those that name this agent first (Member.EventNotify). Tencent's own
// pages call that status "ready" in the table and "free" in the sample.
func (b *Bot) memberChanged(ctx context.Context, e *desk.Event) ([]byte, error) {
	if e.Status != "free" && e.Status != "ready" {
		return answerOK, nil
	}
	b.freed.Add(1)
	ctx, cancel := context.WithTimeout(ctx, hastenWithin)
	defer cancel()
	list, err := b.Outbox.List(ctx)
	if err != nil {
		return answerOK, nil // they are tried at their time all the same
	}
	tried := 0
	for _, t := range list {
		if ctx.Err() != nil {
			break
		}
		if t.State != store.Waiting {
			continue
		}
		due := b.Now()
		if !names(t, e.MemberID) {
			due = due.Add(namedFirst)
		}
		if b.Outbox.Reschedule(ctx, t.ID, due) == nil {
			tried++
		}
	}
	if tried > 0 {
		b.Log.WithFields(logrus.Fields{"agent": clip(e.MemberID), "transfers": tried}).Info("an agent is free: transfers that waited are tried")
	}
	return answerOK, nil
}

// freedSince has a transfer that found nobody tried again at once, if an agent
// became free while it was being tried: memberChanged did not see it waiting.
func (b *Bot) freedSince(ctx context.Context, t *store.Transfer, before int64) {
	if b.freed.Load() != before {
		_ = b.Outbox.Reschedule(ctx, t.ID, b.Now()) // what is being tried again needs no haste
	}
}

// names reports whether any target of the transfer asks for the agent.
func names(t *store.Transfer, agent string) bool {
	for _, target := range t.Chain {
		if slices.Contains(target.Agents, agent) {
			return true
		}
	}
	return false
}
