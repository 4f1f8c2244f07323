package redis

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// faults are the ways in which a Redis goes away and comes back.
var faults = []struct {
	name          string
	breaks, mends func(s *redistest.Server)
}{
	{"killed", (*redistest.Server).Kill, (*redistest.Server).Restart},
	{"paused", (*redistest.Server).Pause, (*redistest.Server).Continue},
	{"read-only", func(s *redistest.Server) { s.ReadOnly(true) }, func(s *redistest.Server) { s.ReadOnly(false) }},
	{"out of memory", func(s *redistest.Server) { s.Set("maxmemory", "1") }, func(s *redistest.Server) { s.Set("maxmemory", "0") }},
}

func TestReplica_whenRedisGoesAwayInTheMiddleOfACallback_decidesFromItsOwnMemory(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			server := redistest.Start(t, "--appendfsync", "always")
			app := apps.Add(1)
			o, other := join(t, server, app), join(t, server, app)
			o.observe("s", rules.EventUserMessage)
			broken := false
			began := time.Now()
			if c, err := o.Claim(t.Context(), "k", "s"); !c.First || err != nil {
				t.Fatal(c, err)
			}
			var tr *store.Transfer
			err := o.Update(t.Context(), "s", func(c *rules.Conversation) (store.Effect, error) {
				if !broken {
					broken = true
					fault.breaks(server)
					began = time.Now()
				}
				c.Observe(rules.EventTransferring, time.Now(), time.Time{})
				tr = transfer("s", "e")
				return store.Effect{Transfer: tr, DedupKey: "k", Answer: []byte("ok")}, nil
			})
			if err != nil {
				t.Fatalf("Update: %v", err)
			}
			o.Finish(t.Context(), "k", []byte("ok"))
			if took := time.Since(began); took > time.Second {
				t.Errorf("the callback took %s", took)
			}
			if c, err := o.Claim(t.Context(), "k", "s"); string(c.Answer) != "ok" || c.First || err != nil {
				t.Errorf("a copy got %+v, %v", c, err)
			}
			if kept, err := o.disk.Get(t.Context(), "s"); err != nil || !kept.OutcomeUnknown {
				t.Errorf("in the local outbox: %+v, %v; want it, unsure", kept, err)
			}
			o.away()
			if d := o.Degraded(); len(d) != 1 || !strings.HasPrefix(d[0], "working without Redis since 20") {
				t.Errorf("Degraded = %q", d)
			}
			if p := o.phase("s"); p != rules.PhaseQueued {
				t.Errorf("phase without Redis = %s", p)
			}
			delivered := o.take() // without Redis
			fault.mends(server)
			o.back()
			other.back()
			if d := o.Degraded(); d != nil {
				t.Errorf("Degraded = %q after the return", d)
			}
			eventually(t, "bringing the conversation back", func() bool { return other.phase("s") == rules.PhaseQueued })
			eventually(t, "bringing the answer back", func() bool { _, callbacks, _ := o.Behind(); return callbacks == 0 })
			if c, err := other.Claim(t.Context(), "k", "s"); string(c.Answer) != "ok" || c.First || err != nil {
				t.Errorf("a copy to another replica got %+v, %v", c, err)
			}
			if err := o.Delete(t.Context(), delivered); err != nil {
				t.Errorf("Delete of what was taken without Redis: %v", err)
			}
			wantNothingLeft(t, o)
			wantNothingLeft(t, other)
		})
	}
}

// wantNothingLeft wants no transfer anywhere, and nothing remembered for later.
func wantNothingLeft(t *testing.T, o *one) {
	t.Helper()
	eventually(t, "tidying up", func() bool {
		list, err := o.List(t.Context())
		conversations, callbacks, transfers := o.Behind()
		o.outbox.mu.Lock()
		defer o.outbox.mu.Unlock()
		return err == nil && len(list)+conversations+callbacks+transfers+len(o.outbox.orphans)+len(o.outbox.leases) == 0
	})
}

func TestReplica_transferTakenFromRedis_endsWithoutIt(t *testing.T) {
	for _, fault := range faults {
		for _, ends := range []struct {
			name  string
			with  func(o *one, tr *store.Transfer) error
			stays bool
		}{
			{"deleted", func(o *one, tr *store.Transfer) error { return o.Delete(t.Context(), tr) }, false},
			{"saved", func(o *one, tr *store.Transfer) error { return o.Save(t.Context(), tr) }, true},
		} {
			t.Run(fault.name+", "+ends.name, func(t *testing.T) {
				server := redistest.Start(t)
				app := apps.Add(1)
				o, other := join(t, server, app), join(t, server, app)
				o.mustEscalate("s", "e")
				tr := o.take()
				fault.breaks(server)
				if err := ends.with(o, tr); err != nil {
					t.Errorf("ending the attempt: %v", err)
				}
				if ends.stays {
					got := o.take()
					if got.Episode != "e" || !got.OutcomeUnknown && !o.Sharing() {
						t.Errorf("taken again: %+v, want e, unsure", got)
					}
					if err := o.Delete(t.Context(), got); err != nil {
						t.Error(err)
					}
				}
				fault.mends(server)
				o.back()
				other.back()
				other.takeNone()
				wantNothingLeft(t, o)
			})
		}
	}
}

