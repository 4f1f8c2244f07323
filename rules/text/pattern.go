package text

import (
	"cmp"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"escalator/rules/lang"
)

// A pattern is a regular expression on the normal form. It runs only if the
// message holds one of its literals.
type pattern struct {
	re       *regexp.Regexp
	literals []string // every match holds one of them; none: unknown
	atStart  bool     // the message begins with it
}

// maxLiterals bounds how many literals are looked for instead of one pattern.
const maxLiterals = 16

// pattern reads a regular expression between slashes.
func (p *parser) pattern() (*pattern, *SyntaxError) {
	start := p.pos + 1
	text := strings.TrimRight(p.src, " \t\r\n\u3000")
	if len(text) <= start || text[len(text)-1] != '/' {
		return nil, p.fail(p.pos, "this regular expression is not closed", "add `/` at its end")
	}
	text = text[start : len(text)-1]
	if text == "" {
		return nil, p.fail(p.pos, "an empty regular expression", "write it between the slashes")
	}
	text = contractions.ReplaceAllString(foldPattern(text), "$1$2")
	tree, err := syntax.Parse(text, syntax.Perl|syntax.FoldCase)
	if err != nil {
		return nil, p.badPattern(start, err)
	}
	re, err := regexp.Compile("(?i:" + text + ")")
	if err != nil {
		return nil, p.badPattern(start, err)
	}
	if re.MatchString("") {
		return nil, p.fail(start, "this regular expression matches the empty text, so it would always hold", "use + instead of *, or name what must be there")
	}
	tree = tree.Simplify()
	if first := startLiterals(tree); first != nil {
		return &pattern{re: re, literals: first, atStart: true}, nil
	}
	return &pattern{re: re, literals: requiredLiterals(tree)}, nil
}

func (p *parser) badPattern(start int, err error) *SyntaxError {
	out := p.fail(start, lang.Raw(err.Error()), "RE2 syntax, see https://github.com/google/re2/wiki/Syntax")
	if se, ok := errors.AsType[*syntax.Error](err); ok {
		out.Message = lang.Raw(se.Code.String())
		if se.Expr != "" {
			out.Message = lang.Say("%s: %s", out.Message, se.Expr)
			if i := strings.Index(p.src[start:], se.Expr); i >= 0 {
				out.Offset = start + i
			}
		}
	}
	return out
}

// contractions are the apostrophes that the normal form leaves out: don't is
// dont there.
var contractions = regexp.MustCompile(`(?i)(\pL)'(t|s|d|m|ll|re|ve)\b`)

