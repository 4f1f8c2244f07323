package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

const (
	token = "bench-callback-token"
	// timeout is how long a process may take to start or to stop.
	timeout = 15 * time.Second
)

// productBinary is the whole path of the program to measure.
func productBinary(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", missingError("-binary: " + err.Error() + " (make build makes it)")
	}
	return filepath.Abs(path)
}

// process is a child of ours.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.ended) }()
	return p, nil
}

// stop ends the process, by force if it takes too long.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(timeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// kib reads a figure of the process's memory: VmRSS or VmHWM.
func (p *process) kib(name string) (float64, error) {
	kib, err := kibOf(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), name)
	return float64(kib), err
}

// cpu is the processor time that the process has taken so far. Unlike the time on
// the wall it does not count what others took meanwhile. 0: it cannot be read.
func (p *process) cpu() time.Duration {
	const hertz = 100 // of the kernel's clock, for all that it tells
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name, which may hold anything
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * time.Second / hertz
}

// service is the product, running.
type service struct {
	*process
	address string // of the callbacks
	admin   string
	ready   time.Duration // from its start until it was ready
	rules   string        // its rule file
	desk    *desktest.Desk
}

// startService runs the binary with a rule file and settings beyond the usual.
// Desk is an emulator that refuses every transfer, so that the courier is held
// and only the way of a message is measured.
func (b *bench) startService(ctx context.Context, rules []byte, settings ...string) (*service, error) {
	dir, err := os.MkdirTemp(b.dir, "service-")
	if err != nil {
		return nil, err
	}
	s := &service{rules: filepath.Join(dir, "rules.yaml"), desk: desktest.New(desktest.Options{Token: token})}
	if err := os.WriteFile(s.rules, rules, 0o600); err != nil {
		return nil, err
	}
	if err := s.desk.Start(""); err != nil {
		return nil, missingError("no free port on loopback: " + err.Error())
	}
	if err := s.desk.Fail(desktest.Fault{Kind: desktest.FaultCode, Code: 70009, Probability: 1}); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log")) //nolint:gosec // in our own folder
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, b.binary, "serve") //nolint:gosec // the program that is measured
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Env = append([]string{
		fmt.Sprintf("ESCALATOR_SDKAPPID=%d", desktest.DefaultSDKAppID), "ESCALATOR_SECRET_KEY=" + desktest.DefaultKey.Reveal(),
		"ESCALATOR_API_URL=" + s.desk.URL(), "ESCALATOR_CALLBACK_TOKEN=" + token,
		"ESCALATOR_LISTEN=127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN=127.0.0.1:0",
	}, settings...)
	began := time.Now()
	if s.process, err = startProcess(cmd); err != nil {
		s.desk.Close()
		return nil, err
	}
	if err := s.awaitReady(ctx, log.Name(), began); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// awaitReady waits for the line that tells where the service listens, and for
// its own word that it is ready.
func (s *service) awaitReady(ctx context.Context, logFile string, began time.Time) error {
	look, late := time.NewTicker(time.Millisecond), time.After(timeout)
	defer look.Stop()
	for s.address == "" {
		select {
		case <-look.C:
			s.readAddresses(logFile)
		case <-s.ended:
			return missingError("the service does not start: " + lastLine(logFile))
		case <-late:
			return errors.New("the service does not start in time: " + lastLine(logFile))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if _, err := s.ask(ctx, http.MethodGet, "/readyz"); err != nil {
		return err
	}
	s.ready = time.Since(began)
	return nil
}

func (s *service) readAddresses(logFile string) {
	text, err := os.ReadFile(logFile) //nolint:gosec // in our own folder
	if err != nil {
		return
	}
	for line := range bytes.Lines(text) {
		var said struct{ Msg, Listen, Admin string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "serving" {
			s.address, s.admin = said.Listen, said.Admin
		}
	}
}

func lastLine(file string) (last string) {
	text, _ := os.ReadFile(file) //nolint:gosec // in our own folder; empty if it is not there
	for line := range strings.Lines(string(text)) {
		last = strings.TrimSpace(line)
	}
	return last
}

func (s *service) stop() {
	s.process.stop()
	s.desk.Close()
}

// ask asks the operators' listener.
func (s *service) ask(ctx context.Context, method, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.admin+path, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Timeout: timeout}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, resp.StatusCode, text)
	}
	return string(text), err
}

// roleVariable tells a process of ours what it is.
const roleVariable = "ESCALATOR_BENCH_ROLE"

// The roles.
const (
	roleFloor = "floor"
	roleLoad  = "load"
)

// play is the life of a process with a role. It ends with its standard input,
// so that it never outlives who started it.
func play(ctx context.Context, role string) int {
	var err error
	switch role {
	case roleFloor:
		err = serveFloor(ctx, os.Stdin, os.Stdout)
	case roleLoad:
		err = serveLoad(os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("%s: %q is no role", roleVariable, role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", role+":", err)
		return 1
	}
	return 0
}

// self is this program in another role.
func self(ctx context.Context, role string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path) //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// floor is the floor, running.
type floor struct {
	*process
	address string
	leash   io.Closer
}

func startFloor(ctx context.Context) (*floor, error) {
	cmd, err := self(ctx, roleFloor)
	if err != nil {
		return nil, err
	}
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	f := &floor{leash: leash}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	f.process = &process{cmd: cmd, ended: make(chan struct{})}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() { _ = cmd.Wait(); close(f.ended) }()
	if err != nil {
		f.stop()
		return nil, missingError("the floor does not start: no free port on loopback?")
	}
	f.address = strings.TrimSpace(line)
	return f, nil
}

// stop lets go of the leash.
func (f *floor) stop() {
	_ = f.leash.Close()
	f.process.stop()
}

// appID is the app whose callbacks are played.
func appID() string { return strconv.Itoa(desktest.DefaultSDKAppID) }

// signature signs a callback of this moment.
func signature() (stamp, sign string) {
	stamp = strconv.FormatInt(time.Now().Unix(), 10)
	return stamp, desk.Sign(token, stamp)
}
