package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
)

// ErrNotGivenUp says that there is no given-up transfer to retry.
var ErrNotGivenUp = errors.New("no transfer of this session was given up")

// Transfers is the content of the outbox, oldest first.
type Transfers struct {
	Pending []*store.Transfer `json:"pending"` // on their way, those that wait for an agent included
	GivenUp []*store.Transfer `json:"given_up"`
}

// Transfers lists the outbox.
func (c *Courier) Transfers(ctx context.Context) (Transfers, error) {
	all := Transfers{Pending: []*store.Transfer{}, GivenUp: []*store.Transfer{}}
	list, err := c.opt.Outbox.List(ctx)
	for _, t := range list {
		if t.State == store.GivenUp {
			all.GivenUp = append(all.GivenUp, t)
		} else {
			all.Pending = append(all.Pending, t)
		}
	}
	return all, err
}

// Retry puts a transfer that was given up on its way again, with a new horizon and
// to the target of that name as the rules in force have it. Desk is asked for the
// session's state before anything is sent. The error is ErrNotGivenUp where there
// is none.
func (c *Courier) Retry(ctx context.Context, id string) error {
	t, err := c.opt.Outbox.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && t.State != store.GivenUp {
		return ErrNotGivenUp
	}
	if err != nil {
		return fmt.Errorf("reading the transfer of %s: %w", mask.Clip(id), err)
	}
	line := logrus.Fields{"session": mask.Clip(id), "rule": t.Rule, "target": t.Target, "error": t.Error}
	if chain := c.opt.Chain(t.Target); len(chain) > 0 {
		t.Chain = chain
	} else {
		line["target_gone"] = true // it goes where it would have gone
	}
	t.State, t.Step, t.Calls, t.Retries, t.Refusals = store.Pending, 0, 0, 0, 0
	t.Sent, t.OutcomeUnknown, t.VerifyFirst = t.MayBeOurs(), false, true
	t.Created = c.opt.Now()
	t.Due = t.Created
	// Put and not Save: of two operators, or an operator and the customer, one
	// wins, and nothing that is under way is tried beside itself.
	t.Episode = rand.Text()
	err = c.opt.Outbox.Put(ctx, t)
	if errors.Is(err, store.ErrPending) {
		return ErrNotGivenUp
	}
	if err != nil {
		return fmt.Errorf("storing the transfer of %s: %w", mask.Clip(id), err)
	}
	c.opt.Log.WithFields(line).Warn("transfer retried by an operator")
	return nil
}

// Withdraw ends a transfer that waits for an agent, because its customer left.
// One that is on its way is left alone: Desk knows best, and says so.
func (c *Courier) Withdraw(ctx context.Context, id string) {
	t, err := c.opt.Outbox.Get(ctx, id)
	if err != nil || t.State != store.Waiting {
		return
	}
	err = c.opt.Outbox.Delete(ctx, t)
	if err == nil {
		t.Error = "the customer left while the transfer waited for an agent"
		c.newAttempt(t).log(rules.ResultSessionGone.String(), true)
	}
	c.logStoreError(err, t)
}
