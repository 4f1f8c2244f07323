package recording_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/logtest"
	"escalator/bot/mask"
	"escalator/bot/recording"
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
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
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
	_ = w.Close()
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
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if len(files) < 24 || len(files) > 27 {
			t.Errorf("%d files are kept for 24 hours", len(files))
		}
	})
}

func TestWriter_saysWhereTheBotBehindUsFailed(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, mask.Full)
	w.Record(time.Now(), "a=1", []byte(`{}`), 0)
	w.Record(time.Now(), "a=2", []byte(`{}`), 1500*time.Millisecond)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := lines(t, dir)
	if len(got) != 2 || strings.Contains(got[0], "failed") || !strings.Contains(got[1], `"bot_failed_us":1500000`) {
		t.Errorf("%q", got)
	}
}

func TestWriter_aDiskThatRefuses_isOneLine_withACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "records")
		out := &logtest.Buffer{}
		log := logrus.New()
		log.SetOutput(out)
		log.SetFormatter(&logrus.JSONFormatter{})
		w, err := recording.Open(recording.Options{Dir: dir, Mask: mask.Masked, Keep: time.Hour, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			w.Record(time.Now(), "", []byte(body), 0)
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		_ = w.Close()
		if lines := out.Lines("recording failed"); len(lines) != 2 || lines[1]["omitted"] != float64(998) {
			t.Errorf("lines: %s", out)
		}
	})
}
