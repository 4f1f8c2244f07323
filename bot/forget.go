package bot

import (
	"context"
	"fmt"

	"escalator/bot/store"
)

// Forgotten counts what was removed of a user.
type Forgotten struct {
	User          string `json:"user"`
	Conversations int    `json:"conversations"` // in the history
	Record        bool   `json:"record"`        // what is kept of the user from one conversation to the next
	Words         int    `json:"words"`         // conversations in which words were left
	Decisions     int    `json:"decisions"`     // that could be looked at
	Labels        int    `json:"labels"`        // of which only the figure stays
}

// Forget removes what is kept of a user: the history of the conversations, the decisions,
// the words of labels, the record of the user, and the words that the user left. What was removed stays removed when it
// fails; it may be done again. Conversations that go on keep what they count, and are
// kept from then on.
func (b *Bot) Forget(ctx context.Context, user string) (f Forgotten, err error) {
	f.User = user
	if b.History != nil {
		if f.Conversations, err = b.History.Forget(ctx, user); err != nil {
			return f, fmt.Errorf("forgetting the history of a user: %w", err)
		}
	}
	gone, err := b.decisions.Forget(ctx, user)
	if f.Decisions, f.Labels = gone.Decisions, gone.Labels; err != nil {
		return f, fmt.Errorf("forgetting the decisions of a user: %w", err)
	}
	if b.Records == nil {
		return f, nil
	}
	if f.Record, err = store.RemoveRecord(ctx, b.Records, store.KindUser, user); err != nil {
		return f, fmt.Errorf("forgetting a user: %w", err)
	}
	if f.Words, err = b.messages.Forget(ctx, user); err != nil {
		return f, fmt.Errorf("forgetting the words of a user: %w", err)
	}
	return f, nil
}
