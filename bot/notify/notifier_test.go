package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"

	"escalator/bot/clock"
	"escalator/bot/logtest"
	"escalator/bot/metrics"
	"escalator/bot/secrets"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const teamsRules = `version: 1
notify:
  support: {slack: {url_file: url}, on: [no_agent, failed, message, waiting_long: 5m, unknown_event], lang: en, words: true}
  ops: {webhook: {url_file: ops}, on: [held, reload_refused], lang: en}
  sales: {wecom: {url_file: url}, lang: zh}
targets: {default: {}, vip: {}}
rules: [{id: r, when: {says: [live agent]}, then: {transfer: vip, notify: [sales]}}]
`

// world is a notifier, or several, in virtual time; the addresses are played by a function.
type world struct {
	t       *testing.T
	folder  string
	policy  *rules.Policy
	records store.Records
	log     *logtest.Buffer
	metrics *metrics.Metrics
	givenUp []*store.Transfer

	mu     sync.Mutex
	sent   []string // the texts that arrived, after the time
	ids    []string
	began  time.Time
	refuse func(text string) (answer, error) // nil: every message is taken
}

func inWorld(t *testing.T, test func(w *world, n *Notifier)) {
	t.Helper()
	folder := string(folderOf(t, "https://example.com/"+planted))
	synctest.Test(t, func(t *testing.T) {
		p, report := rules.Load([]byte(teamsRules), rules.LoadOptions{})
		if p == nil {
			t.Fatal(report.Errors)
		}
		w := &world{
			t: t, folder: folder, policy: p, records: memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10)}),
			log: &logtest.Buffer{}, metrics: metrics.New(prometheus.NewRegistry()), began: time.Now(),
		}
		n := w.start()
		test(w, n)
		_ = n.Stop(t.Context())
		if text := w.log.String(); strings.Contains(text, planted) || strings.Contains(text, "example.com") {
			t.Errorf("the log shows an address:\n%s", text)
		}
	})
}

func (w *world) start() *Notifier { return w.startAt(time.Now) }

// startAt starts a notifier on a host whose clock shows that.
func (w *world) startAt(wall func() time.Time) *Notifier {
	log := logrus.New()
	log.SetOutput(w.log)
	log.SetFormatter(&logrus.JSONFormatter{})
	n := New(Options{
		Policy: func() *rules.Policy {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.policy
		},
		Records: w.records, Secrets: "", Log: log, Metrics: w.metrics, Clock: clock.Of(wall),
		GivenUp: func(context.Context) ([]*store.Transfer, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.givenUp, nil
		},
		Waiting: func(context.Context) int { return 2 },
		post:    w.post,
	})
	n.sender.folder = secrets.Folder(w.folder)
	n.Start()
	return n
}

func (w *world) post(_ context.Context, r *request) (answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var body struct {
		ID   string          `json:"id"`
		Text json.RawMessage `json:"text"`
	}
	if err := json.Unmarshal(r.body, &body); err != nil {
		w.t.Error(err)
	}
	var text string
	if json.Unmarshal(body.Text, &text) != nil {
		var wecom struct{ Content string }
		_ = json.Unmarshal(body.Text, &wecom)
		text = wecom.Content
	}
	if w.refuse != nil {
		if a, err := w.refuse(text); err != nil || a.status != 0 {
			return a, err
		}
	}
	w.sent = append(w.sent, fmt.Sprintf("%s %s", time.Since(w.began), strings.ReplaceAll(text, "\n", " / ")))
	w.ids = append(w.ids, body.ID)
	return answer{status: 200, body: []byte(okayOf(r))}, nil
}

// okayOf answers in the form of the channel whose body came.
func okayOf(r *request) string {
	if strings.Contains(string(r.body), "mrkdwn") {
		return "ok"
	}
	return `{"errcode":0}`
}

// wants lets all happen that is due, and compares what arrived since the last time.
func (w *world) wants(messages ...string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	ok := len(w.sent) == len(messages)
	for i := range w.sent {
		ok = ok && strings.Contains(w.sent[i], messages[i])
	}
	if !ok {
		w.t.Errorf("the staff got\n%s\nwant\n%s", strings.Join(w.sent, "\n"), strings.Join(messages, "\n"))
	}
	w.sent = nil
}

// arrived lets all happen that is due, and counts what arrived so far.
func (w *world) arrived() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sent)
}

