package app

import (
	"context"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/handlers"
)

const (
	// noteReplicaEvery is how often a replica tells the others that it is there.
	noteReplicaEvery = 5 * time.Second
	// folderTimeout is how long whoever asks for the status waits for the disk.
	folderTimeout = time.Second
)

// condition is what GET /api/status is made of.
type condition struct {
	app     *App
	kept    *stores
	desk    *desk.Client
	history *history.History // nil: none is kept
	replica string
	started time.Time
	seen    atomic.Pointer[map[string]time.Time] // replicas
	looking sync.Mutex                           // at the data folder, which may hang
}

// newCondition begins to note that this replica is there, where there are others.
func (a *App) newCondition(kept *stores, client *desk.Client, h *history.History) *condition {
	c := &condition{app: a, kept: kept, desk: client, history: h, started: a.clock.Wall(), replica: kept.name}
	if kept.redis != nil {
		note := func(ctx context.Context) {
			if seen, err := kept.redis.Replicas(ctx, c.replica); err == nil {
				c.seen.Store(&seen)
			}
		}
		a.background("replicas", func(ctx context.Context) {
			note(ctx)
			clock.Every(ctx, noteReplicaEvery, note)
		})
	}
	return c
}

// pending is how many transfers are on their way, with Redis those of all replicas.
func (c *condition) pending() int { return c.kept.stats().Pending }

func (c *condition) status() handlers.Installation {
	s, now := c.app.settings, c.app.clock.Wall()
	last := c.desk.LastCall()
	is := handlers.Installation{
		Version: s.Version, Commit: s.Commit, Go: runtime.Version(), Replica: c.replica,
		StartedAt: c.started, UptimeS: now.Sub(c.started).Seconds(), Settings: s.Shown,
		Store: c.store(), Redis: c.redis(now), History: c.historyKept(),
		Desk: handlers.DeskStatus{Condition: c.app.bot.Delivery(), LastError: last.Error},
		Log:  handlers.LogStatus{Dropped: c.app.log.Dropped()},
	}
	if !last.At.IsZero() {
		is.Desk.LastCallAt = &last.At
	}
	return is
}

func (c *condition) store() handlers.StoreStatus {
	k, outbox := c.kept, c.kept.stats()
	is := handlers.StoreStatus{
		Kind: "disk", Dir: c.app.settings.DataDir, Bytes: c.folderSize(), CanWrite: k.writable() == nil,
		Conversations: k.local.Live(), Marks: k.localDedup.Len(), OutboxPending: outbox.Pending, GivenUp: outbox.GivenUp,
	}
	if k.redis != nil {
		is.Kind = "redis"
	}
	return is
}

// folderSize is what the files of the data folder take, its folders apart; -1 where the
// disk does not answer.
func (c *condition) folderSize() int64 {
	if !c.looking.TryLock() {
		return -1
	}
	found := make(chan int64, 1)
	go func() {
		defer c.looking.Unlock()
		size := int64(0)
		entries, err := os.ReadDir(c.app.settings.DataDir)
		if err != nil {
			size = -1
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				size += info.Size()
			}
		}
		found <- size
	}()
	select {
	case size := <-found:
		return size
	case <-time.After(folderTimeout):
		return -1
	}
}

func (c *condition) redis(now time.Time) *handlers.RedisStatus {
	if c.kept.redis == nil {
		return nil
	}
	up, since := c.kept.replica.Up()
	if since.IsZero() {
		since = c.started
	}
	is := &handlers.RedisStatus{Address: c.kept.redis.Address(), Up: up, Since: since, Replicas: []handlers.Replica{}}
	if seen := c.seen.Load(); seen != nil {
		for _, name := range slices.Sorted(maps.Keys(*seen)) {
			is.Replicas = append(is.Replicas, handlers.Replica{Name: name, SeenS: max(0, now.Sub((*seen)[name]).Seconds())})
		}
	}
	return is
}

func (c *condition) historyKept() *handlers.HistoryStatus {
	if c.history == nil {
		return nil
	}
	is := &handlers.HistoryStatus{For: c.app.settings.HistoryFor.String(), Max: c.app.settings.HistoryMax}
	var since time.Time
	if is.Bytes, since = c.history.OnDisk(); !since.IsZero() {
		is.Since = &since
	}
	return is
}
