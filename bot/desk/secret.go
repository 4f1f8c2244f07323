package desk

import (
	"fmt"
	"io"
)

// masked is what a set Secret shows wherever it is printed.
const masked = "***"

// Secret is a string that never shows itself: not in a log line, not in an
// error, not in a dump of the settings. Only Reveal gives the value back, so
// that every place that needs it can be found by searching for that word.
type Secret string

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String masks the value; an empty secret stays visible as empty, because
// "not set" is what an operator needs to see.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks the value for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("desk.Secret(%q)", s.String()) }

// Format masks the value for every verb, %x and %q included.
func (s Secret) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('#'):
		_, _ = io.WriteString(f, s.GoString())
	case verb == 'q':
		_, _ = fmt.Fprintf(f, "%q", s.String())
	default:
		_, _ = io.WriteString(f, s.String())
	}
}

// MarshalJSON masks the value.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalText masks the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
