package delivery

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
)

// The tables of table.go once more, written from the pages and not from the code:
// what one attempt leads to, cell by cell. A cell says
//
//	calls in their order (T delivery, Q question, E end_queuing); lines; said; settled; what is left
//
// where a line is outcome/label of the metric, "!" for final, and what is left is
// "gone", or a state with r = faults in a row, n = refusals of this round and, where
// Desk has to be asked next, "?".

// summary is what an attempt has led to so far.
func (w *world) summary() string {
	var lines []string
	for _, line := range w.log.Lines("transfer") {
		s := fmt.Sprint(line["outcome"], "/", w.labels(fmt.Sprint(line["outcome"])))
		if isTrue(line["final"]) {
			s += "!"
		}
		lines = append(lines, s)
	}
	w.mu.Lock()
	settled := strings.Join(w.settled, " ")
	w.mu.Unlock()
	left := "gone"
	if t := w.kept(); t != nil {
		left = t.State.String()
		if t.Retries > 0 {
			left += fmt.Sprint(" r", t.Retries)
		}
		if t.Refusals > 0 {
			left += fmt.Sprint(" n", t.Refusals)
		}
		if t.State == store.Pending && (t.Sent || t.OutcomeUnknown || t.VerifyFirst) {
			left += " ?"
		}
	}
	if testutil.ToFloat64(w.metrics.Held) == 1 {
		left += " held"
	}
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	return strings.Join([]string{
		w.desk.made(), dash(strings.Join(lines, " ")), dash(strings.Join(w.desk.texts(), " ")), dash(settled), left,
	}, "; ")
}

// labels are the codes under which an outcome was counted.
func (w *world) labels(outcome string) string {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	var codes []string
	for _, f := range families {
		if f.GetName() != "escalator_transfers_total" {
			continue
		}
		for _, m := range f.GetMetric() { // its labels are sorted: code, outcome
			if m.GetCounter().GetValue() > 0 && m.GetLabel()[1].GetValue() == outcome {
				codes = append(codes, m.GetLabel()[0].GetValue())
			}
		}
	}
	return strings.Join(codes, ",")
}

// attemptOnce runs what happens at once after a transfer is there.
func attemptOnce(t *testing.T, target string, before func(*store.Transfer), transfers, states []answer) (summary string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.desk.transfers, w.desk.states = transfers, states
		w.courier.Start()
		w.put(target, before)
		summary = w.summary()
		w.stop()
	})
	return summary
}

// every fills a row whose cells are all the same.
func every(cell string) [4]string { return [4]string{cell, cell, cell, cell} }