// refuses has messages answered by a function; nil: they are taken.
func (w *world) refuses(f func(text string) (answer, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = f
}

// gaveUp has the outbox hold a transfer to a target that was given up.
func (w *world) gaveUp(target string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.givenUp = []*store.Transfer{{Target: target}}
}

func nobody(session string) Event {
	return Event{Kind: NoAgent, Rule: "r", Target: "vip", Session: session}
}

func TestNotifier_oneMessageInEachPeriod_whichCounts_andOneWhenItIsOver(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		n.Tell(nobody("s1"))
		w.wants("0s Escalator: no agent online / 1 customer asked for a person while no agent was online; 2 customers waiting now. / Target: vip / Rule: r / Look at: escalator conversation s1")
		for i := range 5 {
			time.Sleep(time.Minute)
			n.Tell(nobody(fmt.Sprint("s", i)))
		}
		n.Tell(Event{Kind: NoAgent, Target: "default"}) // another matter
		w.wants("5m0s Escalator: no agent online / 1 customer asked for a person while no agent was online; 2 customers waiting now. / Target: default")
		time.Sleep(5 * time.Minute)
		w.wants("10m0s Escalator: no agent online / Since the last message: 5 customers asked")
		time.Sleep(time.Hour)
		w.wants()
		n.Tell(Event{Kind: NoAgent, Target: "vip", Over: true})
		n.Tell(Event{Kind: NoAgent, Target: "vip", Over: true})
		w.wants("1h10m0s Escalator: agents are taking customers again / A transfer was accepted. / Target: vip")
		n.Tell(Event{Kind: NoAgent, Target: "vip", Over: true})
		w.wants()
	})
}

// What comes and goes within a period is one message at most in each direction.
func TestNotifier_whatIsOverBeforeItWasTold_isNotTold(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		for range 20 {
			n.Tell(nobody("s1"))
			time.Sleep(10 * time.Second)
			n.Tell(Event{Kind: NoAgent, Target: "vip", Over: true})
			time.Sleep(10 * time.Second)
		}
		w.wants("0s Escalator: no agent online", "10s Escalator: agents are taking")
	})
}

func TestNotifier_thoseWhoLeftWords_areOver_whenAllWereContacted(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		left := func(session, words string) Event {
			return Event{Kind: Message, Target: "vip", Session: session, Words: []string{words}}
		}
		n.Tell(left("s1", "call me at 13812345678\nLook at: evil"))
		w.wants("Messages received: 1; 1 customer waiting now. / Target: vip / Customer: call me at *** Look at: evil / Look at: escalator conversation s1")
		n.Tell(left("s2", "me\ntoo <!channel>"))
		time.Sleep(10 * time.Minute)
		w.wants("10m0s Escalator: a customer left a message / Since the last message: Messages received: 1; 2 customers waiting now.")
		n.Tell(Event{Kind: Message, Target: "vip", Session: "s1", Over: true})
		w.wants()
		n.Tell(Event{Kind: Message, Target: "vip", Session: "s2", Over: true})
		w.wants("everybody who left a message was contacted")
	})
}

func TestNotifier_aCustomerWhoWaits_countsOnce(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		for _, s := range []string{"s1", "s1", "s2", "s1"} {
			n.Tell(Event{Kind: WaitingLong, Target: "vip", Session: s, Waited: 5 * time.Minute})
			n.Tell(Event{Kind: WaitingLong, Target: "vip", Session: "s9", Waited: 5*time.Minute - 1}) // no team asks for it yet
			time.Sleep(4 * time.Minute)
		}
		w.wants("1 customer waited for more than 5 minutes; 1 customer waiting now", "Since the last message: 1 customer waited for more than 5 minutes; 2 customers waiting now")
		n.Tell(Event{Kind: WaitingLong, Target: "vip", Session: "s1", Over: true})
		w.wants()
		n.Tell(Event{Kind: WaitingLong, Target: "vip", Session: "s2", Over: true})
		w.wants("nobody is waiting too long any more")
	})
}

