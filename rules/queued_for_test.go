package rules

import (
	"strings"
	"testing"
	"time"
)

// queueRules ask for a person, and look after those who wait.
const queueRules = `
limits: {per_session: 9/24h}
targets: {default: {queue_timeout: 20m}, night: {group: 2}}
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}, cooldown: 0s}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}}
  - {id: other, when: {queued_for: 10m}, then: {transfer: night, leave_queue: true}}
  - {id: sorry, when: {queued_for: 5m}, then: {keep: true, say: "请再等等"}, cooldown: 2m}
`

// queued is a customer whom a transfer to default has put into the queue.
func queued(t *testing.T, p *Policy) *talkTo {
	t.Helper()
	k := newTalk(t, p)
	d := k.user("转人工")
	k.settle(ResultQueued)
	k.c.WaitsFor(d.Rule, d.Chain[0])
	return k
}

// clock lets the timers come due that lie within a time, and tells what each led to.
func (k *talkTo) clock(d time.Duration) (led []Decision) {
	end := k.now.Add(d)
	for {
		at, ok := k.p.NextTimer(&k.c)
		if !ok || at.After(end) {
			k.now = end
			return led
		}
		k.now = at
		led = append(led, k.turn(Turn{Kind: TimerTurn}))
	}
}

func TestQueuedFor_speaksWhileTheCustomerWaits(t *testing.T) {
	k := queued(t, load(t, queueRules))
	began := k.now
	led := k.clock(9 * time.Minute)
	if len(led) != 1 || led[0].Rule != "sorry" || led[0].Outcome != OutcomeKeep || led[0].Say.For("zh") != "请再等等" {
		t.Fatalf("in nine minutes: %+v", led)
	}
	if since, waits := k.c.Waits(); !waits || !since.Since.Equal(began) || since.Rule != "ask" || since.Target != "default" {
		t.Errorf("waits %+v, %v", since, waits)
	}
	expect(t, "the customer asks again", k.user("转人工"), "transfer ask") // Desk's word is older than a minute: it is asked first
}

func TestQueuedFor_isNotForWhoIsNotInTheQueue(t *testing.T) {
	for name, then := range map[string]func(k *talkTo){
		"with an agent":     func(k *talkTo) { k.observe(EventWithHuman) },
		"agent speaks":      func(k *talkTo) { k.observe(EventAgentMessage) },
		"back with the bot": func(k *talkTo) { k.observe(EventNoAgent) },
		"gone":              func(k *talkTo) { k.observe(EventClosed) },
		"a new session":     func(k *talkTo) { k.turn(Turn{Kind: StartTurn}) },
	} {
		k := queued(t, load(t, queueRules))
		then(k)
		if led := k.clock(time.Hour); led != nil {
			t.Errorf("%s: %+v", name, led)
		}
		if w, waits := k.c.Waits(); waits {
			t.Errorf("%s: still waits %+v", name, w)
		}
	}
	k := newTalk(t, load(t, queueRules))
	k.user("转人工")
	k.settle(ResultAssigned)
	if led := k.clock(time.Hour); led != nil {
		t.Errorf("never in the queue: %+v", led)
	}
}

// Desk may put a customer into the queue by itself; the customer waits all the same.
func TestQueuedFor_countsFromDesksOwnWord(t *testing.T) {
	k := newTalk(t, load(t, queueRules))
	k.observe(EventTransferring)
	k.wait(time.Minute)
	k.observe(EventTransferring) // says it again
	if led := k.clock(4 * time.Minute); len(led) != 1 || led[0].Rule != "sorry" {
		t.Errorf("%+v", led)
	}
}

// A customer who writes to the bot meanwhile, and of whom Desk says that the place is kept, has waited all the time.
func TestQueuedFor_goesOnWhereDeskSaysThatTheCustomerIsStillThere(t *testing.T) {
	k := queued(t, load(t, queueRules))
	k.wait(4 * time.Minute)
	if d := k.user("转人工"); !d.Verify {
		t.Fatalf("%+v", d)
	}
	k.settle(ResultAlreadyQueued)
	if led := k.clock(time.Minute); len(led) != 1 || led[0].Rule != "sorry" {
		t.Errorf("%+v", led)
	}
}

