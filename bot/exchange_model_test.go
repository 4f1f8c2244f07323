package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// exchangeRules act on a request and on each miss, without a transfer: what counts
// is who is told to answer, and how often a message was counted.
const exchangeRules = `
version: 1
lists: {person: [human]}
targets: {default: {}}
rules:
  - {id: help, when: {says: [$person]}, then: {keep: true, say: "yes?"}, cooldown: 0s}
  - {id: stuck, when: {bot_missed: {times: 1, within: 1h}}, then: {keep: true, say: "sorry"}, cooldown: 0s}
`

// imID is the conversation of plain IM of the walk's customer; Desk's is s1.
const imID = "im:user1|@service"

// exchangeWalk is a random walk of one customer of whom plain IM and Desk tell: the
// bot, its own bot and its store, and beside them what a reader of CONTRACT.md 4
// would expect, in plain maps.
type exchangeWalk struct {
	*world
	own     *ownBot
	store   *failingStore
	wall    *wall
	twoKeys bool // IM's and Desk's callbacks carry keys of their own

	messages []*said
	next     int

	keys    map[string]*keyed // what is known under each key
	passed  map[string]string // key and command → ok, failed
	echoes  []*imEcho
	alias   string         // where the chat began: "", imID or s1
	told    bool           // Desk tells of it
	counted map[string]int // messages of each conversation
	missed  map[string]bool
}

// said is a message of the customer.
type said struct {
	id   int
	text string
	at   time.Time
}

type keyed struct{ acted, missDecided, missActed bool }

type imEcho struct {
	key   string
	text  string
	acted bool
	at    time.Time
}

// failingStore fails when it is told to, after the change has run.
type failingStore struct {
	store.Conversations
	fails atomic.Bool
}

var errDisk = errors.New("no space left on device")

func (s *failingStore) Update(ctx context.Context, id string, change store.Change) error {
	return s.Conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		effect, err := change(c)
		if err == nil && s.fails.Load() {
			err = errDisk
		}
		return effect, err
	})
}

func TestExchange_equalsANaiveModel(t *testing.T) {
	policy := mustLoad(t, exchangeRules)
	rapid.Check(t, func(r *rapid.T) {
		var failure any // rapid fails by a panic, which must not end the bubble's goroutine
		synctest.Test(t, func(t *testing.T) {
			w := &exchangeWalk{twoKeys: rapid.Bool().Draw(r, "two keys")}
			w.begin(t, policy)
			defer func() {
				failure = recover()
				_ = w.bot.Stop(t.Context())
			}()
			r.Repeat(map[string]func(*rapid.T){
				"message": w.message, "copy": w.copy, "copies at once": w.atOnce, "kill": w.kill,
				"set the clock": func(r *rapid.T) {
					w.wall.set(rapid.SampledFrom([]time.Duration{-24 * time.Hour, -5 * time.Minute, 5 * time.Minute, 24 * time.Hour}).Draw(r, "by"))
				},
				"time": func(r *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(1, 40).Draw(r, "seconds")) * time.Second) },
				"":     w.check,
			})
		})
		if r.Failed() {
			r.FailNow()
		}
		if failure != nil {
			panic(failure)
		}
	})
}

func (w *exchangeWalk) begin(t *testing.T, policy *rules.Policy) {
	w.own, w.wall = &ownBot{answer: []byte(`{"own":"answer"}`)}, &wall{}
	w.keys, w.passed, w.counted, w.missed = map[string]*keyed{}, map[string]string{}, map[string]int{}, map[string]bool{}
	c := clock.Of(w.wall.now)
	w.world = newWorld(t, memory.NewOutbox(c.Now), func(o *Options) {
		dedup := memory.NewDedup(memory.DedupOptions{Keep: 10 * time.Minute, Max: 1000, Now: c.Now})
		w.store = &failingStore{Conversations: memory.NewConversations(memory.ConversationsOptions{
			Outbox: o.Outbox, Dedup: dedup, Max: 1000, Now: c.Now,
			Expires: func(c *rules.Conversation) time.Time { return policy.Expiry(c) },
		})}
		o.Clock, o.Dedup, o.Conversations, o.Backend, o.Policy = c, dedup, w.store, w.own, policy
	})
	w.bot.Start()
}

