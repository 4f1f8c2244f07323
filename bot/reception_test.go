package bot

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"

	"escalator/bot/decisions"
	"escalator/bot/desk"
	"escalator/bot/notify"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const queueRules = `
version: 1
targets:
  default: {queue_timeout: 20m}
  night: {group: 2}
events: {Agent.Connected: with_human, Session.Over: closed}
rules:
  - {id: nobody, when: {says: [human], agents_online: {at_most: 0}}, then: {keep: true, say: Nobody.}, cooldown: 0s}
  - {id: ask, when: {says: [human]}, then: {transfer: default}, cooldown: 0s}
  - {id: other, when: {queued_for: 10m}, then: {transfer: night, leave_queue: true}}
  - {id: sorry, when: {queued_for: 3m}, then: {keep: true, say: Still looking.}, cooldown: 0s}
  - {id: bad, when: {rating: {at_most: 2}}, then: {tag: [bad]}}
`

// frontDesk is a Reception that knows what the test says.
type frontDesk struct {
	mu      sync.Mutex
	reading *rules.Reading
	members []string
}

func (f *frontDesk) Reading() *rules.Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reading
}

func (f *frontDesk) MemberChanged(agent string, free bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = append(f.members, fmt.Sprint(agent, " ", free))
}

// inQueueWorld runs a test with queueRules, a reception, and somebody who hears what the staff is told.
func inQueueWorld(t *testing.T, rule string, test func(w *world, f *frontDesk, told func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &frontDesk{}
		var mu sync.Mutex
		var events []string
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) {
			o.Policy, o.Reception = mustLoad(t, rule), f
			o.Tell = func(e notify.Event) {
				mu.Lock()
				defer mu.Unlock()
				said := string(e.Kind)
				if e.Over {
					said += " over"
				}
				if e.Kind == notify.WaitingLong {
					said += fmt.Sprintf(" %s %s %s", e.Session, e.Target, e.Waited.Round(time.Second))
				}
				if e.Waiting != nil {
					said += fmt.Sprintf(" %d waiting", *e.Waiting)
				}
				events = append(events, said)
			}
		})
		w.bot.Start()
		test(w, f, func() string {
			mu.Lock()
			defer mu.Unlock()
			return strings.Join(events, "; ")
		})
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
}

// passes lets virtual time go by.
func (w *world) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) texts() (all []string) {
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	for _, m := range w.desk.said {
		all = append(all, m.Text)
	}
	return all
}

func TestQueue_theCustomerWhoWaits_hearsOfUs_andLeavesTheQueueForAnother(t *testing.T) {
	inQueueWorld(t, queueRules, func(w *world, f *frontDesk, told func() string) {
		w.desk.queued = true
		w.user("human")
		w.wantPhase(rules.PhaseQueued)
		waiting := 5
		f.mu.Lock()
		f.reading = &rules.Reading{At: w.bot.Clock.Now().Add(3 * time.Minute), Queue: &waiting}
		f.mu.Unlock()
		w.passes(3*time.Minute + time.Second)
		if diff := cmp.Diff([]string{"Still looking."}, w.texts()); diff != "" {
			t.Error(diff)
		}
		w.desk.mu.Lock()
		w.desk.queued = false
		w.desk.mu.Unlock()
		w.passes(7 * time.Minute)
		w.wantOutcomes("queued assigned")
		w.wantPhase(rules.PhaseHuman)
		w.desk.mu.Lock()
		if len(w.desk.left) != 1 || w.desk.left[0] != "s1" || *w.desk.transfers[1].AgentGroupID != 2 {
			t.Errorf("end_queuing for %v, then %+v", w.desk.left, w.desk.transfers)
		}
		w.desk.mu.Unlock()
		want := "no_agent over; waiting_long s1 default 3m0s 5 waiting; waiting_long s1 default 10m0s; waiting_long over s1 default 10m0s; no_agent over"
		if got := told(); got != want {
			t.Errorf("the staff was told %q, want %q", got, want)
		}
		w.passes(time.Hour)
		w.wantOutcomes("queued assigned")
	})
}

// slowLog lets everybody else go on at the line of a decision.
type slowLog struct{}

