package redis

import (
	"context"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// Store is all that replicas share.
type Store struct {
	*Client
	*Conversations
	*Dedup
	*Outbox
}

// NewStore returns what is shared over a client. expires says until when a
// conversation is kept.
func NewStore(c *Client, expires func(*rules.Conversation) time.Time, alarms store.Alarms) *Store {
	dedup, outbox := NewDedup(c), NewOutbox(c)
	return &Store{Client: c, Conversations: NewConversations(c, dedup, outbox, expires, alarms), Dedup: dedup, Outbox: outbox}
}

// Settle takes back the transfers of changes that failed on the way to Redis, or
// publishes those on which their conversation counts, as the function says.
func (s *Store) Settle(ctx context.Context, countedOn func(ctx context.Context, id string) (bool, error)) error {
	return s.dropOrphans(ctx, countedOn)
}
