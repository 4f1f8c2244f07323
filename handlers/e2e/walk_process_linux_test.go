package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"escalator/bot/desk/desktest"
)

// walkGrace is the grace of a clean stop, and walkMargin what a busy machine may
// add to it.
const (
	walkGrace  = 4 * time.Second
	walkMargin = 3 * time.Second
)

// process is the service, one life after the other on the same folder.
type process struct {
	w             *walk
	cmd           *exec.Cmd
	ended         chan struct{}
	public, admin string

	pid      atomic.Int64 // for who looks on while the next life begins
	life     atomic.Int64 // odd while it must answer; goes up when it begins and when it ends
	forwards atomic.Bool  // this life has a bot of its own behind it
	kills    int
	cut      map[int64]bool // lives whose last log lines nobody got
	slowest  time.Duration  // stop
	stops    int
}

// newProcess gives the service an address of the loopback network that nobody
// else has: it may take the same ports again after every death.
func newProcess(w *walk) *process {
	pid := os.Getpid()
	host := fmt.Sprintf("127.%d.%d.%d", 64+pid>>16&63, pid>>8&255, pid&255|1)
	p := &process{w: w, cut: map[int64]bool{}, public: host + ":8080", admin: host + ":8081"}
	w.desk.SetCallbackURL("http://" + p.public + "/callback")
	w.t.Cleanup(func() {
		if p.cmd != nil {
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
	})
	return p
}

func (p *process) lives() bool { return p.life.Load()%2 == 1 }

// start begins a life with settings that are drawn: with or without a bot of
// its own behind it, with or without a token.
func (p *process) start() {
	w := p.w
	data := []string{"ESCALATOR_DATA_DIR=" + filepath.Join(w.disk.dir, "data"), "ESCALATOR_RECORD_DIR=" + filepath.Join(w.disk.dir, "recordings")}
	settings := append([]string{
		fmt.Sprintf("ESCALATOR_SDKAPPID=%d", desktest.DefaultSDKAppID), "ESCALATOR_SECRET_KEY=" + testKey.Reveal(),
		"ESCALATOR_API_URL=" + w.refused.url, "ESCALATOR_LISTEN=" + p.public, "ESCALATOR_ADMIN_LISTEN=" + p.admin,
		"ESCALATOR_RULES=" + filepath.Join(w.dir, "rules.yaml"), "ESCALATOR_SHUTDOWN_GRACE=" + walkGrace.String(),
	}, data...)
	forwards, signed := w.random.IntN(2) == 0, w.random.IntN(3) > 0
	if forwards {
		settings = append(settings, "ESCALATOR_FORWARD_URL="+w.own.url)
	}
	if signed {
		settings = append(settings, "ESCALATOR_CALLBACK_TOKEN="+testToken)
	}
	p.cmd, p.ended = exec.Command(binary, "serve"), make(chan struct{})
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = w.dir, settings, w.log.keep
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if _, err := os.Lstat(filepath.Join(w.dir, "rules.yaml")); err != nil {
		w.putRules(walkRules) // without any rule file a start ends with 2, as it must
	}
	began := time.Now()
	var err error
	w.disk.do(func() { err = p.cmd.Start() })
	if err != nil {
		w.t.Fatal(err)
	}
	p.pid.Store(int64(p.cmd.Process.Pid))
	cmd, ended := p.cmd, p.ended
	life := p.life.Load() + 1
	go func() {
		_ = cmd.Wait()
		p.life.CompareAndSwap(life, life+1) // it ended by itself
		close(ended)
	}()
	w.disk.limit(cmd.Process.Pid)
	for status := 0; status != http.StatusOK; status, _, _ = w.ask(http.MethodGet, "/healthz") {
		select {
		case <-ended:
			w.t.Fatalf("the service does not start: %s\n%s", cmd.ProcessState, w.log.tail())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(began) > soon {
			w.t.Fatalf("the service does not serve within %s\n%s", soon, w.log.tail())
		}
	}
	p.forwards.Store(forwards)
	p.life.Add(1)
	w.note("serves after %s, forwards: %v, token: %v", time.Since(began).Round(time.Millisecond), forwards, signed)
}

// kill ends the process without a chance to do anything.
func (p *process) kill() {
	p.cut[p.life.Add(1)-1] = true
	p.kills++
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks the process to end, which it must do within its grace.
func (p *process) stop() {
	p.cut[p.life.Add(1)-1] = p.w.log.isAway()
	p.stops++
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		p.slowest = max(p.slowest, time.Since(began))
		p.w.note("stopped after %s: %s", time.Since(began).Round(time.Millisecond), p.cmd.ProcessState)
	case <-time.After(walkGrace + walkMargin):
		p.w.complain("SIGTERM: still there after %s\n%s", walkGrace+walkMargin, p.stacks())
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// stacks makes a process that does not end say where it hangs.
func (p *process) stacks() string {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-p.ended:
	case <-time.After(time.Second):
	}
	return p.w.log.tail()
}

// memory is what the process has in memory, in MiB; 0 when it is gone.
func (p *process) memory() (mib int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid.Load()))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			mib = kib >> 10
		}
	}
	return mib
}
