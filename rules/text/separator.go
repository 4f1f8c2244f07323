package text

import "unicode"

// separator gathers what stands between two tokens.
type separator struct {
	mark    rune  // the mark, if there was one kind only
	marks   int32 // how many marks
	dots    int32 // how many of them are full stops of ASCII
	stops   int32 // how many are full stops of Han
	dashes  int32 // how many are hyphens
	strong  uint8 // the strongest break of the other marks
	pending byte  // white space that is not yet in the normal form
	space   bool
	line    bool // a line end
	mixed   bool // several kinds of marks
	comma   bool // a comma or a colon
	symbol  bool // an emoji or its like
	barrier bool // words that are not the customer's own
}

// Kinds of separators that are not one mark or white space.
const (
	sepNone  rune = 0
	sepMixed rune = -1 // line ends, several marks
	sepEdge  rune = -2 // the beginning of the message
)

// add takes a character that stands between tokens.
func (s *separator) add(r rune) {
	if classOf(r) == classSpace {
		s.white(r)
		return
	}
	s.marks++
	if s.mark == 0 {
		s.mark = r
	}
	s.mixed = s.mixed || s.mark != r
	switch r {
	case '.':
		s.dots++
	case '。', '｡':
		s.stops++
	case '-', '‐', '‑':
		s.dashes++
	case ',', ':':
		s.comma = true
	default:
		s.strong = max(s.strong, markBreak(r))
		s.symbol = s.symbol || r >= 0x2190 && unicode.In(r, unicode.So, unicode.Sk)
	}
}

// white takes white space.
func (s *separator) white(r rune) {
	s.space = true
	if r != ' ' && lineEnd(r) {
		s.line = true
		s.pending = '\n'
	} else if s.pending == 0 {
		s.pending = ' '
	}
}

// lineEnd reports whether white space ends a line.
func lineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// markBreak returns the break that a mark makes wherever it stands.
func markBreak(r rune) uint8 {
	switch r {
	case '!', '?', '؟', '۔', '।', '॥', '။', '។', '։', '።', '‼', '⁉':
		return breakSentence
	case ';', '、', '،', '؛', '፣', '၊', '~', '〜', '|', '—', '–', '―', '¡', '¿', '︙':
		return breakClause
	}
	return breakSoft
}

// kind is what letters set apart are compared by: sepNone, ' ' for white space
// alone, the mark if there is one kind of mark (with or without spaces), or
// sepMixed.
func (s *separator) kind() rune {
	switch {
	case s.line || s.mixed:
		return sepMixed
	case s.marks > 0:
		return s.mark
	case s.space:
		return ' '
	}
	return sepNone
}

// An edge is what a token shows to a separator.
type edge uint8

const (
	edgeWord edge = iota
	edgeDigit
	edgeChar
)

func edgeOf(flags tokenFlags, r rune) edge {
	switch {
	case flags&charToken != 0:
		return edgeChar
	case '0' <= r && r <= '9':
		return edgeDigit
	}
	return edgeWord
}

// edgeAfter is the edge at the end of a token.
func (m *Message) edgeAfter(t *Token) edge {
	return edgeOf(t.flags, rune(m.buf[t.keyEnd-1]))
}

// level returns the break that the separator makes between two tokens. The
// second result is clauseToken where a clause ends though phrases may go over
// the separator: an emoji, or the dot in example.com.
func (s *separator) level(before, after edge) (uint8, tokenFlags) {
	if s.marks == 0 {
		switch {
		case s.line:
			return breakSentence, 0
		case s.space:
			return breakSoft, 0
		}
		return breakNone, 0
	}
	brk := max(breakSoft, s.strong)
	var flags tokenFlags
	if s.symbol {
		flags = clauseToken
	}
	tight := s.marks == 1 && !s.space
	number := tight && before == edgeDigit && after == edgeDigit
	switch {
	case s.line:
		brk = breakSentence
	case s.dots > 1 || s.stops > 1: // an ellipsis hesitates
		brk = max(brk, breakClause)
	case s.stops == 1:
		brk = breakSentence
	case s.dots == 1 && s.space:
		brk = breakSentence
	case s.dots == 1 && !number:
		if before == edgeChar || after == edgeChar {
			brk = max(brk, breakClause)
		}
		flags = clauseToken
	}
	if s.comma && !number || s.dashes > 1 || s.dashes == 1 && s.space {
		brk = max(brk, breakClause)
	}
	return brk, flags
}
