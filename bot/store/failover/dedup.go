package failover

import (
	"context"
	"strings"

	"escalator/bot/store"
)

// callback is one that was answered here, and of which the shared store should know.
type callback struct{ key, conversation string }

// maxUntold bounds the callbacks that the shared store is to be told of. Over it the
// older half is left out: copies come soon after the first or not at all.
const maxUntold = 100_000

// Claim implements store.Dedup.
func (s *Store) Claim(ctx context.Context, key, conversation string) (store.Claim, error) {
	return s.ClaimIn(ctx, key, conversation, nil)
}

// ClaimIn implements store.Chats. The copies that this replica gets wait for each
// other here; only the first asks the shared store. Which of the
// two report a chat, all replicas have to know.
func (s *Store) ClaimIn(ctx context.Context, key, conversation string, chat *store.Chat) (store.Claim, error) {
	own, err := s.local.Dedup.Claim(ctx, key, conversation)
	switch {
	case err != nil:
		return own, err
	case !own.First && chat != nil && (chat.Session != "" || chat.Reported) && !chat.Asks:
		_, _ = s.try(func() (err error) {
			own.Place, err = s.shared.Meet(ctx, key, chat)
			return err
		})
		fallthrough
	case !own.First:
		return own, nil
	}
	var shared store.Claim
	done, err := s.try(func() (err error) {
		if chat == nil {
			shared, err = s.shared.Claim(ctx, key, conversation)
		} else {
			shared, err = s.shared.ClaimIn(ctx, key, conversation, chat)
		}
		return err
	})
	switch {
	case !done:
		s.begin(key, conversation)
		return own, nil
	case err != nil:
		s.local.Dedup.Release(ctx, key)
		return store.Claim{}, err
	case !shared.First:
		s.local.Dedup.Finish(ctx, key, shared.Answer)
		return shared, nil
	}
	if shared.Place != nil {
		conversation = shared.Place.Conversation
	}
	s.begin(key, conversation)
	shared.Counted = shared.Counted || own.Counted
	return shared, nil
}

// Finish implements store.Dedup. Where the shared store cannot be told, it is told
// when it is back: else a copy that comes to another replica would be answered anew.
func (s *Store) Finish(ctx context.Context, key string, answer []byte) {
	c := s.end(key)
	if done, _ := s.try(func() error { return s.shared.Keep(ctx, c.key, c.conversation, answer) }); !done {
		s.shared.ReleaseClaim(key)
		s.tellLater(c)
	}
	s.local.Dedup.Finish(ctx, key, answer)
}

// Release implements store.Dedup.
func (s *Store) Release(ctx context.Context, key string) {
	s.end(key)
	if s.breaker.usable() {
		s.shared.Release(ctx, key)
	}
	s.shared.ReleaseClaim(key)
	s.local.Dedup.Release(ctx, key)
}

// begin remembers whose callback is under way.
func (s *Store) begin(key, conversation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims[key] = conversation
}

func (s *Store) end(key string) callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := callback{key, s.claims[key]}
	delete(s.claims, key)
	return c
}

func (s *Store) tellLater(c callback) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.untold) >= maxUntold {
		s.untold = append([]callback(nil), s.untold[maxUntold/2:]...)
	}
	// The caller's may be pieces of something large.
	s.untold = append(s.untold, callback{strings.Clone(c.key), strings.Clone(c.conversation)})
}

// tellAnswers brings the answers that were given without the shared store there.
func (s *Store) tellAnswers(ctx context.Context) {
	s.mu.Lock()
	untold := s.untold
	s.untold = nil
	s.mu.Unlock()
	for n, c := range untold {
		own, err := s.local.Dedup.Claim(ctx, c.key, c.conversation)
		switch {
		case err != nil: // a new first one is under way, and tells by itself
			continue
		case own.First: // it is too old to have a copy
			s.local.Dedup.Release(ctx, c.key)
			continue
		}
		if done, _ := s.try(func() error { return s.shared.Keep(ctx, c.key, c.conversation, own.Answer) }); !done {
			s.mu.Lock()
			s.untold = append(untold[n:], s.untold...)
			s.mu.Unlock()
			return
		}
	}
}
