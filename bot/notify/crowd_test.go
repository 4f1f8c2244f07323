package notify

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/store"
	"escalator/rules"
)

// stored keeps events as the conversations keep them, beyond what is looked at now.
func (w *world) stored(n *Notifier, events int) {
	w.t.Helper()
	for i := range events {
		r, ok := n.Record(Event{Kind: ByRule, Teams: []string{"sales"}, Rule: "r", Session: fmt.Sprint("s", i)})
		if !ok || w.records.PutRecords(w.t.Context(), r) != nil {
			w.t.Fatal("the event was not stored")
		}
	}
	n.Stored()
}

// Two files may hold the address of the same chat, and the vendor counts by the address.
func TestNotifier_anAddressInTwoFiles_isOneAddress(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		if err := os.Link(filepath.Join(w.folder, "url"), filepath.Join(w.folder, "url-2")); err != nil {
			t.Fatal(err)
		}
		w.takes(strings.Replace(teamsRules, "sales: {wecom: {url_file: url}", "sales: {wecom: {url_file: url-2}, on: [no_agent]", 1))
		for i := range addressMessages {
			n.Tell(Event{Kind: NoAgent, Target: fmt.Sprint("t", i)})
		}
		if got := w.arrived(); got != addressMessages {
			t.Errorf("%d messages at once, want %d", got, addressMessages)
		}
		time.Sleep(addressTime)
		if got := w.arrived(); got != 2*addressMessages {
			t.Errorf("%d messages after a minute, want %d", got, 2*addressMessages)
		}
		all, err := w.records.Records(t.Context(), store.KindNotice)
		for _, r := range all {
			if err != nil || strings.Contains(r.Name+string(r.Value), planted) {
				t.Errorf("a record holds the address: %s %s (%v)", r.Name, r.Value, err)
			}
		}
	})
}

// takes puts other rules in force.
func (w *world) takes(file string) {
	w.t.Helper()
	p, report := rules.Load([]byte(file), rules.LoadOptions{})
	if p == nil {
		w.t.Fatal(report.Errors)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.policy = p
}

// A rule fires for thousands of customers while an address hangs: none is lost, and the
// other address gets its messages meanwhile.
func TestNotifier_aSlowAddress_holdsUpNoneButItself_andLosesNothing(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		if err := os.WriteFile(filepath.Join(w.folder, "ops"), []byte("https://example.com/ops"), 0o600); err != nil {
			t.Fatal(err)
		}
		hang := make(chan struct{})
		w.refuses(func(text string) (answer, error) {
			if strings.Contains(text, "规则") {
				w.refuse = nil
				w.mu.Unlock()
				<-hang
				w.mu.Lock()
			}
			return answer{}, nil
		})
		w.stored(n, 1)
		synctest.Wait()
		for range 5 {
			w.stored(n, 900)
			synctest.Wait()
		}
		n.Tell(Event{Kind: Held})
		w.wants("Desk refuses every transfer")
		close(hang)
		w.wants("共触发 1 次")
		time.Sleep(10 * time.Minute)
		w.wants("共触发 4500 次")
	})
}

func TestNotifier_moreStoredEventsThanFit_areCountedAndDropped_oldestFirst(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		_ = n.Stop(t.Context()) // nobody takes them up
		w.stored(n, maxPending+20)
		next := w.start()
		time.Sleep(time.Hour)
		w.wants("共触发 236 次", "共触发 764 次") // which is 1000
		if got := testutil.ToFloat64(w.metrics.Notices.WithLabelValues("wecom", outcomeDropped)); got != 20 {
			t.Errorf("%v counted as dropped, want 20", got)
		}
		_ = next.Stop(t.Context())
	})
}

// Many teams that are told of many targets at once are more groups than a store puts at once.
func TestNotifier_manyTeams_areAllTold(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		var b strings.Builder
		b.WriteString("version: 1\ntargets: {default: {}}\nrules: [{id: r, when: {says: [live agent]}, then: {transfer: default}}]\nnotify:\n")
		for i := range 10 {
			fmt.Fprintf(&b, "  t%d: {wecom: {url_file: url}, on: [no_agent]}\n", i)
		}
		w.takes(b.String())
		for i := range 15 {
			n.Tell(Event{Kind: NoAgent, Target: fmt.Sprint("x", i)})
		}
		time.Sleep(16 * time.Minute)
		if got := w.arrived(); got != 150 {
			t.Errorf("%d messages, want 150", got)
		}
	})
}

