package bot

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/journal"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// modelRules let every request through that the phase does not stop.
const modelRules = `
version: 1
lists: {person: [human]}
targets: {default: {}}
events: {Agent.Said: agent_message, Session.Over: closed}
limits: {per_session: 16/1s, global: 100000/s}
rules:
  - {id: ask-human, when: {says: [$person]}, then: {transfer: default}, cooldown: 0s}
`

// phaseWalk is one random walk of a conversation: the bot, its Desk, and what a
// reader of DESIGN.md 2 would expect.
type phaseWalk struct {
	*world
	desk *modelDesk
	disk *journal.Store // nil: memory
	dir  string

	phase     rules.Phase
	pending   bool      // a transfer is stored and cannot be delivered
	confirmed time.Time // when Desk last said that the customer is queued or with a person
	news      time.Time // EventTime of the last change of phase
	last      *desk.Event
	answer    string
	lastAt    time.Time
}

func TestBot_phases_equalANaiveModel(t *testing.T) {
	root, walks := t.TempDir(), 0
	policy := mustLoad(t, modelRules)
	rapid.Check(t, func(r *rapid.T) {
		walks++
		w := &phaseWalk{desk: &modelDesk{state: desk.StateChatbot, gives: desk.StateAgent}}
		if rapid.IntRange(0, 4).Draw(r, "on disk") == 4 {
			w.dir = fmt.Sprint(root, "/", walks)
		}
		var failure any // rapid fails by a panic, which must not end the bubble's goroutine
		synctest.Test(t, func(t *testing.T) {
			w.open(t, policy)
			defer func() { failure = recover(); w.close() }()
			r.Repeat(w.actions())
		})
		if r.Failed() {
			r.FailNow()
		}
		if failure != nil {
			panic(failure)
		}
	})
}

func (w *phaseWalk) actions() map[string]func(*rapid.T) {
	all := map[string]func(*rapid.T){
		"customer asks": w.asks, "customer asks under faults": w.asksUnderFaults, "customer asks while Desk is away": w.asksWhileAway,
		"customer chats": w.chats, "session begins": w.begins, "Desk's event": w.deskTells, "an old event": w.oldNews,
		"a callback again": w.again, "Desk moves silently": w.silently, "agents": w.agents, "time": w.timePasses, "": w.check,
	}
	if w.dir != "" {
		all["restart"] = func(*rapid.T) { w.restart() }
	}
	return all
}

// open makes the bot with what an earlier one left.
func (w *phaseWalk) open(t *testing.T, policy *rules.Policy) {
	var outbox store.Outbox = memory.NewOutbox(nil)
	if w.dir != "" {
		disk, err := journal.Open(journal.Options{Dir: w.dir, Report: func(problem, _ string) { t.Errorf("reported: %s", problem) }})
		if err != nil {
			t.Fatalf("opening the store: %v", err)
		}
		w.disk, outbox = disk, disk
	}
	seq := 0
	if w.world != nil {
		seq = w.seq
	}
	w.world = newWorld(t, outbox, func(o *Options) { o.Desk = w.desk })
	w.seq = seq
	w.bot.SetPolicy(policy)
	if w.disk != nil {
		dedup := memory.NewDedup(memory.DedupOptions{Keep: 10 * time.Minute, Max: 1000, Journal: w.disk})
		records := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(1000), Journal: w.disk})
		conversations := memory.NewConversations(memory.ConversationsOptions{
			Outbox: outbox, Journal: w.disk, Alarms: w.alarms(), Max: 1000, Dedup: dedup, Records: records,
			Expires: func(c *rules.Conversation) time.Time { return policy.Expiry(c) },
		})
		left := w.disk.Live(conversations, dedup, records)
		w.bot.Conversations, w.bot.Dedup, w.bot.Records = conversations, dedup, records
		w.bot.Restored(left)
	}
	w.bot.Start()
}

func (w *phaseWalk) close() {
	if err := w.bot.Stop(context.Background()); err != nil {
		w.t.Errorf("Stop: %v", err)
	}
	if w.disk != nil {
		if err := w.disk.Close(context.Background()); err != nil {
			w.t.Errorf("Close: %v", err)
		}
	}
}

