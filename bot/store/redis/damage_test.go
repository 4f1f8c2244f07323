package redis

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// everything does all that replicas do, for one conversation. It wants nothing
// to fail.
func everything(t *testing.T, o *one, id string) {
	t.Helper()
	callback{key: "k " + id, id: id, timed: true, alarm: time.Now().Add(-time.Minute)}.to(t, o)
	callback{key: "k2 " + id, id: id, timed: true, escalates: true, alarm: time.Now().Add(-time.Minute)}.to(t, o)
	if p := o.phase(id); p != rules.PhaseQueued {
		t.Errorf("%s: phase = %s", id, p)
	}
	lifeOfATransfer(t, o, id)
	o.takeNone()
	if _, err := o.List(t.Context()); err != nil {
		t.Errorf("List: %v", err)
	}
	if err := o.PutMutes(t.Context(), map[string]string{id: "mute"}); err != nil {
		t.Errorf("PutMute: %v", err)
	}
	if mutes, err := o.Mutes(t.Context()); err != nil || mutes[id] != "mute" {
		t.Errorf("Mutes = %v, %v", mutes, err)
	}
	if _, err := o.Overdue(t.Context()); err != nil {
		t.Errorf("Overdue: %v", err)
	}
	p := o.RateLimiter()
	p.SetRate(1000, time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := p.Wait(ctx); err != nil {
		t.Errorf("Wait: %v", err)
	}
	if !o.Sharing() {
		t.Errorf("the replica was cut off from Redis: %v", o.Degraded())
	}
}

// plant puts a value of a type under a key.
func plant(t *testing.T, c *redis.Client, key, kind string) {
	t.Helper()
	do(t, c, "DEL", key)
	switch kind {
	case "string":
		do(t, c, "SET", key, "of a stranger")
	case "list":
		do(t, c, "RPUSH", key, "of a stranger")
	case "set":
		do(t, c, "SADD", key, "of a stranger")
	case "hash":
		do(t, c, "HSET", key, "of", "a stranger")
	case "zset":
		do(t, c, "ZADD", key, 1, "of a stranger")
	case "stream":
		do(t, c, "XADD", key, "*", "of", "a stranger")
	}
}

// A value of somebody else under a key of ours is told of, and not mended: what needs
// the key is done by this replica alone, and all the rest goes on as it was.
func TestReplica_strangersValueUnderAnyKey_isTold_andNoCallbackFails(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	k := newKeys(0)
	for key, ours := range map[string]string{
		k.conversation("s"): "string", k.callback("k s", "s"): "string", k.alarms(): "zset", k.mutes(): "hash", k.rate(): "string",
		k.outbox()[0]: "hash", k.outbox()[1]: "zset", k.outbox()[2]: "zset", k.outbox()[3]: "zset", k.outbox()[4]: "zset",
	} {
		for _, kind := range []string{"string", "list", "hash", "zset"} {
			if kind == ours {
				continue
			}
			t.Run(key+" is a "+kind, func(t *testing.T) {
				app := apps.Add(1)
				o := join(t, server, app)
				plant(t, c, strings.Replace(key, "escalator:0:", fmt.Sprintf("escalator:%d:", app), 1), kind)
				for _, id := range []string{"s", "other"} {
					callback{key: "k " + id, id: id, escalates: true, timed: true, alarm: time.Now().Add(-time.Minute)}.to(t, o)
					callback{key: "k2 " + id, id: id}.to(t, o)
				}
				_ = o.PutMutes(t.Context(), map[string]string{"r": "mute"})
				_, _ = o.Overdue(t.Context())
				l := o.RateLimiter()
				l.SetRate(1000, time.Second)
				if err := l.Wait(t.Context()); err != nil {
					t.Errorf("Wait: %v", err)
				}
				_, _, _ = o.Take(t.Context(), time.Now())
				if told := o.reported(); !strings.Contains(told, "is not ours") || o.fell.Load() != 0 {
					t.Errorf("reported: %q; %d times away", told, o.fell.Load())
				}
			})
		}
	}
}

func TestReplica_damagedConversation_startsAfresh(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	for _, value := range []string{" ", "short", "12345678", "12345678\xff\xff", strings.Repeat("x", 5000)} {
		t.Run(fmt.Sprintf("%.20q", value), func(t *testing.T) {
			o := join(t, server, apps.Add(1))
			key := o.client.keys.conversation("s")
			do(t, c, "SET", key, value)
			everything(t, o, "s")
			everything(t, o, "other")
			if told := o.reported(); !strings.Contains(told, key+" cannot be read") {
				t.Errorf("reported: %q", told)
			}
		})
	}
}

func TestReplica_damagedTransfer_isTold_andNotTried(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	good, err := encode(transfer("s", "e"), "", doubtNone)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"empty":              "",
		"not ours":           "of a stranger",
		"its head only":      "p|e|1|1||0|",
		"broken JSON":        "p|e|1|1||0|{",
		"another id":         strings.ReplaceAll(good, `"id":"s"`, `"id":"x"`),
		"no target":          strings.ReplaceAll(good, `"chain":[`, `"chain":[],"x":[`),
		"no numbers":         "p|e|x|y||0|{}",
		"numbers too large":  "p|e|" + strings.Repeat("9", 400) + "|" + strings.Repeat("9", 400) + "||0|{}",
		"an unknown doubt":   strings.Replace(good, "||0|", "||?|", 1),
		"state of a strange": "|||||||||||",
	} {
		t.Run(name, func(t *testing.T) {
			app := apps.Add(1)
			o := join(t, server, app)
			everything(t, o, "first")
			keys := o.client.keys.outbox()
			do(t, c, "HSET", keys[0], "s", value)
			do(t, c, "ZADD", keys[1], 1, "s")
			do(t, c, "ZADD", keys[2], 1, "known to nobody")
			everything(t, o, "other")
			if told := o.reported(); !strings.Contains(told, `the transfer of "s" cannot be read`) {
				t.Errorf("reported: %q", told)
			}
			wantTidy(t, c, app)
			everything(t, o, "s")
		})
		do(t, c, "FLUSHALL")
	}
}