func TestLeaveQueue_transfersOutOfTheQueue_oncePerSession(t *testing.T) {
	k := queued(t, load(t, queueRules))
	led := k.clock(10 * time.Minute)
	if len(led) != 2 {
		t.Fatalf("%+v", led)
	}
	d := led[1]
	if d.Rule != "other" || d.Outcome != OutcomeTransfer || d.Target != "night" || !d.LeaveQueue || d.Verify {
		t.Fatalf("%+v", d)
	}
	if k.c.Phase() != PhaseQueued {
		t.Errorf("Desk has not let go yet, and the phase is %s", k.c.Phase())
	}
	k.c.LeftQueue(k.now)
	if k.c.Phase() != PhaseTransferring {
		t.Errorf("Desk has let go, and the phase is %s", k.c.Phase())
	}
	k.settle(ResultQueued) // of the other group
	k.wait(time.Second)
	for _, d := range k.clock(30 * time.Minute) {
		if d.Outcome == OutcomeTransfer || d.Rule == "other" && d.Reason != ReasonAlreadyQueued {
			t.Errorf("a second time in the session: %+v", d)
		}
	}
	k.observe(EventClosed)
	k.user("转人工")
	k.settle(ResultQueued)
	if led := k.clock(10 * time.Minute); len(led) != 2 || !led[1].LeaveQueue {
		t.Errorf("in the next session: %+v", led)
	}
}

func TestLeaveQueue_staysWhereEverybodyElseIsClosed_withoutAWord(t *testing.T) {
	k := queued(t, load(t, `
calendars: {nights: {tz: Asia/Shanghai, open: [mon-sun 22:00-06:00]}}
targets: {default: {}, night: {open: nights, say_if_closed: 我先继续为您服务}}
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}}
  - {id: other, when: {queued_for: 10m}, then: {transfer: night, leave_queue: true}}
`))
	led := k.clock(10 * time.Minute)
	if len(led) != 1 || led[0].Outcome != OutcomeClosed || led[0].Say != nil || k.c.Phase() != PhaseQueued {
		t.Errorf("%+v in phase %s", led, k.c.Phase())
	}
}

// RULES.md 6.2: in the queue only what holds by queued_for acts, wherever it stands in the file.
func TestQueuedFor_isNotStoppedByARuleAbove(t *testing.T) {
	k := queued(t, load(t, `
rules:
  - {id: ask, when: {says: [转人工]}, then: {transfer: default}}
  - {id: always, when: {hours: office}, then: {transfer: default}}
  - {id: either, when: {any: [{queued_for: 5m}, {hours: office}]}, then: {tag: [waits]}}
calendars: {office: {tz: Asia/Shanghai, open: [mon-sun 00:00-24:00]}}
`))
	led := k.clock(5 * time.Minute)
	if len(led) != 1 {
		t.Fatalf("%+v", led)
	}
	expect(t, "five minutes in the queue", led[0], "keep either")
	k.wait(time.Minute)
	d := k.turn(Turn{Text: "你好", Unsure: true})
	expect(t, "words in the queue", d, "suppressed always already_queued")
}

func TestLeaveQueue_isATransfer_andPerSessionStopsAll(t *testing.T) {
	k := queued(t, load(t, strings.Replace(queueRules, "9/24h", "1/24h", 1)))
	led := k.clock(10 * time.Minute)
	if len(led) != 2 {
		t.Fatalf("%+v", led)
	}
	expect(t, "after ten minutes", led[1], "suppressed other per_session")
}

func TestQueuedFor_waitsForEachOfItsTimesOnce(t *testing.T) {
	k := queued(t, load(t, queueRules))
	var at []time.Duration
	began := k.now
	for _, d := range k.clock(3 * time.Hour) {
		_ = d
		at = append(at, k.now.Sub(began))
	}
	if next, ok := k.p.NextTimer(&k.c); ok || len(at) != 3 { // 5m, 10m, and the queue_timeout
		t.Errorf("%d timers, the next %v", len(at), next)
	}
}

