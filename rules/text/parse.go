package text

import (
	"strings"
	"unicode/utf8"

	"escalator/rules/lang"
)

// A parser reads one phrase by recursive descent. The parentheses, bars,
// question marks and stars of a Chinese keyboard count like the others.
type parser struct {
	src   string
	pos   int
	depth int
	deep  int      // the greatest depth since it was set
	msg   *Message // normalises the words
	lex   *lexicon
	names Names // nil: a $ is a mark like others
	// inside holds the classes whose phrases are being read.
	inside []*Class
}

// parse reads one phrase. Its words and groups go to lex; msg is working memory.
func parse(src string, o Options, lex *lexicon, msg *Message) (*phrase, *SyntaxError) {
	if len(src) > maxPhraseBytes {
		return nil, &SyntaxError{Offset: 0, Message: "this phrase is too long", Hint: "split it into several phrases"}
	}
	ph := &phrase{src: src, options: o, whole: o.Whole}
	p := &parser{src: src, msg: msg, lex: lex, names: o.Names}
	p.skipSpace()
	if p.at("/") {
		re, err := p.pattern()
		ph.re, ph.whole = re, false
		return ph, err
	}
	if p.eat("=", "＝") {
		ph.whole = true
		p.skipSpace()
		if p.at("/") && strings.HasSuffix(strings.TrimSpace(src), "/") {
			return nil, p.fail(p.pos, "`=` does not go with a regular expression", "write /^…$/ for the whole message")
		}
	}
	seq, err := p.whole()
	if err != nil {
		return nil, err
	}
	shape := seq.shape()
	ph.seq, ph.gap = seq, shape.gap
	if err := shape.check(); err != nil {
		return nil, err
	}
	return ph, nil
}

// whole reads a sequence up to the end.
func (p *parser) whole() (sequence, *SyntaxError) {
	seq, err := p.sequence()
	switch {
	case err != nil:
	case p.at(")"), p.at("）"):
		err = p.fail(p.pos, "a `)` without its `(`", "take it out, or open the group before it")
	case p.at("|"), p.at("｜"):
		err = p.fail(p.pos, "alternatives outside parentheses", "write (this|that), or two phrases")
	case len(seq.items) == 0 && len(p.inside) > 0:
		err = p.fail(0, "nothing is left of this phrase in the normal form", "it holds no letter or digit")
	default:
		p.lex.markSpaced(&seq)
	}
	return seq, err
}

func (p *parser) fail(offset int, message, hint lang.Text) *SyntaxError {
	return &SyntaxError{Offset: offset, Message: message, Hint: hint}
}

func (p *parser) at(s string) bool { return strings.HasPrefix(p.src[p.pos:], s) }

// eat steps over one of the spellings of a sign.
func (p *parser) eat(spellings ...string) bool {
	for _, s := range spellings {
		if p.at(s) {
			p.pos += len(s)
			return true
		}
	}
	return false
}

func (p *parser) skipSpace() {
	p.pos = len(p.src) - len(strings.TrimLeft(p.src[p.pos:], " \t\r\n\u3000"))
}

// sequence reads items up to a `|`, a `)` or the end.
func (p *parser) sequence() (sequence, *SyntaxError) {
	var seq sequence
	for p.pos < len(p.src) {
		var err *SyntaxError
		start := p.pos
		switch {
		case p.at("|"), p.at("｜"), p.at(")"), p.at("）"):
			return seq, nil
		case p.eat("(", "（"):
			err = p.group(&seq, start)
		case p.atName():
			err = p.name(&seq)
		case p.atGap():
			p.gap(&seq)
		case p.starred():
			return seq, p.fail(start, "a `*` without a word before it", "write it at the end of a word, as in refund*")
		default:
			err = p.words(&seq)
		}
		if err != nil {
			return seq, err
		}
	}
	return seq, nil
}

// push adds an item behind the break that was written before it.
func (s *sequence) push(it item) {
	it.lead = max(it.lead, s.tail)
	s.tail = breakNone
	s.items = append(s.items, it)
}

