package desk

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
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

// AuthError is the error of Verifier.Verify. It says nothing about the token,
// the signature or our clock.
type AuthError struct{ Reason AuthReason }

func (e *AuthError) Error() string { return "callback signature: " + string(e.Reason) }

// Verifier checks the signature of callbacks. A nil Verifier, and one without
// tokens, accepts everything: Desk's console may have no token to set.
type Verifier struct {
	tokens []Secret
	skew   time.Duration
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
		return &AuthError{AuthMissing}
	case !v.signed(q):
		return &AuthError{AuthMismatch}
	case !v.fresh(q.RequestTime, now):
		return &AuthError{AuthStale}
	}
	return nil
}

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
	for _, t := range v.tokens {
		want := digest(t, q.RequestTime)
		match |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return match == 1
}

func (v *Verifier) fresh(requestTime string, now time.Time) bool {
	seconds, err := strconv.ParseUint(requestTime, 10, 40)
	if err != nil {
		return false
	}
	return now.Truncate(time.Second).Sub(time.Unix(int64(seconds), 0)).Abs() <= v.skew
}
