package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/decisions"
	"escalator/bot/desk"
	"escalator/bot/logtest"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testRules = `
version: 1
lists:
  person: [转人工, human]
  vip: [vip]
targets:
  default: {}
  after_sales:
    group: 2473
    agents: [li@example.com]
    disable_queuing: true
    else: default
    retry_if_no_agent: {every: 1m, for: 5m}
events:
  Agent.Said: agent_message
  Session.Over: closed
rules:
  - {id: vip, when: {says: [$vip]}, then: {transfer: after_sales}, cooldown: 10m}
  - {id: ask-human, when: {says: [$person]}, then: {transfer: default}, cooldown: 2m}
  - {id: bot-stuck, when: {bot_missed: {times: 2, within: 15m}}, then: {transfer: default}}
`

// world is a bot with everything around it, in virtual time.
type world struct {
	t      *testing.T
	bot    *Bot
	desk   *fakeDesk
	outbox store.Outbox
	log    *logtest.Buffer
	metric *prometheus.Registry
	seq    int
}

// decisions are the newest n that are kept, newest first.
func (w *world) decisions(n int) []*decisions.Record {
	w.t.Helper()
	page, err := w.bot.Decisions().Page(w.t.Context(), &decisions.Filter{}, n, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Decisions
}

// inWorld runs test in a bubble of virtual time with the courier running.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.bot.Start()
		test(w)
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
}

func newWorld(t *testing.T, outbox store.Outbox, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, desk: &fakeDesk{state: desk.StateChatbot}, outbox: outbox, log: &logtest.Buffer{}, metric: prometheus.NewRegistry()}
	log := logrus.New()
	log.SetOutput(w.log)
	log.SetFormatter(&logrus.JSONFormatter{})
	log.SetLevel(logrus.DebugLevel)
	dedup := memory.NewDedup(memory.DedupOptions{Keep: 10 * time.Minute, Max: 1000})
	records := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(1000)})
	o := Options{
		Policy: mustLoad(t, testRules), Desk: w.desk, Outbox: outbox,
		Conversations: memory.NewConversations(memory.ConversationsOptions{
			Outbox: outbox, Dedup: dedup, Records: records, Max: 1000,
			Alarms:  w.alarms(),
			Expires: func(c *rules.Conversation) time.Time { return w.bot.Policy().Expiry(c) },
		}),
		Dedup: dedup, Records: records,
		Horizon: 30 * time.Minute, LogText: mask.Masked, Log: log, Metrics: metrics.New(w.metric),
	}
	for _, f := range change {
		f(&o)
	}
	w.bot = New(o)
	return w
}

// alarms are the bot's timers, for the store to set.
func (w *world) alarms() store.Alarms {
	return store.Alarms{
		Next: func(c *rules.Conversation) time.Time { return w.bot.NextAlarm(c) },
		Set:  func(id string, at time.Time) { w.bot.SetAlarm(id, at) },
	}
}

// loaded are the policies that tests have loaded: they do not change.
var loaded sync.Map

func mustLoad(t *testing.T, src string) *rules.Policy {
	t.Helper()
	if policy, ok := loaded.Load(src); ok {
		return policy.(*rules.Policy)
	}
	policy, report := rules.Load([]byte(src), rules.LoadOptions{})
	if policy == nil {
		t.Fatalf("loading the test's rules: %+v", report.Errors)
	}
	loaded.Store(src, policy)
	return policy
}

