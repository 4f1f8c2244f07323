package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	stdlog "log" //nolint:depguard // as libraries use it
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/sirupsen/logrus"
)

// reader is who reads the log, or does not.
type reader struct {
	mu    sync.Mutex
	out   bytes.Buffer
	gate  chan struct{} // nil, or closed when it reads again
	err   error
	space int // bytes that are taken before err, where that is set
}

func (r *reader) Write(p []byte) (int, error) {
	r.mu.Lock()
	gate := r.gate
	r.mu.Unlock()
	if gate != nil {
		<-gate
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		n := min(r.space, len(p))
		r.out.Write(p[:n])
		r.space -= n
		return n, r.err
	}
	return r.out.Write(p)
}

// stall has the reader stop reading until the returned function is called.
func (r *reader) stall() (resume func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gate := make(chan struct{})
	r.gate = gate
	return func() {
		r.mu.Lock()
		r.gate = nil
		r.mu.Unlock()
		close(gate)
	}
}

func (r *reader) fail(space int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.space, r.err = space, err
}

func (r *reader) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// logged runs test with a log and its reader.
func logged(t *testing.T, test func(l *Log, r *reader)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		l, err := NewLog(r, "info", "json")
		if err != nil {
			t.Fatal(err)
		}
		test(l, r)
		l.Close(t.Context())
	})
}

// flood writes info lines of about 1 KiB.
func flood(l *Log, lines int) {
	filler := strings.Repeat("x", 900)
	for i := range lines {
		l.WithFields(logrus.Fields{"n": i, "filler": filler}).Info("decision")
	}
}

func TestLog_aReaderThatStalls_costsLines_andIsToldHowMany(t *testing.T) {
	logged(t, func(l *Log, r *reader) {
		resume := r.stall()
		flood(l, 10_000) // and here we are: nobody has waited
		for range 100 {
			l.Error("what went wrong")
		}
		synctest.Wait()
		lost := l.queue.lost()
		if lost < 5000 || lost > 8000 {
			t.Errorf("%d of 10,000 lines of 1 KiB are dropped", lost)
		}
		time.Sleep(3 * time.Second)
		if got := strings.Join(l.Degraded(), ""); !strings.Contains(got, "stalled for 3s") || !strings.Contains(got, fmt.Sprint(lost)) {
			t.Errorf("degraded: %s", got)
		}
		resume()
		synctest.Wait()
		out := r.String()
		if n := strings.Count(out, "what went wrong"); n != 100 {
			t.Errorf("%d of 100 errors have found room", n)
		}
		if n := strings.Count(out, `"msg":"decision"`); uint64(n) != 10_000-lost {
			t.Errorf("%d lines are written and %d dropped", n, lost)
		}
		want := fmt.Sprintf(`"lines":%d,"msg":"log lines were dropped while the log's reader stalled"`, lost)
		if strings.Count(out, "were dropped") != 1 || !strings.Contains(out, want) {
			t.Errorf("not told, or not once: %s", out[max(0, len(out)-2000):])
		}
	})
}

func TestLog_degraded_forAMinuteAfterTheLastLineWasDropped(t *testing.T) {
	logged(t, func(l *Log, r *reader) {
		resume := r.stall()
		flood(l, 5000)
		resume()
		synctest.Wait()
		time.Sleep(59 * time.Second)
		if got := strings.Join(l.Degraded(), ""); !strings.Contains(got, "dropped a moment ago") {
			t.Errorf("after 59 s: %q", got)
		}
		time.Sleep(2 * time.Second)
		if got := l.Degraded(); got != nil {
			t.Errorf("after 61 s: %q", got)
		}
	})
}

func TestLog_aReaderThatLeaves_costsLines(t *testing.T) {
	logged(t, func(l *Log, r *reader) {
		l.Info("first")
		synctest.Wait()
		r.fail(0, errors.New("broken pipe"))
		for range 10 {
			l.Info("lost")
			synctest.Wait()
		}
		if l.queue.lost() != 10 || !strings.Contains(strings.Join(l.Degraded(), ""), "broken pipe: 10 lines dropped") {
			t.Errorf("%d dropped; %q", l.queue.lost(), l.Degraded())
		}
	})
}

