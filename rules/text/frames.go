package text

import (
	"fmt"
	"math/bits"
	"slices"
)

// RoleID names a role of a grammar: what a word does in a sentence, such as the
// person who is asked for, or the asking. They are below 64.
type RoleID uint8

// RoleSet is a set of roles.
type RoleSet uint64

// NewRoleSet makes a set.
func NewRoleSet(roles ...RoleID) (s RoleSet) {
	for _, r := range roles {
		s |= 1 << r
	}
	return s
}

// Has reports whether a role is in the set.
func (s RoleSet) Has(r RoleID) bool { return s>>r&1 != 0 }

// An Extent says how much of a message a frame must fill.
type Extent uint8

const (
	Anywhere     Extent = iota // it may stand in a clause with other words
	WholeClause                // nothing else stands in its clause, or between two spaces of Han
	ToTheEnd                   // nothing else stands in its clause, and after it
	WholeMessage               // nothing else stands in the message
)

// The most parts and the widest gap of a frame.
const (
	maxParts = 4
	maxGap   = 9
)

// A Frame joins words of several roles in one clause. It is a phrase like others:
// its hits reach from the first of its words to the last.
type Frame struct {
	Name    string    // in words, such as "asks for a person"
	Parts   []RoleSet // each is filled by a word of one of these roles
	Fixed   bool      // the parts stand in this order, else in any
	Gap     int       // how many words that no role knows may stand between two parts; a Han character is one, of other scripts 2½ make one
	Extent  Extent
	Between RoleSet // what alone may stand between two parts, if not empty
	Beside  RoleSet // what may stand beside a frame that fills a clause or message
	Unless  RoleSet // it does not hold in a clause with a word of these
	// Now is set for what asks at this moment: what the clause before tells does not matter.
	Now   bool
	Langs []string // whose words the parts must be, nil for any
}

// partsFor gives the parts that a word of a role may fill as the n-th of the message.
func (fr *Frame) partsFor(r RoleID, n int) (parts uint8) {
	for p, roles := range fr.Parts {
		if roles.Has(r) && (p == n || !fr.Fixed) {
			parts |= 1 << p
		}
	}
	return parts
}

// A Grammar is what is known of roles besides the frames.
type Grammar struct {
	// Guards void the frames of their language in their clause; those of Before also in the next one.
	Guards, Before RoleSet
	// Homonyms take words of roles back that they overlap, of all languages: human in "human resources".
	Homonyms RoleSet
	// Anew are words with which something new begins, that guards do not reach over: "and can I".
	Anew RoleSet
	// Aside are words that belong to no language: ok, thanks.
	Aside RoleSet
	// Anchors are roles of which each frame has one. The words of the others are looked for only in a message that has a
	// word of these, which few have.
	Anchors RoleSet
	// Langs are the languages that the words and frames may have.
	Langs []string
}

// frames is the compiled form of a grammar and its frames.
type frames struct {
	grammar Grammar
	frames  []Frame
	ids     []PhraseID // of the frames; the one behind is that of its voided hits
	of      []uint32   // the languages of the frames
	words   RoleSet    // roles that are neither guards nor homonyms
	voiding RoleSet    // roles of words that may void a frame, or keep one from holding
	others  *Matcher   // of the words that are no anchors
}

// wordRole is what a Matcher keeps of a phrase that is a word of a role.
type wordRole struct {
	role  RoleID
	langs uint32 // 0: the phrase is of no role
}

// SetGrammar says what roles mean. It must be called before AddRole.
func (b *Builder) SetGrammar(g Grammar) { b.frames.grammar, b.others = g, &Builder{} }

// BuildOthers makes the matcher of the words of roles that are no anchors. It needs nothing else of the builder, and may
// run beside what does not add such words.
func (b *Builder) BuildOthers() (*Matcher, error) { return b.others.Build() }

// SetOthers says where Build gets the matcher of the words of roles that are no anchors: from BuildOthers of a builder with
// the same grammar. Without it Build makes one of the words that were added.
func (b *Builder) SetOthers(build func() (*Matcher, error)) { b.buildOthers = build }

// AddRole adds a word or short phrase of a role. Words without a language are of
// all. They are no phrases of their own: Find reports the frames that they fill.
// The error is a *SyntaxError.
func (b *Builder) AddRole(src string, o Options, role RoleID) error {
	key := newBuilderKey(src, o)
	key.role = int(role) + 1
	langs := b.frames.grammar.langBits(o.Lang)
	if !b.frames.grammar.Anchors.Has(role) {
		b = b.others
	}
	if id, ok := b.ids[key]; ok {
		b.phrases[id].role.langs |= langs
		return nil
	}
	ph, err := b.parse(src, o)
	if err != nil {
		return err
	}
	ph.role = wordRole{role, langs}
	b.add(key, ph)
	return nil
}

