package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

var saysCondition = &condition{
	key: "says", turns: onUser, value: phraseForms(negationRespect),
	doc:     "The customer's message has one of these phrases.",
	example: "says: [转人工, live agent]",
	aka:     []string{"keywords", "keyword", "contains", "text", "message", "phrases", "say", "user_says"},
	build: func(l *loader, n *yaml.Node) leaf {
		return &saysLeaf{test: l.phraseTest(n, negationRespect), by: onUser}
	},
}

// saysLeaf is `says` and `bot_says`.
type saysLeaf struct {
	test phraseTest
	by   kinds // whose words: those of the customer's turns or of the bot's
}

func (l *saysLeaf) holds(e *evaluation) verdict {
	f := l.test.find(e)
	v := truth(f.ok)
	v.found, v.why, v.near = f, f.why, !f.ok && f.why != ""
	return v
}

func (l *saysLeaf) quotes() {}

func (l *saysLeaf) explain(e *evaluation, v verdict) lang.Text { return l.test.explain(e, v.found) }

// late: that nothing was found is soon told.
func (l *saysLeaf) late(e *evaluation, v verdict) bool { return v.found.hit < 0 && e.c.lang[0] != 0 }

func (l *saysLeaf) appendMatches(e *evaluation, m []Match) []Match { return l.test.appendMatches(e, m) }

// implies: words that are said now were also said lately.
func (l *saysLeaf) implies(other leaf) bool {
	switch b := other.(type) {
	case *saysLeaf:
		return l.by == b.by && l.test.implies(&b.test)
	case *saidLeaf:
		return l.by == b.by && l.test.implies(&b.test)
	}
	return false
}

// phraseFields are the options of says, said and bot_says; standard is how they treat negation if the file says nothing.
func phraseFields(standard negation) []field {
	return []field{
		{key: "any", of: phraseList, doc: "One of these is there.", aka: []string{"phrases", "words", "contains"}},
		{key: "all", of: phraseList, doc: "Each of these is there."},
		{key: "not_part_of", of: phraseList, doc: "A hit that overlaps one of these does not count.", aka: []string{"except", "without", "unless", "not"}},
		{key: "negation", of: enumShape("a way to treat negation", negations[:]), standard: negations[standard], doc: "respect: a negated hit does not count; ignore: it counts like any other; require: only negated hits count."},
	}
}

// phraseForms is a list of phrases, or phrases with options.
func phraseForms(standard negation) *shape {
	options := &shape{
		name: "phrases with options", form: formRecord, fields: phraseFields(standard), atLeastOne: []string{"any", "all"},
		examples: []string{"{any: [转人工], not_part_of: [人工智能]}"},
	}
	return &shape{name: "phrases", form: formChoice, forms: []*shape{phraseList, options}, telltales: map[string]*shape{}}
}

// negation says what a negator does to a hit.
type negation uint8

const (
	negationRespect negation = iota
	negationIgnore
	negationRequire
)

// negations are the words of the file for them.
var negations = [...]string{negationRespect: "respect", negationIgnore: "ignore", negationRequire: "require"}

// phraseTest is the condition on the words of one message, shared by says, said and bot_says.
type phraseTest struct {
	any      *matchSet   // nil: not asked for
	all      []*matchSet // each must be found
	mask     text.PhraseSet
	negation negation
}

// never: each of the phrases is masked, or there is none that counts.
func (l *saysLeaf) never(p *Policy) lang.Text { return l.test.never(p) }

func (l *saysLeaf) excludes(other leaf) lang.Text {
	if b, ok := other.(*saysLeaf); ok && l.by == b.by {
		return apartAnswers(append(l.test.sets(), b.test.sets()...))
	}
	return ""
}

// sets are those of which each must be found.
func (s *phraseTest) sets() []*matchSet {
	if s.any == nil {
		return slices.Clone(s.all)
	}
	return append([]*matchSet{s.any}, s.all...)
}

