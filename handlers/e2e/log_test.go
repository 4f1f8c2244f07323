package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
)

// escalate has n fresh sessions ask for a person, and returns the slowest answer.
func (s *service) escalate(prefix string, n int) (sessions []string, slowest time.Duration) {
	s.t.Helper()
	for i := range n {
		session := fmt.Sprint(prefix, i)
		s.desk.SetState(session, desk.StateChatbot, "")
		began := time.Now()
		if a := s.says(session, "a human please"); a.AIProvider == nil || *a.AIProvider != 0 {
			s.t.Errorf("%s: %d %s", session, a.Status, a.Body)
		}
		slowest = max(slowest, time.Since(began))
		sessions = append(sessions, session)
	}
	return sessions, slowest
}

// TestServe_aLogReaderThatStalls_costsLinesOnly fills the pipe and the buffer
// behind it, and has the reader come back.
func TestServe_aLogReaderThatStalls_costsLinesOnly(t *testing.T) {
	t.Parallel() // it mostly waits
	s := newUnreliable(t, 1)
	resume := s.out.stall()
	defer resume()
	sessions, slowest := s.escalate("stalled-", 300)
	if slowest > 2*time.Second {
		t.Errorf("a callback was answered after %s", slowest)
	}
	s.wantEachAcceptedOnce(sessions)
	eventually(t, "/readyz that tells of the stall", func() bool {
		status, body := s.get("/readyz")
		return status == http.StatusOK && strings.Contains(body, "degraded") && strings.Contains(body, "reader has stalled")
	})

	g := newGenerator(s) // at level debug each message is a line
	dropped := 0.0
	for range 20 {
		if g.run(64, 0, 500*time.Millisecond); dropped > 0 {
			break
		}
		_, metrics := s.get("/metrics")
		dropped = gauge(metrics, "escalator_log_dropped_total")
	}
	if dropped <= 0 || g.percentile(.99) > 2*time.Second || g.statuses[http.StatusOK] != len(g.took) {
		t.Errorf("%v lines dropped; %d callbacks, p99 %s, statuses %v", dropped, len(g.took), g.percentile(.99), g.statuses)
	}
	resume()
	line := s.log("log lines were dropped while the log's reader stalled", map[string]any{"level": "warning"})
	if told, _ := line["lines"].(float64); told < dropped {
		t.Errorf("%v lines were dropped, %v are told", dropped, told)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestServe_aLogReaderThatLeaves_doesNotEndTheService(t *testing.T) {
	t.Parallel()
	s := newUnreliable(t, 1)
	if err := s.out.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	sessions, _ := s.escalate("alone-", 4)
	s.wantEachAcceptedOnce(sessions)
	_, metrics := s.get("/metrics")
	if n := gauge(metrics, "escalator_log_dropped_total"); n < 8 { // a decision and a transfer each
		t.Errorf("%v lines counted as dropped", n)
	}
	if status, body := s.get("/readyz"); status != http.StatusOK || !strings.Contains(body, "broken pipe") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// TestServe_floods_areOneLineWithACount has every callback meet the same fault.
func TestServe_floods_areOneLineWithACount(t *testing.T) {
	t.Parallel()                                                          // it mostly waits
	s := newUnreliable(t, 1, "ESCALATOR_FORWARD_URL=http://127.0.0.1:1/") // nobody is there
	const flood = 500
	for i := range flood {
		request(t, http.MethodPost, s.url+"?"+sign(time.Now())+"0", `{}`)
		s.desk.UserSays(fmt.Sprint("flood-", i), "where is my parcel")
	}
	for _, msg := range []string{"callback refused", "your own bot failed to answer"} {
		line := s.log(msg, nil)
		if line["level"] != "warning" {
			t.Errorf("line %v", line)
		}
		s.out.waitFor(t, "count of "+msg, func(line map[string]any) bool { return line["msg"] == msg && line["omitted"] != nil })
		lines := slices.DeleteFunc(logLines(s.out.String()), func(line map[string]any) bool { return line["msg"] != msg })
		if len(lines) > flood/20 {
			t.Errorf("%q: %d lines of %d faults", msg, len(lines), flood)
		}
	}
}
