package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns a terminal of 100 columns, and what is read of it when it is closed.
func openTerminal(t *testing.T) (terminal *os.File, read func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if t.Failed() {
			_ = master.Close()
		}
	}()
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	done := make(chan struct{})
	go func() { _, _ = io.Copy(&out, master); close(done) }() // ends with an error when the other side is closed
	return terminal, func() string {
		_ = terminal.Close()
		<-done
		_ = master.Close()
		return out.String()
	}
}

func TestColours_areForTerminalsThatWantThem(t *testing.T) {
	server := httptest.NewServer(&playedService{status: http.StatusOK, answer: decisionsAnswer})
	defer server.Close()
	for _, c := range []struct {
		name string
		env  map[string]string
		pipe bool
		want bool
	}{
		{"a terminal", map[string]string{"TERM": "xterm"}, false, true},
		{"NO_COLOR", map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false, false},
		{"a dumb terminal", map[string]string{"TERM": "dumb"}, false, false},
		{"a terminal of which nothing is known", nil, false, false},
		{"a pipe", map[string]string{"TERM": "xterm"}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			terminal, read := openTerminal(t)
			env := Env{Stdout: terminal, Stderr: io.Discard, Getenv: func(name string) string { return c.env[name] }}
			var out strings.Builder
			if c.pipe {
				env.Stdout = &out
			}
			code := Run(t.Context(), []string{"decisions", "--url", server.URL}, env)
			shown := read() + out.String()
			if code != exitOK || !strings.Contains(shown, "ask-human") || strings.Contains(shown, "\x1b[32mtransfer  \x1b[0m  ask-human") != c.want || !c.want && strings.Contains(shown, "\x1b") {
				t.Errorf("exit %d: %q", code, shown)
			}
			if strings.Contains(shown, "human \x1b[31m") {
				t.Errorf("a customer commands the terminal: %q", shown)
			}
		})
	}
}

func TestLogFormat_isForPeopleOnATerminal(t *testing.T) {
	terminal, read := openTerminal(t)
	defer read()
	for _, c := range []struct {
		setting, term, noColour string
		to                      io.Writer
		want                    string
	}{
		{"json", "xterm", "", terminal, "json"},
		{"auto", "xterm", "", terminal, "color"},
		{"text", "xterm", "", terminal, "color"},
		{"auto", "xterm", "1", terminal, "text"},
		{"auto", "dumb", "", terminal, "text"},
		{"auto", "xterm", "", io.Discard, "json"},
		{"text", "xterm", "", io.Discard, "text"},
	} {
		env := Env{Stderr: c.to, Getenv: func(name string) string { return map[string]string{"TERM": c.term, "NO_COLOR": c.noColour}[name] }}
		if got := logFormat(env, c.setting); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
