package journal_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"escalator/bot/store"
	"escalator/bot/store/journal"
	"escalator/bot/store/storetest"
)

func TestStore_equalsANaiveModel_alsoOverRestarts(t *testing.T) {
	root, walks := t.TempDir(), 0
	var dir string
	var clock func() time.Time
	start := func(t *rapid.T) store.Outbox {
		s, err := journal.Open(journal.Options{Dir: dir, Now: clock, Report: func(problem, _ string) { t.Fatalf("reported: %s", problem) }})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		t.Cleanup(func() { _ = s.Close(context.WithoutCancel(t.Context())) })
		return s
	}
	storetest.OutboxModel(t, func(t *rapid.T, now func() time.Time) store.Outbox {
		walks++
		dir, clock = filepath.Join(root, fmt.Sprint(walks)), now
		return start(t)
	}, func(t *rapid.T, o store.Outbox) store.Outbox {
		if err := o.(*journal.Store).Close(context.WithoutCancel(t.Context())); err != nil {
			t.Fatalf("Close: %v", err)
		}
		return start(t)
	})
}