// A process that was held and is no more there cannot say that it is over: a transfer that Desk takes does.
func TestNotifier_held_isOver_whenATransferIsAccepted(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		if err := os.Link(filepath.Join(w.folder, "url"), filepath.Join(w.folder, "ops")); err != nil {
			t.Fatal(err)
		}
		n.Tell(Event{Kind: Held, Detail: "code 70009"})
		w.wants("Escalator: Desk refuses every transfer / Transfers are kept, and go out when the settings are right again; 2 customers waiting now. / Details: code 70009 / Look at: escalator doctor")
		n.Tell(Event{Kind: NoAgent, Target: "vip", Over: true})
		w.wants("Escalator: Desk takes transfers again")
	})
}

// Who retries what was given up may be an operator at another replica: the outbox says when none is left.
func TestNotifier_failed_isOver_whenNoneIsLeftInTheOutbox(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		w.gaveUp("vip")
		n.Tell(Event{Kind: Failed, Rule: "r", Target: "vip", Session: "s1", Detail: "code 141004"})
		w.wants("Escalator: transfer failed / Transfers given up: 1. / Target: vip / Rule: r / Details: code 141004 / Look at: escalator outbox")
		n.Tell(Event{Kind: Failed, Contact: true, Target: "vip", Session: "s9"})
		w.wants("customer could not be contacted")
		time.Sleep(time.Minute)
		w.wants()
		w.gaveUp("default")
		time.Sleep(lookEvery)
		w.wants("no failed transfer is left / Target: vip")
	})
}

func TestNotifier_onlyTheTeamsThatAsk_orThatARuleNames_areTold(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		n.Tell(Event{Kind: Held, Detail: "code 70009"})
		n.Tell(Event{Kind: ByRule, Teams: []string{"sales", "nobody"}, Rule: "r", Session: "s1", Words: []string{"hello"}})
		n.Tell(Event{Kind: ByRule, Teams: []string{"nobody"}, Rule: "r"})
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.sent) != 1 || !strings.Contains(w.sent[0], "【Escalator】规则 r 触发 / 共触发 1 次。 / 查看：escalator conversation s1") {
			t.Errorf("sent: %q", w.sent) // ops' address is missing: it waits
		}
		if got := testutil.ToFloat64(w.metrics.Notices.WithLabelValues("webhook", outcomeRetrying)); got != 1 {
			t.Errorf("%v tries to an address whose file is missing", got)
		}
	})
}

// A message is tried again until it is a day old; the line and the metric say so. Nothing else is held up.
func TestNotifier_anAddressThatFails_isTriedForADay(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		var tried atomic.Int64
		w.refuses(func(string) (answer, error) {
			tried.Add(1)
			return answer{}, &sendError{why: "nobody listens at its host"}
		})
		n.Tell(nobody("s1"))
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		tries := tried.Load()
		if tries < 1000 || tries > 25*60*addressMessages {
			t.Errorf("%d tries in a day", tries)
		}
		if got := testutil.ToFloat64(w.metrics.Notices.WithLabelValues("slack", outcomeRetrying)); int64(got) != tries {
			t.Errorf("%v counted as retrying, %d tries", got, tries)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if got := testutil.ToFloat64(w.metrics.Notices.WithLabelValues("slack", outcomeFailed)); got != 1 {
			t.Errorf("%v counted as failed", got)
		}
		if !strings.Contains(w.log.String(), "it could not be sent within 24 hours") {
			t.Error("no line says that it was given up")
		}
		w.refuses(nil)
		n.Tell(nobody("s2"))
		w.wants("Escalator: no agent online / 1 customer")
	})
}

// The same message has the same id, however often it is sent, and says when it happened if that was long ago.
func TestNotifier_aMessageThatIsLate_saysWhenItHappened(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		until := time.Now().Add(20 * time.Minute)
		w.refuses(func(string) (answer, error) {
			if time.Now().Before(until) {
				return answer{status: 503}, nil
			}
			return answer{}, nil
		})
		n.Tell(nobody("s1"))
		time.Sleep(30 * time.Minute)
		w.wants("The first was at 2000-01-01 00:00 UTC.")
	})
}

func TestNotifier_anAddressGetsTenMessagesInAMinute(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		for i := range 15 {
			n.Tell(Event{Kind: NoAgent, Target: fmt.Sprint("t", i)})
		}
		time.Sleep(59 * time.Second)
		if got := w.arrived(); got != addressMessages {
			t.Errorf("%d messages in the first minute", got)
		}
		time.Sleep(time.Minute)
		if got := w.arrived(); got != 15 {
			t.Errorf("%d messages after two minutes", got)
		}
	})
}
