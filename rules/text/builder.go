package text

import (
	"fmt"
	"strings"
)

// PhraseID names a phrase of a Matcher. IDs count from 0 in the order of Add.
type PhraseID int32

// Options of a phrase.
type Options struct {
	NoTypos bool   // no typing error is forgiven
	Lang    string // the language of the phrase; "" if it may be any
}

// forgives reports whether typing errors are forgiven. The languages without
// spaces between words, and Korean, carry the usual slips as phrases.
func (o Options) forgives() bool {
	switch o.Lang {
	case "zh", "ja", "ko", "th":
		return false
	}
	return !o.NoTypos
}

// Builder collects the phrases of a whole file. The zero value is empty.
type Builder struct {
	phrases []*phrase
	ids     map[builderKey]PhraseID
	lex     *lexicon
	roles   Roles
	msg     Message
}

type builderKey struct {
	src      string
	forgives bool
}

// Add adds a phrase. The same source with the same options has the same ID. The
// error is a *SyntaxError.
func (b *Builder) Add(src string, o Options) (PhraseID, error) {
	key := builderKey{src, o.forgives()}
	if id, ok := b.ids[key]; ok {
		return id, nil
	}
	if b.ids == nil {
		b.ids, b.lex = map[builderKey]PhraseID{}, newLexicon()
	}
	ph, err := parse(src, o, b.lex, &b.msg)
	if err != nil {
		return 0, err
	}
	id := PhraseID(len(b.phrases))
	b.ids[key] = id
	b.phrases = append(b.phrases, ph)
	return id, nil
}

// SetRoles says which phrases have a role; they count for `=whole` phrases and
// for Negated. SetRoles of the Matcher does the same.
func (b *Builder) SetRoles(r Roles) { b.roles = r }

// maxStates bounds the automaton of one file, and so the memory of a list that
// grew out of hand.
const maxStates = 1 << 22

// Build makes the matcher of all phrases added. The builder can go on.
func (b *Builder) Build() (*Matcher, error) {
	if b.lex == nil {
		b.lex = newLexicon()
	}
	c := newCompiler(b.lex)
	m := &Matcher{phrases: make([]compiled, len(b.phrases))}
	for id, ph := range b.phrases {
		m.phrases[id] = compiled{src: ph.src, re: ph.re, whole: ph.whole, gap: ph.gap, plain: ph.plain()}
		if ph.re != nil {
			m.patterns = append(m.patterns, PhraseID(id))
			continue
		}
		m.keepAll = m.keepAll || ph.whole
		c.phrase(PhraseID(id), ph)
		if len(c.states) > maxStates {
			return nil, fmt.Errorf("building the matcher: more than %d states at phrase %q", maxStates, abbreviate(ph.src))
		}
	}
	m.automaton = c.automaton()
	m.vocabulary = c.vocabulary()
	m.SetRoles(b.roles)
	return m, nil
}

func abbreviate(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
