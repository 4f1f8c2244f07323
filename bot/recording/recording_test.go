package recording_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/logtest"
	"escalator/bot/mask"
	"escalator/bot/recording"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string, mode mask.Mode) *recording.Writer {
	t.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	w, err := recording.Open(recording.Options{Dir: dir, Mask: mode, Keep: 24 * time.Hour, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// lines returns the lines of all files, in the order of the files.
func lines(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "callbacks-*.jsonl"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSpace(string(b)), "\n")...)
	}
	return all
}

const body = `{"SessionId":"2024-12345678","Event":"ChatBot.UserSendMsg","EventTime":1725540020017,"MsgBody":[{"MsgType":"TIMTextElem",` +
	`"MsgContent":{"Text":"call 13812345678 or li@example.com"}}],"CloudCustomData":"{\"messageType\":\"fallback\",\"order\":\"20240131998877\"}",` +
	`"Body":{"SystemSessionID":"abc-123456","phone":"13812345678"}}`

func TestWriter_masksWords_andLeavesOutTheSignature(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mask.Masked)
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	w.Record(at, "SdkAppid=1&CallbackCommand=Desk.SessionEventNotify&Sign=planted&sign=planted&%53ign=planted&RequestID=r1", []byte(body), 0)
	w.Close()
	got := lines(t, dir)
	if len(got) != 1 {
		t.Fatalf("%d lines", len(got))
	}
	for _, gone := range []string{"planted", "13812345678", "li@example", "20240131998877"} {
		if strings.Contains(got[0], gone) {
			t.Errorf("%q is written: %s", gone, got[0])
		}
	}
	for _, kept := range []string{"2024-12345678", "1725540020017", `messageType\":\"fallback`, "RequestID=r1", "abc-123456", `"at":"2026-01-05T10:00:00Z"`} {
		if !strings.Contains(got[0], kept) {
			t.Errorf("%q is missing: %s", kept, got[0])
		}
	}
	if !json.Valid([]byte(got[0])) {
		t.Error("the line is no JSON")
	}
}

func TestWriter_full_keepsTheBodyAsItIs(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mask.Full)
	w.Record(time.Now(), "", []byte(body), 0)
	w.Close()
	if got := lines(t, dir)[0]; !strings.Contains(got, body) {
		t.Errorf("line %s", got)
	}
}

func TestWriter_aNewFileEachHour_andOldOnesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := open(t, dir, mask.Masked)
		for range 30 {
			w.Record(time.Now(), "", []byte(`{}`), 0)
			synctest.Wait()
			time.Sleep(time.Hour)
		}
		w.Close()
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if len(files) < 24 || len(files) > 27 {
			t.Errorf("%d files are kept for 24 hours", len(files))
		}
	})
}

func TestWriter_overItsSize_theOldestGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		foreign := filepath.Join(dir, "callbacks-of-mine.jsonl")
		if err := os.WriteFile(foreign, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		w, _, lost := troubled(t, recording.Options{Dir: dir, Mask: mask.Full, Max: 1 << 20})
		for n := range 3000 { // of 1 KiB each
			w.Record(time.Now(), fmt.Sprintf("RequestID=%04d", n), []byte(`{"a":"`+strings.Repeat("x", 960)+`"}`), 0)
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			if n%50 == 0 {
				if size := sizeOf(t, dir, foreign); size > 1<<20 {
					t.Fatalf("after %d callbacks there are %d bytes", n, size)
				}
			}
		}
		w.Close()
		if err := os.Remove(foreign); err != nil {
			t.Errorf("a file of somebody else is gone: %v", err)
		}
		kept := lines(t, dir)
		if len(kept) < 500 || !strings.Contains(kept[len(kept)-1], "RequestID=2999") || testutil.ToFloat64(lost) != 0 {
			t.Errorf("%d callbacks are kept, the last is %.60s", len(kept), kept[len(kept)-1])
		}
		for i, line := range kept { // without a gap
			if want := fmt.Sprintf("RequestID=%04d", 3000-len(kept)+i); !strings.Contains(line, want) {
				t.Fatalf("line %d: %.60s, want %s", i, line, want)
			}
		}
	})
}

func sizeOf(t *testing.T, dir, but string) (size int64) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, file := range files {
		if info, err := os.Stat(file); err != nil {
			t.Fatal(err)
		} else if file != but {
			size += info.Size()
		}
	}
	return size
}

