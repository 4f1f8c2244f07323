package rules

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

func (k *checker) checkScalar(n *yaml.Node, s *shape, what lang.Text) {
	if n.Kind != yaml.ScalarNode {
		k.failKind(n, s, what)
		return
	}
	switch s.form {
	case formText:
		k.checkText(n, s, what)
	case formInteger:
		k.checkInteger(n, s, what)
	case formNumber:
		f, err := strconv.ParseFloat(n.Value, 64)
		if n.Tag != "!!int" && n.Tag != "!!float" || err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			k.failNumber(n, s, what)
		} else if s.max != 0 && (f < s.min || f > s.max) {
			k.fail(n, exampleOf(s), "%s must be %s, not %s", what, s.name, n.Value)
		}
	case formBool:
		if n.Tag != "!!bool" {
			k.fail(n, boolHint(n.Value), "%s must be true or false, not %s", what, describe(n))
		}
	case formTrue:
		if n.Tag != "!!bool" || !strings.EqualFold(n.Value, "true") {
			k.fail(n, "write true, or leave the key out", "%s must be true, not %s", what, describe(n))
		}
	case formDuration, formRate:
		k.checkTimed(n, s, what)
	}
}

// failNumber reports what is no number: one in quotes, or with something beside it.
func (k *checker) failNumber(n *yaml.Node, s *shape, what lang.Text) {
	number := strings.Trim(n.Value, "¥￥$€元块 ")
	f, err := strconv.ParseFloat(number, 64)
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!str" || err != nil || math.IsNaN(f) || math.IsInf(f, 0):
		k.failKind(n, s, what)
	case number == n.Value && n.Style != 0:
		k.fail(n, lang.Say("take off the quotes: %s", n.Value), "%s must be %s, not a text", what, s.name)
	default:
		k.fail(n, lang.Say("write the number alone: %s", number), "%s must be %s, not %s", what, s.name, describe(n))
	}
}

func boolHint(word string) lang.Text {
	switch strings.ToLower(word) {
	case "true", "false":
		return lang.Say("take off the quotes: %s", strings.ToLower(word))
	case "yes", "on", "1", "y", "是":
		return "did you mean true?"
	case "no", "off", "0", "n", "否":
		return "did you mean false?"
	}
	return ""
}

func (k *checker) checkText(n *yaml.Node, s *shape, what lang.Text) {
	if s.enum == nil && s.pattern == "" {
		k.texts = append(k.texts, n)
	}
	switch {
	case s == aPhrase && n.Style == 0 && k.halfQuoted(n):
	case strings.TrimSpace(n.Value) == "" && !s.empty:
		k.fail(n, "write something, or take it out", "%s must not be empty", what)
	case slices.Contains(s.enum, n.Value):
	case s.enum != nil:
		hint := DidYouMean(n.Value, s.enum)
		if word := s.synonyms[strings.ToLower(n.Value)]; word != "" {
			hint = lang.Say("did you mean %s?", word)
		}
		if hint == "" {
			hint = cmp.Or(s.way, lang.Say("valid: %s", strings.Join(s.enum, ", ")))
		}
		k.failValue(n, hint, "%s is not %s", strconv.Quote(shorten(n.Value)), s.name)
	case s.matches(n.Value):
	case s.guess(n.Value) != "":
		if at, r, sign := signIn(n.Value); at >= 0 {
			k.failSign(n, at, lang.Say("this holds %s", sign.says(r)), s.guess(n.Value))
			return
		}
		k.fail(n, s.guess(n.Value), "%s is not %s", strconv.Quote(shorten(n.Value)), s.name)
	default:
		k.failValue(n, textHint(s), "%s is not %s", strconv.Quote(shorten(n.Value)), s.name)
	}
}

// halfQuoted reports a phrase with one of two typographic quotes: YAML does not know them, and has cut the text at a comma.
// A single one at the end is an apostrophe.
func (k *checker) halfQuoted(n *yaml.Node) bool {
	for _, pair := range [][2]string{{"“", "”"}, {"‘", "’"}, {"「", "」"}, {"『", "』"}} {
		first, last := pair[0], pair[1]
		at, quote := 0, first
		switch {
		case strings.HasPrefix(n.Value, first) && !strings.Contains(n.Value, last):
		case strings.HasSuffix(n.Value, last) && !strings.Contains(n.Value, first) && last != "’":
			at, quote = len(n.Value)-len(last), last
		default:
			continue
		}
		k.failSign(n, at, lang.Say("%s is a quote of print, which YAML does not know, and the other half is not in this phrase", quote), `write the text between " and "`)
		return true
	}
	return false
}

func textHint(s *shape) lang.Text {
	switch {
	case s.way != "":
		return s.way
	case len(s.examples) > 0:
		return lang.Say("for example %s", s.examples[0])
	case s.pattern == patternName || s.pattern == patternListName:
		return "a name holds letters, digits, - and _ only"
	}
	return ""
}

func (k *checker) checkInteger(n *yaml.Node, s *shape, what lang.Text) {
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if n.Tag != "!!int" || err != nil {
		k.failNumber(n, s, what)
		return
	}
	if float64(i) < s.min || float64(i) > s.max {
		hint := exampleOf(s)
		if s.min == s.max {
			hint = lang.Say("write %s", itoa(int(s.min)))
		}
		if (s == aCount || s == aRepeat) && i > maxCount {
			hint = "counts end at 16, so that a conversation needs little memory"
		}
		k.fail(n, hint, "%s must be %s, not %d", what, s.name, i)
	}
}

// checkTimed checks durations and rates: texts with a unit, so that nobody has to guess what 10 means.
func (k *checker) checkTimed(n *yaml.Node, s *shape, what lang.Text) {
	if n.Tag == "!!int" || n.Tag == "!!float" {
		hint := lang.Say("did you mean %s or %s?", n.Value+"s", n.Value+"m")
		if s.form == formRate {
			hint = lang.Say("did you mean %s or %s?", n.Value+"/s", n.Value+"/24h")
		}
		k.fail(n, hint, "%s must be %s, and %s has no unit", what, s.name, n.Value)
		return
	}
	if n.Tag == "!!bool" || !s.matches(n.Value) {
		if s.positive && regexp.MustCompile(patternDuration).MatchString(n.Value) {
			k.fail(n, exampleOf(s), "%s must be longer than zero", what)
			return
		}
		k.failValue(n, durationHint(n.Value, s), "%s must be %s, not %s", what, s.name, describe(n))
	}
}

var wordyDuration = regexp.MustCompile(`(?i)^\s*([0-9]+)\s*(s|secs?|seconds?|秒钟?|m|mins?|minutes?|分钟?|h|hrs?|hours?|小时|时|d|days?|天|日)\.?\s*$`)

// durationHint turns "5 minutes" into 5m.
func durationHint(text string, s *shape) lang.Text {
	if m := wordyDuration.FindStringSubmatch(text); m != nil && s.form == formDuration {
		unit := map[string]string{"秒": "s", "分": "m", "小": "h", "时": "h", "天": "d", "日": "d"}[string([]rune(m[2])[0])]
		if unit == "" {
			unit = strings.ToLower(m[2][:1])
		}
		return lang.Say("did you mean %s?", m[1]+unit)
	}
	return exampleOf(s)
}