func TestReplica_conversationChangedWithoutRedis_isMerged(t *testing.T) {
	for _, test := range []struct {
		ours, theirs []rules.EventKind // theirs first, where ours is newer
		want         rules.Phase
	}{
		{[]rules.EventKind{rules.EventWithHuman}, []rules.EventKind{rules.EventNoAgent}, rules.PhaseHuman},
		{[]rules.EventKind{rules.EventNoAgent}, []rules.EventKind{rules.EventWithHuman}, rules.PhaseHuman},
		{[]rules.EventKind{rules.EventTransferring}, []rules.EventKind{rules.EventWithHuman}, rules.PhaseQueued},
		{[]rules.EventKind{rules.EventWithHuman}, []rules.EventKind{rules.EventTransferring}, rules.PhaseHuman},
	} {
		for _, byNextUpdate := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v over %v, by the next update %v", test.ours, test.theirs, byNextUpdate), func(t *testing.T) {
				server := redistest.Start(t)
				app := apps.Add(1)
				o, other := join(t, server, app), join(t, server, app)
				for _, k := range test.theirs {
					other.observe("s", k)
				}
				o.wire.cutOff(true) // this replica only
				o.away()
				now := time.Now().UnixMilli()
				eventually(t, "a later millisecond", func() bool { return time.Now().UnixMilli() > now })
				for _, k := range test.ours {
					o.observe("s", k)
				}
				o.wire.cutOff(false)
				o.back()
				if byNextUpdate {
					if p := o.phase("s"); p != test.want {
						t.Errorf("phase = %s, want %s", p, test.want)
					}
				}
				eventually(t, "the merged phase", func() bool { return other.phase("s") == test.want })
				eventually(t, "forgetting that it was changed", func() bool { behind, _, _ := o.Behind(); return behind == 0 })
			})
		}
	}
}

func TestReplica_withoutRedisAndWithAFullDisk_refuses(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	if err := o.Writable(); err != nil {
		t.Errorf("Writable = %v", err)
	}
	full := errors.New("no space left")
	o.disk.fill(full)
	if d := o.Degraded(); len(d) != 1 || d[0] != "nothing to fall back on if Redis goes away: no space left" {
		t.Errorf("Degraded = %q", d)
	}
	if err := o.Writable(); err != nil {
		t.Errorf("Writable = %v while Redis is there", err)
	}
	server.Kill()
	if _, err := o.escalate(t.Context(), "s", "e"); !errors.Is(err, full) {
		t.Errorf("Update = %v, want %v", err, full)
	}
	if p := o.phase("s"); p != rules.PhaseBot {
		t.Errorf("phase = %s after a refused transfer", p)
	}
	o.away()
	if err := o.Writable(); !errors.Is(err, full) {
		t.Errorf("Writable = %v, want %v", err, full)
	}
	if d := o.Degraded(); len(d) != 2 {
		t.Errorf("Degraded = %q", d)
	}
}

func TestReplica_neverConnected_worksAlone(t *testing.T) {
	o := makeReplica(t, "redis://127.0.0.1:1", apps.Add(1))
	if err := o.connect(); !errors.Is(err, store.ErrAway) {
		t.Errorf("Connect = %v, want store.ErrAway", err)
	}
	if d := o.Degraded(); len(d) != 1 || !strings.HasPrefix(d[0], "working without Redis: the shared store cannot be used now: asking 127.0.0.1:1") {
		t.Errorf("Degraded = %q", d)
	}
	callback{key: "k", id: "s", escalates: true}.to(t, o)
	callback{key: "k", id: "s", escalates: true}.to(t, o)
	if tr := o.take(); !tr.OutcomeUnknown {
		t.Error("decided without Redis, and not unsure")
	}
	if _, err := o.Mutes(t.Context()); !errors.Is(err, store.ErrAway) {
		t.Errorf("Mutes = %v, want store.ErrAway", err)
	}
	if _, err := o.Overdue(t.Context()); !errors.Is(err, store.ErrAway) {
		t.Errorf("Overdue = %v, want store.ErrAway", err)
	}
}