func TestWriter_saysWhereTheBotBehindUsFailed(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mask.Full)
	w.Record(time.Now(), "a=1", []byte(`{}`), 0)
	w.Record(time.Now(), "a=2", []byte(`{}`), 1500*time.Millisecond)
	w.Close()
	got := lines(t, dir)
	if len(got) != 2 || strings.Contains(got[0], "failed") || !strings.Contains(got[1], `"bot_failed_us":1500000`) {
		t.Errorf("%q", got)
	}
}

// troubled returns a writer, what it logs, and what it counts.
func troubled(t *testing.T, o recording.Options) (*recording.Writer, *logtest.Buffer, prometheus.Counter) {
	t.Helper()
	out := &logtest.Buffer{}
	o.Log = logrus.New()
	o.Log.SetOutput(out)
	o.Log.SetFormatter(&logrus.JSONFormatter{})
	o.Keep, o.Errors = time.Hour, prometheus.NewCounter(prometheus.CounterOpts{Name: "errors"})
	w, err := recording.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return w, out, o.Errors
}

func TestWriter_aDiskThatRefuses_isOneLine_andEachCallbackIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "records")
		w, out, lost := troubled(t, recording.Options{Dir: dir, Mask: mask.Masked})
		if err := errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second / 2) // between two flushes, never at the instant of one
		for range 100 {             // a flush, and so a fault, each second
			w.Record(time.Now(), "", []byte(body), 0)
			w.Record(time.Now(), "", []byte(body), 0)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		w.Close()
		lines := out.Lines("recording failed")
		omitted := 0.0
		for _, line := range lines {
			n, _ := line["omitted"].(float64)
			omitted += n
		}
		if len(lines) > 11 || len(lines)+int(omitted) != 100 {
			t.Errorf("%d lines that tell of %v more", len(lines), omitted)
		}
		if n := testutil.ToFloat64(lost); n != 200 {
			t.Errorf("%v of 200 callbacks are counted as lost", n)
		}
	})
}

func TestWriter_aFolderThatIsRemoved_isMadeAnew_andTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "records")
		w, out, lost := troubled(t, recording.Options{Dir: dir, Mask: mask.Masked})
		record := func(n int) {
			w.Record(time.Now(), fmt.Sprint("RequestID=", n), []byte(`{}`), 0)
			time.Sleep(2 * time.Second)
		}
		record(1)
		if got := lines(t, dir); len(got) != 1 {
			t.Fatalf("lines %q", got)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		record(2)
		record(3)
		if got := strings.Join(lines(t, dir), "\n"); strings.Count(got, "\n") != 1 || !strings.Contains(got, "RequestID=2") || !strings.Contains(got, "RequestID=3") {
			t.Errorf("after the folder was removed: %s", got)
		}
		w.Close()
		if told := out.Lines("the file of the recordings was removed: another one is begun"); len(told) != 1 || testutil.ToFloat64(lost) != 0 {
			t.Errorf("log: %s, %v lost", out, testutil.ToFloat64(lost))
		}
	})
}

// The disk hangs: what waits for it is bounded in bytes, and no callback waits.
func TestWriter_aDiskThatHangs_delaysNobody_andFillsNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		dir := t.TempDir()
		w, _, lost := troubled(t, recording.Options{Dir: dir, Mask: mask.Full, Now: func() time.Time {
			<-released // where the writer asks for the time, it is about to open a file
			return time.Now()
		}})
		large := []byte(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
		began := time.Now()
		for range 100 {
			w.Record(time.Now(), "", large, 0)
		}
		if took := time.Since(began); took != 0 || testutil.ToFloat64(lost) < 80 {
			t.Errorf("100 MiB: it took %s, %v are dropped", took, testutil.ToFloat64(lost))
		}
		close(released)
		w.Close()
		if kept := len(lines(t, dir)); kept+int(testutil.ToFloat64(lost)) != 100 || kept == 0 {
			t.Errorf("%d are written, %v lost", kept, testutil.ToFloat64(lost))
		}
	})
}

// What Desk said stands between the callbacks; a figure that it left out is not there.
func TestWriter_keepsWhatDeskSaid(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mask.Masked)
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	w.RecordDesk(at, &rules.Reading{At: at, Free: new(2), Queue: new(0), Groups: map[string]int{"2473": 4}, Agents: map[string]bool{"li@x": true}})
	w.RecordDesk(at.Add(10*time.Second), &rules.Reading{})
	w.Close()
	want := []string{
		`{"at":"2026-01-05T10:00:00Z","desk":{"free":2,"queue":0,"groups":{"2473":4},"agents":{"li@x":true}}}`,
		`{"at":"2026-01-05T10:00:10Z","desk":{}}`,
	}
	if diff := cmp.Diff(want, lines(t, dir)); diff != "" {
		t.Error(diff)
	}
}
