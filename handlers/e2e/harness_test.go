package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

// binary is the program under test, compiled by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun compiles the binary once.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "escalator-e2e-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "escalator")
	build := exec.Command("go", "build", "-tags", "nomsgpack", "-o", binary, "escalator")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the binary: %v\n%s", err, out))
	}
	return m.Run()
}

const (
	testToken = "callback-token-that-is-planted"
	testKey   = desk.Secret("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e")
	agentLi   = "li@example.com"
	soon      = 15 * time.Second
)

// service is a running binary and the emulator it works with.
type service struct {
	t     *testing.T
	desk  *desktest.Desk // nil where the emulator is a process of its own
	cmd   *exec.Cmd
	dir   string
	url   string  // of the callbacks
	admin string  // of the operators' listener
	out   *output // of the process that runs now
	ended chan struct{}

	sessions int // that obeys began
}

// output collects what a process prints into a pipe, and lets tests wait for it.
type output struct {
	pipe    *os.File // the end that is read
	mu      sync.Mutex
	b       bytes.Buffer
	changed chan struct{}
	gate    chan struct{} // nil, or closed when the reader goes on
	ended   chan struct{} // closed when there is no more to read
}

// newOutput returns an output and the end of its pipe for the process.
func newOutput(t *testing.T) (*output, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	o := &output{pipe: r, changed: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		_, _ = io.Copy(o, r)
	}()
	return o, w
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	gate := o.gate
	o.mu.Unlock()
	if gate != nil {
		<-gate
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.b.Write(p)
}

// stall has nobody read the pipe until the returned function is called.
func (o *output) stall() (resume func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	gate := make(chan struct{})
	o.gate = gate
	return sync.OnceFunc(func() {
		o.mu.Lock()
		o.gate = nil
		o.mu.Unlock()
		close(gate)
	})
}

// rest waits until all that was printed is read, unless nobody reads.
func (o *output) rest() {
	o.mu.Lock()
	stalled := o.gate != nil
	o.mu.Unlock()
	if !stalled {
		<-o.ended
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// settled is what was printed, once nothing more has come for a while: the log is written
// behind the callbacks.
func (o *output) settled() string {
	for late := time.Now().Add(soon); ; {
		o.mu.Lock()
		text, changed := o.b.String(), o.changed
		o.mu.Unlock()
		select {
		case <-changed:
			if time.Now().Before(late) {
				continue
			}
		case <-time.After(100 * time.Millisecond):
		}
		return text
	}
}

// waitFor waits until a log line satisfies want, and returns it.
func (o *output) waitFor(t *testing.T, what string, want func(line map[string]any) bool) map[string]any {
	t.Helper()
	late := time.After(soon)
	for {
		o.mu.Lock()
		text, changed := o.b.String(), o.changed
		o.mu.Unlock()
		for _, line := range logLines(text) {
			if want(line) {
				return line
			}
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("no %s in the output:\n%s", what, text)
		}
	}
}

func logLines(text string) (lines []map[string]any) {
	for line := range strings.Lines(text) {
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) == nil {
			lines = append(lines, fields)
		}
	}
	return lines
}

// startService starts emulator and binary. Settings are added to the usual
// ones, and may replace them.
func startService(t *testing.T, settings ...string) *service {
	t.Helper()
	return startServiceWithRules(t, shippedRules(t), settings...)
}

// startServiceWithRules is startService with another rule file.
func startServiceWithRules(t *testing.T, rules string, settings ...string) *service {
	t.Helper()
	s := &service{t: t, dir: t.TempDir()}
	s.desk = desktest.New(desktest.Options{Key: testKey, Token: testToken, AnswerAtOnce: true})
	if err := s.desk.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.desk.Close)
	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: true})
	s.writeRules(rules)
	s.start(settings...)
	return s
}

// shippedRules is the rule file that comes with the program.
func shippedRules(t *testing.T) string {
	t.Helper()
	src, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func (s *service) writeRules(src string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "rules.yaml"), []byte(src), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start starts the binary and waits until it serves.
func (s *service) start(settings ...string) {
	s.t.Helper()
	s.launch(settings...)
	line := s.log("serving", nil)
	s.url = fmt.Sprintf("http://%v%v", line["listen"], line["path"])
	s.admin = fmt.Sprintf("http://%v", line["admin"])
	if s.desk != nil {
		s.desk.SetCallbackURL(s.url)
	}
}

// launch starts the binary, and waits for nothing.
func (s *service) launch(settings ...string) {
	s.t.Helper()
	var prints *os.File
	s.out, prints = newOutput(s.t)
	s.ended = make(chan struct{})
	s.cmd = exec.Command(binary, "serve")
	s.cmd.Dir = s.dir
	s.cmd.Env = []string{
		fmt.Sprintf("ESCALATOR_SDKAPPID=%d", desktest.DefaultSDKAppID), "ESCALATOR_SECRET_KEY=" + testKey.Reveal(), "ESCALATOR_CALLBACK_TOKEN=" + testToken,
		"ESCALATOR_LISTEN=127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN=127.0.0.1:0", "ESCALATOR_LOG_LEVEL=debug",
	}
	if s.desk != nil {
		s.cmd.Env = append(s.cmd.Env, "ESCALATOR_API_URL="+s.desk.URL())
	}
	s.cmd.Env = append(s.cmd.Env, settings...)
	s.cmd.Stdout, s.cmd.Stderr = prints, prints
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	_ = prints.Close()
	cmd, out, ended := s.cmd, s.out, s.ended
	go func() { _ = cmd.Wait(); out.rest(); close(ended) }()
	s.t.Cleanup(func() { _ = cmd.Process.Kill() })
}

// log waits for a log line with the message and the fields.
func (s *service) log(msg string, fields map[string]any) map[string]any {
	s.t.Helper()
	return s.out.waitFor(s.t, fmt.Sprintf("line %q with %v", msg, fields), func(line map[string]any) bool {
		if line["msg"] != msg {
			return false
		}
		for name, want := range fields {
			if fmt.Sprint(line[name]) != fmt.Sprint(want) {
				return false
			}
		}
		return true
	})
}

// stop asks the process to end and returns its exit code.
func (s *service) stop() int {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	return s.wait()
}

// kill ends the process without a chance to do anything.
func (s *service) kill() {
	s.t.Helper()
	_ = s.cmd.Process.Kill()
	s.wait()
}

func (s *service) wait() int {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(soon):
		s.t.Fatalf("the process does not end:\n%s", s.out)
		return -1
	}
}

// says lets a customer say something and returns the answer to the callback.
func (s *service) says(session, text string) desktest.Answer {
	s.t.Helper()
	a := s.desk.UserSays(session, text)
	if a.Err != nil {
		s.t.Fatalf("callback: %v\n%s", a.Err, s.out)
	}
	return a
}

// get asks the operators' listener.
func (s *service) get(path string) (status int, body string) {
	s.t.Helper()
	return request(s.t, http.MethodGet, s.admin+path, "")
}

func request(t *testing.T, method, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// eventually waits until what happens elsewhere has happened.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	within(t, soon, what, happened)
}

// within is eventually with a timeout of its own.
func within(t *testing.T, timeout time.Duration, what string, happened func() bool) {
	t.Helper()
	late, look := time.After(timeout), time.NewTicker(5*time.Millisecond)
	defer look.Stop()
	for !happened() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%s did not happen", what)
		}
	}
}

// command runs a command of the binary to its end in an empty folder.
func command(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = t.TempDir(), append([]string{"HOME=/nonexistent", "COLUMNS=400"}, env...) // lines stay whole
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}
