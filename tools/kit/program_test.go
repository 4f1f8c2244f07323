package kit

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const root = "../.."

// binary is the program under test, compiled by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "escalator-kit-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { // other users run the program too
		panic(err)
	}
	binary = filepath.Join(dir, "escalator")
	build := exec.Command("go", "build", "-tags", "nomsgpack", "-o", binary, ".")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the program: %v\n%s", err, out))
	}
	return m.Run()
}

// run runs a command to its end and returns all that it printed.
func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	return string(out), err
}

func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := run(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// settings are the names of all settings that the program knows.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, name := range regexp.MustCompile(`ESCALATOR_[A-Z0-9_]+`).FindAllString(mustRun(t, binary, "help", "serve"), -1) {
		known[name] = true
	}
	if len(known) < 30 {
		t.Fatalf("the program knows only %d settings", len(known))
	}
	return known
}

// wantSettings checks that the program knows each ESCALATOR_… that a text names.
func wantSettings(t *testing.T, what, text string) {
	t.Helper()
	known := settings(t)
	for _, name := range regexp.MustCompile(`\bESCALATOR_[A-Z0-9_]+\b`).FindAllString(text, -1) {
		if !known[name] {
			t.Errorf("%s: the program knows no %s", what, name)
		}
	}
}

// wantCommand checks that the program has a command with the flags.
func wantCommand(t *testing.T, command []string) {
	t.Helper()
	out, err := run(t, binary, "help", command[1])
	if err != nil {
		t.Errorf("%q: %v\n%s", command, err, out)
		return
	}
	for _, arg := range command[2:] {
		if strings.HasPrefix(arg, "--") && !strings.Contains(out, arg) {
			t.Errorf("%q: the command takes no %s\n%s", command, arg, out)
		}
	}
}

// process is the program while it serves.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *os.File // what it prints is read here
	lines chan string
	url   string // of the callbacks
	admin string // of the operators' listener
	log   strings.Builder
}

// serve starts a command that ends in the program's serve, and waits until it serves.
func serve(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, out: out, lines: make(chan string, 1000)}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for {
		line := p.line()
		var fields struct{ Msg, Admin, Listen, Path string }
		if _ = json.Unmarshal([]byte(line), &fields); fields.Msg == "serving" {
			p.admin = "http://127.0.0.1" + fields.Admin[strings.LastIndex(fields.Admin, ":"):]
			p.url = "http://127.0.0.1" + fields.Listen[strings.LastIndex(fields.Listen, ":"):] + fields.Path
			return p
		}
	}
}

func (p *process) line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("it ended:\n%s", p.log.String())
		}
		p.log.WriteString(line + "\n")
		return line
	case <-time.After(20 * time.Second):
		p.t.Fatalf("it says no more:\n%s", p.log.String())
		return ""
	}
}

// get asks the operators' listener.
func (p *process) get(path string) int {
	p.t.Helper()
	resp, err := http.Get(p.admin + path)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.log.String())
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// stop ends it as a service manager does, and wants it to be clean, without a word on unknown settings.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	for line := range p.lines {
		p.log.WriteString(line + "\n")
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("it ended with %v\n%s", err, p.log.String())
	}
	if strings.Contains(p.log.String(), "is not a setting of this version") {
		p.t.Errorf("settings that mean nothing:\n%s", p.log.String())
	}
}