// foldPattern brings the characters of a regular expression beyond ASCII into
// normal form; there they are themselves, also where that is a sign of the
// syntax (？ is a question mark and repeats nothing). ASCII is left alone because
// the case of an escape matters, and (?i) covers the letters.
func foldPattern(text string) string {
	var b strings.Builder
	escaped, inClass := false, false
	for _, r := range text {
		if r < utf8.RuneSelf || ignorable(r) {
			b.WriteRune(r)
			switch {
			case escaped:
				escaped = false
			case r == '\\':
				escaped = true
			case r == '[' || r == ']':
				inClass = r == '['
			}
			continue
		}
		folded := Normalize(string(r))
		switch one := utf8.RuneCountInString(folded) == 1; {
		case escaped && one: // \（ is （
			b.WriteString(strings.TrimPrefix(regexp.QuoteMeta(folded), `\`))
		case one && inClass && folded == "-":
			b.WriteString(`\-`)
		case one:
			b.WriteString(regexp.QuoteMeta(folded))
		case folded != "" && !inClass && !escaped:
			b.WriteString("(?:" + regexp.QuoteMeta(folded) + ")")
		default:
			b.WriteRune(r)
		}
		escaped = false
	}
	return b.String()
}

// startLiterals returns a set of literals with one of which a message begins that matches, nil if it may begin otherwise.
func startLiterals(re *syntax.Regexp) []string {
	if re.Op != syntax.OpConcat || re.Sub[0].Op != syntax.OpBeginText {
		return nil
	}
	first := re.Sub[1]
	if first.Op == syntax.OpPlus {
		first = first.Sub[0]
	}
	return spellings(first)
}

// requiredLiterals returns a set of literals one of which is in every match, or
// nil if there is none worth looking for.
func requiredLiterals(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if s := longestSafe(re.Rune, re.Flags&syntax.FoldCase != 0); s != "" {
			return []string{s}
		}
	case syntax.OpCharClass:
		return spellings(re)
	case syntax.OpCapture, syntax.OpPlus:
		return requiredLiterals(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return requiredLiterals(re.Sub[0])
		}
	case syntax.OpConcat:
		return literalsOfParts(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			lits := requiredLiterals(sub)
			if lits == nil || len(all)+len(lits) > maxLiterals {
				return nil
			}
			all = append(all, lits...)
		}
		return all
	}
	return nil
}

// literalsOfParts returns the best literals of parts that follow each other:
// those of one part, or of a run of parts that have few spellings.
func literalsOfParts(parts []*syntax.Regexp) (best []string) {
	consider := func(lits []string) {
		if better(lits, best) {
			best = lits
		}
	}
	run := []string{""}
	for _, part := range parts {
		more := part.Op == syntax.OpPlus // once for certain, and then the run may go on in any way
		texts := spellings(part)
		if more {
			texts = spellings(part.Sub[0])
		}
		longer := combine(run, texts)
		if longer == nil {
			consider(run)
			consider(requiredLiterals(part))
			if longer = texts; longer == nil {
				longer = []string{""}
			}
		}
		if run = longer; more {
			consider(run)
			run = []string{""}
		}
	}
	consider(run)
	return best
}

// combine returns every text of a followed by every one of b; nil if they are
// too many or there is none.
func combine(a, b []string) (all []string) {
	if len(a)*len(b) > maxLiterals {
		return nil
	}
	for _, x := range a {
		for _, y := range b {
			all = append(all, x+y)
		}
	}
	return all
}

// spellings returns all that a literal or a class of a few characters matches
// in a normal form; nil if it is neither.
func spellings(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		fold := re.Flags&syntax.FoldCase != 0
		if slices.ContainsFunc(re.Rune, func(r rune) bool { return !safeLiteral(r, fold) }) {
			return nil
		}
		return []string{longestSafe(re.Rune, fold)}
	case syntax.OpCharClass:
		var all []string
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if int(re.Rune[i+1]-re.Rune[i])+len(all) > 2*maxLiterals {
				return nil
			}
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if !safeLiteral(r, true) {
					return nil
				}
				all = append(all, string(unicode.ToLower(r)))
			}
		}
		slices.Sort(all)
		if all = slices.Compact(all); len(all) <= maxLiterals {
			return all
		}
	}
	return nil
}

// better prefers the set whose shortest literal is longest, then the one with
// fewer.
func better(a, b []string) bool {
	if len(a) == 0 || shortest(a) == 0 {
		return false
	}
	return len(b) == 0 || cmp.Or(cmp.Compare(shortest(a), shortest(b)), cmp.Compare(len(b), len(a))) > 0
}

func shortest(lits []string) int {
	n := len(lits[0])
	for _, s := range lits[1:] {
		n = min(n, len(s))
	}
	return n
}

// longestSafe returns the longest run of characters, in lower case, that have
// one spelling in the normal form.
func longestSafe(rs []rune, fold bool) string {
	best, run := "", []rune(nil)
	for i := 0; i <= len(rs); i++ {
		if i < len(rs) && safeLiteral(rs[i], fold) {
			run = append(run, unicode.ToLower(rs[i]))
			continue
		}
		if s := string(run); len(s) > len(best) {
			best = s
		}
		run = run[:0]
	}
	return best
}

// safeLiteral reports whether all that a character matches without regard to
// case is one character of the normal form. That is not so for those with a
// third spelling that no folding knows, as the Cyrillic о has one (ᲂ).
func safeLiteral(r rune, fold bool) bool {
	if r < utf8.RuneSelf {
		return fold || !('A' <= r && r <= 'Z')
	}
	lower := unicode.ToLower(r)
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		if first, second := foldRune(other); first != lower || second != 0 {
			return false
		}
	}
	return true
}
