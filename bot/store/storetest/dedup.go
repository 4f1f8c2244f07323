package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"escalator/bot/store"
)

// Dedup runs the suite for callbacks; open returns a new and empty memory.
func Dedup(t *testing.T, open func(t *testing.T) store.Dedup) {
	t.Helper()
	t.Run("the first claims, a repeat gets the answer", func(t *testing.T) {
		m := open(t)
		claim(t, m, "k")
		m.Finish(t.Context(), "k", []byte("answer"))
		for range 3 {
			if c, err := m.Claim(t.Context(), "k", ""); err != nil || c.First || string(c.Answer) != "answer" {
				t.Fatalf("Claim of a repeat = %+v, %v", c, err)
			}
		}
		claim(t, m, "another")
	})
	t.Run("of many at once one claims and all get its answer", func(t *testing.T) { manyClaim(t, open(t)) })
	t.Run("after a release the next claims", func(t *testing.T) {
		m := open(t)
		claim(t, m, "k")
		m.Release(t.Context(), "k")
		claim(t, m, "k")
		m.Finish(t.Context(), "k", []byte("second"))
		if c, _ := m.Claim(t.Context(), "k", ""); string(c.Answer) != "second" {
			t.Errorf("answer = %q", c.Answer)
		}
	})
	t.Run("one that waits takes over after a release", func(t *testing.T) { takesOver(t, open(t)) })
	t.Run("an answer that is not kept is still an answer", func(t *testing.T) {
		m := open(t)
		claim(t, m, "k")
		m.Finish(t.Context(), "k", nil)
		if c, err := m.Claim(t.Context(), "k", ""); err != nil || c.First || c.Answer != nil {
			t.Errorf("Claim of a repeat = %+v, %v", c, err)
		}
	})
	t.Run("waiting ends by itself", func(t *testing.T) {
		m := open(t)
		claim(t, m, "k")
		if c, err := m.Claim(t.Context(), "k", ""); c.First || !errors.Is(err, store.ErrBusy) {
			t.Errorf("Claim = %+v, %v; want ErrBusy", c, err)
		}
	})
	t.Run("waiting ends with the context", func(t *testing.T) {
		m := open(t)
		claim(t, m, "k")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if c, err := m.Claim(ctx, "k", ""); c.First || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Claim = %+v, %v", c, err)
		}
	})
}

func takesOver(t *testing.T, m store.Dedup) {
	t.Helper()
	claim(t, m, "k")
	took := make(chan bool)
	go func() {
		c, _ := m.Claim(context.WithoutCancel(t.Context()), "k", "")
		took <- c.First
	}()
	m.Release(t.Context(), "k")
	if !<-took {
		t.Error("the one that waited did not become the first")
	}
}

func claim(t *testing.T, m store.Dedup, key string) {
	t.Helper()
	if c, err := m.Claim(t.Context(), key, ""); err != nil || !c.First || c.Counted {
		t.Fatalf("Claim(%q) = %+v, %v; want to be the first", key, c, err)
	}
}

func manyClaim(t *testing.T, m store.Dedup) {
	var firsts, answered atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			c, err := m.Claim(t.Context(), "k", "")
			switch {
			case err != nil:
				t.Errorf("Claim: %v", err)
			case c.First:
				firsts.Add(1)
				m.Finish(t.Context(), "k", []byte("answer"))
			case string(c.Answer) == "answer":
				answered.Add(1)
			}
		})
	}
	all.Wait()
	if firsts.Load() != 1 || answered.Load() != 49 {
		t.Errorf("%d claimed and %d were answered, want 1 and 49", firsts.Load(), answered.Load())
	}
}