// group reads a group whose parenthesis at byte open was read.
func (p *parser) group(seq *sequence, open int) *SyntaxError {
	if p.inWord(open, p.pos) {
		return p.fail(open, "a group inside a word", "write the words in full, as in (talk|talking), or talk* for any ending")
	}
	g, err := p.sharedGroup(open)
	if err != nil {
		return err
	}
	it := item{kind: itemGroup, offset: int32(open), group: g}
	p.lex.room(seq, 1)
	closing := p.lastSign()
	it.optional = p.eat("?", "？")
	if p.inWord(closing, p.pos) {
		return p.fail(closing, "a group inside a word", "write the words in full, as in (refund|refunded), or leave a space")
	}
	seq.push(it)
	return nil
}

// lastSign returns where the sign begins that was just read.
func (p *parser) lastSign() int {
	_, size := utf8.DecodeLastRuneInString(p.src[:p.pos])
	return p.pos - size
}

// sharedGroup reads the alternatives of a group, unless the same were read
// before: lists name other lists, and so the same long groups come in many
// phrases.
func (p *parser) sharedGroup(open int) (*group, *SyntaxError) {
	end, bars := p.closing()
	if end > 0 {
		if g := p.lex.groups[p.groupKey(p.pos, end)]; g != nil && p.depth+g.height < maxPhraseDepth {
			g.uses++
			p.deep = max(p.deep, p.depth+1+g.height)
			p.pos = end
			p.eat(")", "）")
			return g, nil
		}
	}
	if p.depth++; p.depth > maxPhraseDepth {
		return nil, p.fail(open, "groups are nested too deeply", "split the phrase")
	}
	outer := p.deep
	p.deep = p.depth
	start := p.pos
	alts, err := p.alternatives(open, make([]sequence, 0, bars+1))
	if err != nil {
		return nil, err
	}
	g := p.lex.newGroup(alts, p.deep-p.depth)
	p.deep = max(p.deep, outer)
	p.depth--
	if end > 0 && !g.shape.gap { // a gap is known by its place in the phrase
		p.lex.groups[p.groupKey(start, end)] = g
	}
	return g, nil
}

// groupKey is what groups that are written alike have in common: the text, and what the names in it mean.
func (p *parser) groupKey(from, to int) groupSource {
	key := groupSource{text: p.src[from:to]}
	if strings.Contains(key.text, "$") {
		key.names = p.names
	}
	return key
}

// closing returns where the parenthesis is that closes the group that begins
// at pos, or 0, and how many bars part its alternatives.
func (p *parser) closing() (at, bars int) {
	depth := 0
	for i, r := range p.src[p.pos:] {
		switch r {
		case '(', '（':
			depth++
		case ')', '）':
			if depth == 0 {
				return p.pos + i, bars
			}
			depth--
		case '|', '｜':
			if depth == 0 {
				bars++
			}
		}
	}
	return 0, bars
}

// alternatives reads the alternatives of a group and its closing parenthesis.
func (p *parser) alternatives(open int, alts []sequence) ([]sequence, *SyntaxError) {
	for {
		start := p.pos
		alt, err := p.sequence()
		if err != nil {
			return nil, err
		}
		if len(alt.items) == 0 {
			return nil, p.emptyAlternative(start, open)
		}
		p.lex.markSpaced(&alt)
		alts = append(alts, alt)
		switch {
		case p.eat("|", "｜"):
		case p.eat(")", "）"):
			return alts, nil
		default:
			return nil, p.fail(open, "this group is not closed", "add `)`")
		}
	}
}

func (p *parser) emptyAlternative(start, open int) *SyntaxError {
	text := strings.TrimSpace(p.src[start:p.pos])
	switch {
	case text != "":
		return p.fail(start, "nothing is left of this alternative in the normal form", "it holds no letter or digit")
	case p.pos == len(p.src):
		return p.fail(open, "this group is not closed", "add `)`")
	}
	return p.fail(start, "an empty alternative", "write (…)? for a group that may be left out")
}

// inWord reports whether letters of one word stand directly at both sides of
// the signs src[i:j], where a person may have meant one word.
func (p *parser) inWord(i, j int) bool {
	before, _ := utf8.DecodeLastRuneInString(p.src[:i])
	after, _ := utf8.DecodeRuneInString(p.src[j:])
	return i > 0 && j < len(p.src) && classOf(before) == classLetter && classOf(after) == classLetter
}

