package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
)

// maxLine bounds one line of a file: a recorded callback is at most 1 MiB.
const maxLine = 4 << 20

// Record is one line of a file, of one of four kinds (CONTRACT.md 6).
type Record struct {
	// Utterance: Text and Label are set.
	Text  string `json:"text"`
	Label string `json:"label"`
	Lang  string `json:"lang"`
	// Dialogue: Turns are set.
	ID          string `json:"-"`
	Turns       []Said `json:"-"`
	Transferred *bool  `json:"transferred"`
	// Callback: Body is set.
	At    *time.Time      `json:"at"`
	Query string          `json:"query"`
	Body  json.RawMessage `json:"body"`
	// BotFailedUS says after how many microseconds the operator's own bot had failed the
	// callback; 0: it had not.
	BotFailedUS int64 `json:"bot_failed_us"`
	// Desk is what Desk told of its agents and its queue.
	Desk *rules.Reading `json:"desk"`
}

// Said is one turn of a dialogue.
type Said struct {
	Role  string     `json:"role"` // user, bot or agent; for Steps also wait, desk or event
	Text  string     `json:"text"`
	At    *time.Time `json:"at"`
	Label string     `json:"label"`
	// Mark is the messageType of a bot message, Fields are values of the callback by their paths.
	Mark   string            `json:"mark"`
	Fields map[string]string `json:"fields"`
	// Wait is the time that passes before it. Desk is how the transfer ended to which a message of customer or bot led, or
	// what Desk tells of agents and queue from then on. Both are in the form of a rule file.
	Wait string `json:"wait"`
	Desk string `json:"desk"`
}

// KnownRole reports whether the role is one of the three that speak.
func (s *Said) KnownRole() bool { return s.Role == "user" || s.Role == "bot" || s.Role == "agent" }

// chatRoles are the roles of chat transcripts. What the system or a tool says, nobody of the conversation hears.
var chatRoles = map[string]string{"customer": "user", "assistant": "bot", "robot": "bot", "system": "", "developer": "", "tool": "", "function": ""}

// chatTurn is a turn as files have it: ours, or of a chat transcript (`content`, a text or a list of parts).
type chatTurn struct {
	Role    string          `json:"role"`
	Text    *string         `json:"text"`
	Content json.RawMessage `json:"content"`
	At      *time.Time      `json:"at"`
	Label   string          `json:"label"`
}

// Role gives the role of a word that stands for one, in any case: user, bot and agent, and what chat transcripts call
// them. It is "" for a role that nobody of the conversation hears.
func Role(word string) (role string, known bool) {
	word = strings.ToLower(word)
	if role, known = chatRoles[word]; known {
		return role, true
	}
	s := Said{Role: word}
	return word, s.KnownRole()
}

// said gives the turn in our form; heard is false for one that nobody of the conversation hears.
func (c *chatTurn) said() (s Said, heard bool, err error) {
	s = Said{Role: c.Role, At: c.At, Label: c.Label}
	if role, known := chatRoles[c.Role]; known {
		if s.Role = role; role == "" {
			return s, false, nil
		}
	}
	if !s.KnownRole() {
		return s, false, lang.Errorf("the role %q is none of user, bot, agent", c.Role)
	}
	if c.Text != nil {
		s.Text = *c.Text
		return s, true, nil
	}
	if c.Content == nil {
		return s, false, lang.Errorf("it has neither `text` nor `content`")
	}
	var parts []struct {
		Text string `json:"text"`
	}
	switch {
	case json.Unmarshal(c.Content, &s.Text) == nil:
	case json.Unmarshal(c.Content, &parts) == nil:
		var texts []string
		for _, part := range parts {
			if part.Text != "" {
				texts = append(texts, part.Text)
			}
		}
		s.Text = strings.Join(texts, "\n")
	default:
		return s, false, lang.Errorf("`content` is neither a text nor a list of parts with a `text`")
	}
	return s, true, nil
}

// LineError says what is wrong with one line; the others are not affected.
type LineError struct {
	Line int // counted from 1
	Err  error
}

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

var errLongLine = lang.Errorf("it is longer than %d MiB", maxLine>>20)

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

// line is a record as files have it.
type line struct {
	Record
	ID       json.RawMessage `json:"id"` // a text or a number
	Turns    []chatTurn      `json:"turns"`
	Messages []chatTurn      `json:"messages"` // the name of `turns` in chat transcripts
}

// parse reads one line and says which of the four kinds it is not.
func parse(text []byte) (*Record, error) {
	in := &line{}
	if err := json.Unmarshal(text, in); err != nil {
		return nil, lang.Errorf("it is not a JSON object of a known form: %w", err)
	}
	rec := &in.Record
	if string(rec.Body) == "null" {
		rec.Body = nil
	}
	if err := rec.readID(in.ID); err != nil {
		return nil, err
	}
	turns := in.Turns
	if turns == nil {
		turns = in.Messages
	}
	switch {
	case rec.Body != nil:
		if rec.At == nil {
			return nil, lang.Errorf("a recorded callback needs `at`, a time like 2026-01-05T10:00:00+08:00")
		}
	case rec.Desk != nil:
		if rec.At == nil {
			return nil, lang.Errorf("a reading of Desk needs `at`, a time like 2026-01-05T10:00:00+08:00")
		}
	case turns != nil:
		rec.Turns = []Said{}
		for i := range turns {
			s, heard, err := turns[i].said()
			if err != nil {
				return nil, lang.Errorf("turn %d: %w", i+1, err)
			}
			if heard {
				rec.Turns = append(rec.Turns, s)
			}
		}
	case strings.TrimSpace(rec.Text) == "":
		return nil, lang.Errorf("it holds neither `text` (an utterance), nor `turns` (a dialogue), nor `body` (a recorded callback), nor `desk` (agents and queue)")
	}
	return rec, nil
}

// readID takes an id that is a text or a number.
func (r *Record) readID(raw json.RawMessage) error {
	var number json.Number
	switch {
	case len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &r.ID) == nil:
		return nil
	case json.Unmarshal(raw, &number) == nil:
		r.ID = number.String()
		return nil
	}
	return lang.Errorf("`id` is neither a text nor a number")
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
		e := Event{Session: session, At: at, Observe: rules.EventAgentMessage, Words: t.Text}
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
