package messages

import (
	"context"
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

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/logtest"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testRules = `
version: 1
calendars: {office: {tz: UTC, open: [mon-sun 09:00-18:00]}}
targets:
  default: {}
  sales: {group: 7, open: office}
  named: {agents: [li@example.com, wang@example.com]}
rules: [{id: r, when: {says: [human being]}, then: {transfer: default}}]
`

var testPolicy = sync.OnceValues(func() (*rules.Policy, rules.Report) { return rules.Load([]byte(testRules), rules.LoadOptions{}) })

// world is a keeper with everything around it, in virtual time, which begins at
// midnight UTC.
type world struct {
	t       *testing.T
	keeper  *Keeper
	records store.Records
	desk    *fakeDesk
	log     *logtest.Buffer
	metrics *metrics.Metrics
	policy  *rules.Policy
	clock   *clock.Clock

	mu       sync.Mutex
	told     []notify.Event
	happened []history.Entry
	onItsWay bool
}

// inWorld runs test in a bubble of virtual time with the keeper running.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.keeper.Start()
		synctest.Wait()
		test(w)
		w.keeper.Stop(t.Context())
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	policy, report := testPolicy()
	if policy == nil {
		t.Fatalf("the rules of the test: %v", report.Errors)
	}
	c := clock.New()
	w := &world{
		t: t, desk: &fakeDesk{state: desk.StateNotInSession}, log: &logtest.Buffer{}, metrics: metrics.New(prometheus.NewRegistry()), policy: policy, clock: c,
		records: memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10), Now: c.Now}),
	}
	w.keeper = w.process()
	return w
}

// process is one more keeper of the same words.
func (w *world) process() *Keeper {
	log := logrus.New()
	log.SetOutput(w.log)
	log.SetFormatter(&logrus.JSONFormatter{})
	return New(Options{
		Records: w.records, Desk: w.desk, Target: w.policy.Target,
		OnItsWay: func(context.Context, string) bool { w.mu.Lock(); defer w.mu.Unlock(); return w.onItsWay },
		Tell: func(e notify.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, e)
		},
		Happened: func(e history.Entry) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.happened = append(w.happened, e)
		},
		LogText: mask.Masked, Log: log, Metrics: w.metrics, Clock: w.clock,
	})
}

// left is what a customer of a session says after being asked at the present time.
func (w *world) left(session, text string, change ...func(*Left)) *Left {
	l := &Left{
		Conversation: session, Session: session, User: "user-" + session, Service: "@service", Rule: "r", Target: "default", Text: text,
		Opened: w.clock.Now(), At: w.clock.Now(), ContactWithin: 2 * time.Hour,
	}
	for _, f := range change {
		f(l)
	}
	return l
}

// leaves has a customer leave words, as the bot does with the conversation.
func (w *world) leaves(session, text string, change ...func(*Left)) {
	w.t.Helper()
	l := w.left(session, text, change...)
	kept, err := w.records.Record(w.t.Context(), store.KindWords, Name(l.Conversation))
	if err != nil {
		w.t.Fatal(err)
	}
	r, m, err := Add(kept, l)
	if err == nil {
		err = w.records.PutRecords(w.t.Context(), r)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.keeper.Kept(m)
	w.passes(0)
}

// reads has the keeper take a reading that shows so many agents free.
func (w *world) reads(free int, change ...func(*rules.Reading)) {
	w.t.Helper()
	r := &rules.Reading{At: w.clock.Now(), Free: &free}
	for _, f := range change {
		f(r)
	}
	w.keeper.Reading(r)
	w.passes(0)
}

// passes lets virtual time go by.
func (w *world) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// message is what is kept of a conversation, nil if nothing is.
func (w *world) message(conversation string) *Message {
	w.t.Helper()
	r, err := w.records.Record(w.t.Context(), store.KindWords, conversation)
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := decode(r)
	if err != nil {
		w.t.Fatal(err)
	}
	if r.Value == nil {
		return nil
	}
	return m
}

func (w *world) wantState(conversation string, want State) {
	w.t.Helper()
	if m := w.message(conversation); m == nil || m.State != want {
		w.t.Errorf("%s is %+v, want %s", conversation, m, want)
	}
}

// lines are the outcomes of the lines so far.
func (w *world) lines() string {
	var all []string
	for _, line := range w.log.Lines("message") {
		all = append(all, fmt.Sprint(line["outcome"]))
	}
	return strings.Join(all, " ")
}

func (w *world) wantLines(want string) {
	w.t.Helper()
	if got := w.lines(); got != want {
		w.t.Errorf("lines %q, want %q", got, want)
	}
}

// wantTold compares what the staff was told: the kind, + for what is over.
func (w *world) wantTold(want string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, e := range w.told {
		all = append(all, string(e.Kind)+map[bool]string{true: "+"}[e.Over])
	}
	if got := strings.Join(all, " "); got != want {
		w.t.Errorf("told %q, want %q", got, want)
	}
}

// fakeDesk answers as it is told to.
type fakeDesk struct {
	mu       sync.Mutex
	state    desk.State
	stateErr error
	script   []error // of contact_user; then nil
	slow     time.Duration
	before   func(error) // called before contact_user answers
	contacts []desk.ContactRequest
	asked    []desk.StateRequest
}

func (d *fakeDesk) SessionState(_ context.Context, r desk.StateRequest) (desk.SessionState, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r)
	return desk.SessionState{State: d.state, AgentID: "zhao@example.com"}, d.stateErr
}

func (d *fakeDesk) ContactUser(ctx context.Context, r desk.ContactRequest) (string, error) {
	d.mu.Lock()
	d.contacts = append(d.contacts, r)
	var err error
	if len(d.script) > 0 {
		err, d.script = d.script[0], d.script[1:]
	}
	before, slow := d.before, d.slow
	d.mu.Unlock()
	if before != nil {
		before(err)
	}
	if slow > 0 && clock.Pause(ctx, slow) != nil {
		return "", &desk.Error{Op: "contact_user", Err: context.Canceled}
	}
	return "li@example.com", err
}

// users are those who were contacted.
func (d *fakeDesk) users() (users []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.contacts {
		users = append(users, strings.TrimPrefix(r.UserID, "user-"))
	}
	return users
}

func (w *world) wantContacted(want ...string) {
	w.t.Helper()
	if got := w.desk.users(); !slices.Equal(got, want) {
		w.t.Errorf("contacted %v, want %v", got, want)
	}
}

func code(c int) error { return &desk.Error{Op: "contact_user", Code: c, Status: 200} }

var errLost = &desk.Error{Op: "contact_user", Err: context.DeadlineExceeded}
