package messages

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/store"
	"escalator/rules"
)

func to(target string) func(*Left) { return func(l *Left) { l.Target = target } }

func TestKeeper_contactsTheOldestFirst_oneForEachFreeAgentAndReading(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 4 {
			w.leaves(fmt.Sprint("s", i), "call me")
			w.passes(time.Second)
		}
		w.reads(0)
		w.wantContacted()
		w.reads(2)
		w.wantContacted("s0", "s1")
		w.passes(time.Minute)
		w.wantContacted("s0", "s1") // no new reading
		w.reads(9)
		w.reads(9)
		w.wantContacted("s0", "s1", "s2", "s3")
		w.wantLines("left left left left contacted contacted contacted contacted")
		w.wantTold("message message message message message+ message+ message+ message+")
		if line := w.log.Lines("message")[4]; line["agent"] != "li@example.com" || line["session"] != "s0" || line["attempt"] != 1.0 || line["rule"] != "r" {
			t.Errorf("line %v", line)
		}
		if len(w.happened) != 4 || w.happened[0].Kind != history.Contact || w.happened[0].Session != "s0" || w.happened[0].Agent != "li@example.com" || !w.happened[0].Final {
			t.Errorf("the history is told %+v", w.happened)
		}
		if w.keeper.Waiting() || testutil.ToFloat64(w.metrics.MessagesOpen) != 0 {
			t.Error("somebody waits still")
		}
		for outcome, want := range map[string]float64{"left": 4, "contacted": 4, "unknown": 0} {
			if got := testutil.ToFloat64(w.metrics.Messages.WithLabelValues(outcome)); got != want {
				t.Errorf("messages_total %s: %v", outcome, got)
			}
		}
	})
}

func TestKeeper_aReadingThatSaysNothing_contactsNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		w.leaves("s1", "call me")
		w.reads(1, func(r *rules.Reading) { r.Free = nil })
		w.reads(1, func(r *rules.Reading) { r.At = r.At.Add(-rules.ReadingFor - time.Second) })
		w.keeper.Reading(nil)
		w.passes(time.Minute)
		w.wantContacted()
		if !w.keeper.Waiting() {
			t.Error("nobody waits")
		}
	})
}

func TestKeeper_theTargetSaysWhoAndWhen(t *testing.T) {
	inWorld(t, func(w *world) { // midnight: sales is closed
		w.leaves("s1", "call me", to("sales"), func(l *Left) { l.ContactWithin = 24 * time.Hour })
		w.leaves("s2", "call me", to("gone from the file"))
		w.reads(5)
		w.wantContacted("s2")
		w.passes(9*time.Hour + time.Second)
		w.reads(5)
		w.wantContacted("s2", "s1")
		if r := w.desk.contacts[1]; r.GroupID == nil || *r.GroupID != 7 || r.AgentID != "" || r.ServiceID != "@service" {
			t.Errorf("contact %+v", r)
		}
	})
	for name, c := range map[string]struct {
		agents map[string]bool
		want   string
	}{
		"one is free":       {map[string]bool{"li@example.com": false, "wang@example.com": true}, "wang@example.com"},
		"nobody knows":      {nil, "li@example.com"},
		"one may be":        {map[string]bool{"li@example.com": false}, "wang@example.com"},
		"neither is":        {map[string]bool{"li@example.com": false, "wang@example.com": false}, ""},
		"the first of both": {map[string]bool{"li@example.com": true, "wang@example.com": true}, "li@example.com"},
	} {
		inWorld(t, func(w *world) {
			w.leaves("s1", "call me", to("named"))
			w.reads(5, func(r *rules.Reading) { r.Agents = c.agents })
			got := ""
			for _, r := range w.desk.contacts {
				got += r.AgentID
			}
			if got != c.want {
				t.Errorf("%s: contacted by %q, want %q", name, got, c.want)
			}
		})
	}
	inWorld(t, func(w *world) { // one customer for each of them
		for i := range 3 {
			w.leaves(fmt.Sprint("s", i), "call me", to("named"))
			w.passes(time.Second)
		}
		w.reads(5)
		w.wantContacted("s0", "s1")
	})
}

