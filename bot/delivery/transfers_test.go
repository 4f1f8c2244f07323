package delivery

import (
	"fmt"
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
	for name, c := range map[string]struct {
		policy *rules.Policy
		group  int64
	}{"changed": {changed, 77}, "gone": {gone, 0}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk.transfers = []answer{code(141004)}
				w.put("plain")
				w.policy = c.policy
				if err := w.courier.Retry(w.t.Context(), "s1"); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				w.wantLines("failed/141004! assigned!")
				if got := w.desk.requests[1].AgentGroupID; (got == nil) != (c.group == 0) || got != nil && *got != c.group {
					t.Errorf("sent to %v", got)
				}
				if line := w.log.Lines("transfer retried by an operator")[0]; isTrue(line["target_gone"]) != (name == "gone") {
					t.Errorf("line %v", line)
				}
			})
		})
	}
}

func TestRetry_apologizesOncePerTransfer(t *testing.T) {
	inWorld(t, func(w *world) {
		refused := code(141004)
		w.desk.always = &refused
		w.put("plain", func(t *store.Transfer) { t.VerifyFirst = true })
		for range 3 {
			if err := w.courier.Retry(w.t.Context(), "s1"); err != nil {
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
