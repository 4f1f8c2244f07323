package rules

import (
	"slices"
	"strings"
)

// wayBack maps offsets of an expanded phrase to the phrase as it was written.
type wayBack []piece

// piece says that from this offset of the expansion on, the text comes from that offset of the phrase.
type piece struct {
	expanded, original int
	replaced           bool // the whole piece stands for one $name
}

func (w wayBack) original(offset int) int {
	for _, p := range slices.Backward(w) {
		if offset >= p.expanded {
			if p.replaced {
				return p.original
			}
			return p.original + offset - p.expanded
		}
	}
	return offset
}

// expand replaces each $name of an entry by a group of that list's phrases.
func (b *phraseBook) expand(e wordEntry) (string, wayBack, bool) {
	if isRegex(e.text) || !strings.Contains(e.text, "$") {
		return e.text, nil, true
	}
	before := len(b.problems) + len(b.packFaults)
	names, offsets := b.namesIn(e)
	if len(b.problems)+len(b.packFaults) > before {
		return "", nil, false
	}
	var out strings.Builder
	var back wayBack
	from := 0
	for i, name := range names {
		group, problem := b.group(name, e, 0)
		if problem != "" {
			b.failInside(e, offsets[i], "use $"+name+" as an entry of its own", "%s", problem)
			return "", nil, false
		}
		back = append(back, piece{out.Len(), from, false})
		out.WriteString(e.text[from:offsets[i]])
		back = append(back, piece{out.Len(), offsets[i], true})
		out.WriteString(group)
		from = offsets[i] + 1 + len(name)
	}
	back = append(back, piece{out.Len(), from, false})
	out.WriteString(e.text[from:])
	return out.String(), back, true
}

// maxDepth ends the expansion of private classes that contain each other.
const maxDepth = 20

// group writes a list or class as (a|b|c).
func (b *phraseBook) group(name string, e wordEntry, depth int) (group, problem string) {
	if depth > maxDepth {
		return "", "$" + name + " contains itself"
	}
	words, private := e.words[name]
	if private {
		return b.alternatives(name, words, e, depth)
	}
	l := b.lists[name]
	l.used = true
	if l.expansion != "" {
		return l.expansion, ""
	}
	var parts []string
	for _, entry := range l.entries {
		part, problem := b.alternatives(name, []string{entry.text}, entry, depth)
		if problem != "" {
			return "", problem
		}
		parts = append(parts, strings.TrimSuffix(strings.TrimPrefix(part, "("), ")"))
	}
	l.expansion = "(" + strings.Join(parts, "|") + ")"
	return l.expansion, ""
}

// alternativesOf splits a phrase that is one group, (a|b|c), into its alternatives; any other phrase stays as it is.
func alternativesOf(phrase string) []string {
	if isRegex(phrase) || !strings.HasPrefix(phrase, "(") || !strings.HasSuffix(phrase, ")") {
		return []string{phrase}
	}
	var parts []string
	depth, from := 0, 1
	for i, r := range phrase {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
			if depth == 0 && i < len(phrase)-1 {
				return []string{phrase} // (a) b (c)
			}
		case r == '|' && depth == 1:
			parts = append(parts, phrase[from:i])
			from = i + 1
		}
	}
	return append(parts, phrase[from:len(phrase)-1])
}

// alternatives joins words into a group, their own $names replaced.
func (b *phraseBook) alternatives(name string, words []string, e wordEntry, depth int) (group, problem string) {
	var out strings.Builder
	out.WriteByte('(')
	for i, w := range words {
		if isRegex(w) || strings.HasPrefix(w, "=") {
			return "", "$" + name + " cannot stand inside a phrase, because it holds " + w
		}
		if i > 0 {
			out.WriteByte('|')
		}
		inner := e
		inner.text = w
		names, offsets := b.namesIn(inner)
		from := 0
		for j, n := range names {
			g, problem := b.group(n, e, depth+1)
			if problem != "" {
				return "", problem
			}
			out.WriteString(w[from:offsets[j]])
			out.WriteString(g)
			from = offsets[j] + 1 + len(n)
		}
		out.WriteString(w[from:])
	}
	out.WriteByte(')')
	return out.String(), ""
}
