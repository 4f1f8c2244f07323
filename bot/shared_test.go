package bot

import (
	"testing"
	"time"

	redisclient "github.com/redis/go-redis/v9"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/bot/store/redis"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

func TestWake_ofAConversationThatNeedsNoAlarm_forgetsIt(t *testing.T) {
	server := redistest.Start(t)
	client, err := redis.New(redis.Options{URL: server.URL(), App: 1, DedupFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	b := newWorld(t, memory.NewOutbox(nil)).bot
	shared := redis.NewStore(client, func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) }, store.Alarms{Next: b.NextAlarm})
	b.Conversations = shared

	c := server.Client()
	defer func() { _ = c.Close() }()
	const key = "escalator:1:{alarms}"
	if err := c.ZAdd(t.Context(), key, redisclient.Z{Score: float64(time.Now().Add(-time.Minute).UnixMilli()), Member: "s"}).Err(); err != nil {
		t.Fatal(err)
	}
	ids, err := shared.Overdue(t.Context())
	if err != nil || len(ids) != 1 || ids[0] != "s" {
		t.Fatalf("Overdue = %q, %v", ids, err)
	}
	b.Wake(append(ids, "forgotten long ago"))
	if left, err := c.ZCard(t.Context(), key).Result(); left != 0 || err != nil {
		t.Errorf("%d alarms are left, %v", left, err)
	}
}
