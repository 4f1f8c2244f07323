package app

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"pgregory.net/rapid"

	"escalator/rules"
)

// A line is the one that logrus writes, whatever stands in it.
func TestJSONLines_areThoseOfLogrus(t *testing.T) {
	theirs := logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}
	ours := &jsonLines{theirs}
	text := rapid.SampledFrom([]string{
		"", "decision", "人工", `say "no"`, `\`, "a\nb", "\x00", "<&>", "\u2028", "x\u2029", "\xff", "\x7f", "é", "level", "msg", "time", "user", "fields.msg", "took_us",
	})
	value := rapid.Custom(func(t *rapid.T) any {
		texts := rapid.SliceOfN(text, 0, 3).Draw(t, "texts")
		number := rapid.Int64().Draw(t, "number")
		return rapid.SampledFrom([]any{
			text.Draw(t, "text"), texts, []string(nil), int(number), number, uint64(number), number > 0, float64(number) / 3, nil, errors.New("broken: <a>"),
			rules.ReasonCooldown, time.Duration(number),
			map[string]int{"a": 1},
		}).Draw(t, "value")
	})
	rapid.Check(t, func(r *rapid.T) {
		e := &logrus.Entry{
			Logger: logrus.New(), Level: logrus.InfoLevel, Time: time.UnixMicro(rapid.Int64Range(0, 1e15).Draw(r, "time")), Message: text.Draw(r, "message"),
			Data: rapid.MapOfN(text, value, 0, 40).Draw(r, "fields"),
		}
		want, wantErr := theirs.Format(e)
		e.Buffer = new(bytes.Buffer)
		for range 2 { // with memory that was used before, too
			e.Buffer.Reset()
			got, err := ours.Format(e)
			if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) {
				r.Errorf("%q, want %q; %v %v", got, want, err, wantErr)
			}
		}
	})
}

// A field that is called as one of logrus's own gets the name that logrus gives it.
func TestJSONLines_nameFieldsAsLogrusDoes(t *testing.T) {
	theirs := logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}
	for _, name := range []string{
		logrus.FieldKeyMsg, logrus.FieldKeyLevel, logrus.FieldKeyTime, logrus.FieldKeyLogrusError, logrus.FieldKeyFunc, logrus.FieldKeyFile, logrus.ErrorKey,
	} {
		e := &logrus.Entry{Logger: logrus.New(), Level: logrus.WarnLevel, Message: "odd", Data: logrus.Fields{name: "of a caller", "user": "u"}}
		want, _ := theirs.Format(e)
		e.Buffer = new(bytes.Buffer)
		if got, err := (&jsonLines{theirs}).Format(e); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q, want %q; %v", got, want, err)
		}
	}
}

// What a decision's line costs the callback that made it.
func BenchmarkJSONLines(b *testing.B) {
	theirs := logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}
	for name, f := range map[string]logrus.Formatter{"logrus": &theirs, "ours": &jsonLines{theirs}} {
		b.Run(name, func(b *testing.B) {
			e := &logrus.Entry{Logger: logrus.New(), Level: logrus.InfoLevel, Time: time.Now(), Message: "decision", Buffer: new(bytes.Buffer), Data: logrus.Fields{
				"session": "2baf4d84-beb4-4607-a1ea-000000000001", "event": "ChatBot.UserSendMsg", "outcome": "transfer", "rules_version": "b25be71efbab", "took_us": int64(31),
				"id": "1hjk2l3m4n5-abcde", "user": "user-1", "request_id": "bench-1", "rule": "ask-human", "mode": "live", "target": "default", "why": "says: found 转人工 ($ask_human)", "matched": []string{"转人工"},
			}}
			b.ReportAllocs()
			for b.Loop() {
				e.Buffer.Reset()
				if _, err := f.Format(e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
