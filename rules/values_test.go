package rules

import (
	"strings"
	"testing"
	"time"
)

func TestDurations_ofAnyUnit(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"100000s": 100_000 * time.Second, "100000ms": 100 * time.Second, "1h30m": 90 * time.Minute, "366d": 366 * 24 * time.Hour,
		"00010m": 10 * time.Minute, "0h100000s": 100_000 * time.Second, "31622400000ms": 366 * 24 * time.Hour, "0s": 0,
	} {
		if got, ok := ParseDuration(text); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
		if !aDuration.matches(text) || aSpan.matches(text) != (want > 0) {
			t.Errorf("%s: the pattern disagrees", text)
		}
	}
	for _, text := range []string{"367d", "99999999999999999999h", "9223372036854775807s", "31622400001ms", "183d183d1ms"} {
		if got, ok := ParseDuration(text); ok {
			t.Errorf("%s is %v", text, got)
		}
	}
}

// A length of time that nobody can mean is told so, whatever its digits; one that somebody can mean is taken.
func TestDurations_inAFile(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"defaults: {session_ttl: 100000s}", ""},
		{"defaults: {cooldown: 100000ms}", ""},
		{"limits: {per_session: 3/100000s}", ""},
		{"defaults: {cooldown: 99999999999999999999h}", "99999999999999999999h is longer than 366 days"},
		{"limits: {per_session: 3/99999999999999999999h}", "99999999999999999999h is longer than 366 days"},
		{"defaults: {session_ttl: 0s}", "`session_ttl` must be longer than zero"},
		{"limits: {per_session: 3/0s}", "`per_session` must be a rate"},
	} {
		_, r := Load([]byte("version: 1\n"+c.file+"\ntargets: {default: {}}\nrules: [{id: a, when: {turns: {at_least: 2}}, then: {transfer: default}}]\n"), LoadOptions{})
		if c.want == "" && !r.OK() || c.want != "" && (len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message.String(), c.want)) {
			t.Errorf("%s: %+v", c.file, r.Errors)
		}
	}
}
