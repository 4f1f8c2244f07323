package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/store"
)

// namedFirst lies between the transfers that name an agent who became free and
// those of all the others.
const namedFirst = 200 * time.Millisecond

// rescheduleWithin bounds the work of one agent's callback: where the outbox is
// long, and shared, those that it does not get to are tried at their own time.
const rescheduleWithin = time.Second

// AgentFree tries the transfers that wait for somebody as soon as an agent is
// free, those that name this agent first.
func (c *Courier) AgentFree(ctx context.Context, agent string) {
	c.freed.Add(1)
	ctx, cancel := context.WithTimeout(ctx, rescheduleWithin)
	defer cancel()
	list, err := c.opt.Outbox.List(ctx, store.Waiting)
	if err != nil {
		return // they are tried at their time all the same
	}
	tried := 0
	for _, t := range list {
		if ctx.Err() != nil {
			break
		}
		due := c.opt.Now()
		if !names(t, agent) {
			due = due.Add(namedFirst)
		}
		if !t.Due.After(due) {
			continue // it is tried sooner: agents who get free one after the other must not put it off
		}
		if c.opt.Outbox.Reschedule(ctx, t.ID, due) == nil {
			tried++
		}
	}
	if tried > 0 {
		c.opt.Log.WithFields(logrus.Fields{"agent": mask.Clip(agent), "transfers": tried}).Info("an agent is free: transfers that waited are tried")
	}
}

// freedSince has a transfer that found nobody tried again at once, if an agent
// became free while it was being tried: AgentFree did not see it waiting.
func (c *Courier) freedSince(ctx context.Context, t *store.Transfer, before int64) {
	if c.freed.Load() != before {
		_ = c.opt.Outbox.Reschedule(ctx, t.ID, c.opt.Now()) // it may be under way already
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
