package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

const lastLines = 40

// logPipe is where the service logs to: a pipe with a name, so that its reader
// can leave and another one come, as happens to a log collector.
type logPipe struct {
	t    *testing.T
	path string
	keep *os.File // the end that the service writes to

	gate   sync.Mutex // held while the reader stalls; guards rest
	rest   []byte     // of a line that is not whole
	reader *os.File   // nil while there is none
	done   chan struct{}

	mu      sync.Mutex
	last    []string          // lines
	finals  map[string]string // outcome by session
	decided map[string]bool   // sessions with a decision for a transfer
	count   map[string]int    // other lines by message
	dropped int               // lines that the service says it dropped
	away    bool              // stalled or gone
}

func newLogPipe(t *testing.T, path string) *logPipe {
	t.Helper()
	l := &logPipe{t: t, path: path, finals: map[string]string{}, decided: map[string]bool{}, count: map[string]int{}}
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	l.open()
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.keep = os.NewFile(uintptr(fd), path)
	t.Cleanup(l.finish)
	return l
}

// open begins to read.
func (l *logPipe) open() {
	reader, err := os.OpenFile(l.path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	done := make(chan struct{})
	l.reader, l.done = reader, done
	go func() {
		defer close(done)
		for p := make([]byte, 64<<10); ; {
			n, err := reader.Read(p)
			l.gate.Lock()
			l.take(p[:n])
			l.gate.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

// take takes the lines that are whole. What the pipe holds while nobody reads is
// still there for the next reader, so that no line is torn by us.
func (l *logPipe) take(p []byte) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return
		}
		l.rest = rest
		l.digest(string(line))
	}
}

// stall stops reading until the returned function is called.
func (l *logPipe) stall() (goOn func()) {
	l.setAway(true)
	l.gate.Lock()
	return func() { l.gate.Unlock(); l.setAway(false) }
}

// leave closes the pipe; with the returned function another reader comes.
func (l *logPipe) leave() (comeBack func()) {
	l.setAway(true)
	_ = l.reader.Close()
	<-l.done
	return func() { l.open(); l.setAway(false) }
}

func (l *logPipe) setAway(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = away
}

// isAway tells whether nobody reads.
func (l *logPipe) isAway() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away
}

// finish reads to the end, which is when nobody can write any more.
func (l *logPipe) finish() {
	_ = l.keep.Close()
	<-l.done
	_ = l.reader.Close()
}

func (l *logPipe) digest(text string) {
	var line struct {
		Msg, Session, Outcome string
		Final                 bool
		Lines                 int
	}
	known := json.Unmarshal([]byte(text), &line) == nil
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case known && line.Msg == "decision" && line.Outcome == "transfer":
		l.decided[line.Session] = true
	case known && line.Msg == "transfer" && line.Final:
		l.finals[line.Session] = line.Outcome
	case known && (line.Msg == "transfer" || line.Msg == "say"):
	default:
		text = strings.ReplaceAll(text, filepath.Dir(l.path), "")
		l.count[line.Msg]++
		l.last = append(l.last[max(0, len(l.last)-lastLines):], text[:min(len(text), 600)])
	}
	if strings.HasPrefix(line.Msg, "log lines were dropped") {
		l.dropped += line.Lines
	}
}

// tail is the last lines that do not tell of a decision or a transfer.
func (l *logPipe) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "\n")
}

// most are the messages that came most often, beside decisions and transfers.
func (l *logPipe) most() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for msg, n := range l.count {
		all = append(all, fmt.Sprintf("%5d × %s", n, msg))
	}
	slices.Sort(all)
	slices.Reverse(all)
	return strings.Join(all[:min(5, len(all))], "; ")
}