func TestConnect_toARedisThatRefusesOurSettings(t *testing.T) {
	server := redistest.Start(t)
	locked := redistest.Start(t, "--requirepass", "right")
	cluster := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
	with := func(s *redistest.Server, user string) string {
		return strings.Replace(s.URL(), "redis://", "redis://"+user+"@", 1)
	}
	for name, test := range map[string]struct{ url, want string }{
		"no password":         {locked.URL(), "NOAUTH"},
		"wrong password":      {with(locked, ":secret"), "WRONGPASS"},
		"unknown user":        {with(locked, "who:secret"), "WRONGPASS"},
		"database too high":   {server.URL() + "/99", "DB index"},
		"a node of a cluster": {cluster.URL() + "/1", "cluster"},
		"too old":             {oldRedis(t, "6.0.16"), "is Redis 6.0.16: 6.2 or newer is needed"},
	} {
		t.Run(name, func(t *testing.T) {
			o := makeReplica(t, test.url, apps.Add(1))
			err := o.connect()
			var config *ConfigError
			if !errors.As(err, &config) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Connect = %v, want a *ConfigError about %s", err, test.want)
			}
			if all := fmt.Sprint(err, o.Degraded()); strings.Contains(all, "secret") {
				t.Errorf("it tells the password: %s", all)
			}
		})
	}
}

// oldRedis answers as a Redis of that version would, as far as Check asks.
func oldRedis(t *testing.T, version string) (url string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serveOldRedis(conn, version)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "redis://" + l.Addr().String()
}

func serveOldRedis(conn net.Conn, version string) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		info := "# Server\r\nredis_version:" + version + "\r\n"
		switch strings.ToLower(lines.Text()) {
		case "hello":
			_, _ = fmt.Fprint(conn, "-ERR unknown command `HELLO`\r\n")
		case "evalsha", "eval":
			_, _ = fmt.Fprint(conn, ":1\r\n")
		case "info":
			_, _ = fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(info), info)
			return
		}
	}
}

// TestReplica_whosePasswordIsChanged_worksOnAloneUntilItIsBack: connections
// that are open stay, new ones are refused.
func TestReplica_whosePasswordIsChanged_worksOnAloneUntilItIsBack(t *testing.T) {
	server := redistest.Start(t)
	c := raw(t, server)
	do(t, c, "ACL", "SETUSER", "app", "on", ">old", "~*", "+@all")
	o := makeReplica(t, strings.Replace(server.URL(), "redis://", "redis://app:old@", 1), apps.Add(1))
	if err := o.connect(); err != nil {
		t.Fatal(err)
	}
	o.run()
	do(t, c, "ACL", "SETUSER", "app", "resetpass", ">new")
	do(t, c, "CLIENT", "KILL", "USER", "app")
	o.mustEscalate("s", "e")
	o.away()
	if d := strings.Join(o.Degraded(), "\n"); strings.Contains(d, "old") || !strings.Contains(d, "WRONGPASS") {
		t.Errorf("Degraded = %q", d)
	}
	do(t, c, "ACL", "SETUSER", "app", ">old")
	o.back()
	o.take()
}

// TestReplica_whoseRedisIsEmptied_startsAfresh: what Redis says counts, also when
// it has forgotten everything.
func TestReplica_whoseRedisIsEmptied_startsAfresh(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	o := join(t, server, app)
	everything(t, o, "s")
	o.mustEscalate("t", "e")
	tr := o.take()
	do(t, raw(t, server), "FLUSHALL")
	if err := o.Save(t.Context(), tr); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Save = %v, want ErrNotFound", err)
	}
	o.takeNone()
	o.mustEscalate("t", "e2")
	if err := o.Delete(t.Context(), o.take()); err != nil {
		t.Error(err)
	}
	everything(t, o, "u")
}

// A probe that passes on a full Redis would have the replica come and go.
func TestProbe_ofAFullRedis_fails(t *testing.T) {
	server := redistest.Start(t)
	c := open(t, server, 0, nil).client
	server.Set("maxmemory", "1mb")
	if err := c.Probe(t.Context()); !errors.Is(err, store.ErrAway) {
		t.Errorf("a full Redis is taken for a usable one: %v", err)
	}
	server.Set("maxmemory", "0")
	if err := c.Probe(t.Context()); err != nil {
		t.Errorf("after it was given room: %v", err)
	}
}

// An idle courier waits until the time that Take tells, and hears no signal of
// what other replicas did: without a time it would sleep through the return.
func TestReplica_take_tellsWhenToLookAgain_alsoWhileRedisIsAway(t *testing.T) {
	server := redistest.Start(t)
	r := join(t, server, apps.Add(1))
	looks := func(when string) {
		t.Helper()
		now := time.Now()
		tr, next, err := r.Take(t.Context(), now)
		if tr != nil || err != nil || next.IsZero() || next.After(now.Add(time.Second)) {
			t.Errorf("%s: Take = %v, look again at %v, %v", when, tr, next, err)
		}
	}
	looks("with Redis")
	server.Kill()
	looks("as it goes away")
	looks("while it is away")
}
