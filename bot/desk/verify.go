package desk

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Sign returns the signature of a callback: lower-case hex of
// SHA-256(token + requestTime), nothing between them. It covers neither the
// body nor the other parameters.
func Sign(token, requestTime string) string {
	sum := digest(Secret(token), requestTime)
	return hex.EncodeToString(sum[:])
}

func digest(token Secret, requestTime string) [sha256.Size]byte {
	var room [128]byte
	b := append(room[:0], token...)
	return sha256.Sum256(append(b, requestTime...))
}

// AuthReason says why a callback was refused; a closed list, fit for a metric.
type AuthReason string

// The reasons.
const (
	AuthMissing  AuthReason = "missing"  // Sign or RequestTime is missing or came twice
	AuthMismatch AuthReason = "mismatch" // Sign is of no token that we know
	AuthStale    AuthReason = "stale"    // RequestTime is too far away or no number
)

// AuthError is the error of Verifier.Verify. It says nothing about the token and
// the signature, and of our clock only to who has signed rightly.
type AuthError struct {
	Reason AuthReason
	// Off is how far RequestTime is from our time, below zero for an older one (AuthStale).
	Off time.Duration
	// Milliseconds says that RequestTime is in those, NoTime that it is no number.
	Milliseconds, NoTime bool
}

// Error says what is wrong with the signature, and shows nothing of it.
func (e *AuthError) Error() string { return "callback signature: " + string(e.Reason) }

// Verifier checks the signature of callbacks. A nil Verifier, and one without
// tokens, accepts everything: Desk's console may have no token to set.
type Verifier struct {
	tokens []Secret
	skew   time.Duration
	last   atomic.Pointer[digests] // of the text that was signed last: a second has many callbacks
}

// digests are what each token makes of one RequestTime.
type digests struct {
	requestTime string
	of          [][sha256.Size]byte
}

// NewVerifier returns a Verifier for the given tokens (two while the token is
// being changed; empty ones are left out) that accepts a RequestTime up to
// skew away from now, in both directions.
func NewVerifier(tokens []Secret, skew time.Duration) *Verifier {
	v := &Verifier{skew: skew}
	for _, t := range tokens {
		if t != "" {
			v.tokens = append(v.tokens, t)
		}
	}
	return v
}

// Verify returns nil or an *AuthError. The signature is judged first, over the
// text of RequestTime as it came, so that only a holder of the token learns how
// our clock stands.
func (v *Verifier) Verify(q Query, now time.Time) error {
	switch {
	case v == nil || len(v.tokens) == 0:
		return nil
	case q.Sign == "" || q.RequestTime == "":
		return &AuthError{Reason: AuthMissing}
	case !v.signed(q):
		return &AuthError{Reason: AuthMismatch}
	}
	return v.fresh(q, now)
}

// maxTime is more than the digits of any RequestTime.
const maxTime = 32

// signed compares hashes of fixed length in constant time, with every token, so
// that timing tells neither how much was right nor which token it was.
func (v *Verifier) signed(q Query) bool {
	var given [sha256.Size]byte
	if len(q.Sign) != hex.EncodedLen(len(given)) {
		return false
	}
	if _, err := hex.Decode(given[:], []byte(q.Sign)); err != nil {
		return false
	}
	match := 0
	for _, want := range v.digests(q.RequestTime) {
		match |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return match == 1
}

func (v *Verifier) digests(requestTime string) [][sha256.Size]byte {
	if last := v.last.Load(); last != nil && last.requestTime == requestTime {
		return last.of
	}
	now := &digests{requestTime: strings.Clone(requestTime)}
	for _, t := range v.tokens {
		now.of = append(now.of, digest(t, requestTime))
	}
	if len(requestTime) <= maxTime { // a stranger's may be long
		v.last.Store(now)
	}
	return now.of
}

// inMilliseconds is more than any time in seconds that is not a mistake (the year
// 5138), and as milliseconds long ago (1973).
const inMilliseconds = 100_000_000_000

// fresh returns nil, or how far the time is from now.
func (v *Verifier) fresh(q Query, now time.Time) error {
	off, milliseconds, ok := q.off(now)
	if !ok || milliseconds || off.Abs() > v.skew {
		return &AuthError{Reason: AuthStale, NoTime: !ok, Milliseconds: milliseconds, Off: off}
	}
	return nil
}

// Off returns how far RequestTime is from now, below zero for an older one; ok is false
// where it is no time.
func (q Query) Off(now time.Time) (off time.Duration, ok bool) {
	off, _, ok = q.off(now)
	return off, ok
}

func (q Query) off(now time.Time) (off time.Duration, milliseconds, ok bool) {
	n, err := strconv.ParseInt(q.RequestTime, 10, 64)
	now = now.Truncate(time.Second)
	switch {
	case err != nil || n < 0:
		return 0, false, false
	case n > inMilliseconds:
		return time.UnixMilli(n).Sub(now), true, true
	}
	return time.Unix(n, 0).Sub(now), false, true
}
