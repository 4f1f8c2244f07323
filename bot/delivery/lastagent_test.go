package delivery

import (
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

const lastAgent = "chen@example.com"

// lastAgentFirst gives a transfer the chain of a rule that prefers the last agent, as the rules make it.
func (w *world) lastAgentFirst(target string) func(*store.Transfer) {
	w.t.Helper()
	p, r := rules.Load([]byte(strings.Replace(testRules, "{transfer: plain}", "{transfer: "+target+", prefer_last_agent: 7d}", 1)), rules.LoadOptions{})
	if p == nil {
		w.t.Fatal(r.Errors)
	}
	var u rules.User
	u.WithAgent(lastAgent, time.Now())
	d := p.Decide(&rules.Conversation{}, rules.Turn{Text: "human", At: time.Now(), User: &u})
	return func(t *store.Transfer) { t.Chain = d.Chain }
}

// agentsAsked are the agents whom each call asked for, "-" for none.
func (w *world) agentsAsked() (all []string) {
	w.desk.mu.Lock()
	defer w.desk.mu.Unlock()
	for _, r := range w.desk.requests {
		agents := "-"
		if len(r.AgentIDs) > 0 {
			agents = strings.Join(r.AgentIDs, ",")
		}
		all = append(all, agents)
	}
	return all
}

// Whatever Desk has against the agent, the target follows in the same attempt; a fault is no answer about the agent.
func TestLastAgent_whatTheStepIsAnswered(t *testing.T) {
	for _, c := range []struct {
		name        string
		answers     []answer
		lines       string
		asked       string
		taken, away float64
	}{
		{"taken", nil, "assigned!", lastAgent, 1, 0},
		{"nobody online", []answer{code(141001)}, "no_agent/141001 assigned!", lastAgent + " -", 0, 1},
		{"the agent is offline", []answer{code(141011)}, "no_agent/141011 assigned!", lastAgent + " -", 0, 1},
		{"a code that no page documents", []answer{code(141077)}, "no_agent/141077 assigned!", lastAgent + " -", 0, 1},
		{"no such agent any more", []answer{code(141004)}, "no_agent/141004 assigned!", lastAgent + " -", 0, 1},
		{"the transfer itself is to blame", []answer{code(141004), code(141004)}, "no_agent/141004 failed/141004!", lastAgent + " -", 0, 1},
		{"nobody at all", []answer{code(141001), code(141001)}, "no_agent/141001 no_agent/141001!", lastAgent + " -", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.desk.transfers = c.answers
				w.put("plain", w.lastAgentFirst("plain"))
				w.wantLines(c.lines)
				if got := strings.Join(w.agentsAsked(), " "); got != c.asked {
					t.Errorf("asked for %s, want %s", got, c.asked)
				}
				if taken, away := testutil.ToFloat64(w.metrics.LastAgents.WithLabelValues("taken")), testutil.ToFloat64(w.metrics.LastAgents.WithLabelValues("away")); taken != c.taken || away != c.away {
					t.Errorf("counted %v taken and %v away", taken, away)
				}
			})
		})
	}
}

func TestLastAgent_onTheWire_aloneWithoutGroupTipAndQueue(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{code(141001)}
		w.put("two", w.lastAgentFirst("two"))
		step, target := w.desk.requests[0], w.desk.requests[1]
		if !slices.Equal(step.AgentIDs, []string{lastAgent}) || step.AgentGroupID != nil || bool(step.TipIfNoAgent) || step.DisableQueuing == nil || !bool(*step.DisableQueuing) {
			t.Errorf("the step: %+v", step)
		}
		if target.AgentIDs != nil || target.AgentGroupID == nil || *target.AgentGroupID != 2 {
			t.Errorf("the target: %+v", target)
		}
		lines := w.log.Lines("transfer")
		if !isTrue(lines[0]["last_agent"]) || lines[0]["target"] != "two" || lines[1]["last_agent"] != nil || lines[1]["target"] != "two" {
			t.Errorf("lines %v", lines)
		}
	})
}

// A fault at the step is tried again there, after the usual wait: nobody knows what Desk would have said.
func TestLastAgent_fault_isTriedAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.transfers = []answer{with(errTimeout)}
		w.put("plain", w.lastAgentFirst("plain"))
		w.passes(time.Minute)
		if got := strings.Join(w.agentsAsked(), " "); got != lastAgent+" "+lastAgent {
			t.Errorf("asked for %s", got)
		}
	})
}

// While it waits each try begins with the agent, who may have come back; the customer is told once.
func TestLastAgent_retryIfNoAgent_asksAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		nobody := code(141001)
		w.desk.transfers = []answer{nobody, nobody, nobody, nobody}
		w.put("waits", w.lastAgentFirst("waits"))
		w.passes(2*time.Minute + time.Second)
		if got, want := strings.Join(w.agentsAsked(), " "), lastAgent+" - "+lastAgent+" - "+lastAgent; got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
		if got := strings.Join(w.desk.texts(), " "); got != "Nobody." {
			t.Errorf("said %q", got)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if last := len(w.agents) - 1; w.settled[last] != "assigned" || w.agents[last] == "" {
			t.Errorf("settled %v with %v", w.settled, w.agents)
		}
	})
}

// A process that dies in the step asks Desk first; the next one goes on with the same step.
func TestLastAgent_restart_keepsTheStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.NewOutbox(nil))
		w.courier.Start()
		w.desk.transfers = []answer{with(errTimeout)}
		w.put("plain", w.lastAgentFirst("plain"))
		w = w.dies()
		w.passes(time.Minute)
		if got := w.desk.made(); got != "TQT" {
			t.Errorf("calls %s", got)
		}
		if got := strings.Join(w.agentsAsked(), " "); got != lastAgent+" "+lastAgent {
			t.Errorf("asked for %s", got)
		}
		w.stop()
	})
}
