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
	change []func(*Options)
	all    []*world
	stores []*failover.Store
	stop   []func()
}

func withReplicas(t *testing.T, n int, change ...func(*Options)) *replicas {
	t.Helper()
	r := &replicas{t: t, server: redistest.Start(t), change: change}
	t.Cleanup(func() {
		for _, stop := range r.stop {
			stop()
		}
	})
	for range n {
		r.join()
	}
	return r
}

// restart ends a replica and starts another one in its place, which knows nothing.
func (r *replicas) restart(n int) {
	r.t.Helper()
	r.stop[n]()
	r.join()
	last := len(r.all) - 1
	r.all[n], r.stores[n], r.stop[n] = r.all[last], r.stores[last], r.stop[last]
	r.all, r.stores, r.stop = r.all[:last], r.stores[:last], r.stop[:last]
}

// join starts one more replica, which runs until the test ends.
func (r *replicas) join() *world {
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
			Shared:  redis.NewStore(client, expires, store.Alarms{}),
			Local:   failover.Local{Conversations: o.Conversations.(*memory.Conversations), Dedup: o.Dedup, Outbox: localOutbox{disk}, Records: o.Records.(*memory.Records)},
			Changed: func(bool, error) {},
		})
		o.Conversations, o.Dedup, o.Chats, o.Outbox, o.Records, o.Policy = shared, shared, shared, shared, shared, mustLoad(r.t, replicaRules)
		if len(r.all) > 0 {
			o.Desk = r.all[0].desk
		}
	}}, r.change...)...)
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
	r.all, r.stores = append(r.all, w), append(r.stores, shared)
	r.stop = append(r.stop, func() {
		_ = w.bot.Stop(context.Background())
		cancel()
		running.Wait()
		_ = client.Close()
	})
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
