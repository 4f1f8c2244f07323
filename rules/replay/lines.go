package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"escalator/rules"
)

// maxLine bounds one line of a file: a recorded callback is at most 1 MiB.
const maxLine = 4 << 20

// Record is one line of a file, of one of three kinds (CONTRACT.md 6).
type Record struct {
	// Utterance: Text and Label are set.
	Text  string `json:"text"`
	Label string `json:"label"`
	Lang  string `json:"lang"`
	// Dialogue: Turns are set.
	ID          string `json:"id"`
	Turns       []Said `json:"turns"`
	Transferred *bool  `json:"transferred"`
	// Callback: Body is set.
	At    *time.Time      `json:"at"`
	Query string          `json:"query"`
	Body  json.RawMessage `json:"body"`
	// BotFailedUS says after how many microseconds the operator's own bot had failed the
	// callback; 0: it had not.
	BotFailedUS int64 `json:"bot_failed_us"`
}

// Said is one turn of a dialogue.
type Said struct {
	Role  string     `json:"role"` // user, bot or agent
	Text  string     `json:"text"`
	At    *time.Time `json:"at"`
	Label string     `json:"label"`
}

// KnownRole reports whether the role is one of the three that speak.
func (s *Said) KnownRole() bool { return s.Role == "user" || s.Role == "bot" || s.Role == "agent" }

// LineError says what is wrong with one line; the others are not affected.
type LineError struct {
	Line int // counted from 1
	Err  error
}

// Error tells line and reason.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Err }

var bom = []byte("\xef\xbb\xbf")

// ReadLines gives each line to use, and each that cannot be read to skip. Empty
// lines count as nothing. The error is that of the reader.
func ReadLines(r io.Reader, use func(line int, rec *Record), skip func(*LineError)) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		text, long, err := readLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 1 {
			text = bytes.TrimPrefix(text, bom)
		}
		switch rec, bad := parse(text); {
		case long:
			skip(&LineError{n, errLongLine})
		case len(bytes.TrimSpace(text)) == 0:
		case bad != nil:
			skip(&LineError{n, bad})
		default:
			use(n, rec)
		}
		if err != nil {
			return nil //nolint:nilerr // the end of the file is no fault
		}
	}
}

var errLongLine = fmt.Errorf("it is longer than %d MiB", maxLine>>20)

// readLine reads a line; one that is too long is passed over, not kept. The
// last line may come together with io.EOF.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		piece, err := r.ReadSlice('\n')
		if long = long || len(line)+len(piece) > maxLine; long {
			line = line[:0]
		} else {
			line = append(line, piece...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// parse reads one line and says which of the three kinds it is not.
func parse(text []byte) (*Record, error) {
	rec := &Record{}
	if err := json.Unmarshal(text, rec); err != nil {
		return nil, fmt.Errorf("it is no JSON object of a known form: %w", err)
	}
	if string(rec.Body) == "null" {
		rec.Body = nil
	}
	switch {
	case rec.Body != nil:
		if rec.At == nil {
			return nil, errors.New("a recorded callback needs `at`, a time like 2026-01-05T10:00:00+08:00")
		}
	case rec.Turns != nil:
		for i, t := range rec.Turns {
			if !t.KnownRole() {
				return nil, fmt.Errorf("turn %d: the role %q is none of user, bot, agent", i+1, t.Role)
			}
		}
	case strings.TrimSpace(rec.Text) == "":
		return nil, errors.New("it holds neither `text` (an utterance), nor `turns` (a dialogue), nor `body` (a recorded callback)")
	}
	return rec, nil
}

// turnGap lies between two turns of a dialogue that does not tell its times.
const turnGap = 10 * time.Second

// Events turns a dialogue into events. Where a turn tells no time it follows
// turnGap after the one before; begin is the time of the first.
func (r *Record) Events(session string, begin time.Time) []Event {
	events := make([]Event, 0, len(r.Turns))
	at := begin
	for i, t := range r.Turns {
		switch {
		case t.At != nil:
			at = *t.At
		case i > 0:
			at = at.Add(turnGap)
		}
		e := Event{Session: session, At: at, Observe: rules.EventAgentMessage}
		switch t.Role {
		case "user":
			e.Turn = &rules.Turn{Kind: rules.UserTurn, Text: t.Text}
		case "bot":
			e.Turn = &rules.Turn{Kind: rules.BotTurn, Text: t.Text}
		}
		events = append(events, e)
	}
	return events
}
