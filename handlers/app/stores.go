package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/delivery"
	"escalator/bot/messages"
	"escalator/bot/metrics"
	"escalator/bot/store"
	"escalator/bot/store/failover"
	"escalator/bot/store/journal"
	"escalator/bot/store/memory"
	"escalator/bot/store/redis"
	"escalator/rules"

	"escalator/rules/lang"
)

// stores are where the bot keeps its state: in this process and on its disk
// or, with Redis, together with other replicas.
type stores struct {
	conversations store.Conversations
	dedup         store.Dedup
	chats         store.Chats // nil without Redis
	outbox        store.Outbox
	records       store.Records
	writable      func() error         // why the outbox takes nothing, or nil
	stats         func() store.Stats   // what the outbox holds
	limiter       delivery.RateLimiter // nil: this process alone
	redis         *redis.Client        // nil without Redis
	replica       *failover.Store      // the same
	local         *memory.Conversations
	localDedup    *memory.Dedup
	localRecords  *memory.Records
	disk          *journal.Store
	name          string // which of several replicas this is, for people
}

// notReady says why nothing can be stored, nil if it can.
func (s *stores) notReady() []string {
	if err := s.writable(); err != nil {
		return []string{lang.Say("the outbox cannot be written: %v", err).String()}
	}
	return nil
}

// answers takes the locks that a callback takes, of another conversation at each beat.
func (s *stores) answers(ctx context.Context, beat int) error {
	_ = s.disk.Writable()                                                                  // a disk that is full would be so after a restart as well
	return s.local.View(ctx, "watchdog-"+strconv.Itoa(beat), func(*rules.Conversation) {}) //nolint:wrapcheck // it never fails
}

// degraded says what is done without, nil if nothing.
func (s *stores) degraded() []string {
	if s.replica == nil {
		return nil
	}
	return s.replica.Degraded()
}

// feed is where replicas tell each other of decisions, nil where there is one.
func (s *stores) feed() store.Feed {
	if s.replica == nil {
		return nil
	}
	return s.replica
}

// openStores opens what the settings ask for.
func (a *App) openStores(metrics *metrics.Metrics, registry *prometheus.Registry) (*stores, error) {
	s := a.settings
	disk, err := a.openData(metrics.StoreErrors.Inc)
	if err != nil {
		return nil, err
	}
	a.onStop("data folder", disk.Close)
	expires := func(c *rules.Conversation) time.Time { return a.bot.Policy().Expiry(c) }
	dedup := memory.NewDedup(memory.DedupOptions{Keep: s.DedupFor, Journal: disk, Max: s.MaxDedupKeys, Now: a.clock.Now, Evicted: metrics.Evicted("mark")})
	alarms := store.Alarms{
		Next: func(c *rules.Conversation) time.Time { return a.bot.NextAlarm(c) },
		Set:  func(id string, at time.Time) { a.bot.SetAlarm(id, at) },
	}
	evicted := evictedRecords(metrics)
	records := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(s.MaxUsers), Now: a.clock.Now, Journal: disk, Evicted: evicted})
	local := memory.NewConversations(memory.ConversationsOptions{
		Outbox: disk, Journal: disk, Dedup: dedup, Records: records, Alarms: alarms, Now: a.clock.Now, Max: s.MaxConversations, Evicted: metrics.Evicted("conversation"), Expires: expires,
	})
	a.background("sweeper", func(ctx context.Context) { memory.Sweep(ctx, dedup.Sweep, local.Sweep, records.Sweep) })
	host, _ := os.Hostname()
	all := &stores{name: cmp.Or(host, "escalator") + "-" + rand.Text()[:8], conversations: local, dedup: dedup, outbox: disk, records: records, writable: disk.Writable, stats: disk.Stats, local: local, localDedup: dedup, localRecords: records, disk: disk}
	if s.RedisURL == "" {
		return all, nil
	}
	client, err := RedisClient(s, a.log.Logger, evicted)
	if err != nil {
		return nil, &SettingError{lang.Say("ESCALATOR_REDIS_URL: %s", err.Error())}
	}
	a.onStop("redis client", func(context.Context) error { return client.Close() })
	all.redis = client
	all.replica, err = a.joinReplicas(client, failover.Options{
		Shared: redis.NewStore(client, expires, store.Alarms{Next: alarms.Next}),
		Local:  failover.Local{Conversations: local, Dedup: dedup, Outbox: disk, Records: records},
		Merge:  mergeRecords,
	}, registry)
	if err != nil {
		return nil, err
	}
	all.records = all.replica
	all.conversations, all.dedup, all.chats, all.outbox = all.replica, all.replica, all.replica, all.replica
	all.writable, all.stats, all.limiter = all.replica.Writable, all.replica.Stats, all.replica.RateLimiter()
	return all, nil
}

