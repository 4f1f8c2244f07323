package delivery

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/desk"
	"escalator/bot/logtest"
	"escalator/bot/metrics"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testRules hold targets only: delivery knows no rules.
const testRules = `
version: 1
targets:
  plain: {say_if_queued: Queued., say_if_no_agent: Nobody., say_if_failed: Sorry.}
  two: {group: 2, disable_queuing: true, say_if_no_agent: Nobody., say_if_failed: Sorry., else: plain}
  waits: {group: 3, say_if_no_agent: Nobody., say_if_failed: Sorry., retry_if_no_agent: {every: 1m, for: 5m}}
  twoWait: {group: 4, agents: [li@example.com], check_working_hours: true, else: plain, retry_if_no_agent: {every: 1m, for: 5m}}
  tip: {}
  leave: {group: 5, take_message: {say: {en: Leave a word., zh: 请留言。}}}
  leaveWait: {group: 6, take_message: {say: Leave a word.}, retry_if_no_agent: {every: 1m, for: 5m}}
rules:
  - {id: r, when: {says: [human]}, then: {transfer: plain}}
`

var testPolicy = sync.OnceValues(func() (*rules.Policy, rules.Report) { return rules.Load([]byte(testRules), rules.LoadOptions{}) })

// world is a courier with everything around it, in virtual time.
type world struct {
	t        *testing.T
	courier  *Courier
	desk     *fakeDesk
	outbox   store.Outbox
	log      *logtest.Buffer
	metrics  *metrics.Metrics
	policy   *rules.Policy
	registry *prometheus.Registry

	mu      sync.Mutex
	settled []string
	agents  []string // of those that were settled
	found   []string
	awaited []string
	left    int      // how often LeftQueue was called
	told    []string // what the staff was told

	foreseen map[string]bool // the series that were there from the start
}

// inWorld runs test in a bubble of virtual time with the courier running.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.courier.Start()
		test(w)
		w.stop()
	})
}

func newWorld(t *testing.T, outbox store.Outbox, change ...func(*Options)) *world {
	t.Helper()
	policy, report := testPolicy()
	if policy == nil {
		t.Fatalf("loading the test's rules: %+v", report.Errors)
	}
	w := &world{t: t, desk: &fakeDesk{}, outbox: outbox, log: &logtest.Buffer{}, registry: prometheus.NewRegistry(), policy: policy}
	w.metrics = metrics.New(w.registry)
	o := Options{
		Outbox: outbox, Desk: w.desk, Global: rules.Rate{Count: 1000, Per: time.Second}, Horizon: 30 * time.Minute, OwnMark: "ours",
		Settle: func(_ context.Context, t *store.Transfer, r rules.Result, agent string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.settled, w.agents = append(w.settled, r.String()), append(w.agents, agent)
		},
		Chain: func(t *store.Transfer) []*rules.Target { return w.policy.Chain(t.Rule, t.Target, time.Now()) },
		AwaitWords: func(conversation, rule, _ string, take *rules.TakeMessage) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.awaited = append(w.awaited, conversation+" "+rule+" "+take.Target)
		},
		LeftQueue: func(context.Context, *store.Transfer) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.left++
		},
		Tell: func(e notify.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			told := string(e.Kind)
			if e.Over {
				told += " over"
			}
			w.told = append(w.told, told)
		},
		SessionFound: func(conversation, session string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.found = append(w.found, conversation+"="+session)
		},
		Log: logrus.New(), Metrics: w.metrics, Now: time.Now,
	}
	o.Log.SetOutput(w.log)
	o.Log.SetFormatter(&logrus.JSONFormatter{})
	for _, f := range change {
		f(&o)
	}
	w.courier = New(o)
	w.foreseen = w.series()
	return w
}

// series are those of the metrics, by their names and labels.
func (w *world) series() map[string]bool {
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]bool{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = true
		}
	}
	return all
}

func (w *world) stop() {
	w.t.Helper()
	if err := w.courier.Stop(w.t.Context()); err != nil {
		w.t.Errorf("Stop: %v", err)
	}
	for name := range w.series() { // an alert on one that has never moved would see nothing
		if !w.foreseen[name] {
			w.t.Errorf("the series %s was not there from the start", name)
		}
	}
}

// transfer is one of session "s1" to a target of testRules, made now.
func (w *world) transfer(target string, change ...func(*store.Transfer)) *store.Transfer {
	w.t.Helper()
	t := &store.Transfer{
		ID: "s1", Session: "s1", User: "u", Service: "@s", Rule: "r", Target: target, Chain: w.policy.Chain("r", target, time.Now()),
		Episode: fmt.Sprint("e", time.Now().UnixNano()), SayAs: 100, Created: time.Now(), Due: time.Now(),
	}
	for _, f := range change {
		f(t)
	}
	return t
}

