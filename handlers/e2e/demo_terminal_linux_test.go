package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// typist is somebody at a terminal.
type typist struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	out    *output
	read   int // of the output, by until
}

// atTerminal runs a command of the binary on a terminal of 80 columns.
func atTerminal(t *testing.T, args ...string) *typist {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 80}); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := &typist{t: t, master: master, out: &output{changed: make(chan struct{})}}
	w.cmd = exec.Command(binary, args...)
	w.cmd.Dir, w.cmd.Env = t.TempDir(), []string{"HOME=/nonexistent", "TERM=xterm"}
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = terminal, terminal, terminal
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // so that Ctrl-C is a signal
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = terminal.Close()
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	go func() { // until the other side is closed
		for b := make([]byte, 4096); ; {
			n, err := master.Read(b)
			_, _ = w.out.Write(bytes.ReplaceAll(b[:n], []byte("\r\n"), []byte("\n")))
			if err != nil {
				return
			}
		}
	}()
	return w
}

// until waits for words behind those of the last time, and returns what came up to them.
func (w *typist) until(words string) (shown string) {
	w.t.Helper()
	late := time.After(2 * soon)
	for {
		w.out.mu.Lock()
		text, changed := w.out.b.String(), w.out.changed
		w.out.mu.Unlock()
		if at := strings.Index(text[w.read:], words); at >= 0 {
			shown = text[w.read : w.read+at+len(words)]
			w.read += len(shown)
			return shown
		}
		select {
		case <-changed:
		case <-late:
			w.t.Fatalf("no %q behind\n%s\nin\n%s", words, text[:w.read], text[w.read:])
		}
	}
}

func (w *typist) types(keys string) {
	w.t.Helper()
	if _, err := w.master.WriteString(keys); err != nil {
		w.t.Fatal(err)
	}
}

// ends waits for the end of the command, which must be a clean one.
func (w *typist) ends() {
	w.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- w.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			w.t.Errorf("the end: %v\n%s", err, w.out)
		}
	case <-time.After(soon):
		w.t.Fatalf("it does not end\n%s", w.out)
	}
}

func TestDemo_oneTypesAsACustomer(t *testing.T) {
	t.Parallel()
	w := atTerminal(t, "demo")
	w.until("Enter skips the pauses")
	w.types("\n")
	w.until("Now you are the customer")
	w.until("you> ")
	const miss = "stays with the bot: no rule holds\n    escalator answers AIProvider 1: Desk's bot is to reply\n    bot       Sorry, I have not learnt this yet.   (marked fallback)\n"
	for _, c := range []struct{ typed, told string }{
		{"what about the moon", miss},
		{"colours please", miss + "    escalator stays with the bot: once more, and rule bot-stuck holds\n"},
		{"and the sea", miss + "    escalator transfer by rule bot-stuck → target default\n    desk      a person takes it: li@example.com"},
		{"anybody there", "li@example.com has this conversation"},
		{"/bot one more", "li@example.com has this conversation"},
		{"/new", "another conversation: you-2"},
		{"/bot I am the bot", "    bot       I am the bot\n"},
		{"/agent off", "li@example.com goes offline"},
		{"转人工", "transfer by rule ask-human → target default   (found: 转人工)\n    escalator answers AIProvider 0: Desk's bot is to be silent\n    desk      nobody is online"},
		{"/why", "$ask_human, zh"},
		{"/nonsense", "that is no command; /help lists them"},
		{"/help", "/agent off|on"},
		{"", ""},
	} {
		w.types(c.typed + "\n")
		if shown := w.until("you> "); !strings.Contains(shown, c.told) {
			t.Errorf("%s: %q", c.typed, shown)
		}
	}
	w.types("/agent on\n") // what happens meanwhile takes the place of the prompt, which comes again
	w.until("li@example.com is online and free")
	w.until("a person takes it: li@example.com")
	w.until("you> ")
	w.types("/quit\n")
	w.ends()
}

func TestDemo_endsByTheKeysOfATerminal(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"Ctrl-C": "\x03", "Ctrl-D": "\x04"} {
		t.Run(name+" in the script", func(t *testing.T) {
			w := atTerminal(t, "demo")
			w.until("demo-1")
			w.types(key)
			w.ends()
			if strings.Contains(w.out.String(), "demo-3  ") { // the title: its folder may be called so
				t.Errorf("it plays on:\n%s", w.out)
			}
		})
		t.Run(name+" at the prompt", func(t *testing.T) {
			w := atTerminal(t, "demo", "--lang", "zh")
			w.until("demo-1")
			w.types("\n")
			w.until("现在你是客户")
			w.until("you> ")
			w.types(key)
			w.ends()
		})
	}
}

// `escalator demo | head` ends when head does, and leaves no folder.
func TestDemo_whoseReaderGoesAway_endsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cmd := exec.Command(binary, "demo")
	cmd.Env = []string{"TMPDIR=" + folder}
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	told, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if _, err := told.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	_ = told.Close()
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 || errOut.Len() > 0 {
		t.Errorf("it ends with %v and says %q", cmd.ProcessState, errOut.String())
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("there is still %v, %v", left, err)
	}
}

func TestErrors_fitTheTerminal(t *testing.T) {
	t.Parallel()
	w := atTerminal(t, "decisions", "--url", "http://127.0.0.1:1")
	shown := w.until("connection refused")
	for line := range strings.SplitSeq(shown, "\n") {
		if len(line) > 80 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
	if err := w.cmd.Wait(); err == nil || w.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("the end: %v", err)
	}
}
