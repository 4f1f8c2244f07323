package desk

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSign_knownAnswers(t *testing.T) {
	tests := []struct{ token, at, want string }{
		{"xxxxyyyy", "1669872112", "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"},
		{"test-token", "1700000000", "fdedb59e60a8d79ebb349080c302a68a79ac6602cc5dbed2a4a94b9ced465f23"},
	}
	for _, tt := range tests {
		if got := Sign(tt.token, tt.at); got != tt.want {
			t.Errorf("Sign(%q, %q) = %s", tt.token, tt.at, got)
		}
	}
}

func TestVerifier_judgesEveryWayToBeWrong(t *testing.T) {
	const at = 1700000000
	sign := func(token string, at int) string {
		s := strconv.Itoa(at)
		return "RequestTime=" + s + "&Sign=" + Sign(token, s)
	}
	v := NewVerifier([]Secret{"test-token", "", "next-token"}, time.Minute)
	tests := []struct {
		name, query string
		want        AuthReason
	}{
		{"right", sign("test-token", at), ""},
		{"right by the second token", sign("next-token", at), ""},
		{"upper-case hex", "requesttime=1700000000&SIGN=" + strings.ToUpper(Sign("test-token", "1700000000")), ""},
		{"59 s early", sign("test-token", at-59), ""},
		{"59 s late", sign("test-token", at+59), ""},
		{"60 s early", sign("test-token", at-60), ""},
		{"61 s early", sign("test-token", at-61), AuthStale},
		{"61 s late", sign("test-token", at+61), AuthStale},
		{"time that is no number", "RequestTime=now&Sign=" + Sign("test-token", "now"), AuthStale},
		{"time beyond all numbers", "RequestTime=99999999999999999999&Sign=" + Sign("test-token", "99999999999999999999"), AuthStale},
		{"no sign", "RequestTime=1700000000", AuthMissing},
		{"no time", "Sign=" + Sign("test-token", ""), AuthMissing},
		{"two signs", sign("test-token", at) + "&sign=x", AuthMissing},
		{"two times", sign("test-token", at) + "&requesttime=1700000000", AuthMissing},
		{"other token", sign("other", at), AuthMismatch},
		{"empty token", sign("", at), AuthMismatch},
		{"other time", "RequestTime=1700000001&Sign=" + Sign("test-token", "1700000000"), AuthMismatch},
		{"reformatted time", "RequestTime=01700000000&Sign=" + Sign("test-token", "1700000000"), AuthMismatch},
		{"short", "RequestTime=1700000000&Sign=00", AuthMismatch},
		{"no hex", "RequestTime=1700000000&Sign=" + strings.Repeat("z", 64), AuthMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := v.Verify(ParseQuery(tt.query), time.Unix(at, 900_000_000))
			var auth *AuthError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (!errors.As(err, &auth) || auth.Reason != tt.want):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestVerifier_withoutTokens_acceptsEverything(t *testing.T) {
	for _, v := range []*Verifier{nil, NewVerifier(nil, time.Minute), NewVerifier([]Secret{""}, time.Minute)} {
		if err := v.Verify(Query{}, time.Now()); err != nil {
			t.Error(err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("1700000000", "00", int64(1700000000))
	f.Add("", "", int64(-1<<62))
	v := NewVerifier([]Secret{"a", "b"}, time.Minute)
	f.Fuzz(func(t *testing.T, at, sign string, now int64) {
		q := ParseQuery(url.Values{"RequestTime": {at}, "Sign": {sign}}.Encode())
		if v.Verify(q, time.Unix(now, 0)) == nil && !strings.EqualFold(sign, Sign("a", at)) && !strings.EqualFold(sign, Sign("b", at)) {
			t.Errorf("accepted %q, %q", at, sign)
		}
		q.Sign = Sign("b", at)
		n, err := strconv.ParseInt(at, 10, 40)
		if v.Verify(q, time.Unix(now, 0)) == nil && (err != nil || n < now-60 || n > now+60) {
			t.Errorf("accepted the time %q at %d", at, now)
		}
	})
}

// What was worked out for one RequestTime is used for it alone, however often they alternate and
// whoever asks meanwhile: a signature that was seen is worth nothing beside another time.
func TestVerifier_aSignatureIsGoodForItsOwnTimeOnly(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	tokens := []Secret{"the token", "the next one"}
	v := NewVerifier(tokens, time.Minute)
	times := []string{"1700000000", "1700000001", "+1700000000", "01700000000", strings.Repeat("0", maxTime) + "1700000000"}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				signed, sent := times[(i+n)%len(times)], times[n/len(times)%len(times)]
				for _, token := range append(tokens, "a stranger's") {
					ok := signed == sent && token != "a stranger's"
					err := v.Verify(Query{RequestTime: sent, Sign: Sign(string(token), signed)}, now)
					if (err == nil) != ok {
						t.Errorf("the signature of %q with %q, sent with %q: %v", signed, token, sent, err)
					}
				}
			}
		})
	}
	all.Wait()
	if kept := v.last.Load(); len(kept.requestTime) > maxTime || len(kept.of) != len(tokens) {
		t.Errorf("kept: a time of %d bytes and %d digests", len(kept.requestTime), len(kept.of))
	}
}
