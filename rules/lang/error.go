package lang

// said is what errors are whose message can be read in every language.
type said interface{ Said() Text }

// fault is an error that is made of a message.
type fault struct {
	words Text
	errs  []error
}

// Errorf makes an error of a message; the errors that %w stands for can be found in it.
func Errorf(format Text, args ...any) error {
	e := &fault{words: Say(format, args...)}
	for h := range holes(string(format)) {
		if err, ok := error(nil), false; h.verb == "%w" && h.arg < len(args) {
			if err, ok = args[h.arg].(error); ok {
				e.errs = append(e.errs, err)
			}
		}
	}
	return e
}

// Error is the message in English.
func (e *fault) Error() string { return e.words.String() }

// Said is the message.
func (e *fault) Said() Text { return e.words }

// Unwrap gives the errors that %w stood for.
func (e *fault) Unwrap() []error { return e.errs }

// Of is what an error says: as a text where it is one, else its own words, of which the end may be one of System.
func Of(err error) Text {
	if err == nil {
		return ""
	}
	if s, ok := err.(said); ok { // itself: what wraps it has more to say
		return s.Said()
	}
	return outside(err.Error())
}