func TestTable_whatAQuestionIsAnswered(t *testing.T) {
	columns := [6]struct {
		name      string
		question  question
		before    func(*store.Transfer)
		transfers []answer
	}{
		{"refused", refused, func(*store.Transfer) {}, []answer{code(141003)}},
		{"outcome unknown", ours, func(t *store.Transfer) { t.OutcomeUnknown = true }, nil},
		{"verify first", unsent, func(t *store.Transfer) { t.VerifyFirst = true }, nil},
		{"plain IM without a session", unsent, func(t *store.Transfer) { t.Session = "" }, nil},
		{"end_queuing may have been called", leaving, func(t *store.Transfer) { t.LeaveQueue, t.OutcomeUnknown = store.LeaveDue, true }, nil},
		{"end_queuing was called", left, func(t *store.Transfer) { t.LeaveQueue = store.LeaveDone }, nil},
	}
	// put off: asked again later, for the same reason as now
	putOff := func(label string) [6]string {
		return [6]string{
			"TQ; retrying/" + label + "; -; -; pending r1 n1 ?",
			"Q; retrying/" + label + "; -; -; pending r1 ?",
			"Q; retrying/" + label + "; -; -; pending r1 ?",
			"Q; retrying/" + label + "; -; -; pending r1",
			"Q; retrying/" + label + "; -; -; pending r1 ?",
			"Q; retrying/" + label + "; -; -; pending r1",
		}
	}
	nowhere := putOff("0")
	nowhere[4], nowhere[5] = "Q; failed/0!; -; already_queued; given_up", "Q; failed/0!; Sorry.; failed; given_up"
	rows := []struct {
		name   string
		answer answer
		reply  reply
		want   [6]string
	}{
		{"with the robot", in(desk.StateChatbot), withRobot, [6]string{
			"TQ; retrying/141003; -; -; pending r1 n1",
			"QT; assigned/0!; -; assigned; gone",
			"QT; assigned/0!; -; assigned; gone",
			"QT; assigned/0!; -; assigned; gone",
			"QT; assigned/0!; -; assigned; gone",
			"QT; assigned/0!; -; assigned; gone",
		}},
		{"with an agent", in(desk.StateAgent), withAgent, [6]string{
			"TQ; assigned/0!; -; assigned; gone",
			"Q; assigned/0!; -; assigned; gone",
			"Q; already_human/0!; -; already_human; gone",
			"Q; already_human/0!; -; already_human; gone",
			"Q; already_human/0!; -; already_human; gone",
			"Q; already_human/0!; -; already_human; gone",
		}},
		{"an agent is called", in(desk.StateWaiting), withAgent, [6]string{
			"TQ; assigned/0!; -; assigned; gone",
			"Q; assigned/0!; -; assigned; gone",
			"Q; already_human/0!; -; already_human; gone",
			"Q; already_human/0!; -; already_human; gone",
			"Q; already_human/0!; -; already_human; gone",
			"Q; already_human/0!; -; already_human; gone",
		}},
		{"in the queue", in(desk.StateQueueing), inQueue, [6]string{
			"TQ; queued/0!; Queued.; queued; gone",
			"Q; queued/0!; Queued.; queued; gone",
			"Q; already_human/0!; -; already_queued; gone",
			"Q; already_human/0!; -; already_queued; gone",
			"QEQT; assigned/0!; -; assigned; gone",
			"Q; failed/0!; -; already_queued; given_up",
		}},
		{"ended", in(desk.StateNotInSession), ended, [6]string{
			"TQ; session_gone/0!; -; session_gone; given_up n1",
			"Q; session_gone/0!; -; session_gone; given_up",
			"Q; session_gone/0!; -; session_gone; given_up",
			"Q; session_gone/0!; -; session_gone; given_up",
			"Q; failed/0!; -; session_gone; given_up",
			"Q; failed/0!; -; session_gone; given_up",
		}},
		{"a state that no page documents", in("Meditating"), elsewhere, nowhere},
		{"no state", in(""), elsewhere, nowhere},
		{"too many calls", code(60011), tryLater, putOff("60011")},
		{"429", with(&desk.Error{Code: 429, Status: 429}), tryLater, putOff("429")},
		{"no agent, which is no answer to this", code(141001), tryLater, putOff("141001")},
		{"cannot be transferred, likewise", code(141003), tryLater, putOff("141003")},
		{"another session", with(errOther), lost, putOff("0")},
		{"no answer", with(errTimeout), lost, putOff("network")},
		{"502", with(err502), lost, putOff("network")},
		{"no such session", code(141005), condemnsThis, [6]string{
			"TQ; failed/141005!; Sorry.; failed; given_up n1",
			"Q; failed/141005!; Sorry.; failed; given_up",
			"Q; failed/141005!; Sorry.; failed; given_up",
			"Q; failed/141005!; Sorry.; failed; given_up",
			"Q; failed/141005!; -; already_queued; given_up",
			"Q; failed/141005!; Sorry.; failed; given_up",
		}},
		{"a code that nobody knows", code(99999), condemnsThis, [6]string{
			"TQ; failed/other!; Sorry.; failed; given_up n1",
			"Q; failed/other!; Sorry.; failed; given_up",
			"Q; failed/other!; Sorry.; failed; given_up",
			"Q; failed/other!; Sorry.; failed; given_up",
			"Q; failed/other!; -; already_queued; given_up",
			"Q; failed/other!; Sorry.; failed; given_up",
		}},
		{"wrong key", code(70009), condemnsAll, [6]string{
			"TQ; retrying/70009; -; -; pending n1 ? held",
			"Q; retrying/70009; -; -; pending ? held",
			"Q; retrying/70009; -; -; pending ? held",
			"Q; retrying/70009; -; -; pending held",
			"Q; retrying/70009; -; -; pending ? held",
			"Q; retrying/70009; -; -; pending held",
		}},
		{"signature refused twice", code(70001), condemnsAll, [6]string{
			"TQ; retrying/70001; -; -; pending n1 ? held",
			"Q; retrying/70001; -; -; pending ? held",
			"Q; retrying/70001; -; -; pending ? held",
			"Q; retrying/70001; -; -; pending held",
			"Q; retrying/70001; -; -; pending ? held",
			"Q; retrying/70001; -; -; pending held",
		}},
	}
	var seen [replies][questions]bool
	for _, row := range rows {
		for i, column := range columns {
			t.Run(row.name+"/"+column.name, func(t *testing.T) {
				got := attemptOnce(t, "plain", column.before, column.transfers, []answer{row.answer})
				if got != row.want[i] {
					t.Errorf("\n got %s\nwant %s", got, row.want[i])
				}
			})
			seen[row.reply][column.question] = true
		}
	}
	for r := range replies {
		for q := range questions {
			if possible := afterQuestion[r][q] != impossible; possible != seen[r][q] {
				t.Errorf("reply %d after question %d: possible %v, tested %v", r, q, possible, seen[r][q])
			}
		}
	}
}

