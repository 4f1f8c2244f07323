package rules

import (
	"cmp"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal_whatIsANumber(t *testing.T) {
	for _, s := range []string{"", "-", ".", "e1", "1e", "1e+", "1e99999999999", "0x10", "1_000", "inf", "NaN", " 1", "1 ", "--1", "+-1", "1.2.3", "１"} {
		if d, ok := parseDecimal(s); ok {
			t.Errorf("%q is the number %+v", s, d)
		}
	}
}

func TestParseDecimal_equalNumbers_areEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"0", "-0.00e7", 0},
		{"3", "3.0", 0},
		{"1000", "1e3", 0},
		{"0.05", "5e-2", 0},
		{"120.50", "120.5", 0},
		{"1610521604143693812", "1610521604143693900", -1},
		{"90071992547409931", "90071992547409932", -1},
		{"123456789012345678901234567890", "123456789012345678901234567891", -1},
		{"-2", "1", -1},
		{"-2", "-10", 1},
		{"0", "-0.1", 1},
		{"0.9", "0.89", 1},
		{"99", "100", -1},
		{"+7", "7", 0},
		{".5", "0.5", 0},
	} {
		a, okA := parseDecimal(tt.a)
		b, okB := parseDecimal(tt.b)
		if !okA || !okB || a.compare(b) != tt.want || b.compare(a) != -tt.want || (a == b) != (tt.want == 0) {
			t.Errorf("%s and %s: %+v, %+v compare as %d, want %d", tt.a, tt.b, a, b, a.compare(b), tt.want)
		}
	}
}

// Where float64 is exact, it is the oracle.
func TestParseDecimal_smallNumbers_compareAsFloats(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) float64 {
		return float64(rapid.IntRange(-1<<20, 1<<20).Draw(t, "n")) / float64(int(1)<<rapid.IntRange(0, 12).Draw(t, "shift"))
	})
	formats := []byte{'f', 'e', 'g'}
	rapid.Check(t, func(t *rapid.T) {
		x, y := number.Draw(t, "x"), number.Draw(t, "y")
		a, okA := parseDecimal(strconv.FormatFloat(x, rapid.SampledFrom(formats).Draw(t, "fx"), -1, 64))
		b, okB := parseDecimal(strconv.FormatFloat(y, rapid.SampledFrom(formats).Draw(t, "fy"), -1, 64))
		if !okA || !okB || a.compare(b) != cmp.Compare(x, y) {
			t.Fatalf("%v and %v compare as %d", x, y, a.compare(b))
		}
	})
}