func (w *phaseWalk) restart() {
	w.close()
	w.open(w.t, w.bot.Policy())
	w.last, w.news = nil, time.Time{} // marks are not kept over a restart, nor is a conversation in which nothing happened
}

// tell hands an event to the bot and waits for all that follows at once.
func (w *phaseWalk) tell(r *rapid.T, e *desk.Event) string {
	answer, err := w.bot.Handle(context.Background(), Request{Event: e})
	if err != nil {
		r.Fatalf("Handle: %v", err)
	}
	synctest.Wait()
	w.last, w.answer, w.lastAt = e, string(answer.JSON), time.Now()
	return w.answer
}

// ask lets the customer ask for a person and checks who is told to answer.
func (w *phaseWalk) ask(r *rapid.T) (fires bool) {
	now := time.Now()
	switch w.phase {
	case rules.PhaseBot:
		fires = true
	case rules.PhaseQueued, rules.PhaseHuman:
		fires = now.Sub(w.confirmed) >= time.Minute
	case rules.PhaseTransferring:
	}
	if fires && w.pending {
		// The outbox holds one transfer of a session: it stands for this request too.
		fires = false
		if w.phase != rules.PhaseHuman {
			w.phase, w.confirmed = rules.PhaseQueued, now
		}
	}
	want := string(answerDesk)
	if fires {
		want = string(answerSelf)
		w.phase, w.news = rules.PhaseTransferring, now
	}
	if got := w.tell(r, w.event(desk.EventUserMessage, "a human please", "")); got != want {
		r.Fatalf("answered %s, want %s", got, want)
	}
	return fires
}

// settled is what the conversation must come to when Desk can be reached.
func (w *phaseWalk) settled(at time.Time) {
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	w.confirmed = at
	switch w.desk.state {
	case desk.StateAgent, desk.StateWaiting:
		w.phase = rules.PhaseHuman
	case desk.StateQueueing:
		w.phase = rules.PhaseQueued
	default:
		w.phase = rules.PhaseBot
	}
}

func (w *phaseWalk) asks(r *rapid.T) {
	if w.ask(r) {
		w.settled(time.Now())
	}
}

func (w *phaseWalk) asksUnderFaults(r *rapid.T) {
	faults := rapid.SliceOfN(rapid.SampledFrom([]modelFault{{}, {after: true}, {code: 141002}, {code: 60008}, {code: 70009}}), 1, 4).Draw(r, "faults")
	w.desk.set(func() { w.desk.faults = faults })
	began := time.Now()
	fired := w.ask(r)
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	w.desk.set(func() { w.desk.faults = nil })
	if fired {
		w.settled(began) // or a little later: in any case over a minute ago
	}
}

// asksWhileAway: meanwhile the customer asks again, the session moves, or the
// service is started anew.
func (w *phaseWalk) asksWhileAway(r *rapid.T) {
	w.desk.set(func() { w.desk.away = true })
	began := time.Now()
	w.pending = w.ask(r)
	fired := w.pending
	w.check(r)
	for range rapid.IntRange(0, 3).Draw(r, "meanwhile") {
		switch what := rapid.SampledFrom([]string{"asks", "chats", "moves", "restart", "waits"}).Draw(r, "what"); {
		case what == "asks":
			fired = w.ask(r) || fired
			w.pending = fired
		case what == "chats":
			w.chats(r)
		case what == "moves":
			w.deskTells(r)
		case what == "restart" && w.disk != nil:
			w.restart()
		default:
			time.Sleep(20 * time.Second)
		}
		w.check(r)
	}
	w.desk.set(func() { w.desk.away = false })
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	w.pending = false
	if fired {
		w.settled(began)
	}
}

func (w *phaseWalk) chats(r *rapid.T) {
	if got := w.tell(r, w.event(desk.EventUserMessage, "where is my parcel", "")); got != string(answerDesk) {
		r.Fatalf("small talk was answered %s", got)
	}
}

func (w *phaseWalk) begins(r *rapid.T) {
	w.desk.put(desk.StateChatbot)
	w.phase, w.news = rules.PhaseBot, time.Now()
	w.tell(r, w.event(desk.EventSessionBegin, "", ""))
}