// What end_queuing is answered, to a customer who is in the queue as far as is known.
func TestTable_whatTheWayOutOfTheQueueIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		reply  reply
		states []answer
		want   string
	}{
		"taken, with the robot":              {answer{}, assigned, []answer{in(desk.StateChatbot)}, "EQT; assigned/0!; -; assigned; gone"},
		"taken, with an agent":               {answer{}, assigned, []answer{in(desk.StateAgent)}, "EQ; already_human/0!; -; already_human; gone"},
		"taken, an agent is called":          {answer{}, assigned, []answer{in(desk.StateWaiting)}, "EQ; already_human/0!; -; already_human; gone"},
		"taken, and in the queue":            {answer{}, assigned, []answer{in(desk.StateQueueing)}, "EQ; failed/0!; -; already_queued; given_up"},
		"taken, and ended":                   {answer{}, assigned, []answer{in(desk.StateNotInSession)}, "EQ; failed/0!; -; session_gone; given_up"},
		"taken, and who knows":               {answer{}, assigned, []answer{in("Meditating")}, "EQ; failed/0!; Sorry.; failed; given_up"},
		"taken, then no answer":              {answer{}, assigned, []answer{with(errTimeout)}, "EQ; retrying/network; -; -; pending r1"},
		"not in the queue":                   {code(141027), notNow, []answer{in(desk.StateAgent)}, "EQ; already_human/0!; -; already_human; gone"},
		"not now":                            {code(141003), notNow, []answer{in(desk.StateChatbot)}, "EQT; assigned/0!; -; assigned; gone"},
		"too many calls":                     {code(141009), tryLater, nil, "E; retrying/141009; -; -; pending r1"},
		"no answer":                          {with(errTimeout), lost, nil, "E; retrying/network; -; -; pending r1 ?"},
		"502":                                {with(err502), lost, nil, "E; retrying/network; -; -; pending r1 ?"},
		"no such session":                    {code(141005), condemnsThis, nil, "E; failed/141005!; -; already_queued; given_up"},
		"nobody, which is no answer to this": {code(141001), nobodyYet, nil, "E; failed/141001!; -; already_queued; given_up"},
		"wrong key":                          {code(70009), condemnsAll, nil, "E; retrying/70009; -; -; pending held"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, memory.NewOutbox(nil))
				w.desk.leaves, w.desk.states = []answer{c.answer}, c.states
				w.courier.Start()
				w.put("plain", func(t *store.Transfer) { t.LeaveQueue = store.LeaveDue })
				if got := w.summary(); got != c.want {
					t.Errorf("\n got %s\nwant %s", got, c.want)
				}
				w.stop()
			})
		})
		if afterLeaving[c.reply] == impossible {
			t.Errorf("%s: reply %d has no row", name, c.reply)
		}
	}
}

