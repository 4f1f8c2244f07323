package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestRetry_goesToTheTargetOfThatName_inTheRulesInForce(t *testing.T) {
	changed, report := rules.Load([]byte(strings.Replace(testRules, "plain: {", "plain: {group: 77, ", 1)), rules.LoadOptions{})
	if changed == nil {
		t.Fatal(report.Errors)
	}
	gone, report := rules.Load([]byte(strings.NewReplacer("plain", "renamed", "else: renamed", "").Replace(testRules)), rules.LoadOptions{})
	if gone == nil {
		t.Fatal(report.Errors)
	}
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141004)}
		w.put("plain")
		w.policy = gone
		err := w.courier.Retry(w.t.Context(), "s1", Operator{})
		if !errors.Is(err, ErrTargetGone) || !strings.Contains(err.Error(), `"plain"`) {
			t.Errorf("Retry to a target that is gone = %v", err)
		}
		if left := w.kept(); left == nil || left.State != store.GivenUp {
			t.Errorf("the transfer is %+v", left)
		}
		w.policy = changed
		if err := w.courier.Retry(w.t.Context(), "s1", Operator{By: "li", Why: "group mended"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.wantLines("failed/141004! assigned!")
		if got := w.desk.requests[1].AgentGroupID; got == nil || *got != 77 {
			t.Errorf("sent to %v", got)
		}
		line := w.log.Lines("transfer retried by an operator")[0]
		if line["by"] != "li" || line["why"] != "group mended" || line["code"] != 141004.0 {
			t.Errorf("line %v", line)
		}
	})
}

func TestRetry_apologizesOncePerTransfer(t *testing.T) {
	inWorld(t, func(w *world) {
		refused := code(141004)
		w.desk.always = &refused
		w.put("plain", func(t *store.Transfer) { t.VerifyFirst = true })
		for range 3 {
			if err := w.courier.Retry(w.t.Context(), "s1", Operator{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		w.wantSettled("failed failed failed failed")
		if got := w.desk.texts(); len(got) != 1 || got[0] != "Sorry." {
			t.Errorf("said %q", got)
		}
	})
}

func TestRetry_ofOneThatWaited_saysNoSecondTimeThatNobodyIsThere(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141001), code(141004), code(141001), code(141001)}
		w.put("waits")
		w.passes(time.Minute)
		if err := w.courier.Retry(w.t.Context(), "s1", Operator{}); err != nil {
			t.Fatal(err)
		}
		w.passes(2 * time.Minute)
		w.wantLines("no_agent/141001 failed/141004! no_agent/141001 no_agent/141001 assigned!")
		if got := w.desk.texts(); len(got) != 1 || got[0] != "Nobody." {
			t.Errorf("said %q", got)
		}
	})
}

// Whoever comes back after a kill finds the apology in the store, or nothing was said.
func TestApology_isSaidOnceStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusing := &refusingOutbox{Outbox: memory.NewOutbox(nil), saves: 1}
		w := newWorld(t, refusing)
		refused := code(141004)
		w.desk.always = &refused
		w.courier.Start()
		w.put("plain")
		if got := w.desk.texts(); len(got) != 0 {
			t.Errorf("said %q, though nothing was stored of it", got)
		}
		w.stop()
		w.courier = New(w.courier.opt) // the next process
		w.courier.Start()
		if err := refusing.Save(t.Context(), w.kept()); err != nil { // its lease is over
			t.Fatal(err)
		}
		w.passes(time.Minute)
		w.stop()
		if got := w.desk.texts(); len(got) != 1 || got[0] != "Sorry." {
			t.Errorf("said %q", got)
		}
	})
}

// refusingOutbox does not save the first few times.
type refusingOutbox struct {
	store.Outbox
	saves int
}

func (o *refusingOutbox) Save(ctx context.Context, t *store.Transfer) error {
	if o.saves--; o.saves >= 0 {
		return errors.New("disk full")
	}
	return o.Outbox.Save(ctx, t)
}

func TestRetryAll_takesWhatHasTheCode(t *testing.T) {
	inWorld(t, func(w *world) {
		for i, c := range []answer{code(141004), code(141005), code(141004), code(141004)} {
			w.desk.set(func() { w.desk.transfers = []answer{c} })
			id := fmt.Sprint("s", i)
			target := map[bool]string{true: "tip", false: "plain"}[i == 3]
			w.put(target, func(t *store.Transfer) { t.ID, t.Session = id, id })
		}
		gone, report := rules.Load([]byte(strings.Replace(testRules, "  tip: {}\n", "", 1)), rules.LoadOptions{})
		if gone == nil {
			t.Fatal(report.Errors)
		}
		w.policy = gone
		for _, c := range []struct {
			code string
			want Retried
		}{{"network", Retried{}}, {"141004", Retried{Retried: 2, TargetGone: 1}}, {"141004", Retried{TargetGone: 1}}, {"141005", Retried{Retried: 1}}} {
			if got, err := w.courier.RetryAll(w.t.Context(), c.code, Operator{}); err != nil || got != c.want {
				t.Errorf("%s: %+v, %v, want %+v", c.code, got, err, c.want)
			}
			synctest.Wait()
		}
		w.wantLines("failed/141004! failed/141005! failed/141004! failed/141004! assigned! assigned! assigned!")
	})
}