// deskTells moves the session and tells us of it.
func (w *phaseWalk) deskTells(r *rapid.T) {
	now := time.Now()
	before := w.phase
	switch event := rapid.SampledFrom([]string{"connectedToAgent", "queuing", "failedToConnectAgent", "proactiveClosure", "Agent.Said", "Session.Over"}).Draw(r, "event"); event {
	case "connectedToAgent":
		w.desk.put(desk.StateAgent)
		w.phase, w.confirmed = rules.PhaseHuman, now
		w.tell(r, w.event(desk.EventBotMessage, "", event))
	case "Agent.Said":
		w.desk.put(desk.StateAgent)
		w.phase, w.confirmed = rules.PhaseHuman, now
		w.tell(r, w.event(event, "how can I help", ""))
	case "queuing":
		w.desk.put(desk.StateQueueing)
		if before == rules.PhaseBot || before == rules.PhaseQueued {
			w.phase, w.confirmed = rules.PhaseQueued, now
		}
		w.tell(r, w.event(desk.EventBotMessage, "", event))
	case "failedToConnectAgent":
		w.desk.put(desk.StateChatbot)
		if before != rules.PhaseTransferring {
			w.phase = rules.PhaseBot
		}
		w.tell(r, w.event(desk.EventBotMessage, "", event))
	case "proactiveClosure":
		w.desk.put(desk.StateNotInSession)
		w.phase = rules.PhaseBot
		w.tell(r, w.event(desk.EventBotMessage, "", event))
	case "Session.Over":
		w.desk.put(desk.StateNotInSession)
		w.phase = rules.PhaseBot
		w.tell(r, w.event(event, "", ""))
	}
	w.news = now
}

// oldNews is an event that was overtaken by a change of phase: it must not move
// anything.
func (w *phaseWalk) oldNews(r *rapid.T) {
	if w.news.IsZero() {
		r.Skip("nothing has happened yet")
	}
	e := w.event(desk.EventBotMessage, "", rapid.SampledFrom([]string{"connectedToAgent", "proactiveClosure", "queuing"}).Draw(r, "mark"))
	e.Time = w.news.Add(-time.Second)
	w.tell(r, e)
}

// again sends a callback a second time, as Tencent does.
func (w *phaseWalk) again(r *rapid.T) {
	if w.last == nil || time.Since(w.lastAt) > 9*time.Minute {
		r.Skip("there is none that is still remembered")
	}
	answer, err := w.bot.Handle(context.Background(), Request{Event: w.last})
	if err != nil || !answer.Repeat || string(answer.JSON) != w.answer {
		r.Fatalf("again: %s, repeat %v, %v; the first answer was %s", answer.JSON, answer.Repeat, err, w.answer)
	}
	synctest.Wait()
}

func (w *phaseWalk) silently(r *rapid.T) {
	w.desk.put(rapid.SampledFrom([]desk.State{desk.StateChatbot, desk.StateAgent, desk.StateQueueing, desk.StateNotInSession}).Draw(r, "state"))
}

func (w *phaseWalk) agents(r *rapid.T) {
	gives := rapid.SampledFrom([]desk.State{"", desk.StateAgent, desk.StateWaiting, desk.StateQueueing}).Draw(r, "a transfer leads to")
	w.desk.set(func() { w.desk.gives = gives })
}

func (w *phaseWalk) timePasses(r *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 90).Draw(r, "seconds")) * time.Second)
}

// check runs after every action.
func (w *phaseWalk) check(r *rapid.T) {
	synctest.Wait()
	if got := w.world.phase(); got != w.phase {
		r.Fatalf("phase %s, the model says %s", got, w.phase)
	}
	if w.desk.double > 0 {
		r.Fatal("a transfer was sent again although an earlier one had been accepted")
	}
	if w.phase == rules.PhaseTransferring {
		return
	}
	t, err := w.outbox.Get(context.Background(), "s1")
	if !errors.Is(err, store.ErrNotFound) && t.State == store.Pending && !w.desk.away {
		r.Fatalf("in phase %s a transfer is left: %+v", w.phase, t)
	}
}