func (slowLog) Levels() []logrus.Level { return []logrus.Level{logrus.InfoLevel} }

func (slowLog) Fire(e *logrus.Entry) error {
	for range 10_000 {
		if e.Message == "decision" {
			runtime.Gosched()
		}
	}
	return nil
}

func TestQueue_thatAWaitIsLong_isToldBeforeItsEnd(t *testing.T) {
	inQueueWorld(t, queueRules, func(w *world, _ *frontDesk, told func() string) {
		w.bot.Log.AddHook(slowLog{})
		w.desk.queued = true
		w.user("human")
		w.passes(4 * time.Minute)
		w.desk.mu.Lock()
		w.desk.queued = false
		w.desk.mu.Unlock()
		w.passes(6 * time.Minute) // the rule that takes the customer out of the queue, and the transfer that does
		w.wantOutcomes("queued assigned")
		want := "waiting_long s1 default 10m0s; waiting_long over s1 default 10m0s; no_agent over"
		if got := told(); !strings.HasSuffix(got, want) {
			t.Errorf("the staff was told %q, want %q at the end", got, want)
		}
	})
}

func TestQueue_aTransferThatNobodyAnswers_isToldOnce(t *testing.T) {
	quiet := strings.Replace(queueRules, "leave_queue: true}", "leave_queue: true}, mode: off", 1)
	for name, c := range map[string]struct {
		rules string
		then  func(w *world)
		want  string
	}{
		"longer than queue_timeout":       {quiet, func(w *world) { w.passes(20*time.Minute + time.Second) }, "queued unanswered"},
		"not before":                      {quiet, func(w *world) { w.passes(20*time.Minute - time.Second) }, "queued"},
		"closed meanwhile":                {quiet, func(w *world) { w.handle(w.event("Session.Over", "", "")) }, "queued unanswered"},
		"closed, without a queue_timeout": {strings.Replace(quiet, "queue_timeout: 20m", "", 1), func(w *world) { w.handle(w.event("Session.Over", "", "")) }, "queued unanswered"},
		"no queue_timeout":                {strings.Replace(quiet, "queue_timeout: 20m", "", 1), func(w *world) { w.passes(3 * time.Hour) }, "queued"},
		"a new session":                   {quiet, func(w *world) { w.handle(w.event(desk.EventSessionBegin, "", "")) }, "queued unanswered"},
		"too long, then closed":           {quiet, func(w *world) { w.passes(time.Hour); w.handle(w.event("Session.Over", "", "")) }, "queued unanswered"},
		"an agent came":                   {quiet, func(w *world) { w.handle(w.event("Agent.Connected", "", "")); w.passes(time.Hour) }, "queued"},
		"Desk gives up, as it was asked to": {quiet, func(w *world) {
			w.passes(19 * time.Minute)
			w.handle(w.event(desk.EventBotMessage, "", "failedToConnectAgent"))
		}, "queued unanswered"},
	} {
		t.Run(name, func(t *testing.T) {
			inQueueWorld(t, c.rules, func(w *world, _ *frontDesk, _ func() string) {
				w.desk.queued = true
				w.user("human")
				c.then(w)
				synctest.Wait()
				w.wantOutcomes(c.want)
				page, err := w.bot.Decisions().Page(t.Context(), &decisions.Filter{Outcomes: []string{"transfer"}}, 1, "")
				if ended := c.want[strings.LastIndexByte(c.want, ' ')+1:]; err != nil || page.Decisions[0].Transfer == nil || page.Decisions[0].Transfer.Outcome != ended {
					t.Errorf("the decision shows %+v, %v; want %s", page.Decisions[0].Transfer, err, ended)
				}
				counted := testutil.ToFloat64(w.bot.Metrics.Transfers.WithLabelValues("unanswered", "0"))
				if want := strings.Count(c.want, "unanswered"); int(counted) != want {
					t.Errorf("counted %v times", counted)
				}
				if lines := w.log.Lines("transfer"); len(lines) > 1 {
					line := lines[1]
					if line["session"] != "s1" || line["rule"] != "ask" || line["target"] != "default" || fmt.Sprint(line["final"]) != "true" {
						t.Errorf("the line is %v", line)
					}
				}
			})
		})
	}
}

