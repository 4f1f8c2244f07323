package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"escalator/rules/lang"
)

// Names says what the $names of a phrase stand for. Two Names that are equal say the same.
type Names interface {
	// Class gives what $name stands for, nil if there is no such name.
	Class(name string) *Class
	// Suggest is the hint for somebody who wrote a name that there is not.
	Suggest(name string) lang.Text
}

// A Class is what a $name stands for: any one of its phrases. It must not change once a phrase was added that names it.
type Class struct {
	Name    string
	Phrases []Source
	// Lenient leaves out the phrases that cannot stand inside another one, `=whole` messages and regular expressions.
	// Otherwise they are an error.
	Lenient bool
}

// A Source is a phrase as it is written, and what the $names in it mean.
type Source struct {
	Text  string
	Names Names
}

// A Use is one $name in a phrase.
type Use struct {
	Offset int // of the $
	Class  *Class
	Whole  bool // the phrase is this name and nothing else
}

// Uses lists the names in a phrase that there are.
func (s Source) Uses() []Use {
	var uses []Use
	if isPattern(s.Text) {
		return nil
	}
	for i := 0; i < len(s.Text); i++ {
		if s.Text[i] != '$' {
			continue
		}
		if name, class := longestName(s.Text[i+1:], s.Names); class != nil {
			uses = append(uses, Use{i, class, strings.TrimSpace(s.Text) == "$"+name})
			i += len(name)
		}
	}
	return uses
}

// Words lists the words that are written in a phrase, in normal form: without
// $names, signs and marks. A regular expression has none.
func Words(phrase string) []string {
	if isPattern(phrase) {
		return nil
	}
	var plain strings.Builder
	for {
		before, name, found := strings.Cut(phrase, "$")
		plain.WriteString(before)
		if !found {
			break
		}
		plain.WriteByte(' ')
		phrase = name[nameEnd(name):]
	}
	return strings.FieldsFunc(Normalize(plain.String()), func(r rune) bool { return !unicode.IsLetter(r) })
}

// isPattern reports whether a phrase is a regular expression: in it a $ is an end, not a name.
func isPattern(src string) bool { return strings.HasPrefix(strings.TrimSpace(src), "/") }

// longestName finds the longest known name at the beginning of s. A name may be
// followed by characters of a script without spaces, as in $person的, but not by
// letters of its own: $nowhere is not $no with something behind it.
func longestName(s string, names Names) (string, *Class) {
	if names == nil {
		return "", nil
	}
	for end := nameEnd(s); end > 0; {
		if c := names.Class(s[:end]); c != nil {
			return s[:end], c
		}
		last, size := utf8.DecodeLastRuneInString(s[:end])
		if !unicode.In(last, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) {
			return "", nil
		}
		end -= size
	}
	return "", nil
}

// nameEnd is where the letters of a name end.
func nameEnd(s string) int {
	for i, r := range s {
		if !(unicode.IsLetter(r) || r == '_' || i > 0 && (unicode.IsDigit(r) || r == '-')) {
			return i
		}
	}
	return len(s)
}

// atName reports whether a $name is written here.
func (p *parser) atName() bool {
	return p.names != nil && p.at("$") && nameEnd(p.src[p.pos+1:]) > 0
}

// name reads a $name, which stands for a group of the phrases of its class.
func (p *parser) name(seq *sequence) *SyntaxError {
	start := p.pos
	name, class := longestName(p.src[start+1:], p.names)
	if class == nil {
		word := p.src[start+1:][:nameEnd(p.src[start+1:])]
		return p.fail(start, lang.Say("there is no list $%s", word), p.names.Suggest(word))
	}
	before, _ := utf8.DecodeLastRuneInString(p.src[:start])
	if start > 0 && classOf(before) == classLetter && class.beginsWithLetter() {
		return p.fail(start, "a group inside a word", "write the words in full, as in (talk|talking), or talk* for any ending")
	}
	g, err := p.classGroup(class, start)
	if err != nil {
		return err
	}
	p.pos = start + 1 + len(name)
	seq.push(item{kind: itemGroup, offset: int32(start), group: g, named: true, optional: p.eat("?", "？")})
	return nil
}

func (c *Class) beginsWithLetter() bool {
	if len(c.Phrases) == 0 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(c.Phrases[0].Text)
	return classOf(first) == classLetter
}

// classGroup reads the phrases of a class. A class that is named in many phrases is one group.
func (p *parser) classGroup(c *Class, at int) (*group, *SyntaxError) {
	if g := p.lex.classes[c]; g != nil && p.depth+g.height < maxPhraseDepth {
		g.uses++
		p.deep = max(p.deep, p.depth+1+g.height)
		return g, nil
	}
	if slices.Contains(p.inside, c) {
		return nil, p.fail(at, lang.Say("$%s contains itself", c.Name), "take one of the names out")
	}
	if p.depth+1 > maxPhraseDepth {
		return nil, p.fail(at, "groups are nested too deeply", "split the phrase")
	}
	inner := &parser{msg: p.msg, lex: p.lex, depth: p.depth + 1, deep: p.depth + 1, inside: append(slices.Clip(p.inside), c)}
	var alts []sequence
	for _, s := range c.Phrases {
		if isPattern(s.Text) || strings.HasPrefix(s.Text, "=") || strings.HasPrefix(s.Text, "＝") {
			if c.Lenient {
				continue
			}
			return nil, p.fail(at, lang.Say("$%s cannot stand inside a phrase, because it holds %s", c.Name, s.Text), lang.Say("use $%s as an entry of its own", c.Name))
		}
		inner.src, inner.pos, inner.names = s.Text, 0, s.Names
		alt, err := inner.whole()
		if err != nil {
			return nil, &SyntaxError{Offset: at, Message: lang.Say("in $%s: %s", c.Name, err.Message), Hint: err.Hint, Class: c}
		}
		alts = append(alts, alt)
	}
	if len(alts) == 0 {
		err := p.fail(at, lang.Say("no phrase of $%s can stand inside another one", c.Name), lang.Say("use $%s as an entry of its own, with nothing beside it", c.Name))
		err.Class = c
		return nil, err
	}
	g := p.lex.newGroup(alts, inner.deep-inner.depth)
	p.deep = max(p.deep, inner.deep)
	p.lex.classes[c] = g
	return g, nil
}

// seenFrom is the shape of a class in a phrase that names it at an offset. Whatever
// the class holds, it costs the phrase about a word, for it is compiled once.
func (a shape) seenFrom(offset int) shape {
	if a.first >= 0 {
		a.first = offset
	}
	if a.last >= 0 {
		a.last = offset
	}
	a.tokens = min(a.tokens, 1)
	return a
}
