package bot

import (
	"context"
	"errors"
	"fmt"

	"escalator/bot/store"
)

// Forgotten counts what was removed of a user.
type Forgotten struct {
	User          string `json:"user"`
	Conversations int    `json:"conversations"` // in the history
	Record        bool   `json:"record"`        // what is kept of the user from one conversation to the next
	Words         int    `json:"words"`         // conversations in which words were left
}

// Forget removes what is kept of a user: the history of the conversations, the record
// of the user, and the words that the user left. What was removed stays removed when it
// fails; it may be done again. Conversations that go on keep what they count, and are
// kept from then on.
func (b *Bot) Forget(ctx context.Context, user string) (f Forgotten, err error) {
	f.User = user
	if b.History != nil {
		if f.Conversations, err = b.History.Forget(ctx, user); err != nil {
			return f, fmt.Errorf("forgetting the history of a user: %w", err)
		}
	}
	if b.Records == nil {
		return f, nil
	}
	if f.Record, err = b.forgetRecord(ctx, user); err != nil {
		return f, err
	}
	if f.Words, err = b.leave.Forget(ctx, user); err != nil {
		return f, fmt.Errorf("forgetting the words of a user: %w", err)
	}
	return f, nil
}

// forgetRecord removes what is kept of a user from one conversation to the next, whatever
// becomes of it meanwhile, and reports whether there was something.
func (b *Bot) forgetRecord(ctx context.Context, user string) (removed bool, err error) {
	for range maxConflicts {
		var r store.Record
		if r, err = b.Records.Record(ctx, store.KindUser, user); err != nil || r.Value == nil {
			break
		}
		r.Kind, r.Name, r.Value, removed = store.KindUser, user, nil, true
		if err = b.Records.PutRecords(ctx, r); !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("forgetting a user: %w", err)
	}
	return removed, nil
}