// event makes a callback as Desk sends it; each has a RequestID of its own.
func (w *world) event(name, text, mark string) *desk.Event {
	w.t.Helper()
	w.seq++
	custom := ""
	if mark != "" {
		custom = fmt.Sprintf(`{"messageType":%q}`, mark)
	}
	body, err := json.Marshal(map[string]any{
		"CallbackCommand": desk.CommandSessionEvent, "SessionId": "s1", "Event": name, "EventTime": time.Now().UnixMilli(),
		"ClientUserId": "user1", "CustomerServiceId": "@service", "CloudCustomData": custom,
		"MsgBody": []any{map[string]any{"MsgType": "TIMTextElem", "MsgContent": map[string]any{"Text": text}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := desk.Decode(desk.ParseQuery(fmt.Sprintf("SdkAppid=1&CallbackCommand=%s&RequestID=r%d", desk.CommandSessionEvent, w.seq)), body)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) handle(e *desk.Event) Answer {
	w.t.Helper()
	answer, err := w.bot.Handle(w.t.Context(), Request{Event: e})
	if err != nil {
		w.t.Fatalf("Handle(%s): %v", e.Name, err)
	}
	return answer
}

// user lets the customer say something and waits until all that follows at
// once has happened.
func (w *world) user(text string) Answer {
	w.t.Helper()
	a := w.handle(w.event(desk.EventUserMessage, text, ""))
	synctest.Wait()
	return a
}

func (w *world) phase() (p rules.Phase) {
	w.t.Helper()
	err := w.bot.Conversations.View(w.t.Context(), "s1", func(c *rules.Conversation) { p = c.Phase() })
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// outcomes returns the outcomes of the transfer lines so far.
func (w *world) outcomes() string {
	var all []string
	for _, line := range w.log.Lines("transfer") {
		all = append(all, fmt.Sprint(line["outcome"]))
	}
	return strings.Join(all, " ")
}

func (w *world) wantOutcomes(want string) {
	w.t.Helper()
	if got := w.outcomes(); got != want {
		w.t.Errorf("outcomes: %q, want %q", got, want)
	}
}

func (w *world) wantPhase(want rules.Phase) {
	w.t.Helper()
	if got := w.phase(); got != want {
		w.t.Errorf("phase: %s, want %s", got, want)
	}
}

func (w *world) wantCalls(transfers, states int) {
	w.t.Helper()
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	if len(w.desk.transfers) != transfers || w.desk.states != states {
		w.t.Errorf("%d calls of transfer_to_human and %d of get_session_state, want %d and %d",
			len(w.desk.transfers), w.desk.states, transfers, states)
	}
}

// fakeDesk answers transfers from a script; when that is at its end, every
// transfer is assigned.
type fakeDesk struct {
	mu        sync.Mutex
	script    []error // nil: assigned
	forever   error   // when the script is at its end; nil: assigned
	queued    bool
	state     desk.State
	stateErr  error
	slow      time.Duration
	sayErr    error
	said      []desk.SendRequest
	transfers []desk.TransferRequest
	contacts  []desk.ContactRequest
	times     []time.Time
	states    int
	left      []string // the sessions that end_queuing was called for
}

var errLostAnswer = &desk.Error{Op: "transfer_to_human", Err: context.DeadlineExceeded}

func code(c int) error { return &desk.Error{Op: "transfer_to_human", Code: c, Status: 200} }

func (d *fakeDesk) TransferToHuman(ctx context.Context, r desk.TransferRequest) (desk.TransferResult, error) {
	if d.slow > 0 {
		select {
		case <-time.After(d.slow):
		case <-ctx.Done():
			return desk.TransferResult{}, &desk.Error{Op: "transfer_to_human", Err: context.Cause(ctx)}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.transfers = append(d.transfers, r)
	d.times = append(d.times, time.Now())
	err := d.forever
	if len(d.script) > 0 {
		err, d.script = d.script[0], d.script[1:]
	}
	if err != nil {
		return desk.TransferResult{}, err
	}
	return desk.TransferResult{AgentID: "li@example.com", Queued: d.queued}, nil
}

func (d *fakeDesk) SessionState(context.Context, desk.StateRequest) (desk.SessionState, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states++
	return desk.SessionState{SessionID: "s1", State: d.state}, d.stateErr
}

func (d *fakeDesk) ContactUser(_ context.Context, r desk.ContactRequest) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.contacts = append(d.contacts, r)
	return "li@example.com", nil
}

func (d *fakeDesk) EndQueuing(_ context.Context, session string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = append(d.left, session)
	return nil
}

func (d *fakeDesk) SendMsg(_ context.Context, r desk.SendRequest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sayErr != nil {
		return d.sayErr
	}
	d.said = append(d.said, r)
	return nil
}

// sent returns the transfers that were asked for so far.
func (d *fakeDesk) sent() []desk.TransferRequest {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.transfers)
}

// sentAt returns when they were.
func (d *fakeDesk) sentAt() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.times)
}

func (d *fakeDesk) answer(forever error, script ...error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forever, d.script = forever, script
}
