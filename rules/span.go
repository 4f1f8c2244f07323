package rules

import (
	"math"
	"strconv"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// span is what `at_least` and `at_most` allow; both ends belong to it.
type span struct {
	low, high int64
	show      func(int64) string
}

// unbounded is the upper end of a span without `at_most`.
const unbounded = math.MaxInt64

// span reads `at_least` and `at_most`.
func (l *loader) span(n *yaml.Node, read func(*yaml.Node) int64, show func(int64) string) span {
	s := span{0, unbounded, show}
	atLeast, atMost := l.get(n, "at_least"), l.get(n, "at_most")
	if atLeast != nil {
		s.low = read(atLeast)
	}
	if atMost != nil {
		s.high = read(atMost)
	}
	if s.low > s.high {
		l.fail(atMost, "swap the two", "this can never hold: at_least %s is above at_most %s", atLeast.Value, atMost.Value)
	}
	return s
}

func showCount(n int64) string { return strconv.FormatInt(n, 10) }

func (s span) holds(n int64) verdict {
	v := truth(s.low <= n && n <= s.high)
	v.have = int(n)
	return v
}

// words tells of the span: 6 or more, 2 or less, 2 to 6.
func (s span) words() lang.Text {
	switch {
	case s.high == unbounded:
		return lang.Say("%s or more", s.show(s.low))
	case s.low == 0:
		return lang.Say("%s or less", s.show(s.high))
	}
	return lang.Say("%s to %s", s.show(s.low), s.show(s.high))
}

// within says that what is in s is in o too.
func (s span) within(o span) bool { return s.low >= o.low && s.high <= o.high }

// apart says why nothing is in both spans, "" if something is.
func (s span) apart(o span) lang.Text {
	if s.low <= o.high && o.low <= s.high {
		return ""
	}
	return lang.Say("it cannot be both %s and %s", s.words(), o.words())
}
