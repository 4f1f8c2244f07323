package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

// jsonLines writes the lines of logrus's JSONFormatter, byte for byte, without its
// copy of the fields and without reflection: a callback that decides something waits
// for its line. What is not plain is left to it. Only that a function was given as a
// field, which is a mistake in the program, is not told of: logrus does not show it.
type jsonLines struct{ logrus.JSONFormatter }

// mostFields is how many names are sorted without an allocation.
const mostFields = 32

// Format implements logrus.Formatter.
func (f *jsonLines) Format(e *logrus.Entry) ([]byte, error) {
	if e.Buffer == nil || e.Caller != nil {
		return f.JSONFormatter.Format(e)
	}
	var room [mostFields]string
	names := append(room[:0], logrus.FieldKeyLevel, logrus.FieldKeyMsg, logrus.FieldKeyTime)
	for name := range e.Data {
		names = append(names, name)
	}
	slices.Sort(names)
	b, before := e.Buffer.AvailableBuffer(), byte('{')
	for i, name := range names {
		if i > 0 && name == names[i-1] { // a field has the name of one of ours
			return f.JSONFormatter.Format(e)
		}
		b = append(appendText(append(b, before), name), ':')
		before = ','
		var plain bool
		if b, plain = f.appendField(b, e, name); !plain {
			return f.JSONFormatter.Format(e)
		}
	}
	_, _ = e.Buffer.Write(append(b, "}\n"...)) // it never fails
	return e.Buffer.Bytes(), nil
}

// appendField appends the value of a field, if it is plain.
func (f *jsonLines) appendField(b []byte, e *logrus.Entry, name string) ([]byte, bool) {
	switch name {
	case logrus.FieldKeyLevel:
		return appendText(b, e.Level.String()), true
	case logrus.FieldKeyMsg:
		return appendText(b, e.Message), true
	case logrus.FieldKeyTime:
		return append(e.Time.AppendFormat(append(b, '"'), f.TimestampFormat), '"'), true
	case logrus.FieldKeyLogrusError: // it gives that another name
		return b, false
	}
	switch v := e.Data[name].(type) {
	case string:
		return appendText(b, v), true
	case int:
		return strconv.AppendInt(b, int64(v), 10), true
	case int64:
		return strconv.AppendInt(b, v, 10), true
	case bool:
		return strconv.AppendBool(b, v), true
	case []string:
		if len(v) == 0 {
			return b, false
		}
		before := byte('[')
		for _, s := range v {
			b = appendText(append(b, before), s)
			before = ','
		}
		return append(b, ']'), true
	}
	return b, false
}

// appendText appends a text as JSON has it.
func appendText(b []byte, s string) []byte {
	if needsNoEscape(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	var escaped bytes.Buffer
	encoder := json.NewEncoder(&escaped)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a text cannot fail
	return append(b, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
}

func needsNoEscape(s string) bool {
	ascii := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(s) && !strings.Contains(s, "\u2028") && !strings.Contains(s, "\u2029")
}