// phraseTest compiles the phrases of says, said and bot_says; standard is the negation that counts if the file says none.
func (l *loader) phraseTest(n *yaml.Node, standard negation) phraseTest {
	t := phraseTest{negation: standard}
	if n.Kind == yaml.SequenceNode {
		t.any = l.book.setOf(l.book.entries(n), nil).counting()
		return t
	}
	if one := l.get(n, "any"); one != nil {
		t.any = l.book.setOf(l.book.entries(one), nil).counting()
	}
	for _, e := range l.book.entries(l.get(n, "all")) {
		t.all = append(t.all, l.book.setOf([]wordEntry{e}, nil).counting())
	}
	if except := l.get(n, "not_part_of"); except != nil {
		l.book.refuseAnswers(l.book.entries(except), "not_part_of")
		t.mask = l.book.maskSet(l.book.entries(except))
		l.excepted = append(l.excepted, excepted{slices.Concat(l.book.entries(l.get(n, "any")), l.book.entries(l.get(n, "all"))), t.mask})
	}
	if word := l.get(n, "negation"); word != nil {
		t.negation = negation(slices.Index(negations[:], word.Value))
	}
	if t.negation == negationRequire {
		for _, e := range slices.Concat(l.book.entries(l.get(n, "any")), l.book.entries(l.get(n, "all"))) {
			l.required[e.node] = true
		}
	}
	return t
}

// checkRequired complains about the phrases under `negation: require` that begin with a negator: their own never counts.
func (l *loader) checkRequired() {
	var msg text.Message
	m := l.policy.matcher
	for _, w := range l.book.written {
		if !l.required[w.entry.node] || !m.Plain(w.id) {
			continue
		}
		msg.Reset(w.entry.text)
		hits := m.FindAll(&msg, nil)
		for i, h := range hits {
			if h.First == 0 && l.policy.roles.IsNegator(hits, i) {
				l.book.failInside(w.entry, 0, "leave the negator out, or take negation: ignore",
					"under `negation: require` the phrase %s can never count: it begins with a negator itself", shorten(w.entry.text))
				break
			}
		}
	}
}

