package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
	"escalator/rules/lang"
)

// What an operator asked for is not possible.
var (
	// ErrNotGivenUp says that there is no given-up transfer to retry.
	ErrNotGivenUp = lang.Errorf("no transfer of this session was given up")
	// ErrNoTransfer says that there is no transfer to dismiss.
	ErrNoTransfer = lang.Errorf("the outbox holds no transfer of this session")
	// ErrTargetGone says that the rules in force have no target of the transfer's name:
	// bring it back, or dismiss the transfer.
	ErrTargetGone = lang.Errorf("the rules in force no longer have this target: bring it back, or dismiss the transfer")
)

// Operator is who changes a transfer by hand, and why. Both may be empty.
type Operator struct {
	By  string `json:"by"`
	Why string `json:"why"`
}

// clip bounds what an operator says of himself.
func (o Operator) clip() Operator { return Operator{By: mask.Clip(o.By), Why: mask.Reason(o.Why)} }

// Transfers is the content of the outbox, oldest first.
type Transfers struct {
	Pending []Listed `json:"pending"` // on their way, those that wait for an agent included
	GivenUp []Listed `json:"given_up"`
}

// Listed is a transfer as operators see it. These names are what people script against: how a transfer is stored may change.
type Listed struct {
	ID        string              `json:"id"` // what retry and dismiss take: Desk's session, or the conversation of plain IM
	Session   string              `json:"session,omitempty"`
	User      string              `json:"user,omitempty"`
	Service   string              `json:"service,omitempty"`
	RequestID string              `json:"request_id,omitempty"`
	Decision  string              `json:"decision,omitempty"` // the id of the decision that began it
	Rule      string              `json:"rule"`
	Reason    rules.Reason        `json:"reason,omitempty"`
	Target    string              `json:"target"`
	Language  string              `json:"language,omitempty"`
	State     store.TransferState `json:"state"`
	Attempt   int                 `json:"attempt"`              // calls of transfer_to_human so far
	Since     time.Time           `json:"since"`                // when it was decided, or given up
	Due       time.Time           `json:"due"`                  // the next try
	Until     time.Time           `json:"until,omitzero"`       // when waiting for an agent ends
	Code      any                 `json:"code,omitempty"`       // that of Desk's last word, or store.CodeNetwork
	CodeWords lang.Text           `json:"code_words,omitempty"` // what Desk's code means
	Error     string              `json:"error,omitempty"`
}

// Transfers lists the outbox.
func (c *Courier) Transfers(ctx context.Context) (Transfers, error) {
	all := Transfers{Pending: []Listed{}, GivenUp: []Listed{}}
	list, err := c.opt.Outbox.List(ctx)
	for _, t := range list {
		l := Listed{
			ID: t.ID, Session: t.Session, User: t.User, Service: t.Service, RequestID: t.RequestID, Decision: t.Decision,
			Rule: t.Rule, Reason: t.Reason, Target: t.Target, Language: t.Language, State: t.State, Attempt: t.Calls,
			Since: t.Created, Due: t.Due, Until: t.Until, Error: t.Error,
		}
		if t.Word != (store.Word{}) {
			l.Code = t.Shown()
			if t.Code != 0 {
				row, _ := desk.LookupCode(t.Code)
				l.CodeWords = row.Meaning
			}
		}
		if t.State == store.GivenUp {
			l.Since = t.Due
			all.GivenUp = append(all.GivenUp, l)
		} else {
			all.Pending = append(all.Pending, l)
		}
	}
	return all, err
}

// Retry puts a transfer that was given up on its way again, with a new horizon and
// to the target of that name as the rules in force have it. Desk is asked for the
// session's state before anything is sent. The error may be ErrNotGivenUp or
// ErrTargetGone.
func (c *Courier) Retry(ctx context.Context, id string, who Operator) error {
	t, err := c.opt.Outbox.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && t.State != store.GivenUp {
		return ErrNotGivenUp
	}
	if err != nil {
		return fmt.Errorf("reading the transfer of %s: %w", mask.Clip(id), err)
	}
	return c.retry(ctx, t, who)
}

// Retried counts what became of the transfers that RetryAll found.
type Retried struct {
	Retried    int `json:"retried"`
	TargetGone int `json:"target_gone"` // left, for the rules in force have no such target
	Left       int `json:"left"`        // another operator or the customer was faster, or the store refused
}

// IsCode reports whether a text can be the code of a transfer that was given up: a number of Desk's, or
// store.CodeNetwork.
func IsCode(code string) bool {
	_, err := strconv.ParseUint(code, 10, 31)
	return err == nil || code == store.CodeNetwork
}

// RetryAll retries every transfer that was given up with a code of Desk's, or with
// store.CodeNetwork.
func (c *Courier) RetryAll(ctx context.Context, code string, who Operator) (n Retried, err error) {
	list, err := c.opt.Outbox.List(ctx, store.GivenUp)
	if err != nil {
		return n, fmt.Errorf("reading the outbox: %w", err)
	}
	for _, t := range list {
		if t.Label() != code {
			continue
		}
		switch err := c.retry(ctx, t, who); {
		case err == nil:
			n.Retried++
		case errors.Is(err, ErrTargetGone):
			n.TargetGone++
		default:
			n.Left++
		}
	}
	return n, nil
}

func (c *Courier) retry(ctx context.Context, t *store.Transfer, who Operator) error {
	chain := c.opt.Chain(t)
	if len(chain) == 0 {
		return lang.Errorf("target %q: %w", t.Target, ErrTargetGone)
	}
	who = who.clip()
	line := c.opt.Log.WithFields(LogFields(t)).WithFields(logrus.Fields{"code": t.Shown(), "error": t.Error, "by": who.By, "why": who.Why})
	t.Chain = chain
	t.State, t.Step, t.Calls, t.Retries, t.Refusals = store.Pending, 0, 0, 0, 0
	t.Sent, t.OutcomeUnknown, t.VerifyFirst, t.LeaveQueue = t.LeaveQueue == store.NotLeaving && t.MayBeOurs(), false, true, store.NotLeaving
	t.Created = c.opt.Now()
	t.Due = t.Created
	// Put and not Save: of two operators, or an operator and the customer, one
	// wins, and nothing that is under way is tried beside itself.
	t.Episode = rand.Text()
	err := c.opt.Outbox.Put(ctx, t)
	if errors.Is(err, store.ErrPending) {
		return ErrNotGivenUp
	}
	if err != nil {
		return fmt.Errorf("storing the transfer of %s: %w", mask.Clip(t.ID), err)
	}
	line.Warn("transfer retried by an operator")
	return nil
}

// Dismiss ends a transfer for good, whatever its state: the conversation goes on
// with the bot. An attempt that is under way is not stopped; what Desk takes with it
// counts. The error is ErrNoTransfer where there is none.
func (c *Courier) Dismiss(ctx context.Context, id string, who Operator) error {
	t, err := c.opt.Outbox.Get(ctx, id)
	if err == nil {
		// The conversation first: the commit that removes the transfer takes it along.
		c.opt.Settle(ctx, t, rules.ResultDismissed, "")
		err = c.opt.Outbox.Delete(ctx, t)
	}
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoTransfer
	}
	if err != nil {
		return fmt.Errorf("dismissing the transfer of %s: %w", mask.Clip(id), err)
	}
	a := c.newAttempt(t)
	a.operator = who.clip()
	a.log(rules.ResultDismissed.String(), true)
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
		t.Error = lang.Text("the customer left while the transfer waited for an agent").String()
		c.newAttempt(t).log(rules.ResultSessionGone.String(), true)
	}
	c.logStoreError(err, t)
}
