package replay_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/rules/replay"
)

// read returns one line per record and per line that was skipped.
func read(t *testing.T, r io.Reader) (got []string) {
	t.Helper()
	err := replay.ReadLines(r, func(line int, rec *replay.Record) {
		switch {
		case rec.Body != nil:
			got = append(got, fmt.Sprintf("%d callback %s", line, rec.Query))
		case rec.Desk != nil:
			got = append(got, fmt.Sprintf("%d desk %d", line, *rec.Desk.Queue))
		case rec.Turns != nil:
			got = append(got, fmt.Sprintf("%d dialogue %s of %d", line, rec.ID, len(rec.Turns)))
		default:
			got = append(got, fmt.Sprintf("%d %s", line, rec.Text))
		}
	}, func(bad *replay.LineError) { got = append(got, fmt.Sprintf("line %d: %v", bad.Line, bad.Err)) })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestReadLines_readsEachKind_andPassesOverWhatItCannotRead(t *testing.T) {
	const nothing = "it holds neither `text` (an utterance), nor `turns` (a dialogue), nor `body` (a recorded callback), nor `desk` (agents and queue)"
	long := `{"text":"` + strings.Repeat("x", 4<<20) + `"}`
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"empty":                      {"", nil},
		"only line ends":             {"\n\r\n \t\n", nil},
		"a byte order mark":          {"\ufeff" + `{"text":"a"}` + "\n", []string{"1 a"}},
		"only a byte order mark":     {"\ufeff", nil},
		"Windows line ends":          {"{\"text\":\"a\"}\r\n{\"text\":\"b\"}\r\n", []string{"1 a", "2 b"}},
		"no line end at the end":     {`{"text":"a"}`, []string{"1 a"}},
		"empty lines are counted":    {"\n\n" + `{"text":"a"}`, []string{"3 a"}},
		"a line too long":            {long + "\n" + `{"text":"a"}`, []string{"line 1: it is longer than 4 MiB", "2 a"}},
		"the last line is too long":  {`{"text":"a"}` + "\n" + long, []string{"1 a", "line 2: it is longer than 4 MiB"}},
		"an object without a kind":   {`{"txt":"a"}`, []string{"line 1: " + nothing}},
		"null":                       {`null`, []string{"line 1: " + nothing}},
		"only white space":           {`{"text":" "}`, []string{"line 1: " + nothing}},
		"an unknown role":            {`{"turns":[{"role":"user","text":"a"},{"role":"usr","text":"b"}]}`, []string{`line 1: turn 2: the role "usr" is none of user, bot, agent`}},
		"a callback without a time":  {`{"query":"q","body":{}}`, []string{"line 1: a recorded callback needs `at`, a time like 2026-01-05T10:00:00+08:00"}},
		"a reading without a time":   {`{"desk":{"queue":3}}`, []string{"line 1: a reading of Desk needs `at`, a time like 2026-01-05T10:00:00+08:00"}},
		"an utterance, body is null": {`{"text":"a","body":null,"turns":null,"at":null}`, []string{"1 a"}},
		"kinds mixed": {
			`{"text":"a","label":"human"}` + "\n" + `{"id":"d","turns":[{"role":"bot","text":"hi"}]}` + "\n" + `{"at":"2026-01-05T10:00:00Z","query":"q=1","body":{}}` + "\n" + `{"at":"2026-01-05T10:00:00Z","desk":{"queue":3}}`,
			[]string{"1 a", "2 dialogue d of 1", "3 callback q=1", "4 desk 3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read(t, strings.NewReader(c.file))); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.want, read(t, iotest.DataErrReader(strings.NewReader(c.file)))); diff != "" {
				t.Errorf("from a reader that ends early: %s", diff)
			}
		})
	}
}

