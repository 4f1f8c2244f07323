package desk

import (
	"errors"
	"net/http"
	"time"

	"escalator/rules/lang"
)

// ErrOtherSession says that get_session_state answered about another session than
// the one that was asked for: where ours is, nobody knows.
var ErrOtherSession = errors.New("the answer names another session")

// lockout is how long Tencent locks an account after too many wrong signatures.
const lockout = time.Minute

// Error is the only error type that Client's calls return. It never holds the
// key or a signature, neither in a field nor behind Unwrap.
type Error struct {
	Op     string // the command: "transfer_to_human"
	Code   int    // Desk's ErrorCode, 0 when there was none
	Info   string // Desk's ErrorInfo: cleaned and cut
	Status int    // HTTP status, 0 when there was no answer
	Err    error  // what went wrong on the way, nil when Desk answered properly

	unsent     bool          // no host can have got the request
	canceled   bool          // the caller cancelled
	retryAfter time.Duration // the answer's Retry-After, 0 without one
}

// Error tells the operation, the code with its meaning, and Desk's own words.
func (e *Error) Error() string { return e.Said().String() }

// Said is the error for a reader of any language; Desk's own words stay as they are.
func (e *Error) Said() lang.Text {
	if e.Err != nil {
		return lang.Say("%s: %v", e.Op, e.Err)
	}
	row, _ := LookupCode(e.Code)
	if e.Info == "" {
		return lang.Say("%s: code %d (%s)", e.Op, e.Code, row.Meaning)
	}
	return lang.Say("%s: code %d (%s): %s", e.Op, e.Code, row.Meaning, e.Info)
}

// Unwrap returns what went wrong on the way.
func (e *Error) Unwrap() error { return e.Err }

// Verdict says what to do now. Anything that is not a proper answer leaves the
// outcome unknown, so that the state has to be asked before a repeat.
func (e *Error) Verdict() Verdict {
	if e.Err != nil {
		return AskState
	}
	row, _ := LookupCode(e.Code)
	if e.Status == http.StatusTooManyRequests && row.Verdict == GiveUp {
		return Retry // whatever the code says: the request was one too many, not wrong
	}
	return row.Verdict
}

// Transport tells whether the outcome is unknown because of the way to Desk (no
// connection, no answer in time, 5xx, an answer that is no JSON object with an
// integer ErrorCode). Only these count for the breaker. A call that the caller
// itself cancelled does not, nor an answer about another session.
func (e *Error) Transport() bool {
	return e.Err != nil && !e.canceled && !errors.Is(e.Err, ErrOtherSession)
}

// Unsent tells whether no host can have got the request: what was asked for has not
// happened, though the error is one of the way to Desk.
func (e *Error) Unsent() bool { return e.unsent }

// RetryAfter is the least time to wait before a repeat, beyond the caller's own
// back-off: what the answer's Retry-After says, a minute after 70050 and 70114,
// else 0. It may be as long as the sender likes: the caller has to bound it.
func (e *Error) RetryAfter() time.Duration {
	if e.Err == nil && (e.Code == 70050 || e.Code == 70114) {
		return max(lockout, e.retryAfter)
	}
	return e.retryAfter
}

// Unlisted tells whether the code is a 1410xx that no page documents. With
// disable_queuing or check_working_hours such a code means "try the next
// target" (RULES.md 4).
func (e *Error) Unlisted() bool {
	_, known := LookupCode(e.Code)
	return e.Verdict() == GiveUp && !known && e.Code >= 141000 && e.Code <= 141099
}

// Inferred tells whether no page prints the address of this call, so that a
// refusal may be of the address and not of what was asked.
func (e *Error) Inferred() bool { return operations[e.Op].inferred }
