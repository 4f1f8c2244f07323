package mask_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"escalator/bot/mask"
)

func TestClip_cutsBetweenCharacters_andKeepsLabelsValid(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"SessionBegin":                "SessionBegin",
		strings.Repeat("a", 200):      strings.Repeat("a", 128),
		strings.Repeat("会", 43):       strings.Repeat("会", 42), // 129 bytes
		strings.Repeat("😀", 33):       strings.Repeat("😀", 32),
		"a" + strings.Repeat("😀", 32): "a" + strings.Repeat("😀", 31),
		"bad\xffbyte":                 "bad\uFFFDbyte",
		strings.Repeat("\x80", 200):   "\uFFFD",
	} {
		got := mask.Clip(in)
		if got != want || !utf8.ValidString(got) || len(got) > 130 {
			t.Errorf("Clip(%q) = %q, want %q", in, got, want)
		}
	}
}

// A reason is a sentence or two. What the console takes, in any script, stays whole.
func TestReason_keepsWhatOperatorsWrite(t *testing.T) {
	for in, want := range map[string]string{
		"":                          "",
		strings.Repeat("因", 300):    strings.Repeat("因", 300),
		strings.Repeat("a", 2000):   strings.Repeat("a", 1024),
		strings.Repeat("因", 2000):   strings.Repeat("因", 341), // 1,023 bytes
		"half a character \xe5\x9b": "half a character \uFFFD",
	} {
		if got := mask.Reason(in); got != want {
			t.Errorf("Reason(%q) = %q, want %q", in, got, want)
		}
	}
}
