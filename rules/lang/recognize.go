package lang

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Recognize finds the message that English words were made of, so that what was written down in English, as in the history,
// can be read in another language. Words that are of no message stay as they are: a customer's may stand among them.
func Recognize(words string) Text {
	if words == "" {
		return ""
	}
	return recognize(words, 0)
}

// How deep messages are looked for in messages, and how many letters one must have there: fewer may be a customer's.
const (
	deepest     = 8
	fewestWords = 3
	fewest      = 7
)

// condition is how what a condition says begins; several stand in one sentence.
var (
	condition = regexp.MustCompile(`^((not )?[a-z_]+: |(not|any|all) \()`)
	name      = regexp.MustCompile(`^[a-z_]+$`)
	dated     = regexp.MustCompile(`^([A-Z][a-z]{2}) (\d{4}-\d{2}-\d{2}.*)$`)
)

func recognize(words string, depth int) Text {
	ours := depth == 0 // what stands here is no customer's
	if isMessage(words, depth) {
		return Text(words)
	}
	if depth > deepest {
		return Raw(words)
	}
	if m := dated.FindStringSubmatch(words); m != nil { // a weekday is shorter than what is looked for in messages
		return Say("%s %s", Text(m[1]), Raw(m[2]))
	}
	for _, p := range patterns() { // of one sentence that has such a sign itself
		if values, ok := p.match(words); ok && p.between[0] != "" && strings.Contains(p.key, "; ") {
			return p.made(values, depth)
		}
	}
	if parts := conditions(words); len(parts) > 1 {
		texts := make([]Text, len(parts))
		for i, p := range parts {
			texts[i] = recognize(p, depth)
		}
		return Join("; ", texts...)
	}
	if head, rest, ok := strings.Cut(words, ": "); ok {
		switch {
		case name.MatchString(head):
			for _, p := range patterns() { // of Desk's operations, as in "%s: code %d (%s)"
				if values, ok := p.match(words); ok && p.named {
					return p.made(values, -1) // a code and its meaning, however short: no customer's
				}
			}
			return Say("%s: %s", head, recognize(rest, depth))
		case isMessage(head, 1):
			return Say("%s: %s", Text(head), recognize(rest, depth+1))
		}
	}
	for _, p := range patterns() {
		if values, ok := p.match(words); ok && (ours || p.sure) {
			return p.made(values, depth)
		}
	}
	if rest, ok := strings.CutPrefix(words, "not "); ok && condition.MatchString(rest) { // behind the messages that begin so
		return Join("", Raw("not "), recognize(rest, depth))
	}
	return outside(words)
}

// conditions splits a sentence where what a condition says begins.
func conditions(words string) (parts []string) {
	for i, p := range strings.Split(words, "; ") {
		if i == 0 || condition.MatchString(p) {
			parts = append(parts, p)
		} else {
			parts[len(parts)-1] += "; " + p
		}
	}
	return parts
}

// isMessage reports whether words are a message without values. In others, few words may be a customer's.
func isMessage(words string, depth int) bool {
	_, known := chinese()[words]
	return known && (depth == 0 || strings.Count(words, " ") >= fewestWords-1)
}

// pattern is a message with values, as it is found in English words.
type pattern struct {
	key     string
	holes   []hole
	quoted  []int    // values that the translation quotes: a customer's words, whatever they read like
	between []string // what stands before, between and after the values
	letters int
	sure    bool // no words of a customer are like it
	named   bool // it begins with a name, and has letters and numbers of its own
}

// patterns are those of the catalogue: first those with words of a customer, which may hold another message, then the
// most telling.
var patterns = sync.OnceValue(func() (all []pattern) {
	for key := range chinese() {
		p := pattern{key: key, holes: slices.Collect(holes(key)), quoted: quoted(chinese()[key])}
		from, counts := 0, false
		for _, h := range p.holes {
			p.between = append(p.between, strings.ReplaceAll(key[from:h.from], "%%", "%"))
			from, counts = h.to, counts || h.verb != "%s"
		}
		p.between = append(p.between, strings.ReplaceAll(key[from:], "%%", "%"))
		for _, b := range p.between {
			p.letters += len(strings.Trim(b, " .,:;()\"'`→"))
		}
		p.sure = p.letters >= fewest || counts
		p.named = counts && strings.HasPrefix(key, "%s: ") && p.letters > 0
		if len(p.holes) > 0 && (p.letters > 0 || key == "%s: %s" || key == "%s (%s)") {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b pattern) int {
		return cmp.Or(min(len(b.quoted), 1)-min(len(a.quoted), 1), b.letters-a.letters, strings.Compare(a.key, b.key))
	})
	return all
})

// quoted are the values that a translation puts into quotation marks.
func quoted(translation string) (args []int) {
	for h := range holes(translation) {
		if strings.HasSuffix(translation[:h.from], "“") && strings.HasPrefix(translation[h.to:], "”") {
			args = append(args, h.arg)
		}
	}
	return args
}

// match finds the values, each as short as can be. A value behind which another follows at once, as the list of a phrase
// that was found, ends where a bracket opens, if one does.
func (p *pattern) match(words string) (values []string, ok bool) {
	last := len(p.between) - 1
	if !strings.HasPrefix(words, p.between[0]) || !strings.HasSuffix(words, p.between[last]) || len(words) < len(p.between[0])+len(p.between[last]) {
		return nil, false
	}
	rest := words[len(p.between[0]) : len(words)-len(p.between[last])]
	for i, h := range p.holes {
		value := rest
		switch {
		case i < last-1 && p.between[i+1] == "":
			at := strings.LastIndex(rest, " (")
			if at < 0 || !strings.HasSuffix(rest, ")") {
				at = len(rest)
			}
			value, rest = rest[:at], rest[at:]
		case i < last-1:
			if value, rest, ok = strings.Cut(rest, p.between[i+1]); !ok {
				return nil, false
			}
		}
		if !h.takes(value) {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

var isNumber = regexp.MustCompile(`^[-+]?\d+(\.\d+)?$`)

// takes reports whether a value may stand in a hole.
func (h hole) takes(value string) bool {
	switch h.verb[len(h.verb)-1] {
	case 'd', 'f':
		return isNumber.MatchString(value)
	case 'q':
		return len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"'
	}
	return true
}

func (p *pattern) made(values []string, depth int) Text {
	b := appendPart([]byte{made}, p.key)
	if !condition.MatchString(p.key) { // not (says: …) holds what a condition says
		depth++
	}
	for i, v := range values {
		text := Raw(v)
		if strings.HasSuffix(p.holes[i].verb, "s") && !slices.Contains(p.quoted, p.holes[i].arg) {
			text = recognize(v, depth)
		}
		b = appendPart(b, string(text))
	}
	return Text(b)
}