func TestKeeper_asksWhereTheCustomerIs_first(t *testing.T) {
	inWorld(t, func(w *world) {
		w.leaves("s1", "call me")
		w.desk.state = desk.StateQueueing
		w.reads(1)
		w.wantState("s1", Waiting)
		w.desk.state = desk.StateAgent
		w.reads(1)
		w.wantState("s1", Done)
		w.wantContacted()
		if r := w.desk.asked[0]; r.UserID != "user-s1" || r.ServiceID != "@service" || r.SessionID != "" {
			t.Errorf("asked %+v", r)
		}
		w.wantLines("left done")
		w.wantTold("message message+")
	})
	inWorld(t, func(w *world) { // Desk does not say
		w.leaves("s1", "call me")
		w.leaves("s2", "call me")
		w.desk.stateErr = errLost
		w.reads(5)
		if len(w.desk.asked) != 1 {
			t.Errorf("asked %d times in a round in which Desk did not answer", len(w.desk.asked))
		}
		w.desk.stateErr = code(141004)
		w.reads(5)
		w.wantState("s1", GivenUp)
		w.wantContacted()
		w.wantTold("message message failed failed")
	})
	inWorld(t, func(w *world) { // a transfer is tried again by itself
		w.leaves("s1", "call me")
		w.onItsWay = true
		w.reads(1)
		w.wantContacted()
		w.onItsWay = false
		w.reads(1)
		w.wantContacted("s1")
	})
}

func TestKeeper_whatDeskAnswers_decides(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		state State
		calls int
		told  string
	}{
		"nobody online":     {code(141001), Contacted, 2, "message message+"},
		"the agent is away": {code(141011), Contacted, 2, "message message+"},
		"too many calls":    {code(141009), Contacted, 2, "message message+"},
		"wrong settings":    {code(70009), Contacted, 2, "message message+"},
		"wrong customer":    {code(141004), GivenUp, 1, "message failed"},
		"lost":              {errLost, Unknown, 1, "message failed"},
		"502":               {&desk.Error{Op: "contact_user", Status: 502, Err: errors.New("HTTP status 502")}, Unknown, 1, "message failed"},
		"no error of Desk":  {errors.New("odd"), Unknown, 1, "message failed"},
	} {
		inWorld(t, func(w *world) {
			w.leaves("s1", "call me")
			w.desk.script = []error{c.err}
			w.reads(3)
			if c.calls == 2 {
				w.wantState("s1", Waiting)
			}
			w.passes(10 * time.Second)
			w.reads(3)
			w.passes(time.Hour)
			w.reads(3)
			if w.wantState("s1", c.state); len(w.desk.contacts) != c.calls {
				t.Errorf("%s: %d calls, want %d", name, len(w.desk.contacts), c.calls)
			}
			w.wantTold(c.told)
		})
	}
}

func TestKeeper_nobodyOnline_asksForNoOtherOfThatTarget(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 3 {
			w.leaves(fmt.Sprint("s", i), "call me")
			w.passes(time.Second)
		}
		w.leaves("s9", "call me", to("named"))
		w.desk.script = []error{code(141001)}
		w.reads(5)
		w.wantContacted("s0", "s9")
	})
}

func TestKeeper_givesUpInTime_andTellsTheStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.leaves("s1", "call me 13800138000")
		w.passes(2 * time.Hour)
		w.wantState("s1", Waiting)
		w.passes(2 * lookEvery)
		w.wantState("s1", GivenUp)
		w.reads(1)
		w.wantContacted()
		w.wantLines("left given_up")
		w.wantTold("message failed")
		if e := w.told[1]; e.Session != "s1" || e.Words[0] != "call me 13800138000" || e.Detail == "" {
			t.Errorf("told %+v", e)
		}
		if line := w.log.Lines("message")[1]; line["level"] != "error" {
			t.Errorf("line %v", line)
		}
		w.passes(7*24*time.Hour - 3*time.Hour)
		w.wantState("s1", GivenUp)
		w.passes(3 * time.Hour)
		if m := w.message("s1"); m != nil {
			t.Errorf("kept for too long: %+v", m)
		}
	})
	inWorld(t, func(w *world) {
		w.leaves("s1", "call me")
		w.reads(1)
		w.passes(24*time.Hour - time.Minute)
		w.wantState("s1", Contacted)
		w.passes(2 * time.Minute)
		if m := w.message("s1"); m != nil {
			t.Errorf("kept for too long after the contact: %+v", m)
		}
	})
}

func TestKeeper_withoutIDs_theStaffAloneIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.leaves("s1", "call me", func(l *Left) { l.Service = "" })
		w.reads(5)
		w.passes(3 * time.Hour)
		w.wantState("s1", StaffOnly)
		w.wantContacted()
		w.wantLines("left staff_only")
		w.wantTold("message")
	})
}

func TestKeeper_whoReachesAPerson_isNotContacted(t *testing.T) {
	for name, reach := range map[string]func(k *Keeper){
		"in the same conversation": func(k *Keeper) { k.Reached("s1", "", "") },
		"in another one":           func(k *Keeper) { k.Reached("s7", "user-s1", "@service") },
	} {
		inWorld(t, func(w *world) {
			w.leaves("s1", "call me")
			w.keeper.Reached("s2", "user-s2", "@service")
			w.keeper.Reached("s3", "user-s1", "@other")
			w.passes(0)
			w.wantState("s1", Waiting)
			reach(w.keeper)
			w.passes(0)
			w.wantState("s1", Done)
			w.reads(1)
			w.wantContacted()
			w.wantTold("message message+")
			if w.lines() != "left done" {
				t.Errorf("%s: %s", name, w.lines())
			}
		})
	}
	inWorld(t, func(w *world) { // who is told of the contact itself
		w.leaves("s1", "call me")
		w.desk.before = func(error) { w.keeper.Reached("s1", "user-s1", "@service") }
		w.reads(1)
		w.wantLines("left contacted")
	})
}