func TestReading_isThatOfTheTurn(t *testing.T) {
	inQueueWorld(t, queueRules, func(w *world, f *frontDesk, _ func() string) {
		none := 0
		f.reading = &rules.Reading{At: w.bot.Clock.Now(), Free: &none}
		w.user("human")
		if diff := cmp.Diff([]string{"Nobody."}, w.texts()); diff != "" {
			t.Error(diff)
		}
		w.wantCalls(0, 0)
		w.passes(2 * time.Minute) // nobody has asked Desk since
		w.user("human")
		w.wantCalls(1, 0)
	})
}

func TestRating_ofAnyCallback_inEveryPhase(t *testing.T) {
	inQueueWorld(t, queueRules, func(w *world, _ *frontDesk, _ func() string) {
		w.user("human")
		w.wantPhase(rules.PhaseHuman)
		for i, c := range []struct {
			event, stars, want string
		}{
			{"Satisfaction.Whatever", "2", "keep bad"},
			{"Satisfaction.Whatever", "5", "none "},
			{"Agent.SendMsg", "0", ""},
		} {
			before := len(w.log.Lines("decision"))
			w.handle(w.rated(c.event, c.stars))
			lines := w.log.Lines("decision")[before:]
			got := ""
			if len(lines) > 0 {
				got = fmt.Sprint(lines[0]["outcome"], " ", lines[0]["rule"])
				got = strings.ReplaceAll(got, "<nil>", "")
			}
			if got != c.want {
				t.Errorf("%d: %q, want %q", i, got, c.want)
			}
			w.wantPhase(rules.PhaseHuman)
		}
		w.handle(w.rated("Session.Over", "1")) // ends the session, and rates it
		w.wantPhase(rules.PhaseBot)
		lines := w.log.Lines("decision")
		if last := lines[len(lines)-1]; last["rule"] != "bad" || last["event"] != "Session.Over" {
			t.Errorf("the last decision is %v", last)
		}
	})
}

// rated makes a callback that carries a rating and no message.
func (w *world) rated(name, stars string) *desk.Event {
	w.t.Helper()
	w.seq++
	query := fmt.Sprintf("SdkAppid=1&CallbackCommand=%s&RequestID=r%d", desk.CommandSessionEvent, w.seq)
	e, err := desk.Decode(desk.ParseQuery(query), fmt.Appendf(nil, `{"SessionId":"s1","Event":%q,"EventTime":%d,"ClientUserId":"user1","CustomerServiceId":"@service","SatisfactionSelected":%s}`,
		name, time.Now().UnixMilli(), stars))
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func TestMemberChanged_tellsTheReception(t *testing.T) {
	inQueueWorld(t, queueRules, func(w *world, f *frontDesk, _ func() string) {
		for _, status := range []string{"free", "ready", "rest", "offline", "notReady"} {
			e, err := desk.Decode(desk.ParseQuery("SdkAppid=1&CallbackCommand="+desk.CommandMemberChanged), fmt.Appendf(nil, `{"Event":"Member.StatusChange","MemberId":"li@x","Status":%q}`, status))
			if err != nil {
				t.Fatal(err)
			}
			w.handle(e)
		}
		for _, nothing := range []string{ // names nobody, or says what no page has: that is unknown, not "not free"
			`{"Event":"Member.StatusChange","MemberId":"li@x"}`, `{"Event":"Member.StatusChange","MemberId":"li@x","Status":"lunch"}`,
			`{"Event":"Member.StatusChange","MemberId":"li@x","Status":{}}`, `{"Event":"Member.StatusChange","Status":"free"}`, `{}`,
		} {
			e, err := desk.Decode(desk.ParseQuery("SdkAppid=1&CallbackCommand="+desk.CommandMemberChanged), []byte(nothing))
			if err != nil {
				t.Fatal(err)
			}
			w.handle(e)
		}
		if diff := cmp.Diff([]string{"li@x true", "li@x true", "li@x false", "li@x false", "li@x false"}, f.members); diff != "" {
			t.Error(diff)
		}
	})
}