func TestUnanswered_isToldOnce(t *testing.T) {
	waits := func(d *Wait) bool { return d != nil && d.Rule == "ask" && d.Target == "default" }
	t.Run("longer than queue_timeout", func(t *testing.T) {
		k := queued(t, load(t, queueRules))
		told := 0
		for _, d := range k.clock(20 * time.Minute) {
			if waits(d.Unanswered) {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
		var back Conversation
		data, _ := k.c.MarshalBinary()
		if err := back.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if w := back.Observe(EventClosed, k.now, time.Time{}); w != nil {
			t.Errorf("told once more after a restart: %+v", w)
		}
	})
	t.Run("not before", func(t *testing.T) {
		k := queued(t, load(t, queueRules))
		for _, d := range k.clock(20*time.Minute - time.Millisecond) {
			if d.Unanswered != nil {
				t.Errorf("%+v", d.Unanswered)
			}
		}
	})
	for _, c := range []struct {
		name    string
		timeout string
		event   EventKind
		want    bool
	}{
		{"closed", "queue_timeout: 20m", EventClosed, true},
		{"closed, without a queue_timeout", "", EventClosed, true},
		{"Desk found nobody in time", "queue_timeout: 20m", EventNoAgent, true},
		{"Desk found nobody, without a queue_timeout", "", EventNoAgent, false},
		{"an agent came", "queue_timeout: 20m", EventWithHuman, false},
		{"still in the queue", "queue_timeout: 20m", EventTransferring, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := queued(t, load(t, "targets: {default: {"+c.timeout+"}}\nrules: [{id: ask, when: {says: [转人工]}, then: {transfer: default}}]"))
			k.wait(19 * time.Minute)
			if w := k.c.Observe(c.event, k.now, time.Time{}); waits(w) != c.want {
				t.Errorf("told %+v, want %v", w, c.want)
			}
		})
	}
	t.Run("a new session", func(t *testing.T) {
		k := queued(t, load(t, queueRules))
		if d := k.turn(Turn{Kind: StartTurn}); !waits(d.Unanswered) {
			t.Errorf("told %+v", d.Unanswered)
		}
	})
	t.Run("Desk's own transfer is none of ours", func(t *testing.T) {
		k := newTalk(t, load(t, queueRules))
		k.observe(EventTransferring)
		if w := k.c.Observe(EventClosed, k.now, time.Time{}); w != nil {
			t.Errorf("told %+v", w)
		}
	})
	t.Run("an older event changes nothing", func(t *testing.T) {
		k := queued(t, load(t, queueRules))
		k.c.Observe(EventTransferring, k.now, k.now)
		if w := k.c.Observe(EventClosed, k.now, k.now.Add(-time.Minute)); w != nil {
			t.Errorf("told %+v", w)
		}
	})
}

func TestQueueActions_thatCannotBe_areErrors(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"when: {queued_for: 5m}, then: {transfer: default}", "gives that place up"},
		{"when: {any: [{queued_for: 5m}, {bot_silent: 1m}]}, then: {transfer: default}", "gives that place up"},
		{"when: {rule: long}, then: {transfer: default}", "gives that place up"},
		{"when: {queued_for: 5m}, then: {offer: well, transfer: default, leave_queue: true}", "cannot have `offer`"},
		{"when: {says: [hello]}, then: {transfer: default, leave_queue: true}", "never holds by `queued_for`"},
		{"when: {queued_for: 5m}, then: {keep: true, leave_queue: true}", "needs `transfer`"},
		{"when: {queued_for: 25h}, then: {keep: true}", "longer than a customer in the queue is remembered (24h)"},
		{"when: {queued_for: 0s}, then: {keep: true}", ""},
	} {
		src := "version: 1\ntargets: {default: {}}\nrules:\n  - {id: long, when: {queued_for: 9m}, then: {keep: true}}\n  - {id: r, " + c.rule + "}\n"
		_, r := Load([]byte(src), LoadOptions{})
		if len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message.String(), c.want) {
			t.Errorf("%s: %v", c.rule, r.Errors)
		}
	}
}

func TestLint_desksSide(t *testing.T) {
	for name, c := range map[string]struct{ body, at, message string }{
		"a wait that Desk ends before": {"targets: {default: {queue_timeout: 5m}}\nrules: [{id: a, when: {queued_for: 5m}, then: {keep: true}}, {id: b, when: {says: [退款]}, " + rest + "]", "5m}", "nobody waits for 5m"},
		"a wait without a queue":       {"targets: {default: {disable_queuing: true}}\nrules: [{id: a, when: {queued_for: 5m}, then: {keep: true}}, {id: b, when: {says: [退款]}, " + rest + "]", "5m}", "nobody waits in the queue"},
		"the queue of no target":       {"targets: {default: {group: 7}}\nrules: [{id: a, when: {queue: {at_least: 5, group: 8}}, " + rest + "]", "8}", "no target leads to group 8"},
		"the longer wait below":        {"rules: [{id: a, when: {queued_for: 5m}, then: {keep: true}}, {id: b, when: {queued_for: 9m}, then: {keep: true}}]", "b, when", "`b` is never reached"},
		"fewer agents below":           {"rules: [{id: a, when: {agents_online: {at_most: 3}}, " + rest + ", {id: b, when: {agents_online: {at_most: 1}}, " + rest + "]", "b, when", "`b` is never reached"},
		"nothing, the longer above":    {"rules: [{id: b, when: {queued_for: 9m}, then: {keep: true}}, {id: a, when: {queued_for: 5m}, then: {keep: true}}]", "", ""},
		"nothing, one target waits":    {"targets: {default: {queue_timeout: 5m}, b: {group: 7}}\nrules: [{id: a, when: {queued_for: 15m}, then: {keep: true}}, {id: b, when: {queue: {at_most: 5, group: 7}}, " + rest + ", {id: c, when: {says: [退款]}, then: {transfer: b}}]", "", ""},
		"nothing, more agents below":   {"rules: [{id: a, when: {agents_online: {at_most: 1}}, " + rest + ", {id: b, when: {agents_online: {at_most: 3}}, " + rest + "]", "", ""},
	} {
		got := lintOf(t, c.body)
		if c.at == "" && len(got) > 0 || c.at != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.at) || !strings.Contains(got[0], c.message)) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
