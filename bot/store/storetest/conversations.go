package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// Conversations runs the suite for conversations; open returns a new and empty
// memory and the outbox that its transfers go to.
func Conversations(t *testing.T, open func(t *testing.T) (store.Conversations, store.Outbox)) {
	t.Helper()
	t.Run("keeps a change", func(t *testing.T) {
		m, _ := open(t)
		observe(t, m, "a", rules.EventWithHuman)
		if got := phase(t, m, "a"); got != rules.PhaseHuman {
			t.Errorf("phase = %s", got)
		}
		if got := phase(t, m, "b"); got != rules.PhaseBot {
			t.Errorf("phase of another = %s", got)
		}
	})
	t.Run("keeps nothing of a change that failed", func(t *testing.T) {
		m, _ := open(t)
		observe(t, m, "a", rules.EventWithHuman)
		broken := errors.New("broken")
		err := m.Update(t.Context(), "a", func(c *rules.Conversation) (store.Effect, error) {
			c.Observe(rules.EventClosed, epoch.Add(time.Minute), time.Time{})
			return store.Effect{}, broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("Update = %v", err)
		}
		if got := phase(t, m, "a"); got != rules.PhaseHuman {
			t.Errorf("phase = %s", got)
		}
	})
	t.Run("puts the transfer into the outbox, or keeps nothing", putsTransfer(open))
	t.Run("changes one conversation by one at a time", func(t *testing.T) {
		m, _ := open(t)
		counter := 0 // the race detector watches it
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				err := m.Update(t.Context(), "a", func(*rules.Conversation) (store.Effect, error) {
					counter++
					return store.Effect{}, nil
				})
				if err != nil {
					t.Errorf("Update: %v", err)
				}
			})
		}
		all.Wait()
		if counter < 50 {
			t.Errorf("counted %d", counter)
		}
	})
}

func putsTransfer(open func(t *testing.T) (store.Conversations, store.Outbox)) func(*testing.T) {
	return func(t *testing.T) {
		m, o := open(t)
		change := func(c *rules.Conversation) (store.Effect, error) {
			c.Observe(rules.EventWithHuman, epoch, time.Time{})
			return store.Effect{Transfer: transfer("a", 0)}, nil
		}
		if err := m.Update(t.Context(), "a", change); err != nil {
			t.Fatal(err)
		}
		observe(t, m, "a", rules.EventClosed)
		if err := m.Update(t.Context(), "a", change); !errors.Is(err, store.ErrPending) {
			t.Errorf("second transfer: %v, want ErrPending", err)
		}
		if got := phase(t, m, "a"); got != rules.PhaseBot {
			t.Errorf("phase after a refused transfer = %s", got)
		}
		take(t, o, epoch)
		takeNone(t, o, epoch)
	}
}

func observe(t *testing.T, m store.Conversations, id string, k rules.EventKind) {
	t.Helper()
	err := m.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
		c.Observe(k, epoch, time.Time{})
		return store.Effect{}, nil
	})
	if err != nil {
		t.Fatalf("Update(%q): %v", id, err)
	}
}

func phase(t *testing.T, m store.Conversations, id string) (p rules.Phase) {
	t.Helper()
	err := m.Update(t.Context(), id, func(c *rules.Conversation) (store.Effect, error) {
		p = c.Phase()
		return store.Effect{}, nil
	})
	if err != nil {
		t.Fatalf("Update(%q): %v", id, err)
	}
	return p
}
