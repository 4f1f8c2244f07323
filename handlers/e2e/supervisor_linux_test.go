package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// manager stands for systemd: it hears what the service says of itself.
type manager struct {
	t      *testing.T
	socket *net.UnixConn
	path   string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{t: t, path: filepath.Join(t.TempDir(), "notify")}
	var err error
	if m.socket, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.socket.Close() })
	return m
}

// hears returns the next message, line by line, and nothing when none comes in time.
func (m *manager) hears(timeout time.Duration) []string {
	m.t.Helper()
	if err := m.socket.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		m.t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := m.socket.Read(b)
	if err != nil {
		return nil
	}
	return strings.Split(string(b[:n]), "\n")
}

// wants waits for a message with a line that begins so, and passes over feedings of the watchdog.
func (m *manager) wants(state string) []string {
	m.t.Helper()
	for late := time.Now().Add(soon); time.Now().Before(late); {
		heard := m.hears(soon)
		if slices.ContainsFunc(heard, func(line string) bool { return strings.HasPrefix(line, state) }) {
			return heard
		}
		if !slices.Equal(heard, []string{"WATCHDOG=1"}) {
			m.t.Fatalf("heard %q, want %s", heard, state)
		}
	}
	m.t.Fatalf("%s was never heard", state)
	return nil
}

func TestSupervisor_hearsOfStartReloadAndStop(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	s := startServiceWithRules(t, ruleFile("abracadabra"), "NOTIFY_SOCKET="+m.path)
	if heard := m.wants("READY=1"); len(heard) != 2 || !strings.HasPrefix(heard[1], "STATUS=callbacks on 127.0.0.1:") {
		t.Errorf("at the start %q was heard", heard)
	}
	s.obeys("abracadabra", true) // ready is ready

	s.writeRules(ruleFile("hocuspocus"))
	var before unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &before); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	heard := m.wants("RELOADING=1")
	at, err := strconv.ParseInt(strings.TrimPrefix(heard[len(heard)-1], "MONOTONIC_USEC="), 10, 64)
	if err != nil || at < before.Nano()/1000 {
		t.Errorf("the reload is told of as %q, after %d µs", heard, before.Nano()/1000)
	}
	m.wants("READY=1")
	s.obeys("hocuspocus", true)

	s.writeRules("version: 1\nrules: [")
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	m.wants("RELOADING=1")
	if heard := m.wants("READY=1"); !strings.Contains(heard[1], "the rule file is refused") {
		t.Errorf("after a refused reload %q was heard", heard)
	}

	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.wants("STOPPING=1")
	if code := s.wait(); code != 0 {
		t.Errorf("exit %d\n%s", code, s.out)
	}
}

func TestSupervisor_theWatchdogIsFedOnlyWhileCallbacksAreAnswered(t *testing.T) {
	const period = 400 * time.Millisecond
	m := newManager(t)
	s := startService(t, "NOTIFY_SOCKET="+m.path, fmt.Sprintf("WATCHDOG_USEC=%d", period.Microseconds()))
	m.wants("READY=1")
	m.wants("WATCHDOG=1")
	began := time.Now()
	for range 4 {
		m.wants("WATCHDOG=1")
	}
	if took := time.Since(began); took < 4*period/2*8/10 {
		t.Errorf("four feedings took %s: that is more often than twice a period of %s", took, period)
	}

	// Without a file to open no connection can be taken: alive to look at, of no use to anybody.
	usual := unix.Rlimit{}
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &usual); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 3, Max: usual.Max}
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &none, nil); err != nil {
		t.Fatal(err)
	}
	m.hears(period) // one may have been under way
	if heard := m.hears(4 * period); heard != nil {
		t.Errorf("while no callback can be taken %q was heard", heard)
	}
	s.log("no callback would be answered: the watchdog is not fed", nil)

	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &usual, nil); err != nil {
		t.Fatal(err)
	}
	m.wants("WATCHDOG=1")
	_, metrics := s.get("/metrics")
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "escalator_callbacks_total{") && !strings.HasSuffix(line, " 0\n") {
			t.Errorf("a look of the watchdog is counted as a callback: %s", line)
		}
	}
	if status, body := s.get("/readyz"); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

func TestSupervisor_aWatchdogOfAnotherProcess_isNotFed(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	startService(t, "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=100000", "WATCHDOG_PID=1")
	m.wants("READY=1")
	if heard := m.hears(500 * time.Millisecond); heard != nil {
		t.Errorf("heard %q", heard)
	}
}

func TestSupervisor_thatIsGone_isToldOfInTheLog(t *testing.T) {
	t.Parallel()
	s := startService(t, "NOTIFY_SOCKET=/nonexistent/notify")
	s.log("the service manager cannot be told how the service is", nil)
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d\n%s", code, s.out)
	}
}
