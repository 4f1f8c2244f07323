package rules

import (
	"cmp"
	"strconv"
	"strings"
)

// decimal is a number as somebody wrote it, digit by digit: an id of 19 digits is not rounded, as a float64 would be.
// Its value is 0.digits × 10^point. The digits have no zero at either end and are empty for 0, so equal numbers are
// equal values of this type.
type decimal struct {
	negative bool
	digits   string
	point    int
}

// maxExponent bounds a written exponent: numbers beyond it are in nobody's field.
const maxExponent = 1_000_000

// parseDecimal reads a number such as 12, -0.5 or 1e3. It is false for anything else, infinity included.
func parseDecimal(s string) (decimal, bool) {
	unsigned := strings.TrimPrefix(s, "-")
	d := decimal{negative: len(unsigned) < len(s)}
	if !d.negative {
		unsigned = strings.TrimPrefix(s, "+")
	}
	mantissa, exponent := unsigned, 0
	if i := strings.IndexAny(unsigned, "eE"); i >= 0 {
		var err error
		mantissa = unsigned[:i]
		if exponent, err = strconv.Atoi(unsigned[i+1:]); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return decimal{}, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || !onlyDigits(whole) || !onlyDigits(fraction) {
		return decimal{}, false
	}
	digits := strings.TrimRight(fraction, "0")
	if digits == "" {
		digits = whole
	} else {
		digits = whole + digits
	}
	d.digits = strings.TrimLeft(digits, "0")
	d.point = len(whole) - (len(digits) - len(d.digits)) + exponent
	if d.digits = strings.TrimRight(d.digits, "0"); d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

func onlyDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// compare is -1, 0 or 1 as d is below, equal to or above o.
func (d decimal) compare(o decimal) int {
	sign := 1
	switch {
	case d.negative != o.negative:
		if d.negative {
			return -1
		}
		return 1
	case d.negative:
		sign = -1
	}
	if d.digits == "" || o.digits == "" { // 0 is below all numbers without a sign
		return sign * cmp.Compare(len(d.digits), len(o.digits))
	}
	return sign * cmp.Or(cmp.Compare(d.point, o.point), cmp.Compare(d.digits, o.digits))
}