// evictedRecords counts the records that go early by their kinds.
func evictedRecords(m *metrics.Metrics) func(store.Kind) {
	count := map[store.Kind]func(){}
	for _, kind := range store.Kinds {
		count[kind] = m.Evicted(string(kind))
	}
	return func(kind store.Kind) { count[kind]() }
}

// mergeRecords makes one of what this replica kept of a customer while Redis was away, and
// what Redis has.
func mergeRecords(kind store.Kind, ours, theirs []byte) []byte {
	switch kind {
	case store.KindUser:
		return rules.MergeUsers(ours, theirs)
	case store.KindWords:
		return messages.Merge(ours, theirs)
	default:
		return nil
	}
}

// RedisClient is the client of the Redis that the settings name. What is found
// damaged there is told of, not fatal. evicted hears of each record that goes early; nil: nobody.
func RedisClient(s *Settings, log *logrus.Logger, evicted func(store.Kind)) (*redis.Client, error) {
	return redis.New(redis.Options{
		URL: s.RedisURL.Reveal(), App: s.SDKAppID, DedupFor: s.DedupFor, MaxUsers: s.MaxUsers, Evicted: evicted,
		Report: func(problem string) { log.Error("damage in Redis: " + problem) },
	})
}

// joinReplicas joins the other replicas. A Redis that does not answer is no
// reason not to start: the replica works alone until it does.
func (a *App) joinReplicas(client *redis.Client, o failover.Options, registry *prometheus.Registry) (*failover.Store, error) {
	up := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "redis_up", Help: "1 while state is shared through Redis, 0 while this replica works alone; without `ESCALATOR_REDIS_URL` it is not there. Look when it is 0: see to Redis; transfers go on from this replica's memory and disk.",
	})
	registry.MustRegister(up)
	o.Now, o.Lost = a.clock.Now, a.lost
	o.Changed = func(isUp bool, cause error) {
		if isUp {
			up.Set(1)
			a.log.Warn("redis is back: state is shared again")
			return
		}
		up.Set(0)
		a.log.WithError(cause).Error("redis cannot be used: working alone, from this replica's memory and disk")
	}
	replica := failover.New(o)
	var config *redis.ConfigError
	switch err := replica.Connect(context.Background(), client.Check); {
	case errors.As(err, &config):
		return nil, &SettingError{lang.Say("ESCALATOR_REDIS_URL: %s", config.Problem)}
	case err != nil:
		a.log.WithError(err).Error("redis cannot be used: working alone, from this replica's memory and disk")
	default:
		up.Set(1)
		for _, w := range client.Warnings(context.Background()) {
			a.log.WithField("redis", client.Address()).Warn(w)
		}
	}
	a.background("redis", replica.Run)
	return replica, nil
}

// lost tells of a transfer that Redis had and has no more: it was emptied, or
// replaced by an older copy.
func (a *App) lost(t *store.Transfer, err error) {
	line := a.log.WithFields(delivery.LogFields(t))
	if err == nil || errors.Is(err, store.ErrPending) {
		line.Error("redis has lost a transfer: it was put back, and Desk is asked first")
		return
	}
	line.WithError(err).Error("redis has lost a transfer, and it could not be put back")
}

// shareRest shares what is no store: mutes, and the alarms of replicas that are
// gone.
func (a *App) shareRest(replica *failover.Store) {
	if replica == nil {
		return
	}
	a.background("shared mutes", a.mutes.Share)
	a.background("alarms of others", func(ctx context.Context) { a.bot.TakeOver(ctx, replica.Overdue) })
}
