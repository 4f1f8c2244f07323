package text

import (
	"fmt"
	"slices"
	"strings"
)

// PhraseID names a phrase of a Matcher. IDs count from 0 in the order of Add.
type PhraseID int32

// Options of a phrase.
type Options struct {
	NoTypos bool   // no typing error is forgiven
	Lang    string // the language of the phrase; "" if it may be any
	Names   Names  // what $names mean; nil if a $ is a mark like others
	Whole   bool   // the phrase is the whole message, as if a `=` stood before it
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
	msg     Message
	frames  frames
	others  *Builder // of the words of roles that are no anchors
	meaning *Meaning // nil: each phrase means something by itself

	buildOthers func() (*Matcher, error)
}

type builderKey struct {
	src             string
	names           Names
	forgives, whole bool
	alternative     int // of Alternatives, from 1
	role, frame     int // of AddRole and AddFrame
}

func newBuilderKey(src string, o Options) builderKey {
	key := builderKey{src: src, forgives: o.forgives(), whole: o.Whole && !isPattern(src)}
	if strings.Contains(src, "$") {
		key.names = o.Names
	}
	return key
}

// Expect makes room for so many phrases. It must come before the first of them.
func (b *Builder) Expect(n int) {
	b.ids, b.lex = make(map[builderKey]PhraseID, n), newLexicon()
	b.phrases = make([]*phrase, 0, n)
}

// Add adds a phrase. The same source with the same options has the same ID. The
// error is a *SyntaxError.
func (b *Builder) Add(src string, o Options) (PhraseID, error) {
	key := newBuilderKey(src, o)
	if id, ok := b.ids[key]; ok {
		return id, nil
	}
	ph, err := b.parse(src, o)
	if err != nil {
		return 0, err
	}
	return b.add(key, ph), nil
}

// Alternatives adds a phrase that is one group, (a|b|c), as a phrase for each
// of its alternatives, wherever they stand in a message; any other phrase is
// added as it is. The error is a *SyntaxError.
func (b *Builder) Alternatives(src string, o Options) ([]PhraseID, error) {
	ph, err := b.parse(src, o)
	if err != nil {
		return nil, err
	}
	ph.whole = false
	alts := []sequence{ph.seq}
	if items := ph.seq.items; len(items) == 1 && items[0].kind == itemGroup && !items[0].optional {
		alts = items[0].group.alts
	}
	var ids []PhraseID
	for i, alt := range alts {
		key := newBuilderKey(src, o)
		if ph.re == nil {
			key.alternative = i + 1
		}
		id, ok := b.ids[key]
		if !ok {
			part := *ph
			part.seq, part.gap = alt, alt.shape().gap
			id = b.add(key, &part)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (b *Builder) parse(src string, o Options) (*phrase, error) {
	if b.ids == nil {
		b.ids, b.lex = map[builderKey]PhraseID{}, newLexicon()
	}
	ph, err := parse(src, o, b.lex, &b.msg)
	if err != nil {
		return nil, err // not a nil *SyntaxError in an error
	}
	return ph, nil
}

func (b *Builder) add(key builderKey, ph *phrase) PhraseID {
	id := PhraseID(len(b.phrases))
	b.ids[key] = id
	b.phrases = append(b.phrases, ph)
	return id
}

// Meaning says what the phrases of a Matcher are looked for.
type Meaning struct {
	// These mean something by themselves, in a customer's message and in one of the bot. The others, such as negators and
	// masks, are looked for only in a message that has a hit of one of these, or that phrases fill.
	OfCustomer, OfBot PhraseSet
	// A message may hold Polite phrases beside an `=whole` phrase; Polite ones and Answers may fill it.
	Polite, Answers PhraseSet
}

func (m *Meaning) telling(p pass) *PhraseSet {
	if p == passCustomer {
		return &m.OfCustomer
	}
	return &m.OfBot
}

// fill reports whether a phrase may fill a message with others.
func (m *Meaning) fill(id PhraseID) bool { return m.Polite.Has(id) || m.Answers.Has(id) }

// SetMeaning says what the phrases mean. Without it each means something by itself.
func (b *Builder) SetMeaning(m Meaning) { b.meaning = &m }

// means reports whether a phrase means something by itself, or where it fills a message with others. In the gap of a
// phrase any word may stand, so one with a gap that can fill a message is looked for in any case. The words of roles mean
// what their frames do; between them too any word may stand, so they are looked for where a frame can fill a message.
func (b *Builder) means(id PhraseID, ph *phrase) (tells passSet, fills bool) {
	m := b.meaning
	fills = ph.whole || m != nil && m.fill(id)
	if fills && ph.gap || m == nil && !ph.whole {
		return everyPass, false
	}
	for p := range passAll {
		ofFrame := func(id PhraseID) bool { return m.telling(p).Has(id) || m.fill(id) }
		if m != nil && !ph.whole && (m.telling(p).Has(id) || ph.role.langs != 0 && slices.ContainsFunc(b.frames.ids, ofFrame)) {
			tells |= 1 << p
		}
	}
	return tells, fills
}

// maxStates bounds the automaton of one file, and so the memory of a list that
// grew out of hand.
const maxStates = 1 << 22

// Build makes the matcher of all phrases added. The builder can go on.
func (b *Builder) Build() (*Matcher, error) {
	if b.lex == nil {
		b.lex = newLexicon()
	}
	c := newCompiler(b.lex, len(b.phrases))
	m := &Matcher{phrases: make([]compiled, len(b.phrases))}
	if b.meaning != nil {
		m.polite = b.meaning.Polite
	}
	for id, ph := range b.phrases {
		m.phrases[id] = compiled{src: ph.src, re: ph.re, own: ph.options.Lang != "", whole: ph.whole, gap: ph.gap, plain: ph.plain(), role: ph.role, frame: ph.frame}
		if ph.frame {
			continue
		}
		if ph.re != nil {
			m.patterns.add(PhraseID(id), ph.re)
			continue
		}
		m.keepAll = m.keepAll || ph.whole
		c.tells[id], c.fills[id] = b.means(PhraseID(id), ph)
		c.phrase(PhraseID(id), ph)
		if len(c.states) > maxStates {
			return nil, fmt.Errorf("building the matcher: more than %d states at phrase %q", maxStates, abbreviate(ph.src))
		}
	}
	shared := c.fillBuckets(b.phrases)
	for id, bucket := range c.buckets {
		m.phrases[id].bucket = bucket
	}
	for p := range passes {
		m.buckets[p] = shared.of(p)
	}
	m.automaton = c.automaton()
	m.vocabulary = c.vocabulary(c.filling(m.automaton))
	var err error
	m.frames, err = b.frameTable() // last: it may have to wait for a matcher that is made beside this one
	return m, err
}

func abbreviate(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