func TestKeeper_newWords_areAnotherContact(t *testing.T) {
	inWorld(t, func(w *world) {
		w.leaves("s1", "call me")
		w.reads(1)
		w.passes(time.Hour)
		w.leaves("s1", "once more")
		if m := w.message("s1"); m.State != Waiting || len(m.Words) != 1 || m.Tried != 0 {
			t.Errorf("%+v", m)
		}
		w.reads(1)
		w.wantContacted("s1", "s1")
	})
	inWorld(t, func(w *world) { // of the request that led to something already
		w.leaves("s1", "call me")
		opened := w.message("s1").Opened
		w.desk.script = []error{errLost}
		w.reads(1)
		w.passes(time.Minute)
		w.leaves("s1", "and bring the invoice", func(l *Left) { l.Opened = opened })
		w.reads(1)
		w.wantContacted("s1")
		if m := w.message("s1"); m.State != Unknown || len(m.Words) != 2 {
			t.Errorf("%+v", m)
		}
	})
	inWorld(t, func(w *world) { // while the call is under way
		w.leaves("s1", "call me")
		opened := w.message("s1").Opened
		w.desk.before = func(error) {
			kept, _ := w.records.Record(w.t.Context(), store.KindWords, "s1")
			r, _, err := Add(kept, w.left("s1", "soon", func(l *Left) { l.Opened = opened }))
			if err == nil {
				err = w.records.PutRecords(w.t.Context(), r)
			}
			if err != nil {
				t.Error(err)
			}
		}
		w.reads(1)
		if m := w.message("s1"); m.State != Contacted || len(m.Words) != 2 {
			t.Errorf("%+v", m)
		}
	})
}

func TestKeeper_tooManyWait_theOldestIsDropped(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range maxOpen + 2 {
			r, _, err := Add(store.Record{}, w.left(fmt.Sprint("s", i), "call me", func(l *Left) { l.At = l.At.Add(time.Duration(i) * time.Millisecond) }))
			if err == nil {
				err = w.records.PutRecords(w.t.Context(), r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		w.passes(2 * lookEvery)
		if w.message("s0") != nil || w.message("s1") != nil || w.message("s2") == nil {
			t.Error("others are dropped than the oldest")
		}
		w.wantLines("dropped dropped")
		w.wantTold("failed failed")
	})
}

func TestAdd_keepsTenMessages_andTwoThousandCharacters(t *testing.T) {
	var r store.Record
	var m *Message
	add := func(text string) {
		var err error
		if r, m, err = Add(r, &Left{Conversation: "s1", User: "u", Service: "@s", Text: text, Opened: time.UnixMilli(1), At: time.Now(), ContactWithin: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 12 {
		add(fmt.Sprint("message ", i))
	}
	if len(m.Words) != 10 || m.Words[0].Text != "message 2" {
		t.Errorf("%d messages, the first %q", len(m.Words), m.Words[0].Text)
	}
	add(strings.Repeat("价", 1990))
	if len(m.Words) != 2 || m.Words[0].Text != "message 11" {
		t.Errorf("%d messages, the first %q", len(m.Words), m.Words[0].Text)
	}
}

func TestAdd_whatCannotBeRead_doesNotSilenceTheCustomer(t *testing.T) {
	r, m, err := Add(store.Record{Kind: store.KindWords, Name: "s1", Value: []byte("{"), Version: 7}, &Left{Conversation: "s1", User: "u", Service: "@s", Text: "hello", Opened: time.UnixMilli(1), At: time.Now()})
	if err != nil || r.Version != 7 || m.State != Waiting || len(m.Words) != 1 {
		t.Errorf("%+v, %+v, %v", r, m, err)
	}
}

func TestName_isBounded(t *testing.T) {
	long := strings.Repeat("x", 5000)
	if a, b := Name(long), Name(long+"y"); len(a) > maxName || a == b || Name("s1") != "s1" {
		t.Errorf("%d bytes", len(a))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"conversation":"s1","words":[{"at":"2026-01-05T10:00:00Z","text":"x"}],"state":"waiting"}`))
	f.Add([]byte(`{"conversation":"s1","words":null,"state":"waiting"}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		m, err := decode(store.Record{Kind: store.KindWords, Name: "s1", Value: value})
		if err != nil {
			return
		}
		if _, err := m.encode(); err != nil {
			t.Error(err)
		}
	})
}