func TestReadLines_readsChatTranscripts(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"content":              {`{"id":"x","turns":[{"role":"user","content":"转人工"}]}`, "x: user=转人工"},
		"messages, assistant":  {`{"id":"x","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}]}`, "x: user=hi bot=hello"},
		"parts":                {`{"id":"x","messages":[{"role":"customer","content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]}]}`, "x: user=a\nb"},
		"a numeric id":         {`{"id":12345678901234567890,"turns":[{"role":"bot","text":"hi"}]}`, "12345678901234567890: bot=hi"},
		"an empty text":        {`{"id":"x","turns":[{"role":"user","text":""}]}`, "x: user="},
		"neither":              {`{"id":"x","turns":[{"role":"user","txt":"转人工"}]}`, "turn 1: it has neither `text` nor `content`"},
		"content of no kind":   {`{"id":"x","turns":[{"role":"user","content":{"a":1}}]}`, "turn 1: `content` is neither a text nor a list of parts with a `text`"},
		"an id of no kind":     {`{"id":{},"turns":[{"role":"user","text":"a"}]}`, "`id` is neither a text nor a number"},
		"nobody's words alone": {`{"id":"x","messages":[{"role":"system","content":"be kind"}]}`, "x:"},
	} {
		var got string
		err := replay.ReadLines(strings.NewReader(c.file), func(_ int, rec *replay.Record) {
			got = rec.ID + ":"
			for _, s := range rec.Turns {
				got += " " + s.Role + "=" + s.Text
			}
		}, func(bad *replay.LineError) { got = bad.Err.Error() })
		if err != nil || got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
	}
}

func TestReadLines_wrongJSON_isToldWithItsLine(t *testing.T) {
	for _, line := range []string{`{"text":`, `[]`, `"text"`, `{"text":1}`, `{"turns":{}}`, `{"text":"a"} x`, "\xff\xfe", `{"turns":[{"role":"user","text":"a","at":"noon"}]}`} {
		got := read(t, strings.NewReader("\n"+line+"\n"+`{"text":"next"}`))
		if len(got) != 2 || !strings.HasPrefix(got[0], "line 2: it is not a JSON object of a known form: ") || got[1] != "3 next" {
			t.Errorf("%s: %v", line, got)
		}
	}
}

func TestReadLines_theErrorOfTheReader_isReturned(t *testing.T) {
	broken := errors.New("planted")
	err := replay.ReadLines(iotest.ErrReader(broken), nil, nil)
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestEvents_withoutTimes_followOneAnother(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	turns := dialogue("user: a", "bot: b", "user: c", "agent: d")
	turns[2].At = &noon
	begin := replay.DefaultTime
	var got []time.Time
	for _, e := range (&replay.Record{Turns: turns}).Events("s", begin) {
		got = append(got, e.At)
	}
	want := []time.Time{begin, begin.Add(10 * time.Second), noon, noon.Add(10 * time.Second)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzReadLines: whatever a file holds, each line that is not empty is used or
// skipped, once and in order, and what is used is of one kind.
func FuzzReadLines(f *testing.F) {
	for _, seed := range []string{
		"", "\ufeff{}", `{"text":"a","label":"human"}` + "\r\n", `{"id":"d","turns":[{"role":"agent","text":"x","at":"2026-01-05T10:00:00+08:00"}]}`,
		`{"at":"2026-01-05T10:00:00Z","query":"a=b","body":{"x":[]}}`, "null\n[]\n", `{"turns":[{"role":"x"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		last := 0
		next := func(line int) {
			if line <= last {
				t.Fatalf("line %d after line %d", line, last)
			}
			last = line
		}
		err := replay.ReadLines(strings.NewReader(string(file)), func(line int, rec *replay.Record) {
			next(line)
			if rec.Body == nil && rec.Turns == nil && strings.TrimSpace(rec.Text) == "" {
				t.Errorf("line %d holds nothing", line)
			}
			if rec.Body != nil && rec.At == nil {
				t.Errorf("line %d: a callback without a time", line)
			}
			rec.Events("s", replay.DefaultTime)
		}, func(bad *replay.LineError) { next(bad.Line) })
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(file), "\n") + 1; last > lines {
			t.Errorf("line %d of %d", last, lines)
		}
	})
}