// kill begins a new process over the same store. It knows the keys; of chats it
// knows what the next callbacks tell.
func (w *exchangeWalk) kill(*rapid.T) {
	_ = w.bot.Stop(context.Background())
	w.bot = New(w.bot.Options)
	w.bot.Start()
	w.alias, w.told, w.echoes = "", false, nil
	if w.twoKeys { // the copies that are to come could be known by nothing
		w.messages = nil
	}
}

func (w *exchangeWalk) message(r *rapid.T) {
	w.next++
	w.messages = append(w.messages, &said{id: w.next, text: rapid.SampledFrom([]string{"hello", "where is it", "a human"}).Draw(r, "text"), at: time.Now()})
}

// pick draws one of the last messages and a callback that tells of it.
func (w *exchangeWalk) pick(r *rapid.T) (m *said, command string, e *desk.Event, key string) {
	if len(w.messages) == 0 {
		r.Skip("nothing was said yet")
	}
	last := w.messages[max(0, len(w.messages)-4):]
	m = rapid.SampledFrom(last).Draw(r, "message")
	if time.Since(m.at) > 5*time.Minute {
		r.Skip("it is too long ago")
	}
	command = rapid.SampledFrom([]string{desk.CommandSessionEvent, desk.CommandBotC2C, desk.CommandC2CAfter}).Draw(r, "command")
	key = fmt.Sprint("k", m.id)
	if command == desk.CommandSessionEvent {
		if w.twoKeys {
			key = "desk" + key
		}
		return m, command, w.world.told(fmt.Sprint("r", rapid.IntRange(0, 9).Draw(r, "request")), "s1", desk.EventUserMessage, key, m.text), key
	}
	return m, command, w.fromIM(command, key, m.text), key
}

func (w *exchangeWalk) copy(r *rapid.T) {
	m, command, e, key := w.pick(r)
	w.own.mu.Lock()
	w.own.err, w.own.dies = nil, false
	ownDoes := rapid.SampledFrom([]string{"ok", "ok", "failed", "dies"}).Draw(r, "own bot")
	if ownDoes == "failed" {
		w.own.err = errors.New("down")
	}
	w.own.dies = ownDoes == "dies"
	w.own.mu.Unlock()
	w.store.fails.Store(rapid.IntRange(0, 3).Draw(r, "store fails") == 0)
	want := w.expect(m, command, key, ownDoes)
	got := w.deliver(e)
	w.store.fails.Store(false)
	synctest.Wait()
	if got != want {
		r.Fatalf("%s of %d %q under %s: %s, want %s", command, m.id, m.text, key, got, want)
	}
}

// deliver returns the answer, or "unavailable", or "killed".
func (w *exchangeWalk) deliver(e *desk.Event) (got string) {
	defer func() {
		if p := recover(); p != nil {
			got = fmt.Sprint(p)
		}
	}()
	a, err := w.bot.Handle(context.Background(), Request{Event: e})
	switch {
	case errors.Is(err, ErrUnavailable):
		return "unavailable"
	case err != nil:
		return err.Error()
	}
	return string(a.JSON)
}

// expect is what CONTRACT.md 4 says of a copy.
func (w *exchangeWalk) expect(m *said, command, key, ownDoes string) string {
	isDesk := command == desk.CommandSessionEvent
	ours := func(acted bool) string {
		switch {
		case !isDesk:
			return string(answerOK)
		case acted:
			return string(answerSelf)
		default:
			return string(answerDesk)
		}
	}
	k := w.keys[key]
	first := k == nil
	left := first && !isDesk && w.told
	var echo *imEcho // what this copy leaves for Desk's
	conversation := w.conversation(isDesk)
	if first && !left {
		if isDesk {
			echo = w.takeEcho(m)
		}
		switch {
		case w.store.fails.Load():
			if echo != nil { // it is still to be told once more
				w.echoes = append(w.echoes, echo)
			}
			return "unavailable"
		case echo != nil:
			k, echo = &keyed{acted: echo.acted}, nil
		default:
			k = &keyed{acted: m.text == "a human"}
			w.counted[conversation]++
			w.missed[conversation] = false // one miss at most of each exchange
			if !isDesk {
				echo = &imEcho{key: key, text: m.text, at: time.Now()}
				w.echoes = append(w.echoes, echo)
			}
		}
		w.keys[key] = k
	}
	if isDesk { // a copy under the same key is no other message's
		w.echoes = slices.DeleteFunc(w.echoes, func(h *imEcho) bool { return h.key == key })
	}
	if left {
		k = &keyed{}
	} else if first || isDesk {
		w.learn(isDesk)
	}
	answer := w.rest(k, command, key, ownDoes, !left && (isDesk || command == desk.CommandBotC2C && w.alias != "s1"), ours)
	if echo != nil {
		echo.acted = k.acted || k.missActed
	}
	return answer
}

