package memory

import (
	"escalator/bot/store"
	"escalator/rules"
)

// Journal makes what is decided here survive a restart. It is safe for
// concurrent use.
type Journal interface {
	// Commit stores a transfer, and the change that decided it, in one
	// transaction: nil means that both are on disk, an error that neither is. It is
	// store.ErrPending as in store.Outbox.Put.
	Commit(t *store.Transfer, c Change) error
	// Keep has a change written soon, whole. It does not wait, and keeps nothing of
	// it but the answer.
	Keep(c Change)
}

// Change is what one callback leaves to be written.
type Change struct {
	// ID names the conversation, "" for none; Conversation is its state, nil to
	// forget it.
	ID           string
	Conversation *rules.Conversation
	// DedupKey is the callback that is counted in it, "" for none; Answer is what
	// it is answered, nil while that is not known.
	DedupKey string
	Answer   []byte
}
