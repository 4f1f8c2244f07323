package redis

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store"
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
	if err := o.PutMute(t.Context(), id, "mute"); err != nil {
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
	if !o.link.usable() {
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

func TestReplica_strangersValueUnderAnyKey_isSetAside_andHarmsNobody(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	k := newKeys(0)
	ours := []string{k.conversation("s"), k.mark("k s", "s"), k.alarms(), k.mutes(), k.rate()}
	ours = append(ours, k.outbox()...)
	for _, key := range ours {
		for _, kind := range []string{"string", "list", "set", "hash", "zset", "stream"} {
			if kind == k.kind(key) {
				continue
			}
			t.Run(key+" is a "+kind, func(t *testing.T) {
				app := apps.Add(1)
				o := join(t, server, app)
				key := strings.Replace(key, "escalator:0:", fmt.Sprintf("escalator:%d:", app), 1)
				plant(t, c, key, kind)
				everything(t, o, "s")
				everything(t, o, "other")
				wantSetAside(t, o, c, key, kind)
			})
		}
	}
}

// wantSetAside wants a value to have been reported, and to be kept for a while
// under a name that begins like its key.
func wantSetAside(t *testing.T, o *one, c *redis.Client, key, kind string) {
	t.Helper()
	if told := o.reported(); strings.Count(told, "\n") != 0 || !strings.Contains(told, key+" holds a "+kind) {
		t.Errorf("reported: %q", told)
	}
	for _, aside := range allKeys(t, c) {
		if !strings.HasPrefix(aside, key+":damaged:") {
			continue
		}
		ttl, err := c.PTTL(t.Context(), aside).Result()
		if got := do(t, c, "TYPE", aside); got != kind || err != nil || ttl <= 0 || ttl > keepDamaged {
			t.Errorf("%s is a %s and expires in %s, %v", aside, got, ttl, err)
		}
		return
	}
	t.Errorf("nothing is kept of %s", key)
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
			if told := o.reported(); strings.Count(told, "\n") != 0 || !strings.Contains(told, key+" cannot be read") {
				t.Errorf("reported: %q", told)
			}
		})
	}
}

// TestConversations_mendedMeanwhile_areNotSetAside: of two replicas that read
// the same damage, the slower one must not move what the other has saved since.
func TestConversations_mendedMeanwhile_areNotSetAside(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	do(t, raw(t, server), "SET", a.client.keys.conversation("s"), "damaged")
	if c, err := a.Claim(t.Context(), "k", "s"); !c.First || err != nil { // reads it on the way
		t.Fatal(c, err)
	}
	b.observe("s", rules.EventWithHuman)
	if p := a.phase("s"); p != rules.PhaseHuman {
		t.Errorf("phase = %s", p)
	}
	if told := a.reported(); told != "" {
		t.Errorf("reported: %q", told)
	}
}

func TestReplica_damagedTransfer_isSetAside(t *testing.T) {
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
			if told := o.reported(); strings.Count(told, "\n") != 0 || !strings.Contains(told, `the transfer of "s" cannot be read`) {
				t.Errorf("reported: %q", told)
			}
			kept, _ := do(t, c, "HGET", o.client.keys.damaged(), "s").(string)
			if tail := value[strings.LastIndexByte(value, '|')+1:]; !strings.HasSuffix(kept, tail) || kept == "" && value != "" {
				t.Errorf("kept: %q", kept)
			}
			wantTidy(t, c, app)
			everything(t, o, "s")
		})
		do(t, c, "FLUSHALL")
	}
}

// TestOutbox_whoseOrderAStrangerReplaced_findsItsTransfersAgain has somebody
// write over each order of the outbox while there are transfers in it.
func TestOutbox_whoseOrderAStrangerReplaced_findsItsTransfersAgain(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	for n := range newKeys(0).outbox()[1:] {
		t.Run(newKeys(0).outbox()[n+1], func(t *testing.T) {
			o := join(t, server, apps.Add(1))
			all := map[string]bool{}
			for i := range 6 {
				o.mustEscalate(name(i), "e")
				all[name(i)] = true
			}
			leased, waiting, given := o.take(), o.take(), o.take()
			waiting.State, waiting.Until, waiting.Due = store.Waiting, time.Now().Add(time.Hour), time.Now().Add(time.Hour)
			given.State, given.Due = store.GivenUp, time.Now()
			for _, tr := range []*store.Transfer{waiting, given} {
				if err := o.Save(t.Context(), tr); err != nil {
					t.Fatal(err)
				}
			}
			delete(all, given.ID)
			plant(t, c, o.client.keys.outbox()[n+1], "list")
			if err := o.Put(t.Context(), transfer("late", "e")); err != nil {
				t.Fatal(err)
			}
			all["late"] = true
			if err := o.Reschedule(t.Context(), waiting.ID, time.Now()); err != nil {
				t.Errorf("Reschedule: %v", err)
			}
			do(t, c, "ZADD", o.client.keys.outbox()[3], "XX", 1, leased.ID) // its replica dies
			for len(all) > 0 {
				tr := o.take()
				if !all[tr.ID] {
					t.Fatalf("%s was taken twice, or was given up", tr.ID)
				}
				delete(all, tr.ID)
				if err := o.Delete(t.Context(), tr); err != nil {
					t.Fatal(err)
				}
			}
			o.takeNone()
			if list, err := o.List(t.Context()); len(list) != 1 || err != nil {
				t.Errorf("%d left, %v; want the one that was given up", len(list), err)
			}
		})
	}
}
