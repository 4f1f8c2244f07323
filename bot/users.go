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
}

// begin gives what is kept to a run of the change, from which it starts anew; nil:
// nobody knows who the customer is.
func (u customer) begin() *rules.User {
	if u.id == "" {
		return nil
	}
	user := rules.ParseUser(u.record.Value)
	return &user
}

// records returns what is to be kept of a customer whom a run has changed.
func (u customer) records(user *rules.User) []store.Record {
	if user == nil {
		return nil
	}
	value := user.Encode()
	if string(value) == string(u.record.Value) {
		return nil
	}
	r := u.record
	r.Kind, r.Name, r.Value, r.Until = store.KindUser, u.id, value, user.Until()
	return []store.Record{r}
}

// change is a change of a conversation, together with what is kept of its customer.
type change struct {
	conversation, customer string
	// words may be left with it, to be read before each run; nil: none.
	words *record
	// run is what Conversations.Update runs.
	run func(*rules.Conversation, *rules.User) (store.Effect, error)
}

// changeWith makes a change. Where somebody else was faster with a record that it
// changes too, another session of the customer perhaps, all is read again. While the
// customer cannot be read, and where somebody is always faster, the conversation goes
// on as that of a customer of whom nothing is known.
func (b *Bot) changeWith(ctx context.Context, p *rules.Policy, to change) error {
	for n := 1; ; n++ {
		of := b.customerTo(ctx, p, to, n) // not changed any more: a message must not cost memory for it
		if err := b.readWords(ctx, to.words); err != nil {
			return err
		}
		err := b.Conversations.Update(ctx, to.conversation, func(c *rules.Conversation) (store.Effect, error) {
			user := of.begin()
			f, err := to.run(c, user)
			f.Records = append(f.Records, of.records(user)...)
			return f, err
		})
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, errWordsUnread) || n > maxConflicts {
			return err //nolint:wrapcheck // callers say what it was for
		}
		if n == maxConflicts {
			b.quiet.Log("customer", b.Log.WithError(err), logrus.ErrorLevel, "a customer's record could not be updated: rules treat the customer as unknown this time")
		}
	}
}

// customerTo is the customer of a change that is made for the nth time.
func (b *Bot) customerTo(ctx context.Context, p *rules.Policy, to change, n int) customer {
	if n > maxConflicts {
		return customer{}
	}
	return b.customer(ctx, p, to.conversation, to.customer)
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
		b.quiet.Log("customer", b.Log.WithError(err), logrus.ErrorLevel, "customer records cannot be read: rules treat every customer as unknown")
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