func TestDismiss_endsATransferInEveryState(t *testing.T) {
	for name, c := range map[string]struct {
		target string
		answer answer
		code   any
		lines  string
	}{
		"given up":     {"plain", code(141004), 141004.0, "failed/141004! dismissed/141004!"},
		"waiting":      {"waits", code(141001), 141001.0, "no_agent/141001 dismissed/141001!"},
		"courier held": {"plain", code(70009), 70009.0, "retrying/70009 dismissed/70009!"},
		"Desk away":    {"plain", with(errTimeout), "network", "retrying/network dismissed/network!"},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk.always = &c.answer
				w.put(c.target)
				if err := w.courier.Dismiss(w.t.Context(), "s1", Operator{By: "li", Why: strings.Repeat("long ", 1000)}); err != nil {
					t.Fatal(err)
				}
				w.wantGone()
				w.passes(time.Hour)
				w.wantLines(c.lines)
				lines := w.log.Lines("transfer")
				line := lines[len(lines)-1]
				if line["by"] != "li" || len(line["why"].(string)) != 1024 || line["code"] != c.code || !isTrue(line["final"]) {
					t.Errorf("line %v", line)
				}
				if err := w.courier.Dismiss(w.t.Context(), "s1", Operator{}); !errors.Is(err, ErrNoTransfer) {
					t.Errorf("once more: %v", err)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				if len(w.settled) == 0 || w.settled[len(w.settled)-1] != "dismissed" {
					t.Errorf("settled %q", w.settled)
				}
			})
		})
	}
}

func TestTransfers_showCodeAndSince(t *testing.T) {
	inWorld(t, func(w *world) {
		began := time.Now()
		w.desk.transfers = []answer{with(errTimeout)}
		w.desk.states = []answer{code(141004)}
		w.put("plain")
		list, err := w.courier.Transfers(t.Context())
		if err != nil || len(list.Pending) != 1 || list.Pending[0].Code != "network" || !list.Pending[0].Since.Equal(began) {
			t.Fatalf("%+v, %v", list.Pending, err)
		}
		w.passes(time.Minute)
		list, err = w.courier.Transfers(t.Context())
		if err != nil || len(list.GivenUp) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		shown, err := json.Marshal(list.GivenUp[0])
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(shown, &got); err != nil {
			t.Fatal(err)
		}
		if since := list.GivenUp[0].Since; got["code"] != 141004.0 || got["target"] != "plain" || got["state"] != "given_up" || got["error"] == "" || !since.After(began) {
			t.Errorf("%s, since %s", shown, since)
		}
		// What is stored for ourselves is nobody's to read, and free to change.
		want := []string{"attempt", "code", "code_words", "due", "error", "id", "rule", "service", "session", "since", "state", "target", "user"}
		if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
			t.Errorf("it has %q, want %q", names, want)
		}
	})
}

func TestWords_keepTheirNumber_soThatAKillSaysNothingTwice(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141004)}
		w.put("plain", func(t *store.Transfer) { t.Say = "One moment." })
		if said := w.desk.said; len(said) != 2 || said[0].MsgRandom != 100 || said[1].MsgRandom != 101 {
			t.Errorf("said %+v", said)
		}
	})
}

func TestAgentFree_leavesWhatWasGivenUp(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141004), code(141001)}
		w.put("plain", func(t *store.Transfer) { t.ID, t.Session = "given up", "given up" })
		w.put("waits")
		w.courier.AgentFree(w.t.Context(), "li@example.com")
		w.passes(time.Second)
		w.wantLines("failed/141004! no_agent/141001 assigned!")
	})
}

// A shift begins, and a thousand agents get free one after the other: that must not put
// off the transfers that name none of them.
func TestAgentFree_manyAgents_putNothingOff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141001)}
		w.put("waits")
		for i := range 20 {
			w.courier.AgentFree(w.t.Context(), fmt.Sprint("agent-", i))
			w.passes(namedFirst / 2)
		}
		w.wantLines("no_agent/141001 assigned!")
		if lines := w.log.Lines("an agent is free: transfers that waited are tried"); len(lines) != 1 {
			t.Errorf("told %d times", len(lines))
		}
	})
}

func TestPanic_isGivenUpWithALine_andAnApology(t *testing.T) {
	inWorld(t, func(w *world) {
		w.courier.opt.SessionFound = func(string, string) { panic("oh") }
		w.put("plain", func(t *store.Transfer) { t.Session = "" })
		w.wantSettled("failed")
		if line := w.log.Lines("transfer")[0]; line["outcome"] != "failed" || !isTrue(line["final"]) || !strings.Contains(fmt.Sprint(line["error"]), "oh") {
			t.Errorf("line %v", line)
		}
		if got := w.desk.texts(); len(got) != 1 || got[0] != "Sorry." {
			t.Errorf("said %q", got)
		}
	})
}

func TestMetrics_knownSeriesExistFromTheStart(t *testing.T) {
	w := newWorld(t, memory.NewOutbox(nil))
	for _, labels := range [][2]string{
		{"assigned", "0"},
		{"queued", "0"},
		{"already_human", "0"},
		{"session_gone", "0"},
		{"no_agent", "141001"},
		{"no_agent", "141011"},
		{"failed", "141005"},
		{"failed", "network"},
		{"retrying", "network"},
		{"no_agent", "network"},
		{"dismissed", "0"},
		{"retrying", "141003"},
		{"retrying", "70009"},
		{"failed", "141002"},
	} {
		before := testutil.CollectAndCount(w.metrics.Transfers)
		if v := testutil.ToFloat64(w.metrics.Transfers.WithLabelValues(labels[0], labels[1])); v != 0 {
			t.Errorf("%v is %v", labels, v)
		}
		if testutil.CollectAndCount(w.metrics.Transfers) != before {
			t.Errorf("%v did not exist", labels)
		}
	}
	w.stop()
}