// atGap reports whether a gap is written here: two or more full stops, or an
// ellipsis.
func (p *parser) atGap() bool { return p.at("..") || p.at("…") }

func (p *parser) gap(seq *sequence) {
	it := item{kind: itemGap, offset: int32(p.pos)}
	for p.eat(".", "…") {
	}
	seq.push(it)
}

// signEnd returns where the words that begin at pos end: at a sign of the
// grammar or at the end of the source.
func (p *parser) signEnd() int {
	start := p.pos
	defer func() { p.pos = start }()
	for ; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case '(', ')', '|', '*':
			return p.pos
		case '.', '$', "…"[0], "（"[0]: // what else begins with one of these bytes is no sign
			if p.atGap() || p.atName() || p.atWideSign() {
				return p.pos
			}
		}
	}
	return p.pos
}

// atWideSign reports whether a full-width sign of the grammar stands here.
func (p *parser) atWideSign() bool {
	return p.at("（") || p.at("）") || p.at("｜") || p.at("＊")
}

// words reads words up to the next sign.
func (p *parser) words(seq *sequence) *SyntaxError {
	start, end := p.pos, p.signEnd()
	if end-start > maxHead+maxTail {
		return p.fail(start, "this phrase is too long", "split it into several phrases")
	}
	if i := p.questionMark(start, end); i >= 0 {
		return p.fail(i, "a `?` inside a word", "only a group can be optional: (…)?")
	}
	m := p.msg
	m.loose = true
	m.read(p.src[start:end])
	m.loose = false
	p.pos = end
	if len(m.tokens) == 0 {
		seq.tail = max(seq.tail, m.sep.plainLevel())
		return p.star(seq, start)
	}
	p.lex.room(seq, len(m.tokens))
	p.lex.tokens += len(m.tokens)
	for i := range m.tokens {
		t := &m.tokens[i]
		it := item{kind: itemToken, lead: t.brk, flags: t.flags & charToken, offset: int32(start) + t.Start}
		if i == 0 {
			it.lead = m.lead.plainLevel()
		}
		if i == len(m.tokens)-1 && p.starred() && it.flags&charToken == 0 {
			it.prefix = true
			it.word = intern(&p.lex.prefixes, p.lex.prefixIDs, m.word(i), t.hash)
		} else {
			it.word = intern(&p.lex.words, p.lex.wordIDs, m.word(i), t.hash)
		}
		seq.push(it)
	}
	seq.tail = m.sep.plainLevel()
	return p.star(seq, end)
}

// starred reports whether a `*` follows.
func (p *parser) starred() bool { return p.at("*") || p.at("＊") }

// questionMark returns where a question mark stands between two letters of a
// word, or -1.
func (p *parser) questionMark(start, end int) int {
	for i := start; i < end; i++ {
		if p.src[i] == '?' && p.inWord(i, i+1) {
			return i
		}
	}
	return -1
}

// star reads a `*` behind the last item.
func (p *parser) star(seq *sequence, at int) *SyntaxError {
	if !p.eat("*", "＊") {
		return nil
	}
	n := len(seq.items)
	if n == 0 || seq.tail != breakNone || seq.items[n-1].kind != itemToken {
		return p.fail(at, "a `*` without a word before it", "write it at the end of a word, as in refund*")
	}
	last := &seq.items[n-1]
	if last.flags&charToken != 0 {
		return p.fail(at, "a `*` behind a script without spaces", "leave it out: such a phrase matches anywhere")
	}
	if r, _ := utf8.DecodeRuneInString(p.src[p.pos:]); p.pos < len(p.src) && classOf(r) != classSpace && classOf(r) != classMark {
		return p.fail(at, "a `*` in the middle of a word", "it can only stand for the end of a word, as in refund*")
	}
	return nil
}

// plainLevel is the break of a separator whose neighbours are not known.
func (s *separator) plainLevel() uint8 {
	brk, _ := s.level(edgeWord, edgeWord)
	return brk
}
