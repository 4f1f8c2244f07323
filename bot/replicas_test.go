package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/failover"
	"escalator/bot/store/memory"
	"escalator/bot/store/redis"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

const replicaRules = `
version: 1
lists: {person: [human]}
targets: {default: {}}
events: {Session.Over: closed}
rules:
  - {id: human, when: {says: [$person]}, then: {transfer: default}, cooldown: 1s}
  - {id: many, when: {rate: {messages: 5, within: 1h}}, then: {transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 3, within: 1h}}, then: {transfer: default}}
`

// replicas are bots over one Redis, and one Desk that all of them call.
type replicas struct {
	t      *testing.T
	server *redistest.Server
	all    []*world
	stores []*failover.Store
}

func withReplicas(t *testing.T, n int, change ...func(*Options)) *replicas {
	t.Helper()
	r := &replicas{t: t, server: redistest.Start(t)}
	for range n {
		r.join(change...)
	}
	return r
}

// join starts one more replica, which runs until the test ends.
func (r *replicas) join(change ...func(*Options)) *world {
	r.t.Helper()
	client, err := redis.New(redis.Options{URL: r.server.URL(), App: 1, DedupFor: time.Minute})
	if err != nil {
		r.t.Fatal(err)
	}
	disk := memory.NewOutbox(nil)
	var shared *failover.Store
	w := newWorld(r.t, disk, append([]func(*Options){func(o *Options) {
		expires := func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) }
		shared = failover.New(failover.Options{
			Shared: redis.NewStore(client, expires, store.Alarms{}),
			Local:  failover.Local{Conversations: o.Conversations.(*memory.Conversations), Dedup: o.Dedup, Outbox: localOutbox{disk}},
			Changed: func(bool, error) {},
		})
		o.Conversations, o.Dedup, o.Chats, o.Outbox, o.Policy = shared, shared, shared, shared, mustLoad(r.t, replicaRules)
		if len(r.all) > 0 {
			o.Desk = r.all[0].desk
		}
	}}, change...)...)
	if len(r.all) > 0 {
		w.desk = r.all[0].desk
	}
	if err := shared.Connect(r.t.Context(), client.Check); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { shared.Run(ctx) })
	w.bot.Start()
	r.t.Cleanup(func() {
		_ = w.bot.Stop(context.Background())
		cancel()
		running.Wait()
		_ = client.Close()
	})
	r.all, r.stores = append(r.all, w), append(r.stores, shared)
	return w
}

// localOutbox never fills up.
type localOutbox struct{ *memory.Outbox }

func (localOutbox) Writable() error { return nil }

// chatLine is a message of which plain IM and Desk send a copy each.
type chatLine struct {
	key, text string
	fromBot   bool
	twoKeys   bool // Desk's copy has a MsgKey of its own
}

func (l chatLine) fromIM(w *world) *desk.Event {
	if l.fromBot {
		return im(w, desk.CommandC2CAfter, l.key, l.text, `"From_Account":"jared","To_Account":"@RBT#001"`, `"From_Account":"@service","To_Account":"user1"`,
			`"CloudCustomData":""`, `"CloudCustomData":"{\"messageType\":\"fallback\"}"`)
	}
	return w.fromIM(desk.CommandBotC2C, l.key, l.text)
}

func (l chatLine) fromDesk(w *world) *desk.Event {
	key, name, custom := l.key, desk.EventUserMessage, ""
	if l.twoKeys {
		key = "desk-" + key
	}
	if l.fromBot {
		name, custom = desk.EventBotMessage, `{\"messageType\":\"fallback\"}`
	}
	return w.raw(desk.CommandSessionEvent, fmt.Sprintf(`{"SessionId":"s1","Event":%q,"ClientUserId":"user1","CustomerServiceId":"@service","MsgKey":%q,"CloudCustomData":"%s",`+
		`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":%q}}]}`, name, key, custom, l.text))
}

// wantDesk is the answer that Desk's copy must get.
func (l chatLine) wantDesk() []byte {
	switch {
	case l.fromBot:
		return answerOK
	case strings.Contains(l.text, "human"):
		return answerSelf
	default:
		return answerDesk
	}
}