// A disk that is full cuts a line in two, and takes lines again later.
func TestLog_aFileThatCannotGrow_andThenCan(t *testing.T) {
	logged(t, func(l *Log, r *reader) {
		r.fail(10, errors.New("no space left on device"))
		l.Info("cut")
		synctest.Wait()
		l.Info("lost")
		synctest.Wait()
		r.fail(0, nil)
		l.Info("kept")
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(r.String()), "\n")
		if len(lines) != 3 || len(lines[0]) != 10 || !strings.Contains(lines[1], `"msg":"kept"`) || !strings.Contains(lines[2], `"lines":2`) {
			t.Errorf("lines: %q", lines)
		}
	})
}

// A line that waits is lost to a kill -9, and with it what became of a transfer: no time passes before it is written,
// however closely lines come.
func TestLog_aLineWaitsForNothing(t *testing.T) {
	logged(t, func(l *Log, r *reader) {
		began := time.Now()
		for n := range 1000 {
			l.WithField("n", n).Info("transfer")
			if synctest.Wait(); strings.Count(r.String(), "\n") != n+1 || time.Since(began) != 0 {
				t.Fatalf("after %s %d lines of %d", time.Since(began), strings.Count(r.String(), "\n"), n+1)
			}
		}
	})
}

func TestLog_close_writesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		l, err := NewLog(r, "info", "json")
		if err != nil {
			t.Fatal(err)
		}
		resume := r.stall()
		flood(l, 100)
		time.AfterFunc(time.Second, resume)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		l.Close(ctx)
		if n := strings.Count(r.String(), "\n"); n != 100 || time.Since(began) != time.Second {
			t.Errorf("%d lines after %s", n, time.Since(began))
		}
		l.Info("too late") // and nobody falls over it
	})
}

func TestLog_close_leavesAStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		l, err := NewLog(r, "info", "json")
		if err != nil {
			t.Fatal(err)
		}
		resume := r.stall()
		l.Info("nobody reads this in time")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		l.Close(ctx)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %s", took)
		}
		resume()
	})
}

// A field that cannot be written must not send logrus to standard error, where
// it would wait for the reader.
func TestLog_aFieldThatCannotBeWritten_isALineNevertheless(t *testing.T) {
	logged(t, func(l *Log, r *reader) {
		l.WithField("channel", make(chan int)).Warn("odd")
		synctest.Wait()
		if out := r.String(); !strings.Contains(out, `"msg":"odd"`) || !strings.Contains(out, "format_error") {
			t.Errorf("line %q", out)
		}
	})
}

func TestLog_adoptsWhatLibrariesWrite(t *testing.T) {
	defer stdlog.SetOutput(stdlog.Writer())
	defer stdlog.SetFlags(stdlog.Flags())
	for level, want := range map[string]int{"info": 0, "debug": 2} {
		r := &reader{}
		l, err := NewLog(r, level, "json")
		if err != nil {
			t.Fatal(err)
		}
		l.Adopt()
		stdlog.Printf("Unsolicited response: %q", "planted")
		libraries{l}.Printf(t.Context(), "pool of %s", "redis")
		l.Close(t.Context())
		if out := r.String(); strings.Count(out, `"msg":"from a library"`) != want {
			t.Errorf("at level %s: %s", level, out)
		}
	}
}

func TestLog_text_isNotInColor_butForATerminal(t *testing.T) {
	for format, color := range map[string]bool{"text": false, "color": true} {
		r := &reader{}
		l, err := NewLog(r, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		l.Info("hello")
		l.Close(t.Context())
		if out := r.String(); strings.Contains(out, "\x1b[") != color || !strings.Contains(out, "hello") {
			t.Errorf("%s: %q", format, out)
		}
	}
}

func BenchmarkLog(b *testing.B) {
	l, err := NewLog(&bytes.Buffer{}, "info", "json")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.WithField("session", "s1").Info("decision")
	}
}

// What a stranger sends is no command to the terminal that shows the log.
func TestLog_forPeople_escapesWhatATerminalWouldObey(t *testing.T) {
	const bad = "a \x1b[31m\a\u009b31m\r\u202eb\u2028c"
	for _, format := range []string{"text", "color"} {
		var r strings.Builder
		l, err := NewLog(&r, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		l.WithError(errors.New(bad)).WithFields(logrus.Fields{"session": bad, "matched": []string{bad}, "short": "\u009b"}).Warn(bad)
		l.Close(t.Context())
		shown := strings.ReplaceAll(strings.ReplaceAll(r.String(), "\x1b[33m", ""), "\x1b[0m", "") // our own colours
		for _, c := range shown {
			if c != '\n' && unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Cf, c) || c == '\u2028' {
				t.Errorf("%s shows %q: %q", format, c, shown)
				break
			}
		}
	}
}