// rest is what comes after a message was counted: the own bot, and its miss.
func (w *exchangeWalk) rest(k *keyed, command, key, ownDoes string, awaited bool, ours func(bool) string) string {
	if k.acted || k.missActed {
		return ours(true)
	}
	if command == desk.CommandC2CAfter {
		return ours(false)
	}
	pass := key + command
	if w.passed[pass] == "" {
		if ownDoes == "dies" {
			return "killed"
		}
		w.passed[pass] = ownDoes
	}
	if w.passed[pass] == "ok" {
		return string(w.own.answer)
	}
	switch {
	case !awaited || k.missDecided:
		return ours(k.missActed)
	case w.store.fails.Load():
		return "unavailable"
	}
	conversation := w.conversation(command == desk.CommandSessionEvent)
	k.missDecided, k.missActed = true, !w.missed[conversation]
	w.missed[conversation] = true
	return ours(k.missActed)
}

// conversation is where a copy counts.
func (w *exchangeWalk) conversation(isDesk bool) string {
	if isDesk && w.alias != imID {
		return "s1"
	}
	return imID
}

// learn notes what a copy tells of the chat.
func (w *exchangeWalk) learn(isDesk bool) {
	if w.alias == "" && (isDesk || !w.told) {
		w.alias = w.conversation(isDesk)
	}
	w.told = w.told || isDesk
}

func (w *exchangeWalk) takeEcho(m *said) *imEcho {
	for i, h := range w.echoes {
		if h.text == m.text && time.Since(h.at) <= time.Minute {
			w.echoes = slices.Delete(w.echoes, i, i+1)
			return h
		}
	}
	return nil
}

// atOnce delivers all copies of a new message at the same moment.
func (w *exchangeWalk) atOnce(r *rapid.T) {
	w.own.mu.Lock()
	w.own.err, w.own.dies = nil, false
	w.own.mu.Unlock()
	w.next++
	m := &said{id: w.next, text: fmt.Sprint("a human, number ", w.next)} // words of its own
	key := fmt.Sprint("k", m.id)
	deskKey := key
	if w.twoKeys {
		deskKey = "desk" + key
	}
	copies := []*desk.Event{
		w.fromIM(desk.CommandC2CAfter, key, m.text), w.fromIM(desk.CommandBotC2C, key, m.text),
		w.world.told("", "s1", desk.EventUserMessage, deskKey, m.text), w.world.told("", "s1", desk.EventUserMessage, deskKey, m.text),
	}
	before := w.total()
	answers := make(chan string, len(copies))
	for _, e := range rapid.Permutation(copies).Draw(r, "order") {
		go func() { answers <- e.Command + w.deliver(e) }()
	}
	for range copies {
		if got := <-answers; got != desk.CommandSessionEvent+string(answerSelf) && got != desk.CommandBotC2C+string(answerOK) &&
			got != desk.CommandC2CAfter+string(answerOK) && got != desk.CommandBotC2C+string(w.own.answer) {
			r.Fatalf("copies at once: %s", got)
		}
	}
	synctest.Wait()
	if n := w.total(); n != before+1 {
		r.Fatalf("copies at once: counted %d times", n-before)
	}
	w.counted = w.readCounts()
	w.alias = imID
	if w.bot.inbound.OfSession("s1") == "" {
		w.alias = "s1"
	}
	w.told, w.missed[w.conversation(true)] = true, false
}

func (w *exchangeWalk) total() (n int) {
	for _, c := range w.readCounts() {
		n += c
	}
	return n
}

func (w *exchangeWalk) readCounts() map[string]int {
	counts := map[string]int{}
	for _, id := range []string{imID, "s1"} {
		_ = w.store.View(context.Background(), id, func(c *rules.Conversation) {
			_, trace := w.bot.Policy().Explain(c, rules.Turn{Kind: rules.TimerTurn, At: w.bot.Clock.Now()})
			if n := trace.Counters.UserMessages; n > 0 {
				counts[id] = n
			}
		})
	}
	return counts
}

func (w *exchangeWalk) check(r *rapid.T) {
	synctest.Wait()
	if got, want := fmt.Sprint(w.readCounts()), fmt.Sprint(w.counted); got != want {
		r.Fatalf("counted %s, want %s", got, want)
	}
}