// What no store can put is dropped, and counted: else nobody would be told of anything again.
func TestNotifier_moreTeamsThanCanBePut_stopNobody(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		var b strings.Builder
		b.WriteString("version: 1\ntargets: {default: {}}\nrules: [{id: r, when: {says: [live agent]}, then: {transfer: default, notify: [t0]}}]\nnotify:\n")
		for i := range 101 {
			fmt.Fprintf(&b, "  t%d: {wecom: {url_file: url}, on: [no_agent]}\n", i)
		}
		w.takes(b.String())
		n.Tell(nobody("s1"))
		n.Tell(Event{Kind: ByRule, Teams: []string{"t0"}, Rule: "r"})
		w.wants("规则 r 触发")
		if got := testutil.ToFloat64(w.metrics.Notices.WithLabelValues("wecom", outcomeDropped)); got != 101 {
			t.Errorf("%v counted as dropped, want 101", got)
		}
	})
}

// A file without the team may be taken back a minute later.
func TestNotifier_aTeamThatIsGone_isToldWhenItIsBack_andGivenUpAfterADay(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		without := strings.Replace(teamsRules, "  support:", "  others:", 1)
		n.Tell(nobody("s1"))
		w.wants("no agent online")
		n.Tell(nobody("s2"))
		time.Sleep(time.Minute)
		w.takes(without)
		time.Sleep(20 * time.Minute)
		w.wants()
		w.takes(teamsRules)
		time.Sleep(lookEvery)
		w.wants("Since the last message: 1 customer")
		n.Tell(nobody("s3"))
		time.Sleep(time.Minute)
		w.takes(without)
		time.Sleep(25 * time.Hour)
		w.wants()
		if got := testutil.ToFloat64(w.metrics.Notices.WithLabelValues("slack", outcomeFailed)); got != 1 {
			t.Errorf("%v counted as failed, want 1", got)
		}
		if lines := strings.Count(w.log.String(), "it could not be sent within 24 hours"); lines != 1 {
			t.Errorf("%d lines say that it was given up", lines)
		}
	})
}

// The host's clock was a day ahead, was set right, and the process started again.
func TestNotifier_aClockThatWasSetBack_silencesNobody(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		_ = n.Stop(t.Context())
		ahead := func() time.Time { return time.Now().Add(24 * time.Hour) }
		early := w.startAt(ahead)
		for i := range addressMessages {
			early.Tell(Event{Kind: NoAgent, Target: fmt.Sprint("t", i)})
		}
		synctest.Wait()
		early.Tell(Event{Kind: NoAgent, Target: "t0"})
		synctest.Wait()
		_ = early.Stop(t.Context())
		w.sent = nil
		next := w.start()
		time.Sleep(10 * time.Minute)
		w.wants("10m0s Escalator: no agent online / Since the last message: 1 customer")
		_ = next.Stop(t.Context())
	})
}

// Whoever is on duty copies the command into a shell.
func TestText_aSessionThatAStrangerNamed_isSafeInAShell(t *testing.T) {
	for id, want := range map[string]string{
		"2baf4d84-beb4-4607": "escalator conversation 2baf4d84-beb4-4607",
		"@TGS#1":             "escalator conversation -- '@TGS#1'",
		"s;`id`":             "escalator conversation -- 's;`id`'",
		"it's $(id)":         `escalator conversation -- 'it'\''s $(id)'`,
		"--url=http://evil":  "escalator conversation -- '--url=http://evil'",
		"客户1":                "escalator conversation -- '客户1'",
	} {
		n := notice{Kind: NoAgent, Count: 1, Session: id}
		if got := n.words(&english, time.Time{}); !strings.HasSuffix(got, want) {
			t.Errorf("%s\nwant at its end %s", got, want)
		}
	}
}

// What is not seen is in no part of a message.
func TestNotifier_whatIsNotSeen_isNotKept(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		e := Event{Kind: Message, Session: "s\x00\u202e1", Detail: "d\n\x1b[31m", Words: []string{"\u202etxt\x00.exe\r\n"}}
		n.prepare(&e)
		if e.Session != "s 1" || e.Detail != "d [31m" || e.Words[0] != "txt .exe" {
			t.Errorf("%q %q %q", e.Session, e.Detail, e.Words)
		}
	})
}