// deliver gives a callback to a replica, again where that is busy, as its sender does.
func (r *replicas) deliver(to *world, e *desk.Event, want []byte) {
	for range 20 {
		a, err := to.bot.Handle(context.Background(), Request{Event: e})
		if errors.Is(err, ErrUnavailable) {
			continue
		}
		if err != nil || string(a.JSON) != string(want) {
			r.t.Errorf("%s %s %q: answer %s, %v; want %s", e.Command, e.MsgKey, e.Text, a.JSON, err, want)
		}
		return
	}
	r.t.Errorf("%s %s %q: never answered", e.Command, e.MsgKey, e.Text)
}

// counted adds up what all conversations of the customer have counted.
func (r *replicas) counted() (all rules.Counters) {
	r.t.Helper()
	w := r.all[len(r.all)-1]
	for _, id := range []string{imID, "s1"} {
		err := w.bot.Conversations.View(r.t.Context(), id, func(c *rules.Conversation) {
			_, trace := w.bot.Policy().Explain(c, rules.Turn{Kind: rules.TimerTurn, At: w.bot.Clock.Now()})
			all.UserMessages += trace.Counters.UserMessages
			all.MissesInARow += trace.Counters.MissesInARow
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	return all
}

func (r *replicas) wantCounted(messages, misses int) {
	r.t.Helper()
	if got := r.counted(); got.UserMessages != messages || got.MissesInARow != misses {
		r.t.Errorf("counted: %d messages and %d misses, want %d and %d", got.UserMessages, got.MissesInARow, messages, misses)
	}
}

// wantTransfers counts what was decided, by all replicas, and waits until Desk has it.
func (r *replicas) wantTransfers(n int) {
	r.t.Helper()
	decided := 0
	for _, w := range r.all {
		for _, line := range w.log.Lines("decision") {
			if line["outcome"] == "transfer" {
				decided++
			}
		}
	}
	if decided != n {
		r.t.Errorf("%d transfers were decided, want %d", decided, n)
	}
	r.eventually("Desk is called", func() bool { return len(r.all[0].desk.sent()) >= n })
}

// eventually polls until ok.
func (r *replicas) eventually(what string, ok func() bool) {
	r.t.Helper()
	late, look := time.After(20*time.Second), time.NewTicker(2*time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-late:
			r.t.Fatalf("%s: it did not come to that", what)
		}
	}
}

// TestReplicas_imsCopyToOne_desksToAnother is CONTRACT.md 4: the speaker's message counts once, from whichever of IM's and
// Desk's callbacks it comes; a copy waits for the first and gets the same decision in the form of its own command.
func TestReplicas_imsCopyToOne_desksToAnother_countOnce(t *testing.T) {
	chat := []chatLine{{text: "where is it"}, {text: "sorry", fromBot: true}, {text: "where is it"}, {text: "sorry", fromBot: true}, {text: "a human, please"}}
	for _, twoKeys := range []bool{false, true} {
		for _, order := range []string{"im desk", "desk im", "at once", "im desk, desk im", "im im, desk desk"} {
			t.Run(fmt.Sprintf("%s, two keys %v", order, twoKeys), func(t *testing.T) {
				r := withReplicas(t, 2)
				a, b := r.all[0], r.all[1]
				var later []func()
				for n, l := range chat {
					l.key, l.twoKeys = fmt.Sprint("k", n), twoKeys
					fromIM := func() { r.deliver(a, l.fromIM(a), answerOK) }
					fromDesk := func() { r.deliver(b, l.fromDesk(b), l.wantDesk()) }
					switch {
					case order == "at once":
						var both sync.WaitGroup
						both.Go(fromIM)
						both.Go(fromDesk)
						both.Wait()
					case order == "im im, desk desk":
						fromIM()
						later = append(later, fromDesk)
					case order == "desk im", order == "im desk, desk im" && n%2 == 1:
						fromDesk()
						fromIM()
					default:
						fromIM()
						fromDesk()
					}
				}
				for _, desks := range later {
					desks()
				}
				r.wantCounted(3, 2)
				r.wantTransfers(1)
				if id := len(a.log.Lines("decision")) + len(b.log.Lines("decision")); id != len(chat) {
					t.Errorf("%d decisions upon %d messages", id, len(chat))
				}
			})
		}
	}
}

// TestReplicas_aReplicaThatDies: one that got plain IM's copy dies at some point of it. Desk's copy, which is sent until it is
// answered, counts where the first had not, and no copy counts after that.
func TestReplicas_aReplicaThatDiesWithIMsCopy_leavesWhatItDidToDesks(t *testing.T) {
	for _, twoKeys := range []bool{false, true} {
		for _, counted := range []bool{false, true} {
			t.Run(fmt.Sprintf("two keys %v, counted %v", twoKeys, counted), func(t *testing.T) {
				t.Parallel()
				r := withReplicas(t, 2)
				a, b := r.all[0], r.all[1]
				l := chatLine{key: "k", text: "where is it", twoKeys: twoKeys}
				e := l.fromIM(a)
				key, chat := a.bot.inbound.Key(e), a.bot.inbound.Chat(a.bot.Policy(), e)
				if c, err := r.stores[0].ClaimIn(t.Context(), key, imID, (*store.Chat)(chat)); !c.First || err != nil {
					t.Fatal(c, err)
				}
				if counted { // and the own bot was to be asked
					err := r.stores[0].Update(t.Context(), imID, func(c *rules.Conversation) (store.Effect, error) {
						turn := rules.Turn{Kind: rules.UserTurn, Text: l.text, At: time.Now(), Wall: time.Now()}
						a.bot.Policy().Decide(c, turn)
						return store.Effect{DedupKey: key}, nil
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				r.deliver(b, l.fromDesk(b), answerDesk)
				r.deliver(r.join(), e, answerOK)
				r.deliver(b, l.fromDesk(b), answerDesk)
				r.wantCounted(1, 0)
			})
		}
	}
}

func TestReplicas_anOwnBotThatFailed_isOneDecisionForBothCopies(t *testing.T) {
	own := &ownBot{err: errors.New("down")}
	for _, order := range []string{"im desk", "desk im"} {
		for _, twoKeys := range []bool{false, true} {
			if twoKeys && order == "desk im" {
				continue // plain IM's copy is left to Desk, and asks for itself
			}
			t.Run(fmt.Sprintf("%s, two keys %v", order, twoKeys), func(t *testing.T) {
				r := withReplicas(t, 2, func(o *Options) {
					o.Backend = own
					o.Policy = mustLoad(t, strings.Replace(replicaRules, "times: 3", "times: 1", 1))
				})
				a, b := r.all[0], r.all[1]
				l := chatLine{key: "k", text: "where is it", twoKeys: twoKeys}
				steps := []func(){func() { r.deliver(a, l.fromIM(a), answerOK) }, func() { r.deliver(b, l.fromDesk(b), answerSelf) }}
				if order == "desk im" {
					steps[0], steps[1] = steps[1], steps[0]
				}
				steps[0]()
				asked := len(own.seen)
				steps[1]()
				if n := len(own.seen); n != asked {
					t.Errorf("the own bot was asked about the second copy too")
				}
				r.wantCounted(1, 1)
				r.wantTransfers(1)
			})
		}
	}
}

func TestReplicas_theBeginOfASession_isACopyOfPlainIMsFirstMessage_once(t *testing.T) {
	r := withReplicas(t, 2)
	a, b := r.all[0], r.all[1]
	r.deliver(a, chatLine{key: "k1", text: "where is it"}.fromIM(a), answerOK)
	begin := func(key string) *desk.Event { return b.told("", "s1", desk.EventSessionBegin, key, "") }
	for range 2 {
		r.deliver(b, begin("b1"), answerOK)
		r.deliver(a, begin("b1"), answerOK)
	}
	r.wantCounted(1, 0)
	r.deliver(b, begin("b2"), answerOK)
	r.wantCounted(0, 0)
}

// TestReplicas_withoutRedis_goOnFromWhatTheyKnow: one replica by itself counts each message once, as without Redis.
func TestReplicas_withoutRedis_oneGoesOnFromWhatItKnows(t *testing.T) {
	for _, twoKeys := range []bool{false, true} {
		r := withReplicas(t, 2)
		a, b := r.all[0], r.all[1]
		first, second := chatLine{key: "k1", text: "where is it", twoKeys: twoKeys}, chatLine{key: "k2", text: "hello", twoKeys: twoKeys}
		r.deliver(a, first.fromIM(a), answerOK)
		r.server.Kill()
		r.deliver(a, first.fromDesk(a), answerDesk)
		r.deliver(a, second.fromIM(a), answerOK) // left to Desk
		r.deliver(a, second.fromDesk(a), answerDesk)
		r.server.Restart()
		r.eventually("what came meanwhile is in Redis", func() bool { return r.counted().UserMessages == 2 })
		third := chatLine{key: "k3", text: "a human, please", twoKeys: twoKeys}
		r.deliver(b, third.fromDesk(b), answerSelf)
		r.deliver(a, third.fromIM(a), answerOK)
		r.wantCounted(3, 0)
		r.wantTransfers(1)
	}
}
