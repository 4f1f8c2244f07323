package lang

import (
	"errors"
	"fmt"
)

// Error is an error whose message can be read in every language.
type Error struct {
	Text Text
	errs []error
}

// Errorf makes an error of a message; the errors that %w stands for can be found in it.
func Errorf(format Text, args ...any) error {
	e := &Error{Text: Say(format, args...)}
	for _, h := range holes(string(format)) {
		if err, ok := error(nil), false; h.verb == "%w" && h.arg < len(args) {
			if err, ok = args[h.arg].(error); ok {
				e.errs = append(e.errs, err)
			}
		}
	}
	return e
}

// Error is the message in English.
func (e *Error) Error() string { return e.Text.String() }

// Unwrap gives the errors that %w stood for.
func (e *Error) Unwrap() []error { return e.errs }

// Of is what an error says: as a text where it is one, else its own words, in which no more can be translated.
func Of(err error) Text {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Error() == err.Error():
		return e.Text
	}
	return Raw(fmt.Sprint(err))
}