// AddFrame adds a frame.
func (b *Builder) AddFrame(f Frame) PhraseID {
	if b.ids == nil {
		b.ids, b.lex = map[builderKey]PhraseID{}, newLexicon()
	}
	if len(f.Parts) == 0 || len(f.Parts) > maxParts || f.Gap > maxGap {
		panic(fmt.Sprintf("frame %q has %d parts and a gap of %d", f.Name, len(f.Parts), f.Gap))
	}
	id := b.add(builderKey{src: f.Name, frame: len(b.frames.frames) + 1}, &phrase{src: f.Name, frame: true})
	b.add(builderKey{src: f.Name, frame: -len(b.frames.frames) - 1}, &phrase{src: f.Name, frame: true})
	langs := uint32(0)
	for _, lang := range f.Langs {
		langs |= b.frames.grammar.langBits(lang)
	}
	if len(f.Langs) == 0 {
		langs = ^langs
	}
	b.frames.frames, b.frames.ids, b.frames.of = append(b.frames.frames, f), append(b.frames.ids, id), append(b.frames.of, langs)
	return id
}

// everyLanguage is the set of the languages of a word that names none, such as one that a rule file adds.
const everyLanguage = ^uint32(0)

// langBits is the set of one language, or of all.
func (g *Grammar) langBits(lang string) uint32 {
	if lang == "" {
		return everyLanguage
	}
	return 1 << slices.Index(g.Langs, lang)
}

// frameTable finishes the frames.
func (b *Builder) frameTable() (*frames, error) {
	f := b.frames
	if len(f.frames) == 0 {
		return nil, nil
	}
	build, err := b.buildOthers, error(nil)
	if build == nil {
		build = b.BuildOthers
	}
	if f.others, err = build(); err != nil {
		return nil, err
	}
	f.words = ^(f.grammar.Guards | f.grammar.Before | f.grammar.Homonyms | f.grammar.Anew)
	f.voiding = f.grammar.Guards | f.grammar.Before
	for i := range f.frames {
		f.voiding |= f.frames[i].Unless
	}
	return &f, nil
}

// Framed tells how a hit of a frame came about.
type Framed struct {
	Parts []Span // the words, in the order of the message
	Lang  string // whose words they are, "" if they are of several languages
	// Guard is what voids the frame, and GuardRole its role, where Void is set.
	Guard     Span
	GuardRole RoleID
	Void      bool
}

// A Span is the tokens [First, Last).
type Span struct{ First, Last int32 }

// holds reports whether a token is one of the words that fill the frame.
func (f *Framed) holds(at int32) bool {
	return slices.ContainsFunc(f.Parts, func(p Span) bool { return p.First <= at && at < p.Last })
}

// Voided gives the frame of which a phrase holds the voided hits.
func (m *Matcher) Voided(id PhraseID) (frame PhraseID, ok bool) {
	if m.frames == nil {
		return 0, false
	}
	_, ok = slices.BinarySearch(m.frames.ids, id-1)
	return id - 1, ok
}

// Framed tells of a hit of the last Find whether it is of a frame, and how.
func (m *Message) Framed(h Hit) (f Framed, ok bool) {
	for i := range m.search.framing.found {
		f := &m.search.framing.found[i]
		if f.hit == h {
			return f.public(m.search.matcher.frames), true
		}
	}
	return Framed{}, false
}

// framed is a frame that was found.
type framed struct {
	hit   Hit
	parts [maxParts]Span
	roles [maxParts]RoleID
	n     int
	langs uint32 // the languages of which all its words are
	scope uint32 // those, or if there is none the languages of any
	heard uint32 // the languages that know each of its words, in whatever role; if there is none, those that know any
	guard int    // the role of the guard that voids it, -1 for none
	by    Span   // that guard
}

func (f *framed) public(fs *frames) Framed {
	out := Framed{Void: f.guard >= 0, Guard: f.by, GuardRole: RoleID(max(f.guard, 0))}
	out.Parts = append(out.Parts, f.parts[:f.n]...)
	if f.langs != 0 {
		if i := bits.TrailingZeros32(f.langs); i < len(fs.grammar.Langs) {
			out.Lang = fs.grammar.Langs[i]
		}
	}
	return out
}
