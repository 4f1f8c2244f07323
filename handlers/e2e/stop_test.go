package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
)

// wantStopWithinGrace asks the process to end, and looks how long it takes. A
// second is left to the machine.
func (s *service) wantStopWithinGrace(grace time.Duration, code int) {
	s.t.Helper()
	began := time.Now()
	if got := s.stop(); got != code {
		s.t.Errorf("exit %d, want %d\n%s", got, code, s.out)
	}
	if took := time.Since(began); took > grace+time.Second {
		s.t.Errorf("it took %s to stop", took)
	}
}

// hangs are what may hang, and the exit code of a stop that had to leave it.
var hangs = []struct {
	name string
	code int
	hang func(s *service, bot *silentBot)
}{
	{"the log's reader", 0, func(s *service, _ *silentBot) {
		s.t.Cleanup(s.out.stall())
		s.escalate("stalled-", 300)
	}},
	{"a stream of decisions", 0, func(s *service, _ *silentBot) {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.admin+"/api/decisions?stream=1", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { _ = resp.Body.Close() })
	}},
	{"the rule file", 0, func(s *service, _ *silentBot) {
		file := filepath.Join(s.dir, "rules.yaml")
		if err := errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o600)); err != nil {
			s.t.Fatal(err)
		}
	}},
	{"a client within its request", 0, func(s *service, _ *silentBot) {
		c, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimSuffix(s.url, "/callback"), "http://"))
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { _ = c.Close() })
		if _, err := fmt.Fprintf(c, "POST /callback?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", sign(time.Now())); err != nil {
			s.t.Fatal(err)
		}
	}},
	{"Desk", 1, func(s *service, _ *silentBot) {
		slow := desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultDelay, Delay: time.Minute}
		again := slow // on a busy machine the first call may be given up, and repeated, before the stop
		again.Times = 1000
		if err := s.desk.Fail(slow, again); err != nil {
			s.t.Fatal(err)
		}
		s.escalate("slow-", 1)
		eventually(s.t, "the call to Desk", func() bool { return len(s.desk.Faults()) == 1 })
	}},
	{"the own bot", 0, func(s *service, bot *silentBot) {
		asked := bot.asked.Load()
		for i := range 8 {
			go s.desk.UserSays(fmt.Sprint("forwarded-", i), "where is my parcel")
		}
		eventually(s.t, "questions to the own bot", func() bool { return bot.asked.Load() >= asked+8 })
	}},
}

// silentBot is an own bot that takes connections and never answers.
type silentBot struct {
	address string
	asked   atomic.Int64
}

func newSilentBot(t *testing.T) *silentBot {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b := &silentBot{address: l.Addr().String()}
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			b.asked.Add(1)
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	return b
}

func TestServe_stopsWithinItsGrace_whateverHangs(t *testing.T) {
	t.Parallel()                  // it mostly waits
	const grace = 5 * time.Second // the own bot has 1.5 s to answer
	bot := newSilentBot(t)
	settings := []string{"ESCALATOR_SHUTDOWN_GRACE=" + grace.String(), "ESCALATOR_FORWARD_URL=http://" + bot.address}
	for _, h := range hangs {
		t.Run(h.name, func(t *testing.T) {
			s := newUnreliable(t, 1, settings...)
			h.hang(s, bot)
			s.wantStopWithinGrace(grace, h.code)
		})
	}
	t.Run("all at once", func(t *testing.T) {
		s := newUnreliable(t, 1, settings...)
		for i := range hangs {
			hangs[len(hangs)-1-i].hang(s, bot) // the log last: what comes before looks at it
		}
		s.wantStopWithinGrace(grace, 1)
	})
}

// TestServe_aStopThatCutsSomething_saysWhat_andWhatBecomesOfIt has transfers wait,
// one of them within its call to Desk.
func TestServe_aStopThatCutsSomething_saysWhat_andWhatBecomesOfIt(t *testing.T) {
	t.Parallel()
	s := newUnreliable(t, 1, "ESCALATOR_SHUTDOWN_GRACE=2s")
	const n = 20 // more than go out at once
	slow := desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultDelay, Delay: time.Minute, Times: n}
	if err := s.desk.Fail(slow); err != nil {
		t.Fatal(err)
	}
	sessions, _ := s.escalate("cut-", n)
	eventually(t, "calls to Desk", func() bool { return len(s.desk.Faults()) > 0 })
	s.wantStopWithinGrace(2*time.Second, 1)
	s.log("cut off while stopping", map[string]any{
		"part": "deliveries", "then": "their transfers stay in the outbox, and Desk is asked about them first after the next start",
	})
	s.log("transfers wait in the outbox", map[string]any{"transfers": n, "then": "they go out after the next start"})
	s.desk.ClearFaults()
	s.start()
	s.log("restored from before the restart", map[string]any{"transfers": n})
	s.wantEachAcceptedOnce(sessions)
}

// A file that never comes must not keep a start from its end, nor one who reads no errors.
func TestServe_aStartThatHangs_endsWithASignal(t *testing.T) {
	t.Parallel()
	s := newUnreliable(t, 1)
	if code := s.stop(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	hung := filepath.Join(s.dir, "token")
	if err := syscall.Mkfifo(hung, 0o600); err != nil {
		t.Fatal(err)
	}
	s.launch("ESCALATOR_CALLBACK_TOKEN=", "ESCALATOR_CALLBACK_TOKEN_FILE="+hung)
	eventually(t, "a process that waits for the file", func() bool {
		f, err := os.OpenFile(hung, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { _ = f.Close() }) // it reads on, and nothing comes
		}
		return err == nil
	})
	s.wantStopWithinGrace(time.Second, -1)
}