// names gives the lists of the phrases in brackets, "" if there are none.
func (s *phraseTest) names() string {
	var names []string
	for _, set := range s.sets() {
		for _, g := range set.groups {
			if g.list != "" && !slices.Contains(names, "$"+g.list) {
				names = append(names, "$"+g.list)
			}
		}
	}
	if names == nil {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// never says why no message can pass the test, "" if one can.
func (s *phraseTest) never(p *Policy) lang.Text {
	for _, set := range s.sets() {
		switch some, counts := s.counts(p, set); {
		case counts:
		case some:
			return "`not_part_of` holds what its phrases themselves are made of"
		default:
			return "none of its phrases has a weight over 0"
		}
	}
	return apartAnswers(s.sets())
}

// counts says whether a set has some phrase, or answer, and whether one of them can count. It ends at the first that can:
// lists are long.
func (s *phraseTest) counts(p *Policy, set *matchSet) (some, one bool) {
	some = set.answers != 0
	if some {
		return true, true
	}
	for _, g := range set.groups {
		for id := range g.weights {
			if some = true; s.mask.Empty() || !s.maskedByItself(p, id) {
				return true, true
			}
		}
	}
	return some, false
}

// maskedByItself says that wherever a phrase is found, a mask lies over it: the mask is the phrase, or words of it.
func (s *phraseTest) maskedByItself(p *Policy, id text.PhraseID) bool {
	if s.mask.Has(id) {
		return true
	}
	if !p.matcher.Plain(id) {
		return false
	}
	var msg text.Message
	msg.Reset(p.matcher.Phrase(id))
	return slices.ContainsFunc(p.matcher.FindAll(&msg, nil), func(h text.Hit) bool {
		return s.mask.Has(h.Phrase) && h.Typos == 0 && p.matcher.Plain(h.Phrase)
	})
}

// finding is what a phrase test found: the hit that counts, or the one that would have counted but for why.
type finding struct {
	ok  bool
	hit int // -1: nothing at all, or an answer
	set *matchSet
	why Reason
	by  int // the hit that negates or masks
	// answer is what the whole message is, if that is what was found.
	answer answer
}

// find tests the current message.
func (s *phraseTest) find(e *evaluation) finding {
	first := finding{hit: -1}
	if s.any != nil {
		if first = s.findIn(e, s.any); !first.ok {
			return first
		}
	}
	for _, set := range s.all {
		f := s.findIn(e, set)
		if !f.ok {
			return f
		}
		if !first.ok {
			first = f
		}
	}
	return first
}

// findIn looks for an answer of a set, or for its longest hit that counts; failing that, for one that almost did.
func (s *phraseTest) findIn(e *evaluation, set *matchSet) finding {
	if e.lacks(set) && set.answers == 0 {
		return finding{hit: -1, set: set}
	}
	best, near := finding{hit: -1}, s.findAnswer(e, set)
	if near.ok {
		return near
	}
	for i := range e.hits {
		if best.ok && !longer(e.hits[i], e.hits[best.hit]) {
			continue
		}
		f := finding{hit: i, set: set, why: ReasonMasked, by: -1}
		if frame, void := e.p.matcher.Voided(e.hits[i].Phrase); !void && set.has(e.hits[i].Phrase) {
			f = s.judge(e, set, i)
		} else if !void || !set.has(frame) {
			continue
		}
		switch {
		case !f.ok && near.hit < 0:
			near = f
		case f.ok:
			best = f
		}
	}
	if best.ok {
		return best
	}
	return near
}

func longer(a, b text.Hit) bool { return a.Last-a.First > b.Last-b.First }

// judge says whether one hit of a set counts.
func (s *phraseTest) judge(e *evaluation, set *matchSet, i int) finding {
	if by := e.masked(set, i); by >= 0 {
		return finding{hit: i, set: set, why: ReasonMasked, by: by}
	}
	if by := text.Overlapping(e.hits, i, &s.mask); by >= 0 {
		return finding{hit: i, set: set, why: ReasonMasked, by: by}
	}
	if s.negation != negationIgnore {
		by := e.negation.Of(i)
		if by >= 0 && s.negation == negationRespect {
			return finding{hit: i, set: set, why: ReasonNegated, by: by}
		}
		if by < 0 && s.negation == negationRequire {
			return finding{hit: i, set: set, by: -1}
		}
	}
	return finding{ok: true, hit: i, set: set}
}

// appendMatches adds the hits that make the test hold, one for each phrase that is asked for.
func (s *phraseTest) appendMatches(e *evaluation, matches []Match) []Match {
	if s.any != nil {
		if f := s.findIn(e, s.any); f.ok {
			matches = append(matches, e.matched(f))
		}
	}
	for _, set := range s.all {
		if f := s.findIn(e, set); f.ok {
			matches = append(matches, e.matched(f))
		}
	}
	return matches
}

// matched describes what was found.
func (e *evaluation) matched(f finding) Match {
	if f.answer != noAnswerGiven {
		return e.wholeMessage(f.answer)
	}
	return e.match(f.set, f.hit)
}

// explain says in words what was found.
func (s *phraseTest) explain(e *evaluation, f finding) lang.Text {
	switch {
	case f.ok && f.answer != noAnswerGiven:
		return lang.Say("the whole message is $%s", f.answer.pack())
	case f.answer != noAnswerGiven:
		return lang.Say("$%s is masked by %s", f.answer.pack(), e.words(f.by))
	case f.hit < 0 && f.set != nil && f.set.answers != 0:
		return lang.Say("the whole message is no answer that it looks for, and none of its phrases is there%s", s.unknownLanguage(e))
	case f.hit < 0:
		return lang.Say("none of its phrases is there%s", s.unknownLanguage(e))
	case f.ok:
		m := e.match(f.set, f.hit)
		if frame := e.frameWords(f.hit); frame != "" {
			return e.respelled(f.hit, lang.Say("%s%s", frame, m.source()))
		}
		return e.respelled(f.hit, lang.Say("found %s%s", m.Text, m.source()))
	case f.why == ReasonMasked && f.by < 0:
		return e.frameWords(f.hit)
	case f.why == ReasonNegated:
		return lang.Say("%s is negated by %s", e.words(f.hit), e.words(f.by))
	case f.why == ReasonMasked:
		return lang.Say("%s is masked by %s", e.words(f.hit), e.words(f.by))
	}
	return lang.Say("%s is not negated", e.words(f.hit))
}

// implies says that a message with the phrases of s has those of b: b looks for one of several phrases, both treat
// negation alike, nothing is excepted in b that s would count, and b has all phrases of s, or of one that s asks for.
func (s *phraseTest) implies(b *phraseTest) bool {
	if b.any == nil || len(b.all) > 0 || s.negation != b.negation || !b.mask.Empty() {
		return false
	}
	return s.any != nil && s.any.within(b.any) || slices.ContainsFunc(s.all, func(one *matchSet) bool { return one.within(b.any) })
}

// within says that another set counts each phrase of s.
func (s *matchSet) within(other *matchSet) bool {
	if s.answers&^other.answers != 0 {
		return false
	}
	for _, g := range s.groups {
		for id := range g.weights {
			if !other.hasPlain(id, g) && !other.covered.Has(id) {
				return false
			}
		}
	}
	return true
}

// hasPlain says that a set counts a phrase at least wherever the group g does: without masks, or with the same ones.
func (s *matchSet) hasPlain(id text.PhraseID, g phraseGroup) bool {
	for i := range s.groups {
		other := &s.groups[i]
		if other.Phrases.Has(id) && (other.Masks.Empty() || other.list != "" && other.list == g.list) {
			return true
		}
	}
	return false
}
