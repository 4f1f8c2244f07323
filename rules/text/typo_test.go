package text

import (
	"strings"
	"testing"
)

func TestDistance_countsEdits(t *testing.T) {
	long := strings.Repeat("abcdefghij", 5)
	for _, c := range []struct {
		a, b  string
		limit int
		want  int // -1: more than the limit
	}{
		{"human", "human", 3, 0},
		{"human", "humna", 3, 1},
		{"human", "hmuna", 3, 2},
		{"", "abc", 3, 3},
		{"", "abcd", 3, -1},
		{"退款单", "退货单", 3, 1}, // letters, not bytes
		{"ca", "abc", 3, 3},  // no letter is edited twice
		{long, long + "x", 3, 1},
		{long + "xy", long + "yx", 3, 1},
		{strings.Repeat("a", 300), strings.Repeat("a", 301), 3, -1},
	} {
		if got := Distance(c.a, c.b, c.limit); got != c.want && (c.want >= 0 || got <= c.limit) {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