// put puts a transfer and waits until all that follows at once has happened.
func (w *world) put(target string, change ...func(*store.Transfer)) {
	w.t.Helper()
	if err := w.outbox.Put(w.t.Context(), w.transfer(target, change...)); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// passes lets virtual time go by.
func (w *world) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// lines are the transfer lines so far: outcome and code, with "!" where final.
func (w *world) lines() string {
	var all []string
	for _, line := range w.log.Lines("transfer") {
		s := fmt.Sprint(line["outcome"])
		if code := fmt.Sprint(line["code"]); code != "0" {
			s += "/" + code
		}
		final, ok := line["final"].(bool)
		if !ok {
			w.t.Errorf("a line without final: %v", line)
		}
		if final {
			s += "!"
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func (w *world) wantLines(want string) {
	w.t.Helper()
	if got := w.lines(); got != want {
		w.t.Errorf("lines: %q, want %q", got, want)
	}
}

func (w *world) wantSettled(want string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.settled, " "); got != want {
		w.t.Errorf("settled: %q, want %q", got, want)
	}
}

// kept is the transfer as the outbox holds it, nil for none.
func (w *world) kept() *store.Transfer {
	w.t.Helper()
	t, err := w.outbox.Get(w.t.Context(), "s1")
	if err != nil {
		return nil
	}
	return t
}

func (w *world) wantGone() {
	w.t.Helper()
	if t := w.kept(); t != nil {
		w.t.Errorf("still in the outbox: %+v", t)
	}
}

// answer is what one call of fakeDesk comes to.
type answer struct {
	err    error
	queued bool
	state  desk.State
}

var (
	errTimeout = &desk.Error{Op: "call", Err: context.DeadlineExceeded}
	err502     = &desk.Error{Op: "call", Status: 502, Err: fmt.Errorf("HTTP status 502")}
	errOther   = &desk.Error{Op: "get_session_state", Status: 200, Err: desk.ErrOtherSession}
)

func code(c int) answer { return answer{err: &desk.Error{Op: "call", Code: c, Status: 200}} }

func with(err error) answer { return answer{err: err} }

func in(s desk.State) answer { return answer{state: s} }

// fakeDesk answers from two scripts; at their ends every transfer is assigned, and
// every session is with its robot until one was.
type fakeDesk struct {
	mu        sync.Mutex
	transfers []answer
	states    []answer
	leaves    []answer // what end_queuing is answered
	always    *answer  // answers every call of both kinds
	slow      time.Duration
	agent     string // who is assigned, if not the usual one

	calls    strings.Builder // "T", "Q" and "E" (end_queuing) in their order
	requests []desk.TransferRequest
	asked    []desk.StateRequest
	said     []desk.SendRequest
	sayErr   error
	taken    map[string]bool
}

func (d *fakeDesk) next(kind string, script *[]answer) (a answer, scripted bool) {
	d.calls.WriteString(kind)
	if len(*script) > 0 {
		a, *script = (*script)[0], (*script)[1:]
		return a, true
	}
	if d.always != nil {
		return *d.always, true
	}
	return answer{}, false
}

func (d *fakeDesk) wait(ctx context.Context) error {
	select {
	case <-time.After(d.slow):
		return nil
	case <-ctx.Done():
		return &desk.Error{Op: "call", Err: ctx.Err()}
	}
}

func (d *fakeDesk) TransferToHuman(ctx context.Context, r desk.TransferRequest) (desk.TransferResult, error) {
	if err := d.wait(ctx); err != nil {
		return desk.TransferResult{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, r)
	a, _ := d.next("T", &d.transfers)
	if a.err != nil {
		return desk.TransferResult{}, a.err
	}
	if d.taken == nil {
		d.taken = map[string]bool{}
	}
	d.taken[r.SessionID] = true
	return desk.TransferResult{AgentID: cmp.Or(d.agent, "li@example.com"), Queued: a.queued}, nil
}

func (d *fakeDesk) SessionState(ctx context.Context, r desk.StateRequest) (desk.SessionState, error) {
	if err := d.wait(ctx); err != nil {
		return desk.SessionState{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r)
	a, scripted := d.next("Q", &d.states)
	s := desk.SessionState{SessionID: r.SessionID, State: a.state}
	if s.SessionID == "" {
		s.SessionID = "s1"
	}
	if !scripted {
		s.State = desk.StateChatbot
		if d.taken[s.SessionID] {
			s.State = desk.StateAgent
		}
	}
	return s, a.err
}

func (d *fakeDesk) EndQueuing(ctx context.Context, _ string) error {
	if err := d.wait(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a, _ := d.next("E", &d.leaves)
	return a.err
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

// set changes the fake under its lock.
func (d *fakeDesk) set(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// texts are what customers were told so far.
func (d *fakeDesk) texts() (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.said {
		all = append(all, m.Text)
	}
	return all
}

func (d *fakeDesk) made() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls.String()
}

func isTrue(v any) bool {
	b, ok := v.(bool)
	return ok && b
}