func TestTable_whatADeliveryIsAnswered(t *testing.T) {
	later := func(until time.Duration) func(*store.Transfer) {
		return func(t *store.Transfer) {
			t.State, t.Silent, t.Until = store.Waiting, true, time.Now().Add(until)
			t.Retries, t.Refusals = 3, 2
		}
	}
	columns := [walks]struct {
		name, target string
		before       func(*store.Transfer)
	}{
		onlyWalk:    {"only", "plain", func(*store.Transfer) {}},
		firstWalk:   {"first", "waits", func(*store.Transfer) {}},
		waitingWalk: {"waiting", "waits", later(4 * time.Minute)},
		lastWalk:    {"last", "waits", later(30 * time.Second)},
	}
	failed := func(label string) [4]string {
		line := "T; failed/" + label + "!; "
		return [4]string{line + "Sorry.; failed; given_up", line + "Sorry.; failed; given_up", line + "-; failed; given_up r3 n2", line + "-; failed; given_up r3 n2"}
	}
	putOff := func(label, more string) [4]string {
		line := "T; retrying/" + label + "; -; -; "
		return [4]string{line + "pending r1" + more, line + "pending r1" + more, line + "waiting r4 n2", line + "waiting r4 n2"}
	}
	held := func(c int) [4]string {
		line := fmt.Sprintf("T; retrying/%d; -; -; ", c)
		return [4]string{line + "pending held", line + "pending held", line + "waiting r3 n2 held", line + "waiting r3 n2 held"}
	}
	nobody := func(c int) [4]string {
		line := fmt.Sprintf("T; no_agent/%d", c)
		return [4]string{
			line + "!; Nobody.; no_agent; gone",
			line + "; Nobody.; no_agent; waiting",
			line + "; -; -; waiting",
			line + "!; -; -; gone",
		}
	}
	rows := []struct {
		name    string
		answers []answer
		reply   reply
		want    [4]string
	}{
		{"assigned", []answer{{}}, assigned, every("T; assigned/0!; -; assigned; gone")},
		{"queued", []answer{{queued: true}}, queued, [4]string{
			"T; queued/0!; Queued.; queued; gone", "T; queued/0!; -; queued; gone", "T; queued/0!; -; queued; gone", "T; queued/0!; -; queued; gone",
		}},
		{"no agent", []answer{code(141001)}, nobodyAtAll, nobody(141001)},
		{"the agent is offline", []answer{code(141011)}, nobodyAtAll, nobody(141011)},
		{"cannot be transferred, still with the robot", []answer{code(141003)}, notNow, [4]string{
			"TQ; retrying/141003; -; -; pending r1 n1", "TQ; retrying/141003; -; -; pending r1 n1",
			"TQ; retrying/141003; -; -; waiting r4 n3", "TQ; retrying/141003; -; -; waiting r4 n3",
		}},
		{"internal error", []answer{code(141002)}, tryLater, putOff("141002", "")},
		{"too many wrong signatures", []answer{code(70050)}, tryLater, putOff("70050", "")},
		{"429", []answer{with(&desk.Error{Code: 429, Status: 429})}, tryLater, putOff("429", "")},
		{"no answer", []answer{with(errTimeout)}, lost, putOff("network", " ?")},
		{"502", []answer{with(err502)}, lost, putOff("network", " ?")},
		{"illegal parameter", []answer{code(141004)}, condemnsThis, failed("141004")},
		{"body too large", []answer{code(93000)}, condemnsThis, failed("93000")},
		{"an unlisted code, nothing forbidden", []answer{code(141051)}, condemnsThis, failed("other")},
		{"wrong key", []answer{code(70009)}, condemnsAll, held(70009)},
		{"signature refused twice", []answer{code(70003)}, condemnsAll, held(70003)},
	}
	var seen [replies][walks]bool
	for _, row := range rows {
		for c, column := range columns {
			t.Run(row.name+"/"+column.name, func(t *testing.T) {
				got := attemptOnce(t, column.target, column.before, row.answers, nil)
				if got != row.want[c] {
					t.Errorf("\n got %s\nwant %s", got, row.want[c])
				}
			})
			seen[row.reply][c] = true
		}
	}
	for name, c := range map[string]struct {
		target  string
		walk    walk
		before  func(*store.Transfer)
		answers []answer
		want    string
	}{
		"only":                 {"two", onlyWalk, func(*store.Transfer) {}, []answer{code(141001)}, "TT; no_agent/141001 assigned/0!; -; assigned; gone"},
		"only, unlisted code":  {"two", onlyWalk, func(*store.Transfer) {}, []answer{code(141051)}, "TT; no_agent/other assigned/0!; -; assigned; gone"},
		"first":                {"twoWait", firstWalk, func(*store.Transfer) {}, []answer{code(141011)}, "TT; no_agent/141011 assigned/0!; -; assigned; gone"},
		"first, unlisted code": {"twoWait", firstWalk, func(*store.Transfer) {}, []answer{code(141099)}, "TT; no_agent/other assigned/0!; -; assigned; gone"},
		"waiting":              {"twoWait", waitingWalk, later(4 * time.Minute), []answer{code(141001)}, "TT; no_agent/141001 assigned/0!; -; assigned; gone"},
		"last":                 {"twoWait", lastWalk, later(30 * time.Second), []answer{code(141001)}, "TT; no_agent/141001 assigned/0!; -; assigned; gone"},
	} {
		t.Run("nobody, more targets left/"+name, func(t *testing.T) {
			if got := attemptOnce(t, c.target, c.before, c.answers, nil); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
		seen[nobodyYet][c.walk] = true
	}
	for r := range replies {
		for c := range walks {
			if possible := afterDelivery[r][c] != impossible; possible != seen[r][c] {
				t.Errorf("reply %d in walk %d: possible %v, tested %v", r, c, possible, seen[r][c])
			}
		}
	}
}
