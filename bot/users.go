package bot

import (
	"context"
	"errors"
	"strings"

	"github.com/sirupsen/logrus"

	"escalator/bot/store"
	"escalator/rules"
)

// maxConflicts bounds how often a change is made again because another session of
// the same customer was faster. Each time somebody has got ahead.
const maxConflicts = 16

// customer is what is kept of a customer, as it was read for one change of a
// conversation. The zero value is one of whom nothing is known, and nothing is kept.
type customer struct {
	id     string
	record store.Record
	user   *rules.User // as the last run of the change has left it
}

// begin gives what is kept to a run of the change, from which it starts anew; nil:
// nobody knows who the customer is.
func (u *customer) begin() *rules.User {
	if u.id == "" {
		return nil
	}
	user := rules.ParseUser(u.record.Value)
	u.user = &user
	return u.user
}

// records returns what the last run has to keep.
func (u *customer) records() []store.Record {
	if u.user == nil {
		return nil
	}
	value := u.user.Encode()
	if string(value) == string(u.record.Value) {
		return nil
	}
	r := u.record
	r.Kind, r.Name, r.Value, r.Until = store.KindUser, u.id, value, u.user.Until()
	return []store.Record{r}
}

// change is a change of a conversation, together with what is kept of its customer.
type change struct {
	conversation, customer string
	// read reads, before each run, what the run needs beside the customer; nil: nothing.
	read func() error
	// run is what Conversations.Update runs.
	run func(*rules.Conversation, *rules.User) (store.Effect, error)
}

// changeWith makes a change. Where somebody else was faster with a record that it
// changes too, another session of the customer perhaps, all is read again. While the
// customer cannot be read, and where somebody is always faster, the conversation goes
// on as that of a customer of whom nothing is known.
func (b *Bot) changeWith(ctx context.Context, p *rules.Policy, to change) error {
	for n := 1; ; n++ {
		var of customer
		if n <= maxConflicts {
			of = b.customer(ctx, p, to.conversation, to.customer)
		}
		if to.read != nil {
			if err := to.read(); err != nil {
				return err
			}
		}
		err := b.Conversations.Update(ctx, to.conversation, func(c *rules.Conversation) (store.Effect, error) {
			f, err := to.run(c, of.begin())
			f.Records = append(f.Records, of.records()...)
			return f, err
		})
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, errWordsUnread) || n > maxConflicts {
			return err //nolint:wrapcheck // callers say what it was for
		}
		if n == maxConflicts {
			b.quiet.Log("customer", b.Log.WithError(err), logrus.ErrorLevel, "what is kept of a customer could not be put: this turn takes them for unknown")
		}
	}
}

// customer reads what is kept of a customer, if the rules have a word that needs it.
func (b *Bot) customer(ctx context.Context, p *rules.Policy, conversation, id string) customer {
	if b.Records == nil || !p.NeedsUsers() {
		return customer{}
	}
	if id == "" {
		id = b.customerOf(ctx, conversation)
	}
	if id == "" {
		return customer{}
	}
	r, err := b.Records.Record(ctx, store.KindUser, id)
	if err != nil {
		b.quiet.Log("customer", b.Log.WithError(err), logrus.ErrorLevel, "what is kept of customers cannot be read: rules that ask for it take them for unknown")
		return customer{}
	}
	return customer{id: strings.Clone(id), record: r}
}

// customerOf asks a conversation whose it is: a turn by the clock does not say.
func (b *Bot) customerOf(ctx context.Context, conversation string) (id string) {
	if err := b.Conversations.View(ctx, conversation, func(c *rules.Conversation) { id = c.UserID() }); err != nil {
		return ""
	}
	return id
}
